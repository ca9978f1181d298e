// forward: the whole network for TILE streams, from the bytes of the past to the frequencies.
//
//   embed, norms, newest, cache, global, local, router, coarse refiner, fine refiner, logits, recall, frequencies
//
// Eight stages; each is what comes before norms, norms, what comes after them, and products of matrices, as the records
// of fused-plan.ts say. All exponents are those of the step before, so no stream waits for another one. The formulas
// are those of the kernels that do one box, which say why they are exact; formats are docs/NUMERICS.md's.
// Tried: activations in workgroup memory. It holds 16 KiB on every device, less than a tile of level 5, and software
// adapters read it no faster than a buffer.

@group(0) @binding(0) var<storage, read_write> arena: array<i32>;         // all activations: see arena.ts
@group(0) @binding(1) var<storage, read> constants: array<i32>;              // LUTs, the plan, records
@group(0) @binding(2) var<storage, read> control: array<i32>;              // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;  // per exponent
@group(0) @binding(4) var<storage, read> master: array<i32>;              // Q24
@group(0) @binding(5) var<storage, read> copies: array<u32>;              // packed int8 copies of all matrices
@group(0) @binding(6) var<storage, read> embedding: array<i32>;           // 256 x D, int16 values
@group(0) @binding(7) var<storage, read> bytes: array<u32>;               // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(8) var<storage, read> entries: array<i32>;             // M x 2^TABLE_LOG2 x 256, Q20

fn embed() {
  for (var t = part; t < HISTORY; t += SHARE) {
    let byte = byte_before(stream, u32(control[AT_STEP]), u32(constants[PLAN_AT + PLAN_POSITIONS + t]));
    let to = place(EMBEDDED) + (stream * HISTORY + t) * EMBEDDING;
    for (var d = zero; d < EMBEDDING; d++) { arena[to + d] = embedding[byte * EMBEDDING + d]; }
  }
}

// int8 operands of `values` numbers of each stream.
fn quantise(exponent: u32, from_at: u32, to_at: u32, values: u32) {
  let shift = control[exponent];
  var most = 0u;
  for (var word = part; word < values / 4u; word += SHARE) {
    let at = from_at + stream * values + 4u * word;
    let x = vec4<i32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
    most = max(most, largest_of(x));
    arena[to_at + stream * values / 4u + word] = i32(operand_word(x, shift));
  }
  note(exponent, most);
}

fn convolve() {
  let x_at = place(LOCAL_NORM_OUT) + stream * WIDTH;
  let local_at = place(LOCAL) + stream * WIDTH;
  let near_at = place(NEAR) + stream * WIDTH;
  let taps_at = dense_at + DENSE_TAP;
  let bias_at = dense_at + DENSE_TAP_BIAS;
  for (var at = part; at < WIDTH; at += SHARE) {
    let i = x_at + at;
    let d = at % EMBEDDING;
    var sum = tap_value(arena[i], master[taps_at + EMBEDDING + d]) + as_bias(master[bias_at + d]);
    if (at >= EMBEDDING) { sum += tap_value(arena[i - EMBEDDING], master[taps_at + d]); }
    if (at + EMBEDDING < WIDTH) { sum += tap_value(arena[i + EMBEDDING], master[taps_at + 2u * EMBEDDING + d]); }
    let value = clamp_activation(sum);
    arena[local_at + at] = value;
    arena[near_at + at] = gelu(value);
  }
}

// The newest values of the cache go into the ring's place of this step.
fn fill_cache() {
  let from_at = place(NEWEST) + stream * 2u * CACHE_STEP;
  let to = place(CACHE_RING) + stream * CACHE + u32(control[AT_STEP]) % (CACHE / CACHE_STEP) * CACHE_STEP;
  for (var s = part; s < CACHE_STEP; s += SHARE) {
    arena[to + s] = geglu_value(arena[from_at + s], arena[from_at + CACHE_STEP + s]);
  }
}

// The cache in the order of age, oldest first.
fn quantise_cache() {
  let oldest = (u32(control[AT_STEP]) % (CACHE / CACHE_STEP) + 1u) * CACHE_STEP;
  let ring_at = place(CACHE_RING) + stream * CACHE;
  let to = place(OPERAND_CACHE) + stream * CACHE / 4u;
  let shift = control[EXPONENT_CACHE];
  var most = 0u;
  for (var word = part; word < CACHE / 4u; word += SHARE) {
    let at = ring_at + (oldest + 4u * word) % CACHE;   // a step adds a multiple of four values
    let x = vec4<i32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
    most = max(most, largest_of(x));
    arena[to + word] = i32(operand_word(x, shift));
  }
  note(EXPONENT_CACHE, most);
}

fn mix_streams() {
  let skipped_at = place(INPUT_NORM_OUT);
  let global_at = place(GLOBAL);
  let router_at = place(ROUTER);
  let near_at = place(NEAR);
  let far_at = place(FAR);
  let alpha_at = place(ALPHA);
  let mixed_at = place(MIXED);
  let scale = master[dense_at + DENSE_GLOBAL_SKIP];
  for (var at = part; at < WIDTH; at += SHARE) {
    let i = stream * WIDTH + at;
    let kept = kept_value(arena[skipped_at + i], scale);
    let far = clamp(gelu(arena[global_at + i]) + kept, -WIDE_LIMIT, WIDE_LIMIT);
    let alpha = sigmoid(arena[router_at + i]);
    arena[far_at + i] = far;
    arena[alpha_at + i] = alpha;
    arena[mixed_at + i] = mixed_value(arena[near_at + i], far, alpha);
  }
}

// Both branches through the stream's own matrix; four outputs make one word of each branch's operand.
fn multiply_memory() {
  let words = COARSE / 4u;
  let shift = WEIGHT_BITS - control[EXPONENT_DOWN_OUT] - control[COPY_SHIFTS + EXPONENT_W_MEMORY];
  let from_at = place(OPERAND_DOWN_OUT) + stream * 2u * words;
  var most = 0u;
  for (var n = part; n < words; n += SHARE) {
    let row = AT_MEMORY / 4u + (stream * COARSE + 4u * n) * words;
    var low = vec4<i32>();
    var high = vec4<i32>();
    for (var k = zero; k < words; k++) {
      let at = row + k;
      let w = vec4<u32>(copies[at], copies[at + words], copies[at + 2u * words], copies[at + 3u * words]);
      low += dots(u32(arena[from_at + k]), w);
      high += dots(u32(arena[from_at + words + k]), w);
    }
    most = max(most, max(put_memory(2u * stream, n, low, shift), put_memory(2u * stream + 1u, n, high, shift)));
  }
  note(EXPONENT_MEMORY_OUT, most);
}

fn put_memory(row: u32, n: u32, sums: vec4<i32>, shift: i32) -> u32 {
  let x = vec4<i32>(clamp_activation(round_shift_any(sums.x, shift)), clamp_activation(round_shift_any(sums.y, shift)),
                    clamp_activation(round_shift_any(sums.z, shift)), clamp_activation(round_shift_any(sums.w, shift)));
  let to = place(RECALLED) + row * COARSE + 4u * n;
  for (var j = 0u; j < 4u; j++) { arena[to + j] = x[j]; }
  arena[place(OPERAND_MEMORY_OUT) + row * COARSE / 4u + n] = i32(operand_word(x, control[EXPONENT_MEMORY_OUT]));
  return largest_of(x);
}

fn end_coarse() {
  let pre_at = place(GATE_PRE);
  let gate_at = place(GATE);
  let skipped_at = place(COARSE_NORM_OUT);
  let remembered_at = place(REMEMBERED);
  let bias_at = dense_at + DENSE_MEMORY_BIAS;
  let up_at = place(UP);
  let to = place(COARSE_PLACE);
  let scale = master[dense_at + DENSE_COARSE_SKIP];
  for (var at = part; at < WIDTH; at += SHARE) {
    let i = stream * WIDTH + at;
    let gate = sigmoid(arena[pre_at + i]);
    arena[gate_at + i] = gate;
    let kept = kept_value(arena[skipped_at + i], scale);
    var more = 0;
    if (CONTEXTS > 0u) { more = arena[remembered_at + i]; }
    arena[to + i] = coarse_value(arena[up_at + i], gate, master[bias_at + i], kept, more);
  }
}

fn fill_hidden() {
  let from_at = place(FINE) + stream * 2u * FINE_HIDDEN;
  let to = place(OPERAND_FINE_HIDDEN) + stream * FINE_HIDDEN / 4u;
  let shift = control[EXPONENT_FINE_HIDDEN];
  var most = 0u;
  for (var word = part; word < FINE_HIDDEN / 4u; word += SHARE) {
    var x = vec4<i32>();
    for (var j = 0u; j < 4u; j++) {
      let at = from_at + 4u * word + j;
      x[j] = geglu_value(arena[at], arena[at + FINE_HIDDEN]);
    }
    most = max(most, largest_of(x));
    arena[to + word] = i32(operand_word(x, shift));
  }
  note(EXPONENT_FINE_HIDDEN, most);
}

fn end_fine() {
  let x_at = place(LAST_NORM_OUT) + stream * WIDTH;
  let skipped_at = place(FINE_NORM_OUT) + stream * WIDTH;
  let to = place(OPERAND_LAST) + stream * WIDTH / 4u;
  let scale = master[dense_at + DENSE_FINE_SKIP];
  let shift = control[EXPONENT_LAST];
  var most = 0u;
  for (var word = part; word < WIDTH / 4u; word += SHARE) {
    var x = vec4<i32>();
    for (var j = 0u; j < 4u; j++) {
      let i = 4u * word + j;
      x[j] = clamp_activation(gelu(arena[x_at + i]) + kept_value(arena[skipped_at + i], scale));
    }
    most = max(most, largest_of(x));
    arena[to + word] = i32(operand_word(x, shift));
  }
  note(EXPONENT_LAST, most);
}

// Record `n` of the norms: rows of a power of two, several invocations to a row or several rows to an invocation.
fn norm(n: u32) {
  let width = norm_field(n, NORM_WIDTH);
  let width_log2 = norm_field(n, NORM_WIDTH_LOG2);
  let rows_per_stream = u32(WIDTH) >> width_log2;
  let together = min(LANES, TILE * rows_per_stream);   // rows at a time
  let share = LANES / together;
  let each = TILE * rows_per_stream / together;
  let live_rows = count * rows_per_stream;
  for (var j = 0u; j < each; j++) {
    let row = lane / share * each + j;
    let start = first * WIDTH + min(row, live_rows - 1u) * width;
    let x_at = norm_field(n, NORM_X) + start;
    let mine = lane % share;
    var sum = 0;
    for (var at = mine; at < width; at += share) { sum += arena[x_at + at]; }
    if (SHARE > 1) { sum = sums_of_row(vec2<i32>(sum, 0), mine, share).x; }
    let mean = round_shift(sum, width_log2);
    var squares = vec2<u32>();
    for (var at = mine; at < width; at += share) { squares += square_halves(arena[x_at + at], mean); }
    if (SHARE > 1) { squares = vec2<u32>(sums_of_row(vec2<i32>(squares), mine, share)); }
    let deviation = inverse_deviation(squares.x, squares.y, width_log2);
    if (row < live_rows) { put_norm(n, first * rows_per_stream + row, start, mine, share, mean, deviation); }
  }
}

fn put_norm(n: u32, row: u32, start: u32, mine: u32, share: u32, mean: i32, deviation: vec2<i32>) {
  let width = norm_field(n, NORM_WIDTH);
  let x_at = norm_field(n, NORM_X) + start;
  let normalised_at = norm_field(n, NORM_NORMALISED) + start;
  let out_at = norm_field(n, NORM_OUT) + start;
  let scale_at = norm_field(n, NORM_SCALE);
  let shift_at = norm_field(n, NORM_SHIFT);
  let operand_at = norm_field(n, NORM_OPERAND) + start / 4u;
  let exponent = norm_field(n, NORM_EXPONENT);   // EXPONENTS: none
  if (mine == 0u) {
    let at = norm_field(n, NORM_DEVIATIONS) + 2u * row;
    arena[at] = deviation.x;
    arena[at + 1u] = deviation.y;
  }
  var most = 0u;
  for (var word = mine; word < width / 4u; word += share) {
    var x = vec4<i32>();
    for (var j = 0u; j < 4u; j++) {
      let at = 4u * word + j;
      let value = normal_value(arena[x_at + at], mean, deviation);
      arena[normalised_at + at] = value;
      x[j] = scaled_value(value, master[scale_at + at], master[shift_at + at]);
      arena[out_at + at] = x[j];
    }
    if (exponent < EXPONENTS) {
      most = max(most, largest_of(x));
      arena[operand_at + word] = i32(operand_word(x, control[exponent]));
    }
  }
  if (exponent < EXPONENTS) { note(exponent, most); }
}

fn load_word(at: u32) -> u32 { return copies[at]; }

fn multiply(m: u32) { forward_product(m); }

const BYTES_EACH = 256u / u32(SHARE);   // of an invocation

// Logits with those of the tables, in the place of `ends` for the time being.
fn add_tables() {
  let rows_at = place(LOOKUPS) + lookup_rows() + stream * LOGIT_TABLES;
  let from_at = place(LOGITS) + stream * 256u;
  let to = place(ENDS) + stream * 256u;
  var gates = array<i32, TABLES_MAX>();
  var rows = array<u32, TABLES_MAX>();
  for (var table = zero; table < LOGIT_TABLES; table++) {
    gates[table] = sigmoid(arena[place(RECALL_GATE) + gate_of_table(stream, table)]);
    rows[table] = row_place(table, u32(arena[rows_at + table])) * 256u;
  }
  for (var v = part * BYTES_EACH; v < (part + 1u) * BYTES_EACH; v++) {
    var sum = 0;
    for (var table = zero; table < LOGIT_TABLES; table++) {
      sum += table_logit(entries[rows[table] + v]) * gates[table];
    }
    arena[to + v] = arena[from_at + v] + round_shift(sum, SLOPE_BITS - 1u);
  }
}

fn logit_of(at: u32) -> i32 {
  if (CONTEXTS + LOGIT_TABLES == 0u) { return arena[at]; }
  return clamp_activation(arena[at]);
}

fn frequencies() {
  let from_at = place(ENDS) + stream * 256u + part * BYTES_EACH;
  let until = select(from_at, from_at + BYTES_EACH, lives);
  var top = -ACTIVATION_LIMIT;
  for (var at = from_at; at < until; at++) {
    take_boost(at);
    top = max(top, logit_of(at));
  }
  if (SHARE > 1) { top = top_of_stream(top); }
  var sum = 0u;
  for (var at = from_at; at < until; at++) {
    let e = exp_negative(top - logit_of(at));
    arena[at] = i32(e);
    sum += e;
  }
  if (SHARE > 1) { sum = u32(sums_of_row(vec2<i32>(i32(sum), 0), part, SHARE).x); }
  let inverse = inverse_of(max(sum, 1u));
  var end = 0u;
  if (SHARE > 1) { end = sum_before(from_at, until, inverse); }
  for (var at = from_at; at < until; at++) {
    end += frequency_of(u32(arena[at]), inverse);
    arena[at] = i32(end);
  }
}

fn top_of_stream(mine: i32) -> i32 {
  partial[lane] = mine;
  workgroupBarrier();
  var top = mine;
  for (var j = zero; j < SHARE; j++) { top = max(top, partial[lane - part + j]); }
  workgroupBarrier();
  return top;
}

// The frequencies of the bytes that the invocations before this one have.
fn sum_before(from_at: u32, until: u32, inverse: vec2<u32>) -> u32 {
  var mine = 0u;
  for (var at = from_at; at < until; at++) { mine += frequency_of(u32(arena[at]), inverse); }
  partial[lane] = i32(mine);
  workgroupBarrier();
  var sum = 0u;
  for (var j = 0u; j < part; j++) { sum += u32(partial[lane - part + j]); }
  return sum;
}

fn before_norms(stage: u32) {
  switch (stage) {
    case STAGE_EMBED: { embed(); }
    case STAGE_CACHE: { fill_cache(); }
    case STAGE_MIX: { mix_streams(); }
    case STAGE_MEMORY: { quantise(EXPONENT_DOWN_OUT, place(DOWN), place(OPERAND_DOWN_OUT), 2u * COARSE); }
    case STAGE_COARSE: { end_coarse(); }
    case STAGE_HIDDEN: { fill_hidden(); }
    case STAGE_FREQUENCIES: { add_tables(); }
    default: {}
  }
}

fn after_norms(stage: u32) {
  switch (stage) {
    case STAGE_EMBED: { convolve(); }
    case STAGE_CACHE: { quantise_cache(); }
    case STAGE_MEMORY: { multiply_memory(); }
    case STAGE_LAST: { end_fine(); }
    case STAGE_FREQUENCIES: { add_boosts(); }
    default: {}
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  begin_tile(group.x, index);
  begin_eight(index);
  run_stages();
  for (var own = u32(control[AT_ZERO]); own < OWN; own++) {
    take_stream(own);
    frequencies();
  }
  note_all();
}

// backward: for TILE streams, from the bytes that came to the gradients of everything but the matrices' weights.
//
//   difference, logits, gates, fine refiner, coarse refiner, features, router, global, newest, local, embedding
//
// Leaves the int16 operands of the weights' products, which `weights` makes, and adds what is no matrix to `dense`:
// sums of integers modulo 2^32, first over the tile's rows, then by atomics, so no order matters. Eight stages, each as
// in forward. With TRAINS = 0 only the interval and the difference are made. Of the cache's gradient only the newest
// values are made, because no others go anywhere. The formulas are those of the kernels that do one box.

@group(0) @binding(0) var<storage, read_write> arena: array<i32>;            // all activations: see arena.ts
@group(0) @binding(1) var<storage, read> constants: array<i32>;                 // LUTs, the plan, records
@group(0) @binding(2) var<storage, read> control: array<i32>;                 // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;     // per exponent
@group(0) @binding(4) var<storage, read> master: array<i32>;                 // Q24
@group(0) @binding(5) var<storage, read> copies: array<u32>;                 // packed int8 copies of all matrices
@group(0) @binding(6) var<storage, read_write> dense: array<atomic<i32>>;    // DENSE_COUNT
@group(0) @binding(7) var<storage, read> bytes: array<u32>;                  // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(8) var<storage, read> entries: array<i32>;                // M x 2^TABLE_LOG2 x 256, Q20
@group(0) @binding(9) var<storage, read_write> intervals: array<vec2<u32>>;  // chunk steps x B

// Sums over the rows of skips: of the global one, of the coarse one, of the fine one.
var<workgroup> skip_sums: array<atomic<i32>, 3 * TILE>;
// Of the three taps and of their bias.
var<workgroup> tap_sums: array<atomic<i32>, 4 * EMBEDDING>;

// An invocation's part of the sum over a stream's row that a skip's scalar gets.
fn add_skip(skip: u32, sum: i32) {
  if (SHARE > 1) {
    atomicAdd(&skip_sums[skip * TILE + stream - first], sum);
  } else {
    atomicAdd(&dense[AT_GLOBAL_SKIP - DENSE_AT + skip], round_shift_any(sum, STREAMS_LOG2));   // three neighbours
  }
}

fn differ() {
  let came = byte_before(stream, u32(control[AT_STEP]), 0u);
  let interval = u32(control[AT_CHUNK_STEP]) * STREAMS + stream;
  for (var v = part; v < 256u; v += SHARE) {
    let i = stream * 256u + v;
    let start = select(0, arena[ENDS + max(i, 1u) - 1u], v > 0u);
    var away = arena[ENDS + i] - start;
    if (v == came) {
      intervals[interval] = vec2<u32>(u32(start), u32(away));
      away -= 1 << GRADIENT_BITS;
    }
    if (CONTEXTS + LOGIT_TABLES > 0u) { arena[DIFFERENCE + i] = away; }
    arena[GRADIENT_LOGITS + i] = gradient_operand(away, control[AT_LOGIT_SHIFT]);
  }
}

fn effect_of_one_table(table: u32) -> i32 {
  let row = row_place(table, u32(arena[LOOKUPS + LOOKUP_ROWS + stream * LOGIT_TABLES + table])) * 256u;
  var sums = vec2<i32>();
  for (var v = zero; v < 256u; v++) {
    sums += effect_terms(arena[DIFFERENCE + stream * 256u + v], table_logit(entries[row + v]));
  }
  return effect_of(sums);
}

// Spare gates have no gradient.
fn through_gates() {
  var most = 0u;
  for (var gate = part; gate < GATES; gate += SHARE) {
    let i = stream * GATES + gate;
    var effect = 0;
    if (gate < CONTEXTS) {
      effect = effect_of_context(gate);
    } else if (gate < CONTEXTS + LOGIT_TABLES) {
      effect = effect_of_one_table(gate - CONTEXTS);
    }
    let d = gate_slope(effect, sigmoid(arena[RECALL_GATE + i]));
    most = max(most, magnitude(d));
    arena[GRADIENT_RECALL_GATE + i] = gradient_operand(d, control[EXPONENT_D_RECALL_GATE]);
  }
  note(EXPONENT_D_RECALL_GATE, most);
}

// int16 operands of `values` gradients of each stream.
fn quantise(exponent: u32, from_at: u32, to_at: u32, values: u32) {
  var most = 0u;
  for (var at = stream * values + part; at < (stream + 1u) * values; at += SHARE) {
    let d = arena[from_at + at];
    most = max(most, magnitude(d));
    arena[to_at + at] = gradient_operand(d, control[exponent]);
  }
  note(exponent, most);
}

// Gradients of a GeGLU of n values, as operands; the gradient of its output lies in rows of `pitch` values.
fn through_geglu(exponent: u32, x_at: u32, d_at: u32, pitch: u32, to_at: u32, n: u32) {
  let row = stream * 2u * n;
  var most = 0u;
  for (var f = part; f < n; f += SHARE) {
    let both = geglu_gradient(arena[x_at + row + f], arena[x_at + row + n + f], arena[d_at + stream * pitch + f]);
    most = max(most, max(magnitude(both.x), magnitude(both.y)));
    arena[to_at + row + f] = gradient_operand(both.x, control[exponent]);
    arena[to_at + row + n + f] = gradient_operand(both.y, control[exponent]);
  }
  note(exponent, most);
}

fn begin_fine() {
  var sum = 0;
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[D_LAST + i];
    sum += mul_round(d, arena[FINE_NORM_OUT + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[D_THROUGH_GELU + i] = through_gelu(d, arena[LAST_NORM_OUT + i]);
    arena[D_SKIPPED + i] = through_skip(d, master[AT_FINE_SKIP]);
  }
  add_skip(2u, sum);
}

fn sum_fine() {
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    arena[D_THROUGH_GELU + i] = clamp_gradient(arena[D_FINE + i] + arena[D_SKIPPED + i]);
  }
}

// The end of the coarse refiner, and the features of the recall stream.
fn begin_coarse() {
  var sum = 0;
  var most = vec3<u32>();
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[D_COARSE + i];
    atomicStore(&dense[AT_MEMORY_BIAS - DENSE_AT + i], d);
    let skipped = arena[COARSE_NORM_OUT + i];
    sum += mul_round(d, skipped, ACTIVATION_BITS + WIDTH_LOG2);
    arena[D_SKIPPED + i] = through_skip(d, master[AT_COARSE_SKIP]);
    let gate = arena[GATE + i];
    let d_up = mul_round(d, gate, SLOPE_BITS);
    let d_gate = coarse_gate_gradient(d, arena[UP + i], gate);
    most = max(most, vec3<u32>(magnitude(d_up), magnitude(d_gate), magnitude(d)));
    arena[GRADIENT_UP + i] = gradient_operand(d_up, control[EXPONENT_D_UP]);
    arena[GRADIENT_GATE + i] = gradient_operand(d_gate, control[EXPONENT_D_GATE]);
    if (CONTEXTS > 0u) { arena[GRADIENT_FEATURE + i] = gradient_operand(d, control[EXPONENT_D_FEATURE]); }
  }
  add_skip(1u, sum);
  note(EXPONENT_D_UP, most.x);
  note(EXPONENT_D_GATE, most.y);
  if (CONTEXTS > 0u) { note(EXPONENT_D_FEATURE, most.z); }
}

// Through the stream's own matrix: four inputs of both branches to an invocation at a time.
fn through_memory() {
  let words = COARSE / 4u;
  let row = stream * 2u * COARSE;
  var most = 0u;
  for (var word = part; word < words; word += SHARE) {
    var low = vec4<i32>();
    var high = vec4<i32>();
    for (var n = zero; n < COARSE; n++) {
      let w = unpack4xI8(copies[AT_MEMORY / 4u + (stream * COARSE + n) * words + word]);
      low += w * arena[GRADIENT_MEMORY + row + n];
      high += w * arena[GRADIENT_MEMORY + row + COARSE + n];
    }
    most = max(most, put_down(row + 4u * word, low));
    most = max(most, put_down(row + COARSE + 4u * word, high));
  }
  note(EXPONENT_D_DOWN, most);
}

fn put_down(at: u32, sums: vec4<i32>) -> u32 {
  let shift = WEIGHT_BITS - control[EXPONENT_D_MEMORY] - control[COPY_SHIFTS + EXPONENT_W_MEMORY];
  var most = 0u;
  for (var j = 0u; j < 4u; j++) {
    let d = clamp_gradient(round_shift_any(sums[j], shift));
    most = max(most, magnitude(d));
    arena[GRADIENT_DOWN + at + j] = gradient_operand(d, control[EXPONENT_D_DOWN]);
  }
  return most;
}

fn sum_coarse() {
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    arena[D_THROUGH_GELU + i] = clamp_gradient(arena[D_GATE_IN + i] + arena[D_SKIPPED + i] + arena[D_DOWN_IN + i]);
  }
}

// The router, and the end of the global stream.
fn unmix() {
  var sum = 0;
  var most = vec2<u32>();
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[D_MIXED + i];
    let alpha = arena[ALPHA + i];
    let d_far = mul_round(d, alpha, SLOPE_BITS);
    arena[D_NEAR + i] = through_gelu(d - d_far, arena[LOCAL + i]);
    let d_router = router_gradient(d, arena[FAR + i], arena[NEAR + i], alpha);
    sum += mul_round(d_far, arena[INPUT_NORM_OUT + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[D_SKIPPED + i] = through_skip(d_far, master[AT_GLOBAL_SKIP]);
    let d_global = through_gelu(d_far, arena[GLOBAL + i]);
    most = max(most, vec2<u32>(magnitude(d_router), magnitude(d_global)));
    arena[GRADIENT_ROUTER + i] = gradient_operand(d_router, control[EXPONENT_D_ROUTER]);
    arena[GRADIENT_GLOBAL + i] = gradient_operand(d_global, control[EXPONENT_D_GLOBAL]);
  }
  add_skip(0u, sum);
  note(EXPONENT_D_ROUTER, most.x);
  note(EXPONENT_D_GLOBAL, most.y);
}

// What reaches the normalised input, and the convolution backward. A channel's taps are summed by one invocation.
fn begin_input() {
  for (var at = part; at < WIDTH; at += SHARE) {
    let i = stream * WIDTH + at;
    var sum = arena[D_INPUT + i] + arena[D_SKIPPED + i];
    if (at >= WIDTH - EMBEDDING) { sum += arena[D_NEWEST_IN + stream * EMBEDDING + at - (WIDTH - EMBEDDING)]; }
    arena[D_GLOBAL + i] = clamp_gradient(sum);
  }
  for (var d = part; d < EMBEDDING; d += SHARE) { convolve_back(d); }
}

fn convolve_back(d: u32) {
  let right = u32(ACTIVATION_BITS + POSITIONS_LOG2);
  let taps = vec3<i32>(master[AT_TAP + d], master[AT_TAP + EMBEDDING + d], master[AT_TAP + 2u * EMBEDDING + d]);
  var sums = vec4<i32>();
  for (var at = d; at < WIDTH; at += EMBEDDING) {
    let i = stream * WIDTH + at;
    let here = arena[D_NEAR + i];
    var d_input = through_skip(here, taps.y);
    sums.y += mul_round(here, arena[LOCAL_NORM_OUT + i], right);
    sums.w += round_shift_any(here, i32(POSITIONS_LOG2));
    if (at >= EMBEDDING) {
      sums.x += mul_round(here, arena[LOCAL_NORM_OUT + i - EMBEDDING], right);
      d_input += through_skip(arena[D_NEAR + i - EMBEDDING], taps.z);
    }
    if (at + EMBEDDING < WIDTH) {
      sums.z += mul_round(here, arena[LOCAL_NORM_OUT + i + EMBEDDING], right);
      d_input += through_skip(arena[D_NEAR + i + EMBEDDING], taps.x);
    }
    arena[D_THROUGH_GELU + i] = clamp_gradient(d_input);
  }
  for (var j = 0u; j < 4u; j++) {
    if (SHARE > 1) {
      atomicAdd(&tap_sums[j * EMBEDDING + d], sums[j]);
    } else {
      atomicAdd(&dense[AT_TAP - DENSE_AT + j * EMBEDDING + d], sums[j]);   // taps and their bias are neighbours
    }
  }
}

// Where the two sums over a row stand. Streams have parts of their own, however many rows a norm makes of them: another
// stream may be at another norm.
fn row_sums(row: u32, width_log2: u32) -> u32 {
  return ROW_SUMS + 2u * row * (u32(ROWS_MAX) >> (WIDTH_LOG2 - width_log2));
}

// Record `n` of the norms. The sums over rows are made as in forward; then an invocation goes down columns, so that
// what scale and shift get is summed before it is added for all.
fn norm(n: u32) {
  let width_log2 = norm_field(n, NORM_WIDTH_LOG2);
  let width = 1u << width_log2;
  let rows_per_stream = u32(WIDTH) >> width_log2;
  let together = min(LANES, TILE * rows_per_stream);
  let share = LANES / together;
  let each = TILE * rows_per_stream / together;
  let live_rows = count * rows_per_stream;
  let scale_at = norm_field(n, NORM_SCALE);
  for (var j = 0u; j < each; j++) {
    let row = lane / share * each + j;
    let mine = lane % share;
    let begin = first * WIDTH + min(row, live_rows - 1u) * width;
    let d_at = norm_field(n, NORM_D) + begin;
    let normalised_at = norm_field(n, NORM_NORMALISED) + begin;
    var sums = vec2<i32>();
    for (var at = mine; at < width; at += share) {
      let value = through_scale(arena[d_at + at], master[scale_at + at]);
      sums += vec2<i32>(round_shift(value, width_log2),
                        mul_round(value, arena[normalised_at + at], ACTIVATION_BITS + width_log2));
    }
    if (SHARE > 1) { sums = sums_of_row(sums, mine, share); }
    if (row < live_rows && mine == 0u) {
      let to = row_sums(first * rows_per_stream + row, width_log2);
      arena[to] = sums.x;
      arena[to + 1u] = sums.y;
    }
  }
  sync();
  let across = select(1u, min(width, u32(LANES)), SHARE > 1);
  for (var column = lane % across; column < width; column += across) { put_column(n, width_log2, column, across); }
  sync();   // the next norm writes to the same sums
}

fn put_column(n: u32, width_log2: u32, column: u32, across: u32) {
  let rows = rows_of(u32(WIDTH) >> width_log2);
  let d_at = norm_field(n, NORM_D) + column;
  let normalised_at = norm_field(n, NORM_NORMALISED) + column;
  let out_at = norm_field(n, NORM_D_OUT) + column;
  let deviations_at = norm_field(n, NORM_DEVIATIONS);
  let rows_log2 = norm_field(n, NORM_ROWS_LOG2);
  let more = norm_field(n, NORM_MORE);
  let scale = master[norm_field(n, NORM_SCALE) + column];
  let step = select(1u, LANES / across, SHARE > 1);
  var sums = vec2<i32>();
  for (var row = rows.x + select(0u, lane / across, SHARE > 1); row < rows.x + rows.y; row += step) {
    let at = row << width_log2;
    let d = arena[d_at + at];
    let normalised = arena[normalised_at + at];
    sums += vec2<i32>(mul_round(d, normalised, ACTIVATION_BITS + rows_log2), round_shift_any(d, i32(rows_log2)));
    let deviation = vec2<i32>(arena[deviations_at + 2u * row], arena[deviations_at + 2u * row + 1u]);
    let sums_at = row_sums(row, width_log2);
    arena[out_at + at] = through_norm(through_scale(d, scale), arena[sums_at], arena[sums_at + 1u], normalised,
                                      deviation, more);
  }
  atomicAdd(&dense[norm_field(n, NORM_SCALE_DENSE) + column], sums.x);
  atomicAdd(&dense[norm_field(n, NORM_SHIFT_DENSE) + column], sums.y);
}

// Rows that an invocation multiplies at a time, and words of four inputs.
const ROWS_EACH = select(2u, 4u, SHARE > 1);
const WORDS_EACH = 4u;

fn load_word(at: u32) -> u32 { return copies[at]; }

// Record `m` of the gradients: the gradient of a matrix's inputs, and that of its bias. Two products of a stage may add
// up in one place (D_LAST), with no barrier between them: both have the same rows and the same words, and so each place
// the same invocation. A test holds that of all records (test/bench/plan.test.ts).
fn multiply(m: u32) {
  let rows_per_stream = product_field(m, PRODUCT_ROWS_PER_STREAM);
  let rows = rows_of(rows_per_stream);
  let from_word = product_field(m, PRODUCT_FROM);
  let until = product_field(m, PRODUCT_UNTIL);
  let across = (until - from_word + WORDS_EACH - 1u) / WORDS_EACH;
  let tasks = across * tasks_of(rows.y, rows_per_stream, ROWS_EACH);
  let begin = select(0u, lane, SHARE > 1);
  let step = select(1u, u32(LANES), SHARE > 1);
  for (var task = begin; task < tasks; task += step) {
    let r0 = task / across * ROWS_EACH;
    back_tile(m, rows.x + min(r0, rows.y), rows.y - min(r0, rows.y), from_word + task % across * WORDS_EACH);
  }
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let g_at = product_field(m, PRODUCT_G) + rows.x * outputs;
  for (var n = begin; n < outputs; n += step) {
    var sum = 0;
    for (var r = 0u; r < rows.y; r++) { sum += arena[g_at + r * outputs + n]; }
    atomicAdd(&dense[product_field(m, PRODUCT_BIAS_DENSE) + n], sum);
  }
}

// `live` rows from `row` on, and from `word` on; words beyond the last repeat it. Outputs go in pairs: all matrices
// have an even number of them.
fn back_tile(m: u32, row: u32, live: u32, word: u32) {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let words = product_field(m, PRODUCT_WORDS);
  let last_word = product_field(m, PRODUCT_UNTIL) - 1u - word;
  let last = max(live, 1u) - 1u;
  var w_at = product_field(m, PRODUCT_COPY) + word;
  let g_at = product_field(m, PRODUCT_G) + row * outputs;
  var sums = array<vec4<i32>, ROWS_EACH * WORDS_EACH>();
  for (var n = 0u; n < outputs; n += 2u) {
    let w = eight_words(w_at, 1u, words, last_word);
    for (var i = 0u; i < ROWS_EACH; i++) {
      let from_at = g_at + min(i, last) * outputs + n;
      let g = vec2<i32>(arena[from_at], arena[from_at + 1u]);
      for (var j = 0u; j < WORDS_EACH; j++) {
        sums[i * WORDS_EACH + j] += unpack4xI8(w.low[j]) * g.x + unpack4xI8(w.high[j]) * g.y;
      }
    }
    w_at += 2u * words;
  }
  let shift = WEIGHT_BITS - control[product_field(m, PRODUCT_GRADIENT)]
    - control[product_field(m, PRODUCT_WEIGHT)];
  let adds = product_field(m, PRODUCT_ADDS) == 1u;
  let to = product_field(m, PRODUCT_OUT) + (row * words + word) * 4u;
  var rounded = sums;   // a copy, so that only this one is indexed by a variable, and compilers do not unroll
  for (var i = 0u; i < min(ROWS_EACH, live); i++) {
    for (var j = 0u; j <= min(WORDS_EACH - 1u, last_word); j++) {
      put_inputs(to + (i * words + j) * 4u, rounded[i * WORDS_EACH + j], shift, adds);
    }
  }
}

fn put_inputs(to: u32, sums: vec4<i32>, shift: i32, adds: bool) {
  for (var j = 0u; j < 4u; j++) {
    var value = clamp_gradient(round_shift_any(sums[j], shift));
    if (adds) { value = clamp_gradient(arena[to + j] + value); }
    arena[to + j] = value;
  }
}

fn before_norms(stage: u32) {
  switch (stage) {
    case STAGE_DIFFERENCE: { differ(); }
    case STAGE_FINE_OUT: { begin_fine(); }
    case STAGE_FINE: { through_geglu(EXPONENT_D_FINE, FINE, D_HIDDEN, FINE_HIDDEN, GRADIENT_FINE, FINE_HIDDEN); }
    case STAGE_COARSE: { sum_fine(); }
    case STAGE_MEMORY: { quantise(EXPONENT_D_MEMORY, D_RECALLED, GRADIENT_MEMORY, 2u * COARSE); }
    case STAGE_UNMIX: { sum_coarse(); }
    case STAGE_NEWEST: {
      let newest_at = u32(D_CACHE + CACHE - CACHE_STEP);
      through_geglu(EXPONENT_D_NEWEST, NEWEST, newest_at, CACHE, GRADIENT_NEWEST, CACHE_STEP);
    }
    case STAGE_INPUT: { begin_input(); }
    default: {}
  }
}

fn after_norms(stage: u32) {
  switch (stage) {
    case STAGE_DIFFERENCE: { if (GATES > 0u) { through_gates(); } }
    case STAGE_FINE_OUT: { quantise(EXPONENT_D_FINE_OUT, D_FINE_OUT, GRADIENT_FINE_OUT, WIDTH); }
    case STAGE_COARSE: { begin_coarse(); }
    case STAGE_MEMORY: { through_memory(); }
    case STAGE_UNMIX: { unmix(); }
    case STAGE_INPUT: { scatter(); }
    default: {}
  }
}

// What the workgroup has summed, for all.
fn add_sums() {
  workgroupBarrier();
  if (lane < count) {
    for (var skip = 0u; skip < 3u; skip++) {
      let sum = round_shift_any(atomicLoad(&skip_sums[skip * TILE + lane]), STREAMS_LOG2);
      atomicAdd(&dense[AT_GLOBAL_SKIP - DENSE_AT + skip], sum);
    }
  }
  for (var i = lane; i < 4u * EMBEDDING; i += LANES) {
    atomicAdd(&dense[AT_TAP - DENSE_AT + i], atomicLoad(&tap_sums[i]));
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  begin_tile(group.x, index);
  begin_eight(index);
  run_stages();
  if (TRAINS == 0u) { return; }
  if (SHARE > 1) { add_sums(); }
  note_all();
}

// backward: for TILE streams, from the bytes that came to the gradients of everything but the matrices' weights.
//
//   difference, logits, gates, fine refiner, coarse refiner, features, router, global, newest, local, embedding
//
// Leaves the int16 operands of the weights' products, which `weights` makes, and adds what is no matrix to `dense`:
// sums of integers modulo 2^32, first over the tile's rows, then by atomics, so no order matters. Eight stages, each as
// in forward. With TRAINS = 0 only the interval and the difference are made. Of the cache's gradient only the newest
// slot is computed, because no other goes anywhere. The formulas are those of the kernels that do one box.

@group(0) @binding(0) var<storage, read_write> arena: array<i32>;            // all activations: see arena.ts
@group(0) @binding(1) var<storage, read> tables: array<i32>;                 // look-ups, the plan, records
@group(0) @binding(2) var<storage, read> shifts: array<i32>;                 // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;     // per slot
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

fn differ() {
  let came = byte_before(stream, u32(shifts[AT_STEP]), 0u);
  let interval = u32(shifts[AT_CHUNK_STEP]) * STREAMS + stream;
  for (var v = part; v < 256u; v += SHARE) {
    let i = stream * 256u + v;
    let start = select(0, arena[ENDS + max(i, 1u) - 1u], v > 0u);
    var away = arena[ENDS + i] - start;
    if (v == came) {
      intervals[interval] = vec2<u32>(u32(start), u32(away));
      away -= 1 << GRADIENT_BITS;
    }
    arena[DIFFERENCE + i] = away;
    arena[GRADIENT_LOGITS + i] = gradient_operand(away, shifts[AT_LOGIT_SHIFT]);
  }
}

fn effect_of_boosts(c: u32) -> i32 {
  let found = u32(arena[LOOKUPS + stream * CONTEXTS + c]);
  if (found == 0u) { return 0; }
  let place = BOOSTS + boost_place(c, found);
  let row = DIFFERENCE + stream * 256u;
  var sum = to_gate(arena[row + first_byte(found)], arena[place]);
  if (other_of(found) > 0u) { sum += to_gate(arena[row + second_byte(found)], arena[place + 1u]); }
  return sum;
}

fn effect_of_table(table: u32) -> i32 {
  let row = row_place(table, u32(arena[LOOKUPS + LOOKUP_ROWS + stream * LOGIT_TABLES + table])) * 256u;
  var sums = vec2<i32>();
  for (var v = 0u; v < 256u; v++) {
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
      effect = effect_of_boosts(gate);
    } else if (gate < CONTEXTS + LOGIT_TABLES) {
      effect = effect_of_table(gate - CONTEXTS);
    }
    let d = gate_slope(effect, sigmoid(arena[BOOST_GATE + i]));
    most = max(most, magnitude(d));
    arena[GRADIENT_BOOST_GATE + i] = gradient_operand(d, shifts[SLOT_D_BOOST_GATE]);
  }
  note(SLOT_D_BOOST_GATE, most);
}

// int16 operands of `values` gradients of each stream.
fn quantise(slot: u32, from_at: u32, to_at: u32, values: u32) {
  var most = 0u;
  for (var at = stream * values + part; at < (stream + 1u) * values; at += SHARE) {
    let d = arena[from_at + at];
    most = max(most, magnitude(d));
    arena[to_at + at] = gradient_operand(d, shifts[slot]);
  }
  note(slot, most);
}

// Gradients of a GeGLU of n values, as operands; the gradient of its output lies in rows of `stride` values.
fn through_geglu(slot: u32, x_at: u32, d_at: u32, stride: u32, to_at: u32, n: u32) {
  let row = stream * 2u * n;
  var most = 0u;
  for (var f = part; f < n; f += SHARE) {
    let both = geglu_gradient(arena[x_at + row + f], arena[x_at + row + n + f], arena[d_at + stream * stride + f]);
    most = max(most, max(magnitude(both.x), magnitude(both.y)));
    arena[to_at + row + f] = gradient_operand(both.x, shifts[slot]);
    arena[to_at + row + n + f] = gradient_operand(both.y, shifts[slot]);
  }
  note(slot, most);
}

fn begin_fine() {
  var sum = 0;
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[D_LAST + i];
    sum += mul_round(d, arena[FINE_NORM_OUT + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[D_THROUGH_GELU + i] = through_gelu(d, arena[LAST_NORM_OUT + i]);
    arena[D_SKIPPED + i] = through_skip(d, master[AT_FINE_SKIP]);
  }
  atomicAdd(&skip_sums[2u * TILE + stream - first], sum);
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
    arena[GRADIENT_UP + i] = gradient_operand(d_up, shifts[SLOT_D_UP]);
    arena[GRADIENT_GATE + i] = gradient_operand(d_gate, shifts[SLOT_D_GATE]);
    if (CONTEXTS > 0u) { arena[GRADIENT_FEATURE + i] = gradient_operand(d, shifts[SLOT_D_FEATURE]); }
  }
  atomicAdd(&skip_sums[TILE + stream - first], sum);
  note(SLOT_D_UP, most.x);
  note(SLOT_D_GATE, most.y);
  if (CONTEXTS > 0u) { note(SLOT_D_FEATURE, most.z); }
}

// Through the stream's own matrix: four inputs of both branches to an invocation at a time.
fn through_memory() {
  let words = COARSE / 4u;
  let row = stream * 2u * COARSE;
  var most = 0u;
  for (var word = part; word < words; word += SHARE) {
    var low = vec4<i32>();
    var high = vec4<i32>();
    for (var n = 0u; n < COARSE; n++) {
      let w = unpack4xI8(copies[AT_MEMORY / 4u + (stream * COARSE + n) * words + word]);
      low += w * arena[GRADIENT_MEMORY + row + n];
      high += w * arena[GRADIENT_MEMORY + row + COARSE + n];
    }
    most = max(most, put_down(row + 4u * word, low));
    most = max(most, put_down(row + COARSE + 4u * word, high));
  }
  note(SLOT_D_DOWN, most);
}

fn put_down(at: u32, sums: vec4<i32>) -> u32 {
  let shift = WEIGHT_BITS - shifts[SLOT_D_MEMORY] - shifts[COPY_SHIFTS + WEIGHT_MEMORY];
  var most = 0u;
  for (var j = 0u; j < 4u; j++) {
    let d = clamp_gradient(round_shift_any(sums[j], shift));
    most = max(most, magnitude(d));
    arena[GRADIENT_DOWN + at + j] = gradient_operand(d, shifts[SLOT_D_DOWN]);
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
    arena[GRADIENT_ROUTER + i] = gradient_operand(d_router, shifts[SLOT_D_ROUTER]);
    arena[GRADIENT_GLOBAL + i] = gradient_operand(d_global, shifts[SLOT_D_GLOBAL]);
  }
  atomicAdd(&skip_sums[stream - first], sum);
  note(SLOT_D_ROUTER, most.x);
  note(SLOT_D_GLOBAL, most.y);
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
  let right = ACTIVATION_BITS + POSITIONS_LOG2;
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
  for (var j = 0u; j < 4u; j++) { atomicAdd(&tap_sums[j * EMBEDDING + d], sums[j]); }
}

fn scatter() {
  for (var t = part; t < HISTORY; t += SHARE) {
    let byte = byte_before(stream, u32(shifts[AT_STEP]), u32(tables[PLAN_AT + PLAN_POSITIONS + t]));
    let from_at = (stream * HISTORY + t) * EMBEDDING;
    for (var d = 0u; d < EMBEDDING; d++) {
      let value = embedding_gradient(arena[D_EMBEDDED + from_at + d], arena[D_LOCAL + from_at + d]);
      atomicAdd(&dense[EMBEDDING_DENSE + byte * EMBEDDING + d], value);
    }
  }
}

// Record `n` of the norms. The sums over a row are made as in forward; then an invocation goes down a column, so that
// what scale and shift get is summed before it is added for all.
fn norm_back(n: u32) {
  let width_log2 = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_WIDTH_LOG2));
  let width = 1u << width_log2;
  let rows_per_stream = u32(WIDTH) >> width_log2;
  let together = min(LANES, TILE * rows_per_stream);
  let share = LANES / together;
  let live_rows = count * rows_per_stream;
  for (var row0 = 0u; row0 < TILE * rows_per_stream; row0 += together) {
    let row = min(row0 + lane / share, live_rows - 1u);
    let mine = lane % share;
    let d_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_D)) + first * WIDTH + row * width;
    let normalised_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_NORMALISED)) + first * WIDTH + row * width;
    let scale_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_SCALE));
    var sums = vec2<i32>();
    for (var at = mine; at < width; at += share) {
      let value = through_scale(arena[d_at + at], master[scale_at + at]);
      sums += vec2<i32>(round_shift(value, width_log2),
                        mul_round(value, arena[normalised_at + at], ACTIVATION_BITS + width_log2));
    }
    partial[lane] = sums.x;
    partial_high[lane] = bitcast<u32>(sums.y);
    workgroupBarrier();
    put_norm_back(n, row0, min(together, max(live_rows, row0) - row0), share);
    workgroupBarrier();   // the sums have been read
  }
}

fn put_norm_back(n: u32, row0: u32, rows: u32, share: u32) {
  let width_log2 = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_WIDTH_LOG2));
  let width = 1u << width_log2;
  let begin = first * WIDTH + row0 * width;
  let d_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_D)) + begin;
  let normalised_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_NORMALISED)) + begin;
  let out_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_D_OUT)) + begin;
  let deviations_at = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_DEVIATIONS)) + 2u * (begin >> width_log2);
  let rows_log2 = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_ROWS_LOG2));
  let more = u32(record(NORMS_AT, n, NORM_FIELDS, NORM_MORE));
  let across = min(width, u32(LANES));
  for (var column = lane % across; column < width; column += across) {
    let scale = master[u32(record(NORMS_AT, n, NORM_FIELDS, NORM_SCALE)) + column];
    var sums = vec2<i32>();
    for (var row = lane / across; row < rows; row += LANES / across) {
      let at = row * width + column;
      let d = arena[d_at + at];
      let normalised = arena[normalised_at + at];
      sums += vec2<i32>(mul_round(d, normalised, ACTIVATION_BITS + rows_log2), round_shift_any(d, i32(rows_log2)));
      let deviation = vec2<i32>(arena[deviations_at + 2u * row], arena[deviations_at + 2u * row + 1u]);
      var mean = 0;
      var slope = 0;
      for (var j = 0u; j < share; j++) {
        mean += partial[row * share + j];
        slope += bitcast<i32>(partial_high[row * share + j]);
      }
      arena[out_at + at] = through_norm(through_scale(d, scale), mean, slope, normalised, deviation, more);
    }
    atomicAdd(&dense[u32(record(NORMS_AT, n, NORM_FIELDS, NORM_SCALE_DENSE)) + column], sums.x);
    atomicAdd(&dense[u32(record(NORMS_AT, n, NORM_FIELDS, NORM_SHIFT_DENSE)) + column], sums.y);
  }
}

// Record `m` of the gradients: the gradient of a matrix's inputs, 8 rows x 8 inputs to an invocation at a time, and
// that of its bias.
fn multiply_back(m: u32) {
  let rows_per_stream = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_ROWS_PER_STREAM));
  let from_word = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_FROM));
  let until = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_UNTIL));
  let rows = count * rows_per_stream;
  let across = (until - from_word + 1u) / 2u;
  for (var task = lane; task < across * ((rows + 7u) / 8u); task += LANES) {
    back_tile(m, first * rows_per_stream, rows, task / across * 8u, from_word + task % across * 2u);
  }
  let outputs = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_OUTPUTS));
  let g_at = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_G)) + first * rows_per_stream * outputs;
  for (var n = lane; n < outputs; n += LANES) {
    var sum = 0;
    for (var r = 0u; r < rows; r++) { sum += arena[g_at + r * outputs + n]; }
    atomicAdd(&dense[u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_BIAS_DENSE)) + n], sum);
  }
}

fn back_tile(m: u32, first_row: u32, rows: u32, r0: u32, word: u32) {
  let outputs = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_OUTPUTS));
  let words = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_WORDS));
  let until = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_UNTIL));
  let last = rows - 1u - r0;
  let more = select(0u, 1u, word + 1u < until);
  var low = array<vec4<i32>, 8>();
  var high = array<vec4<i32>, 8>();
  var w_at = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_COPY)) + word;
  var g_at = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_G)) + (first_row + r0) * outputs;
  for (var n = 0u; n < outputs; n++) {
    let w_low = unpack4xI8(copies[w_at]);
    let w_high = unpack4xI8(copies[w_at + more]);
    for (var i = 0u; i < 8u; i++) {
      let g = arena[g_at + min(i, last) * outputs];
      low[i] += w_low * g;
      high[i] += w_high * g;
    }
    w_at += words;
    g_at += 1u;
  }
  var sums = array<vec4<i32>, 16>();
  for (var i = 0u; i < 8u; i++) {
    sums[2u * i] = low[i];
    sums[2u * i + 1u] = high[i];
  }
  for (var j = 0u; j < 2u * min(8u, last + 1u); j += 2u - more) {
    put_inputs(m, first_row + r0 + j / 2u, word + (j & 1u), sums[j]);
  }
}

fn put_inputs(m: u32, row: u32, word: u32, sums: vec4<i32>) {
  let shift = WEIGHT_BITS - shifts[record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_GRADIENT)]
    - shifts[record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_WEIGHT)];
  let words = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_WORDS));
  let to = u32(record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_OUT)) + (row * words + word) * 4u;
  let adds = record(GRADIENTS_AT, m, GRADIENT_FIELDS, PRODUCT_ADDS) == 1;
  for (var j = 0u; j < 4u; j++) {
    var value = clamp_gradient(round_shift_any(sums[j], shift));
    if (adds) { value = clamp_gradient(arena[to + j] + value); }
    arena[to + j] = value;
  }
}

fn before_norms(stage: u32) {
  switch (stage) {
    case 0u: { differ(); }
    case 1u: { begin_fine(); }
    case 2u: { through_geglu(SLOT_D_FINE, FINE, D_HIDDEN, FINE_HIDDEN, GRADIENT_FINE, FINE_HIDDEN); }
    case 3u: { sum_fine(); }
    case 4u: { quantise(SLOT_D_MEMORY, D_RECALLED, GRADIENT_MEMORY, 2u * COARSE); }
    case 5u: { sum_coarse(); }
    case 6u: { through_geglu(SLOT_D_NEWEST, NEWEST, D_CACHE + CACHE - RING_SLOT, CACHE, GRADIENT_NEWEST, RING_SLOT); }
    case 7u: { begin_input(); }
    default: {}
  }
}

fn after_norms(stage: u32) {
  switch (stage) {
    case 0u: { if (GATES > 0u) { through_gates(); } }
    case 1u: { quantise(SLOT_D_FINE_OUT, D_FINE_OUT, GRADIENT_FINE_OUT, WIDTH); }
    case 3u: { begin_coarse(); }
    case 4u: { through_memory(); }
    case 5u: { unmix(); }
    case 7u: { scatter(); }
    default: {}
  }
}

fn add_sums() {
  workgroupBarrier();
  if (lane < count) {
    for (var skip = 0u; skip < 3u; skip++) {
      let sum = round_shift_any(atomicLoad(&skip_sums[skip * TILE + lane]), STREAMS_LOG2);
      atomicAdd(&dense[AT_GLOBAL_SKIP - DENSE_AT + skip], sum);   // the three stand one after the other
    }
  }
  for (var i = lane; i < 4u * EMBEDDING; i += LANES) {
    atomicAdd(&dense[AT_TAP - DENSE_AT + i], atomicLoad(&tap_sums[i]));   // and so do taps and their bias
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  begin_tile(group.x, index);
  for (var stage = 0u; stage < BACKWARD_STAGES; stage++) {
    if (lives) { before_norms(stage); }
    if (TRAINS == 0u) { return; }
    storageBarrier();
    let norms_end = u32(record(BACKWARD_AT, stage, STAGE_FIELDS, STAGE_NORMS_END));
    for (var n = u32(record(BACKWARD_AT, stage, STAGE_FIELDS, STAGE_NORMS)); n < norms_end; n++) { norm_back(n); }
    storageBarrier();
    if (lives) { after_norms(stage); }
    storageBarrier();
    let products_end = u32(record(BACKWARD_AT, stage, STAGE_FIELDS, STAGE_PRODUCTS_END));
    for (var m = u32(record(BACKWARD_AT, stage, STAGE_FIELDS, STAGE_PRODUCTS)); m < products_end; m++) {
      multiply_back(m);
    }
    storageBarrier();
  }
  add_sums();
  note_all();
}

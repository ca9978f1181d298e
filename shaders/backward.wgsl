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
    atomicAdd(&dense[DENSE_GLOBAL_SKIP + skip], round_shift_any(sum, i32(model.STREAMS_LOG2)));   // three neighbours
  }
}

fn differ() {
  let came = byte_before(stream, u32(control[AT_STEP]), 0u);
  let interval = u32(control[AT_CHUNK_STEP]) * model.STREAMS + stream;
  let ends_at = place(ENDS) + stream * 256u;
  let difference_at = place(DIFFERENCE) + stream * 256u;
  let to = place(GRADIENT_LOGITS) + stream * 256u;
  let rule = rule_of(control[AT_LOGIT_SHIFT]);
  for (var v = part; v < 256u; v += SHARE) {
    let start = select(0, arena[ends_at + max(v, 1u) - 1u], v > 0u);
    var away = arena[ends_at + v] - start;
    if (v == came) {
      intervals[interval] = vec2<u32>(u32(start), u32(away));
      away -= 1 << GRADIENT_BITS;
    }
    if (CONTEXTS + LOGIT_TABLES > 0u) { arena[difference_at + v] = away; }
    arena[to + v] = gradient_operand(away, rule);
  }
}

// Spare gates have no gradient.
fn through_gates() {
  let gates_at = place(RECALL_GATE) + stream * GATES;
  let to = place(GRADIENT_RECALL_GATE) + stream * GATES;
  let rule = rule_of(control[EXPONENT_D_RECALL_GATE]);
  var most = 0u;
  for (var gate = part; gate < GATES; gate += SHARE) {
    var effect = 0;
    if (gate < CONTEXTS) {
      effect = effect_of_context(gate);
    } else if (gate < CONTEXTS + LOGIT_TABLES) {
      effect = effect_of_one_table(gate - CONTEXTS);
    }
    let d = gate_slope(effect, sigmoid(arena[gates_at + gate]));
    most = max(most, magnitude(d));
    arena[to + gate] = gradient_operand(d, rule);
  }
  note(EXPONENT_D_RECALL_GATE, most);
}

// int16 operands of `values` gradients of each stream.
fn quantise(exponent: u32, from_at: u32, to_at: u32, values: u32) {
  let rule = rule_of(control[exponent]);
  var most = 0u;
  for (var at = stream * values + part; at < (stream + 1u) * values; at += SHARE) {
    let d = arena[from_at + at];
    most = max(most, magnitude(d));
    arena[to_at + at] = gradient_operand(d, rule);
  }
  note(exponent, most);
}

// Gradients of a GeGLU of n values, as operands; the gradient of its output lies in rows of `pitch` values.
fn through_geglu(exponent: u32, x_at: u32, d_at: u32, pitch: u32, to_at: u32, n: u32) {
  let from_at = x_at + stream * 2u * n;
  let from_d = d_at + stream * pitch;
  let to = to_at + stream * 2u * n;
  let rule = rule_of(control[exponent]);
  var most = 0u;
  for (var f = part; f < n; f += SHARE) {
    let both = geglu_gradient(arena[from_at + f], arena[from_at + n + f], arena[from_d + f]);
    most = max(most, max(magnitude(both.x), magnitude(both.y)));
    arena[to + f] = gradient_operand(both.x, rule);
    arena[to + n + f] = gradient_operand(both.y, rule);
  }
  note(exponent, most);
}

fn begin_fine() {
  let d_at = place(D_LAST);
  let skipped_at = place(FINE_NORM_OUT);
  let x_at = place(LAST_NORM_OUT);
  let to_gelu = place(D_THROUGH_GELU);
  let to_skipped = place(D_SKIPPED);
  let scale = master[dense_at + DENSE_FINE_SKIP];
  var sum = 0;
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[d_at + i];
    sum += mul_round(d, arena[skipped_at + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[to_gelu + i] = through_gelu(d, arena[x_at + i]);
    arena[to_skipped + i] = through_skip(d, scale);
  }
  add_skip(2u, sum);
}

fn sum_fine() {
  let fine_at = place(D_FINE);
  let skipped_at = place(D_SKIPPED);
  let to = place(D_THROUGH_GELU);
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    arena[to + i] = clamp_gradient(arena[fine_at + i] + arena[skipped_at + i]);
  }
}

// The end of the coarse refiner, and the features of the recall stream.
fn begin_coarse() {
  let d_at = place(D_COARSE);
  let skipped_at = place(COARSE_NORM_OUT);
  let gate_at = place(GATE);
  let up_at = place(UP);
  let to_skipped = place(D_SKIPPED);
  let to_up = place(GRADIENT_UP);
  let to_gate = place(GRADIENT_GATE);
  let to_feature = place(GRADIENT_FEATURE);
  let scale = master[dense_at + DENSE_COARSE_SKIP];
  let up_rule = rule_of(control[EXPONENT_D_UP]);
  let gate_rule = rule_of(control[EXPONENT_D_GATE]);
  let feature_rule = rule_of(control[EXPONENT_D_FEATURE]);
  var sum = 0;
  var most = vec3<u32>();
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[d_at + i];
    atomicStore(&dense[DENSE_MEMORY_BIAS + i], d);
    sum += mul_round(d, arena[skipped_at + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[to_skipped + i] = through_skip(d, scale);
    let gate = arena[gate_at + i];
    let d_up = mul_round(d, gate, SLOPE_BITS);
    let d_gate = coarse_gate_gradient(d, arena[up_at + i], gate);
    most = max(most, vec3<u32>(magnitude(d_up), magnitude(d_gate), magnitude(d)));
    arena[to_up + i] = gradient_operand(d_up, up_rule);
    arena[to_gate + i] = gradient_operand(d_gate, gate_rule);
    if (CONTEXTS > 0u) { arena[to_feature + i] = gradient_operand(d, feature_rule); }
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
  let g_at = place(GRADIENT_MEMORY) + row;
  let w_at = AT_MEMORY / 4u + stream * COARSE * words;
  var most = 0u;
  for (var word = part; word < words; word += SHARE) {
    var low = vec4<i32>();
    var high = vec4<i32>();
    for (var n = zero; n < COARSE; n++) {
      let w = unpack4xI8(copies[w_at + n * words + word]);
      low += w * arena[g_at + n];
      high += w * arena[g_at + COARSE + n];
    }
    most = max(most, put_down(row + 4u * word, low));
    most = max(most, put_down(row + COARSE + 4u * word, high));
  }
  note(EXPONENT_D_DOWN, most);
}

fn put_down(at: u32, sums: vec4<i32>) -> u32 {
  let shift = WEIGHT_BITS - control[EXPONENT_D_MEMORY] - control[COPY_SHIFTS + EXPONENT_W_MEMORY];
  let rule = rule_of(control[EXPONENT_D_DOWN]);
  let to = place(GRADIENT_DOWN) + at;
  var most = 0u;
  for (var j = 0u; j < 4u; j++) {
    let d = clamp_gradient(round_shift_any(sums[j], shift));
    most = max(most, magnitude(d));
    arena[to + j] = gradient_operand(d, rule);
  }
  return most;
}

fn sum_coarse() {
  let gate_at = place(D_GATE_IN);
  let skipped_at = place(D_SKIPPED);
  let down_at = place(D_DOWN_IN);
  let to = place(D_THROUGH_GELU);
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    arena[to + i] = clamp_gradient(arena[gate_at + i] + arena[skipped_at + i] + arena[down_at + i]);
  }
}

// The router, and the end of the global stream.
fn unmix() {
  let d_at = place(D_MIXED);
  let alpha_at = place(ALPHA);
  let far_at = place(FAR);
  let near_at = place(NEAR);
  let local_at = place(LOCAL);
  let global_at = place(GLOBAL);
  let skipped_at = place(INPUT_NORM_OUT);
  let to_near = place(D_NEAR);
  let to_skipped = place(D_SKIPPED);
  let to_router = place(GRADIENT_ROUTER);
  let to_global = place(GRADIENT_GLOBAL);
  let scale = master[dense_at + DENSE_GLOBAL_SKIP];
  let router_rule = rule_of(control[EXPONENT_D_ROUTER]);
  let global_rule = rule_of(control[EXPONENT_D_GLOBAL]);
  var sum = 0;
  var most = vec2<u32>();
  for (var i = stream * WIDTH + part; i < (stream + 1u) * WIDTH; i += SHARE) {
    let d = arena[d_at + i];
    let alpha = arena[alpha_at + i];
    let d_far = mul_round(d, alpha, SLOPE_BITS);
    arena[to_near + i] = through_gelu(d - d_far, arena[local_at + i]);
    let d_router = router_gradient(d, arena[far_at + i], arena[near_at + i], alpha);
    sum += mul_round(d_far, arena[skipped_at + i], ACTIVATION_BITS + WIDTH_LOG2);
    arena[to_skipped + i] = through_skip(d_far, scale);
    let d_global = through_gelu(d_far, arena[global_at + i]);
    most = max(most, vec2<u32>(magnitude(d_router), magnitude(d_global)));
    arena[to_router + i] = gradient_operand(d_router, router_rule);
    arena[to_global + i] = gradient_operand(d_global, global_rule);
  }
  add_skip(0u, sum);
  note(EXPONENT_D_ROUTER, most.x);
  note(EXPONENT_D_GLOBAL, most.y);
}

// What reaches the normalised input, and the convolution backward. A channel's taps are summed by one invocation.
fn begin_input() {
  let input_at = place(D_INPUT) + stream * WIDTH;
  let skipped_at = place(D_SKIPPED) + stream * WIDTH;
  let newest_at = place(D_NEWEST_IN) + stream * EMBEDDING;
  let to = place(D_GLOBAL) + stream * WIDTH;
  for (var at = part; at < WIDTH; at += SHARE) {
    var sum = arena[input_at + at] + arena[skipped_at + at];
    if (at >= WIDTH - EMBEDDING) { sum += arena[newest_at + at - (WIDTH - EMBEDDING)]; }
    arena[to + at] = clamp_gradient(sum);
  }
  for (var d = part; d < EMBEDDING; d += SHARE) { convolve_back(d); }
}

fn convolve_back(d: u32) {
  let right = ACTIVATION_BITS + model.POSITIONS_LOG2;
  let down = i32(model.POSITIONS_LOG2);
  let near_at = place(D_NEAR) + stream * WIDTH;
  let z_at = place(LOCAL_NORM_OUT) + stream * WIDTH;
  let to = place(D_THROUGH_GELU) + stream * WIDTH;
  let taps_at = dense_at + DENSE_TAP + d;
  let taps = vec3<i32>(master[taps_at], master[taps_at + EMBEDDING], master[taps_at + 2u * EMBEDDING]);
  var sums = vec4<i32>();
  for (var at = d; at < WIDTH; at += EMBEDDING) {
    let here = arena[near_at + at];
    var d_input = through_skip(here, taps.y);
    sums.y += mul_round(here, arena[z_at + at], right);
    sums.w += round_shift_any(here, down);
    if (at >= EMBEDDING) {
      sums.x += mul_round(here, arena[z_at + at - EMBEDDING], right);
      d_input += through_skip(arena[near_at + at - EMBEDDING], taps.z);
    }
    if (at + EMBEDDING < WIDTH) {
      sums.z += mul_round(here, arena[z_at + at + EMBEDDING], right);
      d_input += through_skip(arena[near_at + at + EMBEDDING], taps.x);
    }
    arena[to + at] = clamp_gradient(d_input);
  }
  for (var j = 0u; j < 4u; j++) {
    if (SHARE > 1) {
      atomicAdd(&tap_sums[j * EMBEDDING + d], sums[j]);
    } else {
      atomicAdd(&dense[DENSE_TAP + j * EMBEDDING + d], sums[j]);   // taps and their bias are neighbours
    }
  }
}

// Where the two sums over a row stand. Streams have parts of their own, however many rows a norm makes of them: another
// stream may be at another norm.
fn row_sums(row: u32, width_log2: u32) -> u32 {
  return place(ROW_SUMS) + 2u * row * (u32(ROWS_MAX) >> (WIDTH_LOG2 - width_log2));
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

fn load_word(at: u32) -> u32 { return copies[at]; }

// Record `m` of the gradients: the gradient of a matrix's inputs, and that of its bias. Two products of a stage may add
// up in one place (D_LAST), the one with PRODUCT_ADDS behind the other.
fn multiply(m: u32) {
  if (product_field(m, PRODUCT_ADDS) == 1u) { sync(); }
  backward_product(m);
}

// What has come back to the inputs, four values at `to`.
fn put_inputs(to: u32, sums: vec4<i32>, shift: i32, adds: bool) {
  for (var j = 0u; j < 4u; j++) {
    var value = clamp_gradient(round_shift_any(sums[j], shift));
    if (adds) { value = clamp_gradient(arena[to + j] + value); }
    arena[to + j] = value;
  }
}

fn before_norms(stage: u32) {
  switch (stage) {
    case STAGE_DIFFERENCE: {
      differ();
      if (TRAINS == 1u) { sum_effects(); }
    }
    case STAGE_FINE_OUT: { begin_fine(); }
    case STAGE_FINE: {
      through_geglu(EXPONENT_D_FINE, place(FINE), place(D_HIDDEN), FINE_HIDDEN, place(GRADIENT_FINE), FINE_HIDDEN);
    }
    case STAGE_COARSE: { sum_fine(); }
    case STAGE_MEMORY: { quantise(EXPONENT_D_MEMORY, place(D_RECALLED), place(GRADIENT_MEMORY), 2u * COARSE); }
    case STAGE_UNMIX: { sum_coarse(); }
    case STAGE_NEWEST: {
      let newest_at = place(D_CACHE) + CACHE - CACHE_STEP;
      through_geglu(EXPONENT_D_NEWEST, place(NEWEST), newest_at, CACHE, place(GRADIENT_NEWEST), CACHE_STEP);
    }
    case STAGE_INPUT: { begin_input(); }
    default: {}
  }
}

fn after_norms(stage: u32) {
  switch (stage) {
    case STAGE_DIFFERENCE: { if (GATES > 0u) { through_gates(); } }
    case STAGE_FINE_OUT: { quantise(EXPONENT_D_FINE_OUT, place(D_FINE_OUT), place(GRADIENT_FINE_OUT), WIDTH); }
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
      let sum = round_shift_any(atomicLoad(&skip_sums[skip * TILE + lane]), i32(model.STREAMS_LOG2));
      atomicAdd(&dense[DENSE_GLOBAL_SKIP + skip], sum);
    }
  }
  for (var i = lane; i < 4u * EMBEDDING; i += LANES) {
    atomicAdd(&dense[DENSE_TAP + i], atomicLoad(&tap_sums[i]));
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

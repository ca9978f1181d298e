// What `forward` does in another way where an invocation has streams to itself (forward_apart.wgsl), here for several
// to a stream. An invocation waits a microsecond for each word that it goes through (docs/GPU.md), whatever that does.
//
// Products: four rows by four outputs to an invocation. Where these are fewer than invocations, the inner dimension is
// cut into slices, whose sums meet in workgroup memory. Two words are asked for at a time. Weights are read from the
// copies in which neighbouring outputs' words are neighbours (see weights-plan.ts): a warp then touches 4 lines of
// memory with a load, and not 32.
//
// Exact: sums of at most 2^13 products of int8 stay below 2^27, and sums of boosts are as in the other way, whatever
// their order.

const OUTPUTS_EACH = 4u;

// Record `m` of the products: rows times a matrix.
fn forward_product(m: u32) {
  let words = product_field(m, PRODUCT_WORDS);
  let across = product_field(m, PRODUCT_OUTPUTS) / OUTPUTS_EACH;
  let tasks = tasks_across(across, product_field(m, PRODUCT_ROWS_PER_STREAM));
  let slices = slices_of(tasks, words);
  if (slices == 1u) {
    for (var task = lane; task < tasks; task += LANES) {
      var sums = forward_sums(m, task, across, vec2<u32>(0u, words));
      for (var i = 0u; i < ROWS_EACH; i++) { put_forward_row(m, task, across, i, sums[i]); }
    }
    return;
  }
  share_sums(forward_sums(m, lane % tasks, across, own_slice(tasks, slices, words)));
  for (var j = lane; j < ROWS_EACH * tasks; j += LANES) {
    put_forward_row(m, j % tasks, across, j / tasks, whole_sum(j, tasks, slices));
  }
  workgroupBarrier();   // the next product writes to the same sums
}

// Four outputs of each of a task's rows, of the slice's words.
fn forward_sums(m: u32, task: u32, across: u32, slice: vec2<u32>) -> array<vec4<i32>, ROWS_EACH> {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let x_pitch = product_field(m, PRODUCT_X_PITCH);
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let w_at = product_field(m, PRODUCT_ACROSS) + task % across * OUTPUTS_EACH;
  let x_at = row_places(product_field(m, PRODUCT_X) + rows.x * x_pitch, task, across, rows.y, x_pitch);
  var sums = array<vec4<i32>, ROWS_EACH>();
  for (var k = slice.x; k < slice.y; k += 2u) {
    let next = min(k + 1u, slice.y - 1u);
    let w = four_words(w_at + k * outputs);
    let more = four_words(w_at + next * outputs);
    let x = vec4<u32>(load_operand(x_at.x + k), load_operand(x_at.y + k), load_operand(x_at.z + k),
                      load_operand(x_at.w + k));
    let y = vec4<u32>(load_operand(x_at.x + next), load_operand(x_at.y + next), load_operand(x_at.z + next),
                      load_operand(x_at.w + next)) * select(0u, 1u, next > k);   // an odd word is the last
    for (var i = 0u; i < ROWS_EACH; i++) { sums[i] += dots(x[i], w) + dots(y[i], more); }
  }
  return sums;
}

fn load_operand(at: u32) -> u32 { return u32(arena[at]); }

// A word of each of four outputs.
fn four_words(at: u32) -> vec4<u32> {
  return vec4<u32>(load_word(at), load_word(at + 1u), load_word(at + 2u), load_word(at + 3u));
}

// Row i of a task, if there is one: four outputs.
fn put_forward_row(m: u32, task: u32, across: u32, i: u32, sums: vec4<i32>) {
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let row = task / across * ROWS_EACH + i;
  if (row >= rows.y) { return; }
  let n0 = task % across * OUTPUTS_EACH;
  let shift = i32(product_field(m, PRODUCT_SHIFT))
    - control[product_field(m, PRODUCT_ACTIVATION)]
    - control[product_field(m, PRODUCT_WEIGHT)];
  let bias_at = product_field(m, PRODUCT_BIAS) + n0;
  let bias_shift = product_field(m, PRODUCT_BIAS_SHIFT);
  let limit = i32(product_field(m, PRODUCT_LIMIT));
  let to = product_field(m, PRODUCT_OUT) + (rows.x + row) * product_field(m, PRODUCT_OUTPUTS) + n0;
  for (var j = 0u; j < 4u; j++) {
    arena[to + j] = product_value(sums[j], shift, round_shift(master[bias_at + j], bias_shift), limit);
  }
}

// With several invocations to a stream each does some contexts: a loaded word leads to the next, and one invocation
// would wait for all of them. What a byte gets is summed here; it is added where frequencies are made.
var<workgroup> boost_sums: array<atomic<i32>, 256 * TILE>;

fn add_boosts() {
  let found_at = place(LOOKUPS) + stream * CONTEXTS;
  let gates_at = place(RECALL_GATE);
  let boosts_at = place(BOOSTS);
  for (var c = part; c < CONTEXTS; c += SHARE) {
    let found = u32(arena[found_at + c]);
    if (found == 0u) { continue; }
    let gate = sigmoid(arena[gates_at + gate_of_context(stream, c)]);
    let boost_at = boosts_at + boost_place(c, found);
    let to = (stream - first) * 256u;
    atomicAdd(&boost_sums[to + first_byte(found)], boost_term(arena[boost_at], gate));
    if (other_of(found) == 0u) { continue; }
    atomicAdd(&boost_sums[to + second_byte(found)], boost_term(arena[boost_at + 1u], gate));
  }
}

fn take_boost(at: u32) {
  if (CONTEXTS > 0u) { arena[at] += atomicLoad(&boost_sums[at - place(ENDS) - first * 256u]); }
}

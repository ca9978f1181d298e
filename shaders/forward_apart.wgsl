// What `forward` does in another way where several invocations work on a stream (forward_shared.wgsl), here for one
// that has streams to itself. Products: rows of its own times a whole matrix, eight outputs at a time, so that a loaded
// word serves many. Boosts are added where they belong.
//
// Exact: sums of at most 2^13 products of int8 stay below 2^27, whatever their order.

// Rows that an invocation multiplies at a time, by eight outputs. A loaded word serves many products.
const ROWS_EACH = 2u;

// Record `m` of the products: rows times a matrix.
fn forward_product(m: u32) {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let rows_per_stream = product_field(m, PRODUCT_ROWS_PER_STREAM);
  let rows = rows_of(rows_per_stream);
  let across = (outputs + 7u) / 8u;
  let tasks = across * tasks_of(rows.y, rows_per_stream, ROWS_EACH);
  for (var task = 0u; task < tasks; task++) {
    let r0 = task / across * ROWS_EACH;
    multiply_tile(m, rows.x + min(r0, rows.y), rows.y - min(r0, rows.y), task % across * 8u);
  }
}

// `live` rows from `row` on, and eight outputs from n0 on, or four.
fn multiply_tile(m: u32, row: u32, live: u32, n0: u32) {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let words = product_field(m, PRODUCT_WORDS);
  let x_pitch = product_field(m, PRODUCT_X_PITCH);
  let x_at = product_field(m, PRODUCT_X) + row * x_pitch;
  let w_at = product_field(m, PRODUCT_COPY) + n0 * words;
  let more = n0 + 4u < outputs;
  let last = max(live, 1u) - 1u;
  var sums = array<vec4<i32>, 2u * ROWS_EACH>();
  for (var k = 0u; k < words; k++) {
    let w = eight_words(w_at + k, words, select(0u, 4u * words, more), 3u);
    for (var i = 0u; i < ROWS_EACH; i++) {
      let x = u32(arena[x_at + min(i, last) * x_pitch + k]);
      sums[2u * i] += dots(x, w.low);
      sums[2u * i + 1u] += dots(x, w.high);
    }
  }
  let shift = i32(product_field(m, PRODUCT_SHIFT))
    - control[product_field(m, PRODUCT_ACTIVATION)]
    - control[product_field(m, PRODUCT_WEIGHT)];
  let out_at = product_field(m, PRODUCT_OUT) + row * outputs + n0;
  let bias_at = product_field(m, PRODUCT_BIAS) + n0;
  let bias_shift = product_field(m, PRODUCT_BIAS_SHIFT);
  let limit = i32(product_field(m, PRODUCT_LIMIT));
  var rounded = sums;   // a copy, so that only this one is indexed by a variable, and compilers do not unroll
  for (var four = 0u; four <= select(0u, 1u, more); four++) {
    var bias = vec4<i32>();
    for (var j = 0u; j < 4u; j++) { bias[j] = round_shift(master[bias_at + 4u * four + j], bias_shift); }
    for (var i = 0u; i < min(ROWS_EACH, live); i++) {
      put_outputs(out_at + i * outputs + 4u * four, rounded[2u * i + four], shift, bias, limit);
    }
  }
}

fn put_outputs(to: u32, sums: vec4<i32>, shift: i32, bias: vec4<i32>, limit: i32) {
  for (var j = 0u; j < 4u; j++) { arena[to + j] = product_value(sums[j], shift, bias[j], limit); }
}

// An invocation that has the stream to itself does all contexts: two of them may find the same byte.
fn add_boosts() {
  let found_at = place(LOOKUPS) + stream * CONTEXTS;
  let gates_at = place(RECALL_GATE);
  let boosts_at = place(BOOSTS);
  let to = place(ENDS) + stream * 256u;
  for (var c = zero; c < CONTEXTS; c++) {
    let found = u32(arena[found_at + c]);
    if (found == 0u) { continue; }
    let gate = sigmoid(arena[gates_at + gate_of_context(stream, c)]);
    let boost_at = boosts_at + boost_place(c, found);
    arena[to + first_byte(found)] += boost_term(arena[boost_at], gate);
    if (other_of(found) == 0u) { continue; }
    arena[to + second_byte(found)] += boost_term(arena[boost_at + 1u], gate);
  }
}

fn take_boost(at: u32) {}

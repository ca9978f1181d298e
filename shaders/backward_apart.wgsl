// What `backward` does in another way where several invocations work on a stream (backward_shared.wgsl), here for one
// that has streams to itself. Products: rows of its own times a whole matrix, four words of inputs at a time, so that a
// loaded word serves many. What a table's gate gets is summed where it is needed.
//
// Exact: gradient_bits in docs/NUMERICS.md keeps all sums below 2^31.

// Rows that an invocation multiplies at a time, and words of four inputs.
const ROWS_EACH = 2u;
const WORDS_EACH = 4u;

fn backward_product(m: u32) {
  let rows_per_stream = product_field(m, PRODUCT_ROWS_PER_STREAM);
  let rows = rows_of(rows_per_stream);
  let from_word = product_field(m, PRODUCT_FROM);
  let until = product_field(m, PRODUCT_UNTIL);
  let across = (until - from_word + WORDS_EACH - 1u) / WORDS_EACH;
  let tasks = across * tasks_of(rows.y, rows_per_stream, ROWS_EACH);
  for (var task = 0u; task < tasks; task++) {
    let r0 = task / across * ROWS_EACH;
    back_tile(m, rows.x + min(r0, rows.y), rows.y - min(r0, rows.y), from_word + task % across * WORDS_EACH);
  }
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let g_at = product_field(m, PRODUCT_G) + rows.x * outputs;
  for (var n = 0u; n < outputs; n++) {
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

fn sum_effects() {}

fn effect_of_one_table(table: u32) -> i32 {
  let row = row_place(table, u32(arena[place(LOOKUPS) + lookup_rows() + stream * LOGIT_TABLES + table])) * 256u;
  let difference_at = place(DIFFERENCE) + stream * 256u;
  var sums = vec2<i32>();
  for (var v = zero; v < 256u; v++) {
    sums += effect_terms(arena[difference_at + v], table_logit(entries[row + v]));
  }
  return effect_of(sums);
}

// What `backward` does in another way where an invocation has streams to itself (backward_apart.wgsl), here for several
// to a stream. An invocation waits a microsecond for each step that it goes through (docs/GPU.md), whatever that does.
//
// Products: four rows by a word of four inputs to an invocation, four outputs in a step; all matrices have a multiple
// of four. Where tasks are fewer than invocations, outputs are cut into slices, whose sums meet in workgroup memory.
//
// Exact: gradient_bits in docs/NUMERICS.md keeps whole sums below 2^31, and parts of them may wrap.

const ROWS_EACH = 4u;
const OUTPUTS_EACH = 4u;

var<workgroup> slice_sums: array<vec4<i32>, ROWS_EACH * LANES>;

// How a product is cut depends on the record and on a whole tile only, so all invocations come to the same barriers.
fn backward_product(m: u32) {
  add_bias(m);
  let rows_per_stream = product_field(m, PRODUCT_ROWS_PER_STREAM);
  let across = product_field(m, PRODUCT_UNTIL) - product_field(m, PRODUCT_FROM);
  if (across == 0u) { return; }   // of inputs before which nothing learns
  let steps = product_field(m, PRODUCT_OUTPUTS) / OUTPUTS_EACH;
  let tasks = across * ((TILE * rows_per_stream + ROWS_EACH - 1u) / ROWS_EACH);
  let slices = clamp(LANES / tasks, 1u, steps);
  if (slices == 1u) {
    for (var task = lane; task < tasks; task += LANES) {
      let sums = backward_sums(m, task, across, 0u, steps);
      for (var i = 0u; i < ROWS_EACH; i++) { put_backward_row(m, task, across, i, sums[i]); }
    }
    return;
  }
  let length = (steps + slices - 1u) / slices;
  let begin = min(lane / tasks * length, steps);
  let sums = backward_sums(m, lane % tasks, across, begin, min(begin + length, steps));
  for (var i = 0u; i < ROWS_EACH; i++) { slice_sums[i * LANES + lane] = sums[i]; }
  workgroupBarrier();
  for (var j = lane; j < ROWS_EACH * tasks; j += LANES) {
    var sum = vec4<i32>();
    for (var s = 0u; s < slices; s++) { sum += slice_sums[j / tasks * LANES + s * tasks + j % tasks]; }
    put_backward_row(m, j % tasks, across, j / tasks, sum);
  }
  workgroupBarrier();   // the next product writes to the same sums
}

// Four inputs of each of a task's rows, of steps from `begin` on. Rows beyond the tile's last repeat it.
fn backward_sums(m: u32, task: u32, across: u32, begin: u32, end: u32) -> array<vec4<i32>, ROWS_EACH> {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let words = product_field(m, PRODUCT_WORDS);
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let row = task / across * ROWS_EACH;
  let w_at = product_field(m, PRODUCT_COPY) + product_field(m, PRODUCT_FROM) + task % across;
  let g_at = vec4<u32>(product_field(m, PRODUCT_G) + rows.x * outputs)
    + min(vec4<u32>(row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(rows.y - 1u)) * outputs;
  var sums = array<vec4<i32>, ROWS_EACH>();
  for (var step = begin; step < end; step++) {
    let n = step * OUTPUTS_EACH;
    let at = w_at + n * words;
    let w = vec4<u32>(load_word(at), load_word(at + words), load_word(at + 2u * words), load_word(at + 3u * words));
    let g = array<vec4<i32>, ROWS_EACH>(four_gradients(g_at.x + n), four_gradients(g_at.y + n),
                                        four_gradients(g_at.z + n), four_gradients(g_at.w + n));
    let first = unpack4xI8(w.x);
    let second = unpack4xI8(w.y);
    let third = unpack4xI8(w.z);
    let fourth = unpack4xI8(w.w);
    for (var i = 0u; i < ROWS_EACH; i++) {
      sums[i] += first * g[i].x + second * g[i].y + third * g[i].z + fourth * g[i].w;
    }
  }
  return sums;
}

fn four_gradients(at: u32) -> vec4<i32> { return vec4<i32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]); }

// Row i of a task, if there is one: four inputs.
fn put_backward_row(m: u32, task: u32, across: u32, i: u32, sums: vec4<i32>) {
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let row = task / across * ROWS_EACH + i;
  if (row >= rows.y) { return; }
  let shift = WEIGHT_BITS - control[product_field(m, PRODUCT_GRADIENT)]
    - control[product_field(m, PRODUCT_WEIGHT)];
  let word = product_field(m, PRODUCT_FROM) + task % across;
  let to = product_field(m, PRODUCT_OUT) + ((rows.x + row) * product_field(m, PRODUCT_WORDS) + word) * 4u;
  put_inputs(to, sums, shift, product_field(m, PRODUCT_ADDS) == 1u);
}

// What the tile adds to the gradient of the bias: four rows of an output to each invocation.
fn add_bias(m: u32) {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let g_at = product_field(m, PRODUCT_G) + rows.x * outputs;
  let tasks = outputs * ((rows.y + ROWS_EACH - 1u) / ROWS_EACH);
  for (var task = lane; task < tasks; task += LANES) {
    let n = task % outputs;
    let row = task / outputs * ROWS_EACH;
    var sum = 0;
    for (var i = 0u; i < ROWS_EACH; i++) {
      let value = arena[g_at + min(row + i, rows.y - 1u) * outputs + n];
      sum += select(0, value, row + i < rows.y);
    }
    atomicAdd(&dense[product_field(m, PRODUCT_BIAS_DENSE) + n], sum);
  }
}

// Each invocation sums the effects of all tables over its own bytes.
var<workgroup> effect_sums: array<atomic<i32>, 2 * TILE * TABLES_MAX>;

fn effect_place(table: u32) -> u32 { return 2u * ((stream - first) * TABLES_MAX + table); }

fn sum_effects() {
  for (var table = zero; table < LOGIT_TABLES; table++) {
    let row = row_place(table, u32(arena[LOOKUPS + LOOKUP_ROWS + stream * LOGIT_TABLES + table])) * 256u;
    var sums = vec2<i32>();
    for (var v = part; v < 256u; v += SHARE) {
      sums += effect_terms(arena[DIFFERENCE + stream * 256u + v], table_logit(entries[row + v]));
    }
    atomicAdd(&effect_sums[effect_place(table)], sums.x);
    atomicAdd(&effect_sums[effect_place(table) + 1u], sums.y);
  }
}

fn effect_of_one_table(table: u32) -> i32 {
  let at = effect_place(table);
  return effect_of(vec2<i32>(atomicLoad(&effect_sums[at]), atomicLoad(&effect_sums[at + 1u])));
}

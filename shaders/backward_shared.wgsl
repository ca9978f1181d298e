// What `backward` does in another way where an invocation has streams to itself (backward_apart.wgsl), here for several
// to a stream. An invocation waits a microsecond for each step that it goes through (docs/GPU.md), whatever that does.
//
// Products: four rows by a word of four inputs to an invocation, four outputs in a step; all matrices have a multiple
// of four. Where tasks are fewer than invocations, outputs are cut into slices, whose sums meet in workgroup memory.
//
// Exact: gradient_bits in docs/NUMERICS.md keeps whole sums below 2^31, and parts of them may wrap.

const OUTPUTS_EACH = 4u;

fn backward_product(m: u32) {
  add_bias(m);
  let across = product_field(m, PRODUCT_UNTIL) - product_field(m, PRODUCT_FROM);
  if (across == 0u) { return; }   // of inputs before which nothing learns
  let steps = product_field(m, PRODUCT_OUTPUTS) / OUTPUTS_EACH;
  let tasks = tasks_across(across, product_field(m, PRODUCT_ROWS_PER_STREAM));
  let slices = slices_of(tasks, steps);
  if (slices == 1u) {
    for (var task = lane; task < tasks; task += LANES) {
      var sums = backward_sums(m, task, across, vec2<u32>(0u, steps));
      for (var i = 0u; i < ROWS_EACH; i++) { put_backward_row(m, task, across, i, sums[i]); }
    }
    return;
  }
  share_sums(backward_sums(m, lane % tasks, across, own_slice(tasks, slices, steps)));
  for (var j = lane; j < ROWS_EACH * tasks; j += LANES) {
    put_backward_row(m, j % tasks, across, j / tasks, whole_sum(j, tasks, slices));
  }
  workgroupBarrier();   // the next product writes to the same sums
}

// Four inputs of each of a task's rows, of the slice's steps.
fn backward_sums(m: u32, task: u32, across: u32, slice: vec2<u32>) -> array<vec4<i32>, ROWS_EACH> {
  let outputs = product_field(m, PRODUCT_OUTPUTS);
  let words = product_field(m, PRODUCT_WORDS);
  let rows = rows_of(product_field(m, PRODUCT_ROWS_PER_STREAM));
  let w_at = product_field(m, PRODUCT_COPY) + product_field(m, PRODUCT_FROM) + task % across;
  let g_at = row_places(product_field(m, PRODUCT_G) + rows.x * outputs, task, across, rows.y, outputs);
  var sums = array<vec4<i32>, ROWS_EACH>();
  for (var step = slice.x; step < slice.y; step++) {
    let n = step * OUTPUTS_EACH;
    let at = w_at + n * words;
    let w = vec4<u32>(load_word(at), load_word(at + words), load_word(at + 2u * words), load_word(at + 3u * words));
    let g = array<vec4<i32>, ROWS_EACH>(four_gradients(g_at.x + n), four_gradients(g_at.y + n),
                                        four_gradients(g_at.z + n), four_gradients(g_at.w + n));
    for (var i = 0u; i < ROWS_EACH; i++) {
      sums[i] += unpack4xI8(w.x) * g[i].x + unpack4xI8(w.y) * g[i].y + unpack4xI8(w.z) * g[i].z
        + unpack4xI8(w.w) * g[i].w;
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
  let difference_at = place(DIFFERENCE) + stream * 256u;
  for (var table = zero; table < LOGIT_TABLES; table++) {
    let row = row_place(table, u32(arena[place(LOOKUPS) + lookup_rows() + stream * LOGIT_TABLES + table])) * 256u;
    var sums = vec2<i32>();
    for (var v = part; v < 256u; v += SHARE) {
      sums += effect_terms(arena[difference_at + v], table_logit(entries[row + v]));
    }
    atomicAdd(&effect_sums[effect_place(table)], sums.x);
    atomicAdd(&effect_sums[effect_place(table) + 1u], sums.y);
  }
}

fn effect_of_one_table(table: u32) -> i32 {
  let at = effect_place(table);
  return effect_of(vec2<i32>(atomicLoad(&effect_sums[at]), atomicLoad(&effect_sums[at + 1u])));
}

// gradients: what a slice of rows adds to the gradients of matrices that all streams share.
//
//   sums[n, k] += sum over the slice's r of gradient[r, n] * x[r, k]
//
// In front of `weights` on hardware, which then finds all sums made: an invocation that goes through thousands of rows
// waits a microsecond for each (docs/GPU.md), and here it goes through 64. Each owns 8 outputs x 8 inputs of a slice,
// as in `weights`; `constants` says of which matrix (see weights-plan.ts). Two rows are asked for at a time.
//
// Exact: sums of integers modulo 2^32, in any order; gradient_bits in docs/NUMERICS.md keeps the whole below 2^31, and
// what a part of it wraps comes back with the rest.

@group(0) @binding(0) var<storage, read> arena: array<i32>;               // operands: see arena.ts
@group(0) @binding(1) var<storage, read> constants: array<i32>;              // records and groups, see weights-plan.ts
@group(0) @binding(2) var<storage, read_write> dense: array<atomic<i32>>;  // DENSE_COUNT, then sums of matrices

fn field(record: u32, index: u32) -> u32 { return u32(constants[model.WEIGHTS_AT + record * WEIGHT_FIELDS + index]); }

// A row of an invocation's part: eight inputs in two words, eight outputs.
struct Row {
  x: vec2<i32>,
  low: vec4<i32>,
  high: vec4<i32>,
}

// `more`: 4, or 0 where outputs beyond the last repeat others.
fn row_at(x_at: u32, g_at: u32, more: u32) -> Row {
  let next = g_at + more;
  return Row(vec2<i32>(arena[x_at], arena[x_at + 1u]),
             vec4<i32>(arena[g_at], arena[g_at + 1u], arena[g_at + 2u], arena[g_at + 3u]),
             vec4<i32>(arena[next], arena[next + 1u], arena[next + 2u], arena[next + 3u]));
}

fn add_products(sums: ptr<function, array<vec4<i32>, 16>>, row: Row) {
  let a_low = unpack4xI8(u32(row.x.x));
  let a_high = unpack4xI8(u32(row.x.y));
  for (var i = 0u; i < 4u; i++) {
    (*sums)[2u * i] += a_low * row.low[i];
    (*sums)[2u * i + 1u] += a_high * row.low[i];
    (*sums)[2u * i + 8u] += a_low * row.high[i];
    (*sums)[2u * i + 9u] += a_high * row.high[i];
  }
}

fn add_tile(record: u32, task: u32, row: u32) {
  let rows = field(record, FIELD_ROWS);
  let outputs = field(record, FIELD_OUTPUTS);
  let inputs = field(record, FIELD_INPUTS);
  let x_pitch = field(record, FIELD_X_PITCH);
  let across = inputs / 8u;
  let n0 = task / across * 8u;
  let word = 2u * (task % across);
  let x_at = field(record, FIELD_X) + word;
  let g_at = field(record, FIELD_G) + n0;
  let more = select(0u, 4u, n0 + 4u < outputs);
  let end = min(row + SLICE_ROWS, rows);
  var sums = array<vec4<i32>, 16>();
  for (var r = row; r < end; r += 2u) {
    let s = min(r + 1u, end - 1u);
    let first = row_at(x_at + r * x_pitch, g_at + r * outputs, more);
    var second = row_at(x_at + s * x_pitch, g_at + s * outputs, more);
    if (s == r) { second = Row(vec2<i32>(), vec4<i32>(), vec4<i32>()); }   // an odd row is the last
    add_products(&sums, first);
    add_products(&sums, second);
  }
  let to = model.DENSE_COUNT + field(record, FIELD_MASTER) + n0 * inputs + 4u * word;
  var made = sums;   // a copy, so that only this one is indexed by a variable, and compilers do not unroll
  for (var j = 0u; j < 2u * min(8u, outputs - n0); j++) {
    let at = to + j / 2u * inputs + 4u * (j & 1u);
    for (var i = 0u; i < 4u; i++) { atomicAdd(&dense[at + i], made[j][i]); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  // Groups beyond the last have nothing to do.
  let flat = flat_group(group, groups);
  if (flat >= model.WEIGHT_GROUPS) { return; }
  let at = model.WEIGHT_GROUPS_AT + 3u * flat;
  let record = u32(constants[at]);
  let task = u32(constants[at + 1u]) + lane;
  if (task < field(record, FIELD_TASKS)) { add_tile(record, task, u32(constants[at + 2u])); }
}

// bias_gradient: the gradient of a linear layer's bias, the sum of its output gradients over all rows.
//
//   gradient[n] = sum_r operand[r, n]          at most 2^15 * 2^15
//
// A workgroup to eight outputs: eight invocations to each go through every eighth row, since a row after the other is
// waited for (docs/GPU.md). Sums of integers, in any order. Accumulated in the unit of the operand.

@group(0) @binding(0) var<storage, read> operand: array<i32>;                // ROWS x OUTPUTS, int16 values
@group(0) @binding(1) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients

const COLUMNS = 8u;
const PARTS = 8u;
var<workgroup> sums: array<i32, PARTS * COLUMNS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let n = flat_group(group, groups) * COLUMNS + lane % COLUMNS;
  var sum = 0;
  if (n < OUTPUTS) {
    for (var r = lane / COLUMNS; r < model.ROWS; r += PARTS) { sum += operand[r * OUTPUTS + n]; }
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane >= COLUMNS || n >= OUTPUTS) { return; }
  for (var part = 1u; part < PARTS; part++) { sum += sums[part * COLUMNS + lane]; }
  atomicStore(&gradient[BIAS_DENSE + n], sum);
}

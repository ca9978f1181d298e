// bias_gradient: the gradient of a linear layer's bias, the sum of its output gradients over all rows.
//
//   gradient[n] = sum_r operand[r, n]          at most 2^15 * 2^15
//
// Neighbouring invocations read neighbouring columns. Accumulated in the unit of the operand.

@group(0) @binding(0) var<storage, read> operand: array<i32>;                // ROWS x OUTPUTS, int16 values
@group(0) @binding(1) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let n = flat_group(group, groups) * 64u + lane;
  if (n >= OUTPUTS) { return; }
  var sum = 0;
  for (var r = 0u; r < ROWS; r++) { sum += operand[r * OUTPUTS + n]; }
  atomicStore(&gradient[BIAS_DENSE + n], sum);
}

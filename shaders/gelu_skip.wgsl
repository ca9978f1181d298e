// gelu_skip: out = gelu(x) + skipped * scale, with one trained scalar as the skip's scale (Q12).
//
// Ends the global stream (x from its Linear, skipped the normalised input) and the fine refiner (x from its last norm).
// LIMIT is 2^20 for the former, whose values are wide, and 32767 for the latter.

@group(0) @binding(0) var<storage, read> x: array<i32>;               // COUNT, Q10
@group(0) @binding(1) var<storage, read> skipped: array<i32>;         // COUNT, Q10
@group(0) @binding(2) var<storage, read> master: array<i32>;          // Q24
@group(0) @binding(3) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(4) var<storage, read_write> out: array<i32>;       // COUNT, Q10

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.COUNT) { return; }
  out[i] = clamp(gelu(x[i]) + kept_value(skipped[i], master[model.SKIP_AT]), -LIMIT, LIMIT);
}

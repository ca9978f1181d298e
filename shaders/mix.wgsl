// mix: the router's weighted sum of both streams.
//
//   alpha = sigmoid(r)        mixed = near + alpha * (far - near)
//
// alpha is Q14, mixed Q7, the rest Q10; far is wide.

@group(0) @binding(0) var<storage, read> r: array<i32>;               // B x H, Q10
@group(0) @binding(1) var<storage, read> far: array<i32>;             // B x H, Q10, wide
@group(0) @binding(2) var<storage, read> near: array<i32>;            // B x H, Q10
@group(0) @binding(3) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(4) var<storage, read_write> alpha: array<i32>;     // B x H, Q14
@group(0) @binding(5) var<storage, read_write> mixed: array<i32>;     // B x H, Q7

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.COUNT) { return; }
  let weight = sigmoid(r[i]);
  alpha[i] = weight;
  mixed[i] = mixed_value(near[i], far[i], weight);
}

// mix_backward: gradients of both streams and of the router's input to the sigmoid.
//
//   d_far = d * alpha      d_near = d - d_far      d_router = d * (far - near) * alpha (1 - alpha)        Q22

@group(0) @binding(0) var<storage, read> d: array<i32>;               // B x H, Q22
@group(0) @binding(1) var<storage, read> alpha: array<i32>;           // B x H, Q14
@group(0) @binding(2) var<storage, read> far: array<i32>;             // B x H, Q10
@group(0) @binding(3) var<storage, read> near: array<i32>;            // B x H, Q10
@group(0) @binding(4) var<storage, read_write> d_far: array<i32>;     // B x H, Q22
@group(0) @binding(5) var<storage, read_write> d_near: array<i32>;    // B x H, Q22
@group(0) @binding(6) var<storage, read_write> d_router: array<i32>;  // B x H, Q22

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.COUNT) { return; }
  let to_far = mul_round(d[i], alpha[i], SLOPE_BITS);
  d_far[i] = to_far;
  d_near[i] = d[i] - to_far;
  d_router[i] = router_gradient(d[i], far[i], near[i], alpha[i]);
}

// geglu_backward: gradients of u and v from that of gelu(u) * v.
//
//   du = d * v * gelu'(u)      dv = d * gelu(u)        Q22; both 0 where the product saturated: a gradient that
//                                                       passed through would push the weights without end
//
// d may be a window of a wider row (the newest values of the cache's gradient): row b starts at b * D_PITCH + D_START.

@group(0) @binding(0) var<storage, read> x: array<i32>;               // B x 2N, Q10
@group(0) @binding(1) var<storage, read> d: array<i32>;               // B x D_PITCH, Q22
@group(0) @binding(2) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // B x 2N, Q22

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * N) { return; }
  let b = i / N;
  let at = b * 2u * N + i % N;
  let both = geglu_gradient(x[at], x[at + N], d[b * D_PITCH + D_START + i % N]);
  out[at] = both.x;
  out[at + N] = both.y;
}

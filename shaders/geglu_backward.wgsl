// geglu_backward: gradients of u and v from that of gelu(u) * v.
//
//   du = d * v * gelu'(u)      dv = d * gelu(u)        Q22; both 0 where the product saturated: a gradient that
//                                                       passed through would push the weights without end
//
// d may be a window of a wider row (the newest slot of the cache's gradient): row b starts at b * D_STRIDE + D_START.

@group(0) @binding(0) var<storage, read> x: array<i32>;               // B x 2N, Q10
@group(0) @binding(1) var<storage, read> d: array<i32>;               // B x D_STRIDE, Q22
@group(0) @binding(2) var<storage, read> tables: array<i32>;          // look-ups, see tables.wgsl
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // B x 2N, Q22

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= STREAMS * N) { return; }
  let b = i / N;
  let at = b * 2u * N + i % N;
  let u = x[at];
  let v = x[at + N];
  let inside = abs(geglu_product(gelu(u), v)) <= HIDDEN_LIMIT;
  let gradient = select(0, d[b * D_STRIDE + D_START + i % N], inside);
  let to_gelu = mul_round(gradient, v, ACTIVATION_BITS);
  out[at] = clamp_gradient(mul_round(to_gelu, gelu_slope(u), SLOPE_BITS));
  out[at + N] = clamp_gradient(mul_round(gradient, gelu(u), ACTIVATION_BITS));
}

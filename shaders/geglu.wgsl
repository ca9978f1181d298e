// geglu: out = gelu(u) * v, where a row of x holds N values u and then N values v.
//
// As part of the global stream the result goes into a place of the rolling cache instead of a row of its own: a ring
// of RING places of N values, place step % RING; nothing is ever moved. RING = 1 is the plain case.

@group(0) @binding(0) var<storage, read> x: array<i32>;               // B x 2N, Q10
@group(0) @binding(1) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(2) var<storage, read> control: array<i32>;          // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // B x (RING x N), Q8

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * N) { return; }
  let b = i / N;
  let f = i % N;
  let place = u32(control[AT_STEP]) % RING;
  out[b * RING * N + place * N + f] = geglu_value(x[b * 2u * N + f], x[b * 2u * N + N + f]);
}

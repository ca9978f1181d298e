// gelu_skip_backward: gradients of gelu_skip's input, of what was skipped, and of the skip's scalar.
//
//   d_x = d * gelu'(x)      d_skipped = d * scale      d_scale += mean over the row of d * skipped     Q22
//
// One workgroup per stream: the row's sum is made in the workgroup, then added atomically (modulo 2^32, any order).

@group(0) @binding(0) var<storage, read> d: array<i32>;                     // B x WIDTH, Q22
@group(0) @binding(1) var<storage, read> x: array<i32>;                     // B x WIDTH, Q10
@group(0) @binding(2) var<storage, read> skipped: array<i32>;               // B x WIDTH, Q10
@group(0) @binding(3) var<storage, read> master: array<i32>;                // Q24
@group(0) @binding(4) var<storage, read> constants: array<i32>;                // LUTs, see luts.wgsl
@group(0) @binding(5) var<storage, read_write> d_x: array<i32>;             // B x WIDTH, Q22
@group(0) @binding(6) var<storage, read_write> d_skipped: array<i32>;       // B x WIDTH, Q22
@group(0) @binding(7) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients

var<workgroup> row_sum: atomic<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let b = flat_group(group, groups);
  if (b >= model.STREAMS) { return; }
  let scale = master[model.SKIP_AT];
  var mine = 0;
  for (var column = lane; column < WIDTH; column += 64u) {
    let i = b * WIDTH + column;
    mine += mul_round(d[i], skipped[i], ACTIVATION_BITS + WIDTH_LOG2);
    d_x[i] = through_gelu(d[i], x[i]);
    d_skipped[i] = through_skip(d[i], scale);
  }
  atomicAdd(&row_sum, mine);
  workgroupBarrier();
  if (lane == 0u) { atomicAdd(&gradient[SKIP_DENSE], round_shift_any(atomicLoad(&row_sum), i32(model.STREAMS_LOG2))); }
}

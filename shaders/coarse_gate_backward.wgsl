// coarse_gate_backward: gradients of everything that coarse_gate added up.
//
//   d_up = d * gate      d_gate = d * up * gate (1 - gate)      d_skipped = d * scale
//   d_bias[stream] = d   d_scale += mean over the row of d * skipped                                     Q22
//
// One workgroup per stream, as in gelu_skip_backward. d_up and d_gate share a buffer of two halves, because eight
// storage buffers are all that every device offers.

@group(0) @binding(0) var<storage, read> d: array<i32>;                     // B x H, Q22
@group(0) @binding(1) var<storage, read> up: array<i32>;                    // B x H, Q10
@group(0) @binding(2) var<storage, read> gate: array<i32>;                  // B x H, Q14
@group(0) @binding(3) var<storage, read> skipped: array<i32>;               // B x H, Q10
@group(0) @binding(4) var<storage, read> master: array<i32>;                // Q24
@group(0) @binding(5) var<storage, read_write> d_up_gate: array<i32>;       // 2 x B x H, Q22: d_up, then d_gate
@group(0) @binding(6) var<storage, read_write> d_skipped: array<i32>;       // B x H, Q22
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
    d_skipped[i] = through_skip(d[i], scale);
    d_up_gate[i] = mul_round(d[i], gate[i], SLOPE_BITS);
    d_up_gate[model.STREAMS * WIDTH + i] = coarse_gate_gradient(d[i], up[i], gate[i]);
    atomicStore(&gradient[STREAM_BIAS_DENSE + i], d[i]);
  }
  atomicAdd(&row_sum, mine);
  workgroupBarrier();
  if (lane == 0u) { atomicAdd(&gradient[SKIP_DENSE], round_shift_any(atomicLoad(&row_sum), i32(model.STREAMS_LOG2))); }
}

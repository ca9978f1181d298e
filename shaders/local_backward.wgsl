// local_backward: gradients of the convolution's input, taps and bias.
//
//   g[t, d] = d_near * gelu'(pre)
//   d_z[t, d] = g[t+1, d] tap[0, d] + g[t, d] tap[1, d] + g[t-1, d] tap[2, d]
//   d_tap[j, d] += mean of g[t, d] * z[t+j-1, d]      d_bias[d] += mean of g[t, d]             Q22
//
// One workgroup per stream; a lane meets one channel only (D divides 64), so it sums that channel's taps in registers
// and adds them atomically once.

@group(0) @binding(0) var<storage, read> d_near: array<i32>;                // B x T x D, Q22
@group(0) @binding(1) var<storage, read> pre: array<i32>;                   // B x T x D, Q10
@group(0) @binding(2) var<storage, read> z: array<i32>;                     // B x T x D, Q10
@group(0) @binding(3) var<storage, read> master: array<i32>;                // Q24
@group(0) @binding(4) var<storage, read> constants: array<i32>;                // LUTs, see luts.wgsl
@group(0) @binding(5) var<storage, read_write> d_z: array<i32>;             // B x T x D, Q22
@group(0) @binding(6) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients

const ROW = HISTORY * EMBEDDING;

fn gradient_at(i: u32) -> i32 { return through_gelu(d_near[i], pre[i]); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let b = flat_group(group, groups);
  if (b >= model.STREAMS) { return; }
  let d = lane % EMBEDDING;
  let right = ACTIVATION_BITS + model.ROWS_LOG2;
  let taps = vec3<i32>(master[model.TAP_AT + d], master[model.TAP_AT + EMBEDDING + d],
                       master[model.TAP_AT + 2u * EMBEDDING + d]);
  var sums = vec3<i32>();
  var bias = 0;
  for (var at = lane; at < ROW; at += 64u) {
    let i = b * ROW + at;
    let here = gradient_at(i);
    var d_input = through_skip(here, taps.y);
    sums.y += mul_round(here, z[i], right);
    bias += round_shift_any(here, i32(model.ROWS_LOG2));
    if (at >= EMBEDDING) {
      sums.x += mul_round(here, z[i - EMBEDDING], right);
      d_input += through_skip(gradient_at(i - EMBEDDING), taps.z);
    }
    if (at + EMBEDDING < ROW) {
      sums.z += mul_round(here, z[i + EMBEDDING], right);
      d_input += through_skip(gradient_at(i + EMBEDDING), taps.x);
    }
    d_z[i] = clamp_gradient(d_input);
  }
  if (lane < ROW) {
    atomicAdd(&gradient[TAP_DENSE + d], sums.x);
    atomicAdd(&gradient[TAP_DENSE + EMBEDDING + d], sums.y);
    atomicAdd(&gradient[TAP_DENSE + 2u * EMBEDDING + d], sums.z);
    atomicAdd(&gradient[TAP_BIAS_DENSE + d], bias);
  }
}

// local: the local stream after its norm: a depthwise convolution over three positions, then GELU.
//
//   pre[t, d] = z[t-1, d] tap[0, d] + z[t, d] tap[1, d] + z[t+1, d] tap[2, d] + bias[d]      near = gelu(pre)
//
// Positions outside the history are zero. Each product is rounded to Q10 on its own, so that a sum of three cannot
// leave 32 bits.

@group(0) @binding(0) var<storage, read> z: array<i32>;               // B x T x D, Q10
@group(0) @binding(1) var<storage, read> master: array<i32>;          // Q24
@group(0) @binding(2) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(3) var<storage, read_write> pre: array<i32>;       // B x T x D, Q10
@group(0) @binding(4) var<storage, read_write> near: array<i32>;      // B x T x D, Q10

fn product(i: u32, tap: u32) -> i32 { return tap_value(z[i], master[model.TAP_AT + tap]); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * HISTORY * EMBEDDING) { return; }
  let d = i % EMBEDDING;
  let t = (i / EMBEDDING) % HISTORY;
  var sum = product(i, EMBEDDING + d) + as_bias(master[model.TAP_BIAS_AT + d]);
  if (t > 0u) { sum += product(i - EMBEDDING, d); }
  if (t + 1u < HISTORY) { sum += product(i + EMBEDDING, 2u * EMBEDDING + d); }
  let value = clamp_activation(sum);
  pre[i] = value;
  near[i] = gelu(value);
}

// coarse_gate: the end of the coarse refiner: gated values, the stream's own bias, the skip, and what is remembered.
//
//   gate = sigmoid(g)      out = up * gate + bias[stream] + skipped * scale + remembered
//
// gate is Q14, out Q7, the rest Q10. Rows are streams: both branches lie side by side.

@group(0) @binding(0) var<storage, read> up: array<i32>;              // B x H, Q10
@group(0) @binding(1) var<storage, read> g: array<i32>;               // B x H, Q10
@group(0) @binding(2) var<storage, read> skipped: array<i32>;         // B x H, Q10
@group(0) @binding(3) var<storage, read> remembered: array<i32>;      // B x H, Q10; nothing without a recall stream
@group(0) @binding(4) var<storage, read> master: array<i32>;          // Q24
@group(0) @binding(5) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(6) var<storage, read_write> gate: array<i32>;      // B x H, Q14
@group(0) @binding(7) var<storage, read_write> out: array<i32>;       // B x H, Q7

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.COUNT) { return; }
  let open = sigmoid(g[i]);
  gate[i] = open;
  var more = 0;
  if (CONTEXTS > 0u) { more = remembered[i]; }
  let kept = kept_value(skipped[i], master[model.SKIP_AT]);
  out[i] = coarse_value(up[i], open, master[model.STREAM_BIAS_AT + i], kept, more);
}

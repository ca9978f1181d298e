// logit_gradient: the cross-entropy's gradient as an int16 operand, and the interval of the byte that came.
//
//   difference[b, v] = frequency[v] - (v came ? 2^22 : 0)        Q22, for the recall stream
//   operand[b, v] = clamp(round(difference / 2^shift))
//   intervals[step, b] = (start, frequency) of the byte that came
//
// The shift is fixed: a probability is at most 1. Only the intervals travel to the coder.

@group(0) @binding(0) var<storage, read> ends: array<u32>;                // B x 256
@group(0) @binding(1) var<storage, read> bytes: array<u32>;               // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(2) var<storage, read> control: array<i32>;              // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> operand: array<i32>;       // B x 256, int16 values
@group(0) @binding(4) var<storage, read_write> intervals: array<vec2<u32>>; // chunk steps x B
@group(0) @binding(5) var<storage, read_write> difference: array<i32>;    // B x 256, Q22

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * 256u) { return; }
  let b = i / 256u;
  let v = i % 256u;
  let chunk_step = u32(control[AT_CHUNK_STEP]);
  let byte = byte_before(b, u32(control[AT_STEP]), 0u);
  let start = select(0u, ends[max(i, 1u) - 1u], v > 0u);
  let frequency = ends[i] - start;
  var away = i32(frequency);
  if (v == byte) {
    away -= 1 << GRADIENT_BITS;
    intervals[chunk_step * model.STREAMS + b] = vec2<u32>(start, frequency);
  }
  if (CONTEXTS + LOGIT_TABLES > 0u) { difference[i] = away; }
  operand[i] = gradient_operand(away, rule_of(control[AT_LOGIT_SHIFT]));
}

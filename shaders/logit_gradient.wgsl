// logit_gradient: the cross-entropy's gradient as an int16 operand, and the interval of the byte that came.
//
//   operand[b, v] = clamp(round((frequency[v] - (v came ? 2^22 : 0)) / 2^shift))
//   intervals[step, b] = (start, frequency) of the byte that came
//
// The shift is fixed: a probability is at most 1. Only the intervals travel to the coder.

@group(0) @binding(0) var<storage, read> ends: array<u32>;                // B x 256
@group(0) @binding(1) var<storage, read> bytes: array<u32>;               // rows x ROW_WORDS, packed u8
@group(0) @binding(2) var<storage, read> shifts: array<i32>;              // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> operand: array<i32>;       // B x 256, int16 values
@group(0) @binding(4) var<storage, read_write> intervals: array<vec2<u32>>; // chunk steps x B

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= STREAMS * 256u) { return; }
  let b = i / 256u;
  let v = i % 256u;
  let chunk_step = u32(shifts[AT_CHUNK_STEP]);
  let byte = extractBits(bytes[(chunk_step + HISTORY) * ROW_WORDS + b / 4u], 8u * (b % 4u), 8u);
  let start = select(0u, ends[max(i, 1u) - 1u], v > 0u);
  let frequency = ends[i] - start;
  var difference = i32(frequency);
  if (v == byte) {
    difference -= 1 << GRADIENT_BITS;
    intervals[chunk_step * STREAMS + b] = vec2<u32>(start, frequency);
  }
  let rounded = round_shift_any(difference, shifts[AT_LOGIT_SHIFT]);
  operand[i] = clamp(rounded, -GRADIENT_OPERAND_LIMIT, GRADIENT_OPERAND_LIMIT);
}

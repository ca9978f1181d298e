// stream_linear: the batched matmul of the coarse refiner: both branches of a stream times that stream's own matrix.
//
//   out[b, j, n] = clamp(round(sum_k x[b, j, k] * u[b, n, k] / 2^shift))       j = 0, 1;  Q10
//
// One invocation per (stream, output) makes both branches, so each word of the matrix is read once.

@group(0) @binding(0) var<storage, read> x: array<u32>;               // B x 2 x C / 4 words, packed int8
@group(0) @binding(1) var<storage, read> copies: array<u32>;          // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> shifts: array<i32>;          // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // B x 2 x C, Q10

const WORDS = COARSE / 4u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= STREAMS * COARSE) { return; }
  let b = i / COARSE;
  var sums = vec2<i32>();
  for (var k = 0u; k < WORDS; k++) {
    let w = copies[COPY_AT + i * WORDS + k];
    let first = b * 2u * WORDS + k;
    sums += vec2<i32>(dot4I8Packed(x[first], w), dot4I8Packed(x[first + WORDS], w));
  }
  let shift = WEIGHT_BITS - shifts[ACTIVATION_SLOT] - shifts[COPY_SHIFTS + WEIGHT_SLOT];
  let at = b * 2u * COARSE + i % COARSE;
  out[at] = clamp_activation(round_shift_any(sums.x, shift));
  out[at + COARSE] = clamp_activation(round_shift_any(sums.y, shift));
}

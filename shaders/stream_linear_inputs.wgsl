// stream_linear_inputs: the gradient with respect to the batched matmul's input.
//
//   out[b, j, k] = clamp(round(sum_n gradient[b, j, n] * u[b, n, k] / 2^shift))        Q22

@group(0) @binding(0) var<storage, read> gradient: array<i32>;        // B x 2 x C, int16 values
@group(0) @binding(1) var<storage, read> copies: array<u32>;          // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> shifts: array<i32>;          // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // B x 2 x C, Q22

const WORDS = COARSE / 4u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= STREAMS * WORDS) { return; }
  let b = i / WORDS;
  let word = i % WORDS;
  let row = b * 2u * COARSE;
  var first = vec4<i32>();
  var second = vec4<i32>();
  for (var n = 0u; n < COARSE; n++) {
    let w = unpack4xI8(copies[COPY_AT + (b * COARSE + n) * WORDS + word]);
    first += w * gradient[row + n];
    second += w * gradient[row + COARSE + n];
  }
  let shift = WEIGHT_BITS - shifts[GRADIENT_SLOT] - shifts[COPY_SHIFTS + WEIGHT_SLOT];
  for (var j = 0u; j < 4u; j++) {
    out[row + 4u * word + j] = clamp_gradient(round_shift_any(first[j], shift));
    out[row + COARSE + 4u * word + j] = clamp_gradient(round_shift_any(second[j], shift));
  }
}

// linear_inputs: the gradient with respect to a linear layer's input.
//
//   out[r, k] = clamp(round(sum_n gradient[r, n] * w[n, k] / 2^shift))           Q22
//
// Each invocation makes 4 rows x 4 inputs (one word of weights); neighbours read neighbouring words. Sums are modulo
// 2^32: with wide layers they could wrap in theory, and would wrap alike everywhere.

@group(0) @binding(0) var<storage, read> gradient: array<i32>;          // ROWS x OUTPUTS, int16 values
@group(0) @binding(1) var<storage, read> copies: array<u32>;            // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> shifts: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<i32>;         // ROWS x INPUTS, Q22

const WORDS = INPUTS / 4u;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let word = id.x;
  let r0 = id.y * 4u;
  if (word >= WORDS || r0 >= ROWS) { return; }
  let rows = min(vec4<u32>(r0, r0 + 1u, r0 + 2u, r0 + 3u), vec4<u32>(ROWS - 1u)) * OUTPUTS;
  var sums = array<vec4<i32>, 4>();
  for (var n = 0u; n < OUTPUTS; n++) {
    let w = unpack4xI8(copies[COPY_AT + n * WORDS + word]);
    for (var i = 0u; i < 4u; i++) { sums[i] += w * gradient[rows[i] + n]; }
  }
  let shift = WEIGHT_BITS - shifts[GRADIENT_SLOT] - shifts[COPY_SHIFTS + WEIGHT_SLOT];
  for (var i = 0u; i < 4u && r0 + i < ROWS; i++) {
    for (var j = 0u; j < 4u; j++) {
      out[(r0 + i) * INPUTS + 4u * word + j] = clamp_gradient(round_shift_any(sums[i][j], shift));
    }
  }
}

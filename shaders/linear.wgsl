// linear: out = x W^T + bias for int8 operands packed along the inputs, one dot4I8Packed per four products.
//
//   out[r, n] = clamp(round(sum_k x[r, k] * w[n, k] / 2^shift) + bias[n])        Q11
//
// Each invocation makes 4 rows x 4 outputs. Accumulators stay below 127 * 127 * 8192 < 2^27, so nothing wraps.

@group(0) @binding(0) var<storage, read> x: array<u32>;                 // ROWS x X_STRIDE words, packed int8
@group(0) @binding(1) var<storage, read> copies: array<u32>;            // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> master: array<i32>;            // for the bias, Q24
@group(0) @binding(3) var<storage, read> shifts: array<i32>;
@group(0) @binding(4) var<storage, read_write> out: array<i32>;         // ROWS x OUTPUTS, Q11

const WORDS = INPUTS / 4u;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let n0 = id.x * 4u;
  let r0 = id.y * 4u;
  if (n0 >= OUTPUTS || r0 >= ROWS) { return; }
  // Rows beyond the last repeat it, so that the loop needs no tests; they are not stored.
  let rows = min(vec4<u32>(r0, r0 + 1u, r0 + 2u, r0 + 3u), vec4<u32>(ROWS - 1u)) * X_STRIDE + X_START;
  let outputs = COPY_AT + (vec4<u32>(0u, 1u, 2u, 3u) + n0) * WORDS;
  var sums = array<vec4<i32>, 4>();
  for (var k = 0u; k < WORDS; k++) {
    let w = vec4<u32>(copies[outputs.x + k], copies[outputs.y + k], copies[outputs.z + k], copies[outputs.w + k]);
    for (var i = 0u; i < 4u; i++) {
      let a = x[rows[i] + k];
      sums[i] += vec4<i32>(dot4I8Packed(a, w.x), dot4I8Packed(a, w.y), dot4I8Packed(a, w.z), dot4I8Packed(a, w.w));
    }
  }
  let shift = WEIGHT_BITS - shifts[ACTIVATION_SLOT] - shifts[COPY_SHIFTS + WEIGHT_SLOT];
  for (var i = 0u; i < 4u && r0 + i < ROWS; i++) {
    for (var j = 0u; j < 4u; j++) {
      let value = round_shift_any(sums[i][j], shift) + as_bias(master[BIAS_AT + n0 + j]);
      out[(r0 + i) * OUTPUTS + n0 + j] = clamp_activation(value);
    }
  }
}

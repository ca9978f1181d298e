// linear_inputs: the gradient with respect to a linear layer's input.
//
//   out[r, k] = clamp(round(sum_n gradient[r, n] * w[n, k] / 2^shift))           Q22
//   with ADDS = 1: clamp(out[r, k] + that), for the second of two layers that have one input
//
// Each invocation makes TILE rows x 8 inputs (two words of weights); neighbours read neighbouring words. Every
// MATRIX_ROWS rows have a matrix of their own, as in linear. Sums are
// modulo 2^32: with wide layers they could wrap in theory, and would wrap alike everywhere.

@group(0) @binding(0) var<storage, read> gradient: array<i32>;          // ROWS x OUTPUTS, int16 values
@group(0) @binding(1) var<storage, read> copies: array<u32>;            // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> control: array<i32>;            // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> out: array<i32>;         // ROWS x INPUTS, Q22

const WORDS = INPUTS / 4u;

fn store(at: u32, value: i32) {
  if (ADDS == 1u) {
    out[at] = clamp_gradient(out[at] + clamp_gradient(value));
  } else {
    out[at] = clamp_gradient(value);
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let word = 2u * id.x;
  let r0 = id.y * TILE;
  if (word >= WORDS || r0 >= model.ROWS) { return; }
  var low = array<vec4<i32>, TILE>();
  var high = array<vec4<i32>, TILE>();
  let first = COPY_AT + r0 / model.MATRIX_ROWS * OUTPUTS * WORDS + word;
  for (var n = 0u; n < OUTPUTS; n++) {
    let w_low = unpack4xI8(copies[first + n * WORDS]);
    let w_high = unpack4xI8(copies[first + n * WORDS + 1u]);
    for (var i = 0u; i < TILE; i++) {
      let g = gradient[min(r0 + i, model.ROWS - 1u) * OUTPUTS + n];
      low[i] += w_low * g;
      high[i] += w_high * g;
    }
  }
  let shift = WEIGHT_BITS - control[GRADIENT_EXPONENT] - control[COPY_SHIFTS + WEIGHT_EXPONENT];
  for (var i = 0u; i < TILE && r0 + i < model.ROWS; i++) {
    for (var j = 0u; j < 4u; j++) {
      let at = (r0 + i) * INPUTS + 4u * word + j;
      store(at, round_shift_any(low[i][j], shift));
      store(at + 4u, round_shift_any(high[i][j], shift));
    }
  }
}

// linear: out = x W^T + bias for int8 operands packed along the inputs, one dot4I8Packed per four products.
//
//   out[r, n] = clamp(round(sum_k x[r, k] * w[n, k] / 2^shift) + bias[n], ±OUTPUT_LIMIT)        Q(OUTPUT_BITS)
//
// Each invocation makes TILE rows x 8 outputs, so that a loaded word serves 8 products; the last 4 may be missing.
// Every MATRIX_ROWS rows (a multiple of TILE) have a matrix of their own: the two branches of a stream have the
// stream's, which has no bias. MATRIX_ROWS is ROWS where all streams share one. Accumulators stay below
// 127 * 127 * 8192 < 2^27, so nothing wraps.

@group(0) @binding(0) var<storage, read> x: array<u32>;                 // ROWS x X_PITCH words, packed int8
@group(0) @binding(1) var<storage, read> copies: array<u32>;            // packed int8 copies of all matrices
@group(0) @binding(2) var<storage, read> master: array<i32>;            // for the bias, Q24
@group(0) @binding(3) var<storage, read> control: array<i32>;            // control numbers, see end_step
@group(0) @binding(4) var<storage, read_write> out: array<i32>;         // ROWS x OUTPUTS, Q(OUTPUT_BITS)

const WORDS = INPUTS / 4u;

const OUTPUT_SHIFT = u32(WEIGHT_BITS - OUTPUT_BITS);   // of a bias

fn store(row: u32, n: u32, sums: vec4<i32>, shift: i32) {
  for (var j = 0u; j < 4u; j++) {
    var bias = 0;
    if (HAS_BIAS == 1u) { bias = round_shift(master[model.BIAS_AT + n + j], OUTPUT_SHIFT); }
    out[row * OUTPUTS + n + j] = product_value(sums[j], shift, bias, OUTPUT_LIMIT);
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let n0 = id.x * 8u;
  let r0 = id.y * TILE;
  if (n0 >= OUTPUTS || r0 >= model.ROWS) { return; }
  let first = COPY_AT + (r0 / model.MATRIX_ROWS * OUTPUTS + n0) * WORDS;
  let has_high = n0 + 4u < OUTPUTS;
  let high_at = select(0u, 4u * WORDS, has_high);   // outputs beyond the last repeat others
  var low = array<vec4<i32>, TILE>();
  var high = array<vec4<i32>, TILE>();
  for (var k = 0u; k < WORDS; k++) {
    let at = first + k;
    let w_low = vec4<u32>(copies[at], copies[at + WORDS], copies[at + 2u * WORDS], copies[at + 3u * WORDS]);
    let more = at + high_at;
    let w_high = vec4<u32>(copies[more], copies[more + WORDS], copies[more + 2u * WORDS], copies[more + 3u * WORDS]);
    for (var i = 0u; i < TILE; i++) {
      let a = x[min(r0 + i, model.ROWS - 1u) * X_PITCH + X_START + k];   // rows beyond the last repeat it
      low[i] += dots(a, w_low);
      high[i] += dots(a, w_high);
    }
  }
  let shift = WEIGHT_BITS + INPUT_BITS - OUTPUT_BITS
    - control[ACTIVATION_EXPONENT] - control[COPY_SHIFTS + WEIGHT_EXPONENT];
  for (var i = 0u; i < TILE && r0 + i < model.ROWS; i++) {
    store(r0 + i, n0, low[i], shift);
    if (has_high) { store(r0 + i, n0 + 4u, high[i], shift); }
  }
}

// linear_weights: the gradient of a linear layer's weights and, in the same pass, the optimizer's update of them.
//
//   accumulated[n, k] = sum_r gradient[r, n] * x[r, k]
//   master, moment, square = update(...);  copy = int8(master)
//
// The gradient never reaches memory. Each invocation owns TILE outputs x 8 inputs. gradient_bits in docs/NUMERICS.md
// keeps the sums below 2^31. Also noted: the largest bit length of a gradient (per tensor) and the largest weight.
// The third dimension of the dispatch is a batch: the streams' own matrices, MATRIX_ROWS = 2 rows each; 1 for a shared
// matrix.

@group(0) @binding(0) var<storage, read> gradient: array<i32>;            // batch x MATRIX_ROWS x OUTPUTS, int16 values
@group(0) @binding(1) var<storage, read> x: array<u32>;                   // batch x MATRIX_ROWS x X_PITCH words, int8
@group(0) @binding(2) var<storage, read> control: array<i32>;              // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;  // per exponent, then per tensor
@group(0) @binding(4) var<storage, read_write> master: array<i32>;        // Q24
@group(0) @binding(5) var<storage, read_write> moment: array<i32>;        // one per weight
@group(0) @binding(6) var<storage, read_write> square: array<i32>;        // one per weight
@group(0) @binding(7) var<storage, read_write> copies: array<u32>;        // packed int8

const WORDS = INPUTS / 4u;

var<workgroup> largest_weight: atomic<u32>;
var<workgroup> largest_need: atomic<u32>;
var<private> my_weight = 0u;
var<private> my_need = 0u;

// n counts the outputs of all matrices of the batch.
fn update_word(n: u32, word: u32, accumulated: vec4<i32>, exponent: i32) {
  let adam = adam_of(TENSOR, exponent);
  let first = MASTER_AT + n * INPUTS + 4u * word;
  var quantised = vec4<i32>();
  for (var j = 0u; j < 4u; j++) {
    let at = first + j;
    my_need = max(my_need, u32(bit_length(magnitude(accumulated[j])) + exponent + NEED_BIAS));
    var weight = master[at];
    if (adam.rate > 0) {
      let element = update(Element(weight, moment[at], square[at]), accumulated[j], adam);
      weight = element.master;
      master[at] = weight;
      moment[at] = element.moment;
      square[at] = element.square;
    }
    my_weight = max(my_weight, magnitude(weight));
    quantised[j] = clamp(round_shift_any(weight, control[WEIGHT_EXPONENT]), -OPERAND_LIMIT, OPERAND_LIMIT);
  }
  copies[COPY_AT + n * WORDS + word] = pack4xI8(quantised);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let word = 2u * id.x;
  let n0 = id.y * TILE;
  if (word < WORDS && n0 < OUTPUTS) {
    var low = array<vec4<i32>, TILE>();
    var high = array<vec4<i32>, TILE>();
    for (var r = 0u; r < model.MATRIX_ROWS; r++) {
      let row = id.z * model.MATRIX_ROWS + r;
      let a_low = unpack4xI8(x[row * X_PITCH + X_START + word]);
      let a_high = unpack4xI8(x[row * X_PITCH + X_START + word + 1u]);
      for (var i = 0u; i < TILE; i++) {
        let g = gradient[row * OUTPUTS + n0 + i];
        low[i] += a_low * g;
        high[i] += a_high * g;
      }
    }
    let exponent = control[GRADIENT_EXPONENT] + control[ACTIVATION_EXPONENT];
    for (var i = 0u; i < TILE; i++) {
      update_word(id.z * OUTPUTS + n0 + i, word, low[i], exponent);
      update_word(id.z * OUTPUTS + n0 + i, word + 1u, high[i], exponent);
    }
    atomicMax(&largest_weight, my_weight);
    atomicMax(&largest_need, my_need);
  }
  workgroupBarrier();
  if (lane == 0u) {
    atomicMax(&seen[WEIGHT_EXPONENT], atomicLoad(&largest_weight));
    atomicMax(&seen[EXPONENTS + TENSOR], atomicLoad(&largest_need));
  }
}

// weights: the gradients of all weights and, in the same pass, the optimizer's update of them: every tensor at once.
//
//   matrices: accumulated[n, k] = sum_r gradient[r, n] * x[r, k]     the rest: accumulated = dense[i], which becomes 0
//   master, moment, square = update(...);  copy = int8(master), the embedding's int16(master)
//
// A workgroup works on one tensor; `constants` says on which, and how it lies (see weights-plan.ts). Of a matrix each
// invocation owns 8 outputs x 8 inputs, and the gradient never reaches memory. Sums of integers modulo 2^32:
// gradient_bits in docs/NUMERICS.md keeps them below 2^31. Also noted: the largest bit length of a gradient per tensor,
// and the largest weight. Matrices of the streams' own are a batch: one after the other, two rows to each. With SUMMED,
// `gradients` has summed the long matrices already, behind the rest of `dense`; then a task is four of their weights.
// Tried: a generated table of constants in place of one in storage, which software adapters copy for each invocation;
// the update unrolled for all 64 weights, which takes a software adapter's compiler 17 s instead of 1.

@group(0) @binding(0) var<storage, read> arena: array<i32>;                // operands: see arena.ts
@group(0) @binding(1) var<storage, read> constants: array<i32>;               // records and groups, see weights-plan.ts
@group(0) @binding(2) var<storage, read> control: array<i32>;               // control numbers, see end_step
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;   // per exponent, then per tensor
@group(0) @binding(4) var<storage, read_write> dense: array<i32>;          // DENSE_COUNT, then sums
@group(0) @binding(5) var<storage, read_write> master: array<i32>;         // Q24
@group(0) @binding(6) var<storage, read_write> moment: array<i32>;         // one per weight
@group(0) @binding(7) var<storage, read_write> square: array<i32>;         // one per weight
@group(0) @binding(8) var<storage, read_write> copies: array<u32>;         // packed int8, in two orders
@group(0) @binding(9) var<storage, read_write> embedding: array<i32>;      // 256 x D, int16 values

var<workgroup> largest_weight: atomic<u32>;
var<workgroup> largest_need: atomic<u32>;
var<private> my_weight = 0u;
var<private> my_gradient = 0u;

// What all weights of a tensor have in common.
struct Tensor {
  exponent: i32,
  adam: Adam,
  copy_shift: i32,
}

fn field(record: u32, index: u32) -> u32 { return u32(constants[model.WEIGHTS_AT + record * WEIGHT_FIELDS + index]); }

fn tensor_of(record: u32) -> Tensor {
  let tensor = field(record, FIELD_TENSOR);
  let sign = constants[model.WEIGHTS_AT + record * WEIGHT_FIELDS + FIELD_SIGN];
  let exponent = sign * control[field(record, FIELD_GRADIENT)] + control[field(record, FIELD_ACTIVATION)];
  return Tensor(exponent, adam_of(tensor, exponent), control[field(record, FIELD_EXPONENT)]);
}

fn learn(at: u32, accumulated: i32, tensor: Tensor) -> i32 {
  my_gradient = max(my_gradient, magnitude(accumulated));
  var weight = master[at];
  if (tensor.adam.rate > 0) {
    let element = update(Element(weight, moment[at], square[at]), accumulated, tensor.adam);
    weight = element.master;
    master[at] = weight;
    moment[at] = element.moment;
    square[at] = element.square;
  }
  my_weight = max(my_weight, magnitude(weight));
  return weight;
}

fn learn_word(at: u32, accumulated: vec4<i32>, tensor: Tensor) -> u32 {
  let weights = vec4<i32>(learn(at, accumulated.x, tensor), learn(at + 1u, accumulated.y, tensor),
                          learn(at + 2u, accumulated.z, tensor), learn(at + 3u, accumulated.w, tensor));
  let copy = operand_word(weights, tensor.copy_shift);
  copies[at / 4u] = copy;
  return copy;
}

// The same word where neighbouring outputs' words are neighbours, for matrices that have such a copy.
fn put_across(record: u32, n: u32, word: u32, copy: u32) {
  let across = field(record, FIELD_ACROSS);
  if (across > 0u) { copies[across + word * field(record, FIELD_OUTPUTS) + n] = copy; }
}

fn load_word(at: u32) -> u32 { return u32(arena[at]); }

// What a row adds to an invocation's sums: eight inputs times eight outputs.
fn add_products(sums: ptr<function, array<vec4<i32>, 16>>, x_at: u32, low: vec4<u32>, high: vec4<u32>) {
  let a_low = unpack4xI8(u32(arena[x_at]));
  let a_high = unpack4xI8(u32(arena[x_at + 1u]));
  for (var i = 0u; i < 4u; i++) {
    (*sums)[2u * i] += a_low * i32(low[i]);
    (*sums)[2u * i + 1u] += a_high * i32(low[i]);
    (*sums)[2u * i + 8u] += a_low * i32(high[i]);
    (*sums)[2u * i + 9u] += a_high * i32(high[i]);
  }
}

fn learn_tile(record: u32, task: u32, tensor: Tensor) {
  let rows = field(record, FIELD_ROWS);
  let outputs = field(record, FIELD_OUTPUTS);
  let inputs = field(record, FIELD_INPUTS);
  let x_pitch = field(record, FIELD_X_PITCH);
  let across = inputs / 8u;
  let down = (outputs + 7u) / 8u;
  let batch = task / (across * down);
  let n0 = task / across % down * 8u;
  let word = 2u * (task % across);
  let x_at = field(record, FIELD_X) + batch * rows * x_pitch + word;
  let g_at = field(record, FIELD_G) + batch * rows * outputs + n0;
  let more = select(0u, 4u, n0 + 4u < outputs);   // outputs beyond the last repeat others
  var sums = array<vec4<i32>, 16>();
  if (TOGETHER == 8 && across % 8u == 0u) {       // eight neighbours have the same outputs
    for (var r = 0u; r < rows; r++) {
      let g = eight_words(g_at + r * outputs, 1u, more, 3u);
      add_products(&sums, x_at + r * x_pitch, g.low, g.high);
    }
  } else {
    for (var r = 0u; r < rows; r++) {
      let at = g_at + r * outputs;
      let low = vec4<i32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
      let next = at + more;
      let high = vec4<i32>(arena[next], arena[next + 1u], arena[next + 2u], arena[next + 3u]);
      add_products(&sums, x_at + r * x_pitch, vec4<u32>(low), vec4<u32>(high));
    }
  }
  let first = field(record, FIELD_MASTER) + (batch * outputs + n0) * inputs + 4u * word;
  var learned = sums;   // a copy, so that only this one is indexed by a variable, and compilers do not unroll
  for (var j = 0u; j < 2u * min(8u, outputs - n0); j++) {
    let copy = learn_word(first + j / 2u * inputs + 4u * (j & 1u), learned[j], tensor);
    if (SUMMED == 1) { put_across(record, n0 + j / 2u, word + (j & 1u), copy); }
  }
}

// Four weights of a matrix whose sums are made; they become 0 for the next step.
fn learn_summed(record: u32, task: u32, tensor: Tensor) {
  let from_at = field(record, FIELD_SUMS) + 4u * task;
  let sums = vec4<i32>(dense[from_at], dense[from_at + 1u], dense[from_at + 2u], dense[from_at + 3u]);
  for (var i = 0u; i < 4u; i++) { dense[from_at + i] = 0; }
  let copy = learn_word(field(record, FIELD_MASTER) + 4u * task, sums, tensor);
  let words = field(record, FIELD_INPUTS) / 4u;
  put_across(record, task / words, task % words, copy);
}

fn learn_dense(record: u32, task: u32, tensor: Tensor) {
  let at = field(record, FIELD_MASTER) + task;
  let accumulated = dense[at - model.DENSE_AT];
  dense[at - model.DENSE_AT] = 0;
  let weight = learn(at, accumulated, tensor);
  if (field(record, FIELD_TENSOR) == EMBEDDING_TENSOR) {
    embedding[task] = clamp(round_shift_any(weight, tensor.copy_shift), -EMBEDDING_LIMIT, EMBEDDING_LIMIT);
  }
}

// What end_step looks at: the largest weight and the largest need of a gradient's bits.
fn note_tensor(record: u32, weight: u32, need: u32) {
  let exponent = field(record, FIELD_EXPONENT);
  if (exponent < EXPONENTS && weight > atomicLoad(&seen[exponent])) { atomicMax(&seen[exponent], weight); }
  let tensor = EXPONENTS + field(record, FIELD_TENSOR);
  if (need > atomicLoad(&seen[tensor])) { atomicMax(&seen[tensor], need); }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  begin_eight(lane);
  let flat = min(flat_group(group, groups), model.WEIGHT_GROUPS - 1u);
  let record = u32(constants[model.WEIGHT_GROUPS_AT + 3u * flat]);
  let task = u32(constants[model.WEIGHT_GROUPS_AT + 3u * flat + 1u]) + lane;
  // Groups beyond the last have nothing to do.
  if (task < field(record, FIELD_TASKS) && flat_group(group, groups) == flat) {
    let tensor = tensor_of(record);
    if (field(record, FIELD_ROWS) > 0u) {
      learn_tile(record, task, tensor);
    } else if (SUMMED == 1 && field(record, FIELD_SUMS) > 0u) {
      learn_summed(record, task, tensor);
    } else {
      learn_dense(record, task, tensor);
    }
    let need = u32(bit_length(my_gradient) + tensor.exponent + NEED_BIAS);
    if (WAITS == 0) {
      note_tensor(record, my_weight, need);
    } else {
      atomicMax(&largest_weight, my_weight);
      atomicMax(&largest_need, need);
    }
  }
  if (WAITS == 0) { return; }
  workgroupBarrier();
  if (lane == 0u) { note_tensor(record, atomicLoad(&largest_weight), atomicLoad(&largest_need)); }
}

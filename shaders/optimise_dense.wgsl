// optimise_dense: the optimizer for everything that is not a matrix: the embedding, the streams' biases, all vectors.
//
// Their gradients lie in one dense list, in the order of the layout; each element finds its tensor in a generated
// table and takes its gradient out, leaving zero for the next step. The embedding's int16 copy is rewritten here.

@group(0) @binding(0) var<storage, read> control: array<i32>;                 // control numbers, see end_step
@group(0) @binding(1) var<storage, read_write> seen: array<atomic<u32>>;     // per exponent, then per tensor
@group(0) @binding(2) var<storage, read_write> gradient: array<atomic<i32>>; // DENSE_COUNT
@group(0) @binding(3) var<storage, read_write> master: array<i32>;           // Q24
@group(0) @binding(4) var<storage, read_write> moment: array<i32>;           // one per weight
@group(0) @binding(5) var<storage, read_write> square: array<i32>;           // one per weight
@group(0) @binding(6) var<storage, read_write> embedding: array<i32>;        // 256 x D, int16 values

// The dense tensor that element i belongs to: the last whose first element is not beyond it.
fn tensor_of(i: u32) -> u32 {
  var low = 0u;
  var high = u32(DENSE_TENSORS);
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (u32(DENSE_STARTS[middle]) <= i) { low = middle; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.DENSE_COUNT) { return; }
  let found = tensor_of(i);
  let tensor = DENSE_FIRST_TENSOR + found;
  // The exponent of the accumulated gradient: a gradient operand's shift, minus the embedding's copy shift, or 0.
  let exponent = DENSE_SIGNS[found] * control[DENSE_EXPONENTS[found]];
  let accumulated = atomicExchange(&gradient[i], 0);
  let need = u32(bit_length(magnitude(accumulated)) + exponent + NEED_BIAS);
  if (need > atomicLoad(&seen[EXPONENTS + tensor])) { atomicMax(&seen[EXPONENTS + tensor], need); }
  let at = model.DENSE_AT + i;
  let adam = adam_of(tensor, exponent);
  var weight = master[at];
  if (adam.rate > 0) {
    let element = update(Element(weight, moment[at], square[at]), accumulated, adam);
    weight = element.master;
    master[at] = weight;
    moment[at] = element.moment;
    square[at] = element.square;
  }
  if (tensor == EMBEDDING_TENSOR) {
    let size = magnitude(weight);
    if (size > atomicLoad(&seen[EMBEDDING_EXPONENT])) { atomicMax(&seen[EMBEDDING_EXPONENT], size); }
    embedding[i] = clamp(round_shift_any(weight, control[EMBEDDING_EXPONENT]), -EMBEDDING_LIMIT, EMBEDDING_LIMIT);
  }
}

// quantise_activation: int8 operands from Q10 activations, four to a word, with the lagged exponent.
//
//   operand = clamp(round(x / 2^shift), ±127)
//
// The largest magnitude of x goes to `seen` for the steps to come: first among the workgroup, then one atomic
// maximum. A maximum of integers does not depend on order.

@group(0) @binding(0) var<storage, read> x: array<i32>;                     // COUNT
@group(0) @binding(1) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(2) var<storage, read_write> seen: array<atomic<u32>>;    // per exponent
@group(0) @binding(3) var<storage, read_write> operand: array<u32>;         // COUNT / 4 words

var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let word = flat_group(group, groups) * 64u + lane;
  if (word < model.COUNT / 4u) {
    let values = vec4<i32>(x[4u * word], x[4u * word + 1u], x[4u * word + 2u], x[4u * word + 3u]);
    atomicMax(&largest, largest_of(values));
    operand[word] = operand_word(values, control[EXPONENT]);
  }
  workgroupBarrier();
  if (lane == 0u) { atomicMax(&seen[EXPONENT], atomicLoad(&largest)); }
}

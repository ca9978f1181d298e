// cache_operand: the rolling cache as an int8 operand, oldest values first, so that a weight always meets the same age.
//
// The ring's oldest values follow the newest ones, which are at place step % (G / S). Quantised as in
// quantise_activation.

@group(0) @binding(0) var<storage, read> cache: array<i32>;                 // B x G, Q8, a ring of S values a step
@group(0) @binding(1) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(2) var<storage, read_write> seen: array<atomic<u32>>;    // per exponent
@group(0) @binding(3) var<storage, read_write> operand: array<u32>;         // B x G / 4 words

var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let word = flat_group(group, groups) * 64u + lane;
  if (word < model.STREAMS * CACHE / 4u) {
    let row = (4u * word) / CACHE * CACHE;
    let oldest = (u32(control[AT_STEP]) % (CACHE / CACHE_STEP) + 1u) * CACHE_STEP;
    let first = row + (oldest + (4u * word) % CACHE) % CACHE;   // a step adds a multiple of four values
    let values = vec4<i32>(cache[first], cache[first + 1u], cache[first + 2u], cache[first + 3u]);
    atomicMax(&largest, largest_of(values));
    operand[word] = operand_word(values, control[EXPONENT]);
  }
  workgroupBarrier();
  if (lane == 0u) { atomicMax(&seen[EXPONENT], atomicLoad(&largest)); }
}

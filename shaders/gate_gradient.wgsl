// gate_gradient: the gradient of the boosts' gates as an int16 operand.
//
//   d = (difference[a] * boost[a] + difference[b] * boost[b]) * gate (1 - gate) * 2         0 where nothing was found
//   operand = clamp(round(d / 2^shift), ±GRADIENT_OPERAND_LIMIT)
//
// As quantise_gradient does, it notes the largest magnitude. The boosts are those that the prediction used: they learn
// later in the step. |difference| <= 2^22 and a boost has 16 bits, so the sum of both is below 2^28.

@group(0) @binding(0) var<storage, read> difference: array<i32>;            // B x 256, Q22
@group(0) @binding(1) var<storage, read> lookups: array<u32>;               // see recall.wgsl
@group(0) @binding(2) var<storage, read> boosts: array<i32>;                // N x BUCKETS x 2, Q20
@group(0) @binding(3) var<storage, read> gates: array<i32>;                 // B x N, Q10, before the sigmoid
@group(0) @binding(4) var<storage, read> tables: array<i32>;                // look-ups, see tables.wgsl
@group(0) @binding(5) var<storage, read> shifts: array<i32>;                // control numbers, see end_step
@group(0) @binding(6) var<storage, read_write> seen: array<atomic<u32>>;    // per slot
@group(0) @binding(7) var<storage, read_write> operand: array<i32>;         // B x N, int16 values

var<workgroup> largest: atomic<u32>;

fn gradient_of(i: u32) -> i32 {
  let found = lookups[i];
  if (found == 0u) { return 0; }
  let row = i / CONTEXTS * 256u;
  let place = boost_place(i % CONTEXTS, found);
  var sum = to_gate(difference[row + first_byte(found)], boosts[place]);
  if (other_of(found) > 0u) { sum += to_gate(difference[row + second_byte(found)], boosts[place + 1u]); }
  return gate_slope(sum, sigmoid(gates[i]));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i < STREAMS * CONTEXTS) {
    let value = gradient_of(i);
    atomicMax(&largest, u32(abs(value)));
    operand[i] = gradient_operand(value, shifts[SLOT]);
  }
  workgroupBarrier();
  if (lane == 0u) { atomicMax(&seen[SLOT], atomicLoad(&largest)); }
}

// quantise_gradient: int16 operands (one to a word) from Q22 gradients, with the lagged exponent.
//
//   operand = clamp(round(x / 2^shift), ±GRADIENT_OPERAND_LIMIT)
//
// The largest magnitude goes to `seen` as in quantise_activation. Four elements to an invocation.

@group(0) @binding(0) var<storage, read> x: array<i32>;                     // from START on, COUNT
@group(0) @binding(1) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(2) var<storage, read_write> seen: array<atomic<u32>>;    // per exponent
@group(0) @binding(3) var<storage, read_write> operand: array<i32>;         // COUNT

var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = 4u * (flat_group(group, groups) * 64u + lane);
  if (first < model.COUNT) {
    let rule = rule_of(control[EXPONENT]);
    let x_at = model.START;
    var mine = 0u;
    for (var i = first; i < first + 4u; i++) {
      let value = x[x_at + i];
      mine = max(mine, magnitude(value));
      operand[i] = gradient_operand(value, rule);
    }
    atomicMax(&largest, mine);
  }
  workgroupBarrier();
  if (lane == 0u) { atomicMax(&seen[EXPONENT], atomicLoad(&largest)); }
}

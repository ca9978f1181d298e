// learn_recall: the logit tables and the boosts take a gradient step each, in every step of the model.
//
//   entry[row, v] -= difference[v] * rate * gate * 2 / 2^right        of every table, in the row that was looked up
//   boost[a] -= difference[a] * gate * 2 / 2^BOOST_RIGHT              and of b, if the slot has one
//
// One workgroup per stream. Each step is rounded on its own and subtracted atomically (modulo 2^32), so streams that
// teach the same row may come in any order. A rate has 7 bits in Q8 and 12 in Q12, under its gate; a difference loses
// its lowest 4 bits to meet it, hence products stay below 2^30.

@group(0) @binding(0) var<storage, read> difference: array<i32>;            // B x 256, Q22
@group(0) @binding(1) var<storage, read> lookups: array<u32>;               // see recall.wgsl
@group(0) @binding(2) var<storage, read> plan: array<i32>;                  // contexts, tables, positions
@group(0) @binding(3) var<storage, read> gates: array<i32>;                 // B x GATES, Q10, before the sigmoid
@group(0) @binding(4) var<storage, read> constants: array<i32>;                // LUTs, see luts.wgsl
@group(0) @binding(5) var<storage, read_write> boosts: array<atomic<i32>>;  // N x BUCKETS x 2, Q20
@group(0) @binding(6) var<storage, read_write> entries: array<atomic<i32>>; // M x 2^TABLE_LOG2 x 256, Q20

fn learn_table(b: u32, table: u32, lane: u32) {
  let at = (CONTEXTS + table) * PLAN_RECORD;
  let rate = round_shift(plan[at + PLAN_RATE] * sigmoid(gates[gate_of_table(b, table)]), GATED_RATE_SHIFT);
  let right = TABLE_RIGHT_SHIFT + u32(plan[at + PLAN_CROWD_SHIFT]);
  let row = row_place(table, lookups[lookup_rows() + b * LOGIT_TABLES + table]);
  for (var v = lane; v < 256u; v += 64u) {
    let rounded = round_shift(difference[b * 256u + v], TABLE_DIFFERENCE_SHIFT);
    atomicSub(&entries[row * 256u + v], round_shift(rounded * rate, right));
  }
}

fn boost_step(i: u32, gate: i32) -> i32 {
  return round_shift(mul_round(difference[i], gate, SLOPE_BITS - 1u), model.BOOST_RIGHT);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let b = flat_group(group, groups);
  if (b >= model.STREAMS) { return; }
  for (var table = 0u; table < LOGIT_TABLES; table++) { learn_table(b, table, lane); }
  if (lane >= CONTEXTS) { return; }
  let found = lookups[b * CONTEXTS + lane];
  if (found == 0u) { return; }
  let gate = sigmoid(gates[gate_of_context(b, lane)]);
  let place = boost_place(lane, found);
  atomicSub(&boosts[place], boost_step(b * 256u + first_byte(found), gate));
  if (other_of(found) > 0u) { atomicSub(&boosts[place + 1u], boost_step(b * 256u + second_byte(found), gate)); }
}

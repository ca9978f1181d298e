// gate_gradient: the gradient of the recall stream's gates before their sigmoid.
//
//   effect = difference[a] * boost[a] + difference[b] * boost[b]        of a context, 0 where nothing was found
//   effect = sum over v of difference[v] * logit[v]                     of a table
//   out = effect * gate (1 - gate) * 2                                  0 for spare gates
//
// Boosts and entries are those that the prediction used: they learn later in the step. |difference| <= 2^22 and a
// boost has 16 bits, so the sum of both is below 2^28. A table's products are summed in two parts, the differences'
// upper bits and their lower seven: all differences but one are positive and their sum is below 2^22, so either sum
// stays below 2^31. (Making the operand here, as quantise_gradient does, takes a ninth buffer, and not every adapter
// has nine.)

@group(0) @binding(0) var<storage, read> difference: array<i32>;    // B x 256, Q22
@group(0) @binding(1) var<storage, read> lookups: array<u32>;       // see recall.wgsl
@group(0) @binding(2) var<storage, read> boosts: array<i32>;        // N x BUCKETS x 2, Q20
@group(0) @binding(3) var<storage, read> gates: array<i32>;         // B x GATES, Q10, before the sigmoid
@group(0) @binding(4) var<storage, read> constants: array<i32>;        // LUTs, see luts.wgsl
@group(0) @binding(5) var<storage, read> entries: array<i32>;       // M x 2^TABLE_LOG2 x 256, Q20
@group(0) @binding(6) var<storage, read_write> out: array<i32>;     // B x GATES, Q22

fn effect_of_boosts(b: u32, c: u32) -> i32 {
  let found = lookups[b * CONTEXTS + c];
  if (found == 0u) { return 0; }
  let place = boost_place(c, found);
  var sum = to_gate(difference[b * 256u + first_byte(found)], boosts[place]);
  if (other_of(found) > 0u) { sum += to_gate(difference[b * 256u + second_byte(found)], boosts[place + 1u]); }
  return sum;
}

fn effect_of_table(b: u32, table: u32) -> i32 {
  let row = row_place(table, lookups[lookup_rows() + b * LOGIT_TABLES + table]) * 256u;
  var sums = vec2<i32>();
  for (var v = 0u; v < 256u; v++) { sums += effect_terms(difference[b * 256u + v], table_logit(entries[row + v])); }
  return effect_of(sums);
}

fn gradient_of(i: u32) -> i32 {
  let b = i / GATES;
  let gate = i % GATES;
  if (gate >= CONTEXTS + LOGIT_TABLES) { return 0; }
  var effect: i32;
  if (gate < CONTEXTS) { effect = effect_of_boosts(b, gate); } else { effect = effect_of_table(b, gate - CONTEXTS); }
  return gate_slope(effect, sigmoid(gates[i]));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i < model.STREAMS * GATES) { out[i] = gradient_of(i); }
}

// Where `backward` begins and ends: how the loss changes with the scale of a context's boosts, by gate_gradient's
// formula, and what the embedding gets. A library of its own for backward's length only.

fn effect_of_context(c: u32) -> i32 {
  let found = u32(arena[place(LOOKUPS) + stream * CONTEXTS + c]);
  if (found == 0u) { return 0; }
  let boost_at = place(BOOSTS) + boost_place(c, found);
  let row = place(DIFFERENCE) + stream * 256u;
  var sum = to_gate(arena[row + first_byte(found)], arena[boost_at]);
  if (other_of(found) > 0u) { sum += to_gate(arena[row + second_byte(found)], arena[boost_at + 1u]); }
  return sum;
}

fn scatter() {
  for (var t = part; t < HISTORY; t += SHARE) {
    let byte = byte_before(stream, u32(control[AT_STEP]), u32(constants[PLAN_AT + PLAN_POSITIONS + t]));
    let input_at = place(D_EMBEDDED) + (stream * HISTORY + t) * EMBEDDING;
    let local_at = place(D_LOCAL) + (stream * HISTORY + t) * EMBEDDING;
    for (var d = zero; d < EMBEDDING; d++) {
      let value = embedding_gradient(arena[input_at + d], arena[local_at + d]);
      atomicAdd(&dense[EMBEDDING_DENSE + byte * EMBEDDING + d], value);
    }
  }
}

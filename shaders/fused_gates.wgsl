// How the loss changes with the scale of a context's boosts; for `backward`, whose tile of streams it reads from the
// arena. The formula is gate_gradient's. A library of its own for its length only.

fn effect_of_context(c: u32) -> i32 {
  let found = u32(arena[LOOKUPS + stream * CONTEXTS + c]);
  if (found == 0u) { return 0; }
  let place = BOOSTS + boost_place(c, found);
  let row = DIFFERENCE + stream * 256u;
  var sum = to_gate(arena[row + first_byte(found)], arena[place]);
  if (other_of(found) > 0u) { sum += to_gate(arena[row + second_byte(found)], arena[place + 1u]); }
  return sum;
}

// How the loss changes with the scale of what a gate of the recall stream belongs to; for `backward`, whose tile of
// streams it reads from the arena. The formulas are gate_gradient's. A library of its own for its length only.

fn effect_of_context(c: u32) -> i32 {
  let found = u32(arena[LOOKUPS + stream * CONTEXTS + c]);
  if (found == 0u) { return 0; }
  let place = BOOSTS + boost_place(c, found);
  let row = DIFFERENCE + stream * 256u;
  var sum = to_gate(arena[row + first_byte(found)], arena[place]);
  if (other_of(found) > 0u) { sum += to_gate(arena[row + second_byte(found)], arena[place + 1u]); }
  return sum;
}

fn effect_of_one_table(table: u32) -> i32 {
  let row = row_place(table, u32(arena[LOOKUPS + LOOKUP_ROWS + stream * LOGIT_TABLES + table])) * 256u;
  var sums = vec2<i32>();
  for (var v = zero; v < 256u; v++) {
    sums += effect_terms(arena[DIFFERENCE + stream * 256u + v], table_logit(entries[row + v]));
  }
  return effect_of(sums);
}

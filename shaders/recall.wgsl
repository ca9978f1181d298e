// The recall stream's arithmetic on single numbers: hashes, and what a slot's word says. docs/NUMERICS.md section 12.
//
// A slot is check | a << 8 | b << 16 | count << 24 | other << 29: the byte that followed, a second one, and the
// confidence in each. A word of 0 is a miss. `lookups` holds, one after the other, the slot words found (B x N), the
// hashes that led to them (B x N), and the rows of the logit tables (B x M).

fn lookup_hashes() -> u32 { return model.STREAMS * CONTEXTS; }
fn lookup_rows() -> u32 { return 2u * model.STREAMS * CONTEXTS; }

// The slot's place among those of its context; the hash's last 8 bits are its check.
fn slot_of(hash: u32) -> u32 { return hash >> (32u - model.SLOT_LOG2); }
fn check_of(hash: u32) -> u32 { return hash & 255u; }
// Where the streams that want a slot of context c are compared.
fn owner_of(c: u32, hash: u32) -> u32 { return c * OWNERS + (slot_of(hash) & (OWNERS - 1u)); }

fn first_byte(word: u32) -> u32 { return (word >> 8u) & 255u; }
fn second_byte(word: u32) -> u32 { return (word >> 16u) & 255u; }
fn count_of(word: u32) -> u32 { return (word >> 24u) & 31u; }
fn other_of(word: u32) -> u32 { return word >> 29u; }

// How many of the classes after the first begin at or below a count; no count reaches COUNT_MAX + 1.
const LOW_STARTS = vec4<i32>(COUNT_STARTS[0], COUNT_STARTS[1], COUNT_STARTS[2], COUNT_STARTS[3]);
const HIGH_STARTS = vec4<i32>(COUNT_STARTS[4], COUNT_STARTS[5], COUNT_STARTS[6], COUNT_MAX + 1);
fn count_class(count: u32) -> u32 {
  let low = vec4<u32>(vec4<i32>(i32(count)) >= LOW_STARTS);
  let high = vec4<u32>(vec4<i32>(i32(count)) >= HIGH_STARTS);
  let both = low + high;
  return both.x + both.y + both.z + both.w;
}

fn other_class(other: u32) -> u32 {
  let more = vec3<u32>(vec3<i32>(i32(other)) >= vec3<i32>(OTHER_STARTS[0], OTHER_STARTS[1], OTHER_STARTS[2]));
  return more.x + more.y + more.z;
}

fn bucket_of(found: u32) -> u32 {
  if (found == 0u) { return 0u; }
  return 1u + 4u * count_class(count_of(found)) + other_class(other_of(found));
}

// The place of the boost of a among all boosts; that of b follows.
fn boost_place(c: u32, found: u32) -> u32 { return 2u * (c * BUCKETS + bucket_of(found)); }

// Where the gate of a context, or of table m after them, is among the gates of a stream.
fn gate_of_context(b: u32, c: u32) -> u32 { return b * GATES + c; }
fn gate_of_table(b: u32, table: u32) -> u32 { return b * GATES + CONTEXTS + table; }

// The place among all tables' rows of a row of one table.
fn row_place(table: u32, row: u32) -> u32 { return (table << model.TABLE_LOG2) + row; }

// An entry of a table as it is used: Q10 in 15 bits.
fn table_logit(entry: i32) -> i32 {
  return clamp(round_shift(entry, ENTRY_SHIFT), -TABLE_LOGIT_LIMIT, TABLE_LOGIT_LIMIT);
}

// How the loss changes with the scale of a table's logits: terms of a byte, summed in two parts, and what they make.
fn effect_terms(difference: i32, logit: i32) -> vec2<i32> {
  return vec2<i32>(difference >> EFFECT_LOW_BITS, difference & ((1 << EFFECT_LOW_BITS) - 1)) * logit;
}
fn effect_of(sums: vec2<i32>) -> i32 {
  return round_shift(sums.x + round_shift(sums.y, EFFECT_LOW_BITS), ACTIVATION_BITS - EFFECT_LOW_BITS);
}

// A boost as it is used: Q10 in 16 bits.
fn as_boost(boost: i32) -> i32 { return clamp_activation(round_shift(boost, ENTRY_SHIFT)); }

// What a boost adds to its byte's logit, through its gate.
fn boost_term(boost: i32, gate: i32) -> i32 { return round_shift(as_boost(boost) * gate, SLOPE_BITS - 1u); }

// The gradient of a gate: what comes from one byte's difference, and what is left of the sum before the sigmoid.
fn to_gate(difference: i32, boost: i32) -> i32 { return mul_round(difference, as_boost(boost), ACTIVATION_BITS); }
fn gate_slope(sum: i32, gate: i32) -> i32 {
  return clamp_gradient(mul_round(sum, sigmoid_slope(gate), SLOPE_BITS - 1u));
}

// Hashes of contexts, of the recall stream and of the bit mixer: docs/NUMERICS.md section 4, docs/MIXER.md.
//
//   mix_into: x = (h + v + 1) * MIX_MULTIPLIER; x ^ (x >> 15)
//
// Exact: all is u32, which wraps.

// Adds one value to a running hash.
fn mix_into(hash: u32, value: u32) -> u32 {
  let mixed = (hash + value + 1u) * MIX_MULTIPLIER;
  return mixed ^ (mixed >> 15u);
}

// Mixes all bits of a hash.
fn finish_hash(hash: u32) -> u32 {
  var x = (hash ^ (hash >> 16u)) * FINISH_MULTIPLIER_1;
  x = (x ^ (x >> 15u)) * FINISH_MULTIPLIER_2;
  return x ^ (x >> 16u);
}

// From logits to frequencies on single numbers, docs/NUMERICS.md section 8; for kernels that bind `constants`.

// 2^-(difference * log2(e)) in Q16.
fn exp_negative(difference: i32) -> u32 {
  let power = difference * LOG2_E;
  let whole = u32(power >> 22u);
  if (whole > 16u) { return 0u; }
  return (u32(constants[LUTS_AT + EXP2_LUT + ((power >> 14u) & 255)]) + ((1u << whole) >> 1u)) >> whole;
}

// One division of integers for all 256 frequencies: the inverse of their sum, and how far it is shifted.
fn inverse_of(sum: u32) -> vec2<u32> {
  let k = u32(bit_length(sum) - 16);
  return vec2<u32>(((1u << 31u) - (1u << 17u)) / ((sum >> k) + 1u), 9u + k);
}

fn frequency_of(e: u32, inverse: vec2<u32>) -> u32 { return 1u + ((e * inverse.x) >> inverse.y); }

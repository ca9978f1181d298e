// Operands of matrix products: numbers quantised with a lagged exponent. docs/NUMERICS.md section 3.

// Four int8 operands in a word, with an exponent; and an int16 operand of a gradient.
fn operand_word(x: vec4<i32>, shift: i32) -> u32 {
  let rounded = vec4<i32>(round_shift_any(x.x, shift), round_shift_any(x.y, shift),
                          round_shift_any(x.z, shift), round_shift_any(x.w, shift));
  return pack4xI8(clamp(rounded, vec4<i32>(-OPERAND_LIMIT), vec4<i32>(OPERAND_LIMIT)));
}
fn gradient_operand(x: i32, rule: OperandRule) -> i32 {
  return clamp(round_shift_any(x, rule.shift), -rule.limit, rule.limit);
}

// How a gradient becomes an operand: the shift of its exponent, and what fits the sum over all streams. Asked for once
// in front of a loop.
struct OperandRule {
  shift: i32,
  limit: i32,
}

fn rule_of(shift: i32) -> OperandRule { return OperandRule(shift, i32(model.GRADIENT_OPERAND_LIMIT)); }

// The largest magnitude of four.
fn largest_of(x: vec4<i32>) -> u32 {
  return max(max(magnitude(x.x), magnitude(x.y)), max(magnitude(x.z), magnitude(x.w)));
}

// LayerNorm's arithmetic on single numbers: docs/NUMERICS.md section 5 and 6. The inverse deviation of a row is a
// 15-bit mantissa and a shift.

fn integer_sqrt(x: u32) -> u32 {
  var root = 0u;
  for (var bit = 1u << 14u; bit > 0u; bit = bit >> 1u) {
    let candidate = root + bit;
    if (candidate * candidate <= x) { root = candidate; }
  }
  return root;
}

// high * 65536 + low is the sum of squares of 2^width_log2 numbers; low may exceed 16 bits.
fn inverse_deviation(high_part: u32, low_part: u32, width_log2: u32) -> vec2<i32> {
  var high = high_part + (low_part >> 16u);
  var low = low_part & 0xffffu;
  if (high == 0u) { low = max(low, 1u << width_log2); }
  let odd = width_log2 & 1u;
  high = (high << odd) | ((low << odd) >> 16u);
  low = (low << odd) & 0xffffu;
  let bits = select(bit_length(low), 16 + bit_length(high), high > 0u);
  let k = (bits - 15) & ~1;
  var m: u32;
  if (k >= 16) { m = high >> u32(k - 16); }
  else if (k >= 0) { m = (high << u32(16 - k)) | (low >> u32(k)); }
  else { m = low << u32(-k); }
  let mantissa = min(32767u, 0x20000000u / integer_sqrt(m << 14u));
  return vec2<i32>(i32(mantissa), 12 + k / 2 - i32((width_log2 + odd) / 2u));
}

// The square of what is above the mean, as two halves.
fn square_halves(x: i32, mean: i32) -> vec2<u32> {
  let d = clamp_activation(x - mean);
  let square = u32(d * d);
  return vec2<u32>(square >> 16u, square & 0xffffu);
}

fn normal_value(x: i32, mean: i32, deviation: vec2<i32>) -> i32 {
  return clamp_activation(round_shift(clamp_activation(x - mean) * deviation.x, u32(deviation.y)));
}

// After scale and shift, given as master weights.
fn scaled_value(normalised: i32, scale: i32, shift: i32) -> i32 {
  return clamp_activation(round_shift(normalised * as_scale(scale), SCALE_BITS) + as_bias(shift));
}

// Backward: through the scale, and through the norm itself.
fn through_scale(d: i32, scale: i32) -> i32 { return clamp_gradient(mul_round(d, as_scale(scale), SCALE_BITS)); }

fn through_norm(d: i32, mean: i32, slope: i32, normalised: i32, deviation: vec2<i32>, more: u32) -> i32 {
  let inner = d - mean - mul_round(slope, normalised, ACTIVATION_BITS);
  return clamp_gradient(mul_round(inner, deviation.x, u32(deviation.y) + more));
}

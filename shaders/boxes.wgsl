// Formulas of the network's boxes on single numbers, for kernels that do one box and for those that do many. They need
// no tables; docs/NUMERICS.md sections 5 and 6. Weights are given as masters.

// A linear layer's output from the sum of its products, and a bias in the format of the output.
fn product_value(sum: i32, shift: i32, bias: i32, limit: i32) -> i32 {
  return clamp(round_shift_any(sum, shift) + bias, -limit, limit);
}

// What a skip lets through, and backward.
fn kept_value(skipped: i32, scale: i32) -> i32 { return round_shift(skipped * as_scale(scale), SCALE_BITS); }
fn through_skip(d: i32, scale: i32) -> i32 { return mul_round(d, as_scale(scale), SCALE_BITS); }

// One tap of the convolution.
fn tap_value(z: i32, tap: i32) -> i32 { return round_shift(z * as_scale(tap), SCALE_BITS); }

// From a sigmoid's output y to its input.
fn sigmoid_slope(y: i32) -> i32 { return round_shift(y * ((1 << SLOPE_BITS) - y), SLOPE_BITS); }
fn through_sigmoid(d: i32, y: i32) -> i32 { return clamp_gradient(mul_round(d, sigmoid_slope(y), SLOPE_BITS)); }

// The router's weighted sum, and the gradient of the weight's input.
fn mixed_value(near: i32, far: i32, alpha: i32) -> i32 {
  return as_norm_input(near + mul_round(far - near, alpha, SLOPE_BITS));
}
fn router_gradient(d: i32, far: i32, near: i32, alpha: i32) -> i32 {
  return through_sigmoid(mul_round(d, as_norm_input(far - near), NORM_INPUT_BITS), alpha);
}

// The end of the coarse refiner, and the gradient of its gate's input.
fn coarse_value(up: i32, gate: i32, bias: i32, kept: i32, remembered: i32) -> i32 {
  return as_norm_input(round_shift(up * gate, SLOPE_BITS) + as_bias(bias) + kept + remembered);
}
fn coarse_gate_gradient(d: i32, up: i32, gate: i32) -> i32 {
  return through_sigmoid(mul_round(d, up, ACTIVATION_BITS), gate);
}

// The gradient of an embedded value, which comes through two norms.
fn embedding_gradient(through_input: i32, through_local: i32) -> i32 {
  return round_shift(clamp_gradient(through_input + through_local), EMBEDDING_GRADIENT_SHIFT);
}

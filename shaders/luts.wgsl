// Look-ups of GELU and the sigmoid, for kernels that bind `constants`: the nearest node plus its slope times the rest.
// A GELU entry holds the value in its low half (Q10) and the slope in its high half (Q14).

fn node_of(x: i32) -> i32 { return clamp(round_shift(x, NODE_SHIFT) + NODE_ZERO, 0, NODES - 1); }
fn beyond_node(x: i32, node: i32) -> i32 { return x - ((node - NODE_ZERO) << NODE_SHIFT); }

fn gelu_slope(x: i32) -> i32 { return constants[LUTS_AT + node_of(x)] >> 16u; }

// From +8 on GELU is x itself, below -8 it is 0, both to the last bit.
fn gelu(x: i32) -> i32 {
  let end = NODE_ZERO << NODE_SHIFT;
  if (x >= end) { return x; }
  if (x <= -end) { return 0; }
  let node = node_of(x);
  let entry = constants[LUTS_AT + node];
  return ((entry << 16u) >> 16u) + round_shift(beyond_node(x, node) * (entry >> 16u), SLOPE_BITS);
}

fn sigmoid(x: i32) -> i32 {
  let node = node_of(x);
  let y = constants[LUTS_AT + SIGMOID_LUT + node];
  let near = clamp(beyond_node(x, node), -(1 << NODE_SHIFT), 1 << NODE_SHIFT);
  return y + round_shift(near * sigmoid_slope(y), ACTIVATION_BITS);
}

// GeGLU, and the gradients of both of its inputs; a gradient that passed through what saturates would push the weights
// without end.
fn geglu_value(u: i32, v: i32) -> i32 { return clamp(geglu_product(gelu(u), v), -HIDDEN_LIMIT, HIDDEN_LIMIT); }

fn geglu_gradient(u: i32, v: i32, d: i32) -> vec2<i32> {
  let value = gelu(u);
  let gradient = select(0, d, magnitude(geglu_product(value, v)) <= u32(HIDDEN_LIMIT));
  let to_gelu = mul_round(gradient, v, ACTIVATION_BITS);
  return vec2<i32>(clamp_gradient(mul_round(to_gelu, gelu_slope(u), SLOPE_BITS)),
                   clamp_gradient(mul_round(gradient, value, ACTIVATION_BITS)));
}

fn through_gelu(d: i32, x: i32) -> i32 { return mul_round(d, gelu_slope(x), SLOPE_BITS); }

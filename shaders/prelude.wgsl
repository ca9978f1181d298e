// Integer helpers shared by all kernels: the primitives of docs/NUMERICS.md section 2.
//
// WGSL integers are two's complement and wrap, so these give the same bits on every device. The generated header in
// front of this text defines the constants of the model; the kernel follows.

const ACTIVATION_LIMIT = 32767;
const GRADIENT_LIMIT = 1 << 26u;
const ACTIVATION_BITS = 10u;  // Q10: activations, ±32
const NORM_INPUT_BITS = 7u;   // Q7: what enters a norm, ±256
const HIDDEN_BITS = 8u;       // Q8: outputs of GeGLUs
const HIDDEN_LIMIT = 4095;    // ±16: where they saturate
const WIDE_LIMIT = 1 << 20u;  // the global stream's values: Q10, ±1024
const SCALE_BITS = 12u;       // Q12: norm scales, taps, skips
const SLOPE_BITS = 14u;       // Q14: sigmoid, slopes of GELU
const GRADIENT_BITS = 22u;    // Q22: gradients
const WEIGHT_BITS = 24;       // Q24: master weights
const NODE_SHIFT = 4u;        // tables have a node every 2^4 units of Q10
const NODE_ZERO = 512;
const NODES = 1025;
const SIGMOID_TABLE = 1025;   // index of the sigmoid's first node in the tables
const EXP2_TABLE = 2050;

fn clamp_activation(x: i32) -> i32 { return clamp(x, -ACTIVATION_LIMIT, ACTIVATION_LIMIT); }
fn clamp_gradient(x: i32) -> i32 { return clamp(x, -GRADIENT_LIMIT, GRADIENT_LIMIT); }

// x / 2^n to nearest, halves up, for n >= 1.
fn round_shift(x: i32, n: u32) -> i32 { return (x + (1 << (n - 1u))) >> n; }

// The same for any n in -31 .. 31: negative n shifts left.
fn round_shift_any(x: i32, n: i32) -> i32 {
  if (n > 0) { return round_shift(x, u32(n)); }
  return x << u32(-n);
}

// floor((a * b + 2^(s-1)) / 2^s) with an exact product; b has 16 bits, s is 1 .. 31.
fn mul_round(a: i32, b: i32, s: u32) -> i32 {
  let high = (a >> 16u) * b;
  let low = (a & 0xffff) * b;
  if (s <= 16u) { return (high << (16u - s)) + ((low + (1 << (s - 1u))) >> s); }
  return (high + (low >> 16u) + (1 << (s - 17u))) >> (s - 16u);
}

// Bits in the magnitude of a non-negative number: 0 for 0.
fn bit_length(x: u32) -> i32 { return 32 - i32(countLeadingZeros(x)); }

// A vector's master weight as Q12 in 16 bits, and as Q10.
fn as_scale(master: i32) -> i32 { return clamp(round_shift(master, 12u), -32767, 32767); }
fn as_bias(master: i32) -> i32 { return round_shift(master, 14u); }

// A Q10 sum as what enters a norm: Q7, saturating.
fn as_norm_input(x: i32) -> i32 { return clamp_activation(round_shift(x, ACTIVATION_BITS - NORM_INPUT_BITS)); }

// Four products of four int8 each.
fn dots(a: u32, w: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4I8Packed(a, w.x), dot4I8Packed(a, w.y), dot4I8Packed(a, w.z), dot4I8Packed(a, w.w));
}

// gelu(u) * v before it saturates.
fn geglu_product(gelu_u: i32, v: i32) -> i32 { return round_shift(gelu_u * v, 2u * ACTIVATION_BITS - HIDDEN_BITS); }

// Linear index of an invocation when a long list of workgroups is folded into two dimensions.
fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 { return group.y * groups.x + group.x; }

// Integer helpers shared by all kernels: the primitives of docs/NUMERICS.md section 2.
//
// WGSL integers are two's complement and wrap, so these give the same bits on every device. The header in front of this
// text, which kernel.ts makes, defines the contract's constants (src/contract/constants.ts) and the model's; the kernel
// follows.

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

// |x|, also of -2^31. Not by abs: where a signed maximum followed, an H100 (driver 580.159) gave too small ones
// (docs/GPU.md). Unsigned numbers leave a compiler nothing to fuse, and abs(-2^31) may differ elsewhere, too.
fn magnitude(x: i32) -> u32 { return select(u32(x), 0u - u32(x), x < 0); }

// Bits in the magnitude of a non-negative number: 0 for 0.
fn bit_length(x: u32) -> i32 { return 32 - i32(countLeadingZeros(x)); }

// A vector's master weight as Q12 in 16 bits, and as Q10.
fn as_scale(master: i32) -> i32 { return clamp(round_shift(master, SCALE_SHIFT), -SCALE_LIMIT, SCALE_LIMIT); }
fn as_bias(master: i32) -> i32 { return round_shift(master, BIAS_SHIFT); }

// A Q10 sum as what enters a norm: Q7, saturating.
fn as_norm_input(x: i32) -> i32 { return clamp_activation(round_shift(x, NORM_INPUT_SHIFT)); }

// Four products of four int8 each.
fn dots(a: u32, w: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4I8Packed(a, w.x), dot4I8Packed(a, w.y), dot4I8Packed(a, w.z), dot4I8Packed(a, w.w));
}

// gelu(u) * v before it saturates.
fn geglu_product(gelu_u: i32, v: i32) -> i32 { return round_shift(gelu_u * v, GEGLU_SHIFT); }

// Linear index of an invocation when a long list of workgroups is folded into two dimensions.
fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 { return group.y * groups.x + group.x; }

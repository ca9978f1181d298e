/**
 * Fixed-point primitives: the few integer operations that everything in the numeric contract is made of.
 *
 * WGSL, WebAssembly and JavaScript agree on 32-bit integers to the last bit (two's complement, wrapping), and on
 * nothing else. All three engines therefore implement exactly these functions; docs/NUMERICS.md section 2 defines
 * them. A number format is written Qn: the integer v stands for v / 2^n.
 */

/** Fraction bits of activations in the element-wise domain: Q10 in 16 bits, so ±32. */
export const ACTIVATION_BITS = 10;
/** Fraction bits of what enters a norm: Q7 in 16 bits, ±256, because such values grow as training goes on. */
export const NORM_INPUT_BITS = 7;
/** Fraction bits of GeGLU outputs, products of two activations: Q8. */
export const HIDDEN_BITS = 8;
/** Fraction bits of scale-like vectors (norm scales, convolution taps, skips): Q12 in 16 bits, so ±8. */
export const SCALE_BITS = 12;
/** Fraction bits of sigmoid values and of the slopes of GELU: Q14. */
export const SLOPE_BITS = 14;
/** Fraction bits of gradients in the element-wise domain: Q22. */
export const GRADIENT_BITS = 22;
/** Fraction bits of the trained ("master") weights: Q24. */
export const WEIGHT_BITS = 24;

/** Largest magnitude of an activation. */
export const ACTIVATION_LIMIT = 32767;
/** Largest magnitude of a GeGLU output: 16.0. A few outliers must not take the int8 operand's resolution from all. */
export const HIDDEN_LIMIT = 4095;
/** Largest magnitude of the global stream's values, which are Q10 in more than 16 bits: 2^20, that is 1024. */
export const WIDE_LIMIT = 1 << 20;
/** Largest magnitude of a gradient in the element-wise domain: 2^26, that is 16.0. */
export const GRADIENT_LIMIT = 1 << 26;
/** Largest magnitude of a master weight: 2^30, that is 64.0. */
export const WEIGHT_LIMIT = 1 << 30;

/** Number of bits in the magnitude of a non-negative integer: 0 for 0, 1 for 1, 2 for 2 and 3, … */
export function bitLength(x: number): number {
  return 32 - Math.clz32(x);
}

/** The smallest n with 2^n >= x, for x >= 1. */
export function ceilLog2(x: number): number {
  return bitLength(x - 1);
}

export function clamp(x: number, limit: number): number {
  return x < -limit ? -limit : x > limit ? limit : x;
}

/** Saturates to the element-wise activation format, ±32767. */
export function clampActivation(x: number): number {
  return clamp(x, ACTIVATION_LIMIT);
}

/** Saturates to the wide activation format of the global stream, ±2^20. */
export function clampWide(x: number): number {
  return clamp(x, WIDE_LIMIT);
}

/** Saturates to the element-wise gradient format, ±2^26. */
export function clampGradient(x: number): number {
  return clamp(x, GRADIENT_LIMIT);
}

/**
 * x / 2^n rounded to nearest, halves up: floor((x + 2^(n-1)) / 2^n) with a wrapping addition. Negative n shifts left
 * and wraps. n is -31 to 31.
 */
export function roundShift(x: number, n: number): number {
  if (n > 0) return (x + (1 << (n - 1))) >> n;
  return x << -n;
}

/**
 * floor((a * b + 2^(s-1)) / 2^s), modulo 2^32, with the product exact: a is any i32, b has 16 bits, s is 1 to 31.
 *
 * Two 16-bit halves keep every intermediate in 32 bits, so WGSL and WebAssembly SIMD need no 64-bit integers.
 */
export function mulRound(a: number, b: number, s: number): number {
  const high = (a >> 16) * b;
  const low = (a & 0xffff) * b;
  if (s <= 16) return ((high << (16 - s)) + ((low + (1 << (s - 1))) >> s)) | 0;
  return (high + (low >> 16) + (1 << (s - 17))) >> (s - 16);
}

/** floor(sqrt(x)) for 0 <= x < 2^30, bit by bit. */
export function integerSqrt(x: number): number {
  let root = 0;
  for (let bit = 1 << 14; bit > 0; bit >>= 1) {
    const candidate = root + bit;
    if (candidate * candidate <= x) root = candidate;
  }
  return root;
}

/** gelu(u) * v in Q8, before it saturates; both factors are Q10 in 16 bits. */
export function gegluProduct(geluOfU: number, v: number): number {
  return roundShift(geluOfU * v, 2 * ACTIVATION_BITS - HIDDEN_BITS);
}

/**
 * Fixed-point primitives: the few integer operations that everything in the numeric contract is made of.
 *
 * WGSL, WebAssembly and JavaScript agree on 32-bit integers to the last bit (two's complement, wrapping), and on
 * nothing else. All three engines therefore implement exactly these functions; docs/NUMERICS.md section 2 defines
 * them.
 */

import { ACTIVATION_LIMIT, GEGLU_SHIFT, GRADIENT_LIMIT, WIDE_LIMIT } from "./formats.ts";

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
  return roundShift(geluOfU * v, GEGLU_SHIFT);
}

/** Odd constants of mix32. */
export const FINISH_MULTIPLIER_1 = 0x7feb352d;
export const FINISH_MULTIPLIER_2 = 0x846ca68b;

/** A 32-bit mixing function with full avalanche (xor-shift, multiply by odd constants, three rounds). */
export function mix32(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), FINISH_MULTIPLIER_1);
  h = Math.imul(h ^ (h >>> 15), FINISH_MULTIPLIER_2);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * floor(sqrt(x)) by Newton's method. From any guess the first step leads to the root or above it, and the others down;
 * a near guess spares most of them.
 */
export function squareRoot(x: bigint, guess: bigint): bigint {
  if (x === 0n) return 0n;
  let root = (guess + x / guess) >> 1n;
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

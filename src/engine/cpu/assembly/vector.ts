/**
 * The fixed-point primitives of src/contract/fixed.ts on vectors of four 32-bit lanes, for all kernels to share.
 *
 * Shifts are dear here (JavaScriptCore moves the count into a vector register at each use: three instructions), so
 * left shifts by constants are written as multiplications. Nothing is relaxed SIMD and nothing is a float.
 */
import { BIAS_SHIFT, GRADIENT_LIMIT, SCALE_LIMIT, SCALE_SHIFT } from "./contract";

// @ts-ignore: decorator
@inline
export function clampVector(x: v128, low: v128, high: v128): v128 {
  return i32x4.max_s(i32x4.min_s(x, high), low);
}

// @ts-ignore: decorator
@inline
export function clampGradientVector(x: v128): v128 {
  return clampVector(x, i32x4.splat(-GRADIENT_LIMIT), i32x4.splat(GRADIENT_LIMIT));
}

/** Two vectors of i32 to one of i16, saturating at ±32767. */
// @ts-ignore: decorator
@inline
export function narrowActivation(low: v128, high: v128): v128 {
  return i16x8.max_s(i16x8.narrow_i32x4_s(low, high), i16x8.splat(-32767));
}

/** roundShift of fixed.ts, any sign of n. */
// @ts-ignore: decorator
@inline
export function roundShift(x: i32, n: i32): i32 {
  return n > 0 ? (x + (1 << (n - 1))) >> n : x << -n;
}

/** roundShift of four lanes with the same n; the branch is the same for a whole kernel and predicted. */
// @ts-ignore: decorator
@inline
export function roundShiftVector(x: v128, n: i32): v128 {
  return n > 0 ? i32x4.shr_s(i32x4.add(x, i32x4.splat(1 << (n - 1))), n) : i32x4.shl(x, -n);
}

/** (a >> 16) * b: a dot with b in the upper halves needs no shift. */
// @ts-ignore: decorator
@inline
function timesUpper(a: v128, b: v128): v128 {
  return i32x4.dot_i16x8_s(a, i32x4.mul(b, i32x4.splat(1 << 16)));
}

/** (a & 0xffff) * b */
// @ts-ignore: decorator
@inline
function timesLower(a: v128, b: v128): v128 {
  return i32x4.mul(v128.and(a, i32x4.splat(0xffff)), b);
}

/**
 * mulRound of fixed.ts for s <= 16: b holds 16-bit values in 32-bit lanes.
 * high << (16 - s) is written as a multiplication: the same modulo 2^32.
 */
// @ts-ignore: decorator
@inline
export function mulRoundLow(a: v128, b: v128, s: i32): v128 {
  const high = i32x4.mul(timesUpper(a, b), i32x4.splat(1 << (16 - s)));
  return i32x4.add(high, i32x4.shr_s(i32x4.add(timesLower(a, b), i32x4.splat(1 << (s - 1))), s));
}

/** mulRound of fixed.ts for s = 17 to 31. */
// @ts-ignore: decorator
@inline
function mulRoundHigh(a: v128, b: v128, s: i32): v128 {
  const low = i32x4.shr_s(timesLower(a, b), 16);
  return i32x4.shr_s(i32x4.add(i32x4.add(timesUpper(a, b), low), i32x4.splat(1 << (s - 17))), s - 16);
}

/** mulRound of fixed.ts for a shift that is known only at run time, 1 to 31. */
// @ts-ignore: decorator
@inline
export function mulRoundVector(a: v128, b: v128, s: i32): v128 {
  return s <= 16 ? mulRoundLow(a, b, s) : mulRoundHigh(a, b, s);
}

// @ts-ignore: decorator
@inline
export function horizontalSum(x: v128): i32 {
  return (
    i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3)
  );
}

/** The largest of four lanes, taken as signed. */
// @ts-ignore: decorator
@inline
export function horizontalMax(x: v128): i32 {
  const a = max(i32x4.extract_lane(x, 0), i32x4.extract_lane(x, 1));
  return max(a, max(i32x4.extract_lane(x, 2), i32x4.extract_lane(x, 3)));
}

/** The largest of eight 16-bit lanes, taken as unsigned. */
// @ts-ignore: decorator
@inline
export function horizontalMax16(x: v128): i32 {
  const wide = i32x4.max_s(i32x4.extend_low_i16x8_u(x), i32x4.extend_high_i16x8_u(x));
  return horizontalMax(wide);
}

/** A master weight as a scale, saturating at ±32767. */
// @ts-ignore: decorator
@inline
export function scaleOf(master: i32): i32 {
  return max(-SCALE_LIMIT, min(SCALE_LIMIT, (master + (1 << (SCALE_SHIFT - 1))) >> SCALE_SHIFT));
}

/** A master weight as a bias, in 32 bits. */
// @ts-ignore: decorator
@inline
export function biasOf(master: i32): i32 {
  return (master + (1 << (BIAS_SHIFT - 1))) >> BIAS_SHIFT;
}

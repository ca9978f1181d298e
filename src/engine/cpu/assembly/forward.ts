/**
 * Element-wise boxes of the forward pass: src/engine/reference/forward.ts, one function per formula.
 *
 * Activations are int16. The non-linear functions are tables of all 65,536 values, made from the contract's functions
 * when the engine starts: `table` points at the entry of 0, so that x itself is the index. Values cluster, so the
 * few kilobytes in use stay in the first-level cache, and one load replaces twelve instructions.
 */
import {
  ACTIVATION_BITS,
  BIAS_SHIFT,
  GEGLU_SHIFT,
  HIDDEN_LIMIT,
  NORM_INPUT_SHIFT,
  SCALE_BITS,
  SLOPE_BITS,
  WIDE_LIMIT,
} from "./contract";
import { biasOf, horizontalMax16, mulRoundLow, narrowActivation, roundShiftVector, scaleOf } from "./vector";

/** out[i] = table[x[i]] for `count` int16. */
export function lookUp(x: usize, table: usize, count: usize, out: usize): void {
  const end = x + count * 2;
  while (x < end) {
    store<i16>(out, load<i16>(table + (<i32>load<i16>(x) << 1)));
    store<i16>(out, load<i16>(table + (<i32>load<i16>(x, 2) << 1)), 2);
    store<i16>(out, load<i16>(table + (<i32>load<i16>(x, 4) << 1)), 4);
    store<i16>(out, load<i16>(table + (<i32>load<i16>(x, 6) << 1)), 6);
    x += 8;
    out += 8;
  }
}

/** Rows of the int16 embedding for `count` bytes of history. */
export function gatherEmbedding(history: usize, count: usize, embedding: usize, width: usize, out: usize): void {
  const bytes = width * 2;
  for (const end = history + count; history < end; history++) {
    memory.copy(out, embedding + <usize>load<u8>(history) * bytes, bytes);
    out += bytes;
  }
}

/**
 * int8 operands (kept in 16 bits) from Q10: roundShift by 0 to 8, saturating at ±127.
 * The addition may saturate at 32767 only where the result saturates at 127 anyway.
 *
 * @returns the largest magnitude of x
 */
export function quantiseActivation(x: usize, count: usize, shift: i32, out: usize): i32 {
  const unit: i32 = shift > 0 ? 1 << (shift - 1) : 0;
  const half = i16x8.splat(<i16>unit);
  const high = i16x8.splat(127);
  const low = i16x8.splat(-127);
  let largest = i16x8.splat(0);
  for (let i: usize = 0; i < count * 2; i += 16) {
    const v = v128.load(x + i);
    largest = i16x8.max_s(largest, i16x8.abs(v));
    const y = i16x8.shr_s(i16x8.add_sat_s(v, half), shift);
    v128.store(out + i, i16x8.max_s(i16x8.min_s(y, high), low));
  }
  return horizontalMax16(largest);
}

/** The cache's rows [from, to) with the oldest slot first: slot `oldest` of `slots` becomes the first. */
export function orderByAge(
  ring: usize,
  from: usize,
  to: usize,
  slots: usize,
  slotBytes: usize,
  oldest: usize,
  out: usize,
): void {
  const first = oldest * slotBytes;
  const bytes = slots * slotBytes;
  for (let at = from * bytes; at < to * bytes; at += bytes) {
    memory.copy(out + at, ring + at + first, bytes - first);
    memory.copy(out + at + bytes - first, ring + at, first);
  }
}

/**
 * gelu(u) * v for rows [from, to) of (n values of u, n of v).
 *
 * @param outPitch bytes between rows of `out`
 */
export function geglu(x: usize, from: usize, to: usize, n: usize, table: usize, out: usize, outPitch: usize): void {
  for (let row = from; row < to; row++) {
    const u = x + row * n * 4;
    const v = u + n * 2;
    const y = out + row * outPitch;
    for (let i: usize = 0; i < n * 2; i += 2) {
      const g = <i32>load<i16>(table + (<i32>load<i16>(u + i) << 1));
      const product = (g * <i32>load<i16>(v + i) + (1 << (GEGLU_SHIFT - 1))) >> GEGLU_SHIFT;
      store<i16>(y + i, <i16>max(-HIDDEN_LIMIT, min(HIDDEN_LIMIT, product)));
    }
  }
}

/** out = saturate(gelu(x) + roundShift(y * skip, 12)); `skip` points at the master weight. */
export function geluSkip(x: usize, y: usize, count: usize, skip: usize, table: usize, out: usize): void {
  lookUp(x, table, count, out);
  const scale = i16x8.splat(<i16>scaleOf(load<i32>(skip)));
  const half = i32x4.splat(1 << (SCALE_BITS - 1));
  for (let i: usize = 0; i < count * 2; i += 16) {
    const g = v128.load(out + i);
    const s = v128.load(y + i);
    const low = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(s, scale), half), SCALE_BITS);
    const high = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(s, scale), half), SCALE_BITS);
    const a = i32x4.add(low, i32x4.extend_low_i16x8_s(g));
    const b = i32x4.add(high, i32x4.extend_high_i16x8_s(g));
    v128.store(out + i, narrowActivation(a, b));
  }
}

/** gelu of wide values: x itself from +8 on, 0 below -8, and the table in between. */
// @ts-ignore: decorator
@inline
function geluWide(x: i32, table: usize): i32 {
  const y = <i32>load<i16>(table + (max(-32768, min(32767, x)) << 1));
  return x > 32767 ? x : y;
}

/** The wide geluSkip of the global stream: x and out are i32, saturating at ±WIDE_LIMIT. */
export function geluSkipWide(x: usize, y: usize, count: usize, skip: usize, table: usize, out: usize): void {
  const scale = scaleOf(load<i32>(skip));
  for (let i: usize = 0; i < count; i++) {
    const skipped = (<i32>load<i16>(y + i * 2) * scale + (1 << (SCALE_BITS - 1))) >> SCALE_BITS;
    const sum = geluWide(load<i32>(x + i * 4), table) + skipped;
    store<i32>(out + i * 4, max(-WIDE_LIMIT, min(WIDE_LIMIT, sum)));
  }
}

/** lookUp for wide arguments and functions that are flat beyond the table. */
export function lookUpWide(x: usize, table: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const at = max(-32768, min(32767, load<i32>(x + i * 4)));
    store<i16>(out + i * 2, load<i16>(table + (at << 1)));
  }
}

/** The taps of one stream's convolution: roundShift(z * tap, 12) of eight neighbours in two vectors of i32. */
// @ts-ignore: decorator
@inline
function tapLow(z: usize, tap: usize): v128 {
  const product = i32x4.mul(v128.load16x4_s(z), v128.load(tap));
  return i32x4.shr_s(i32x4.add(product, i32x4.splat(1 << (SCALE_BITS - 1))), SCALE_BITS);
}

/**
 * Depthwise convolution over three positions for rows [from, to) of `positions` x `width`.
 *
 * @param tap, bias master weights in Q24: 3 x width and width
 * @param work 16 * width bytes
 */
export function convolve(
  z: usize,
  from: usize,
  to: usize,
  positions: usize,
  width: usize,
  tap: usize,
  bias: usize,
  out: usize,
  work: usize,
): void {
  for (let i: usize = 0; i < 12 * width; i += 4) store<i32>(work + i, scaleOf(load<i32>(tap + i)));
  const shifts = work + 12 * width;
  for (let i: usize = 0; i < 4 * width; i += 4) store<i32>(shifts + i, biasOf(load<i32>(bias + i)));
  const bytes = width * 2;
  for (let row = from; row < to; row++) {
    for (let t: usize = 0; t < positions; t++) {
      const here = z + (row * positions + t) * bytes;
      const into = out + (row * positions + t) * bytes;
      for (let d: usize = 0; d < bytes; d += 8) {
        const at = work + d * 2;
        let sum = i32x4.add(v128.load(shifts + d * 2), tapLow(here + d, at + width * 4));
        if (t > 0) sum = i32x4.add(sum, tapLow(here + d - bytes, at));
        if (t < positions - 1) sum = i32x4.add(sum, tapLow(here + d + bytes, at + width * 8));
        v128.store64_lane(into + d, narrowActivation(sum, sum), 0);
      }
    }
  }
}

/** Two vectors of activations' sums as inputs of a norm: int16, saturating. */
// @ts-ignore: decorator
@inline
function asNormInput(low: v128, high: v128): v128 {
  return narrowActivation(roundShiftVector(low, NORM_INPUT_SHIFT), roundShiftVector(high, NORM_INPUT_SHIFT));
}

/** Four lanes of near + mulRound(far - near, alpha, 14). */
// @ts-ignore: decorator
@inline
function mixed(far: usize, near: usize, alpha: usize): v128 {
  const n = v128.load16x4_s(near);
  return i32x4.add(n, mulRoundLow(i32x4.sub(v128.load(far), n), v128.load16x4_s(alpha), SLOPE_BITS));
}

/** out = the mixture of far (i32) and near by alpha, as the input of a norm. */
export function mix(far: usize, near: usize, alpha: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count * 2; i += 16) {
    const low = mixed(far + 2 * i, near + i, alpha + i);
    const high = mixed(far + 2 * i + 16, near + i + 8, alpha + i + 8);
    v128.store(out + i, asNormInput(low, high));
  }
}

/** Four lanes of the coarse refiner's sum but for what is remembered: gated + bias + skipped. */
// @ts-ignore: decorator
@inline
function coarseSum(gated: v128, skipped: v128, bias: v128): v128 {
  const a = i32x4.shr_s(i32x4.add(gated, i32x4.splat(1 << (SLOPE_BITS - 1))), SLOPE_BITS);
  const b = i32x4.shr_s(i32x4.add(skipped, i32x4.splat(1 << (SCALE_BITS - 1))), SCALE_BITS);
  const c = i32x4.shr_s(i32x4.add(bias, i32x4.splat(1 << (BIAS_SHIFT - 1))), BIAS_SHIFT);
  return i32x4.add(i32x4.add(a, b), c);
}

/**
 * roundShift(up * gate, 14) + bias + roundShift(x * skip, 12) + remembered, as the input of a norm.
 *
 * @param bias master weights in Q24, one per value
 * @param remembered int16, or 0 for none
 */
export function combineCoarse(
  up: usize,
  gate: usize,
  x: usize,
  count: usize,
  bias: usize,
  skip: usize,
  remembered: usize,
  out: usize,
): void {
  const scale = i16x8.splat(<i16>scaleOf(load<i32>(skip)));
  for (let i: usize = 0; i < count * 2; i += 16) {
    const u = v128.load(up + i);
    const g = v128.load(gate + i);
    const s = v128.load(x + i);
    const at = bias + i * 2;
    let low = coarseSum(i32x4.extmul_low_i16x8_s(u, g), i32x4.extmul_low_i16x8_s(s, scale), v128.load(at));
    let high = coarseSum(i32x4.extmul_high_i16x8_s(u, g), i32x4.extmul_high_i16x8_s(s, scale), v128.load(at, 16));
    if (remembered != 0) {
      low = i32x4.add(low, v128.load16x4_s(remembered + i));
      high = i32x4.add(high, v128.load16x4_s(remembered + i, 8));
    }
    v128.store(out + i, asNormInput(low, high));
  }
}

/**
 * Element-wise boxes of the backward pass: src/engine/reference/backward.ts, one function per formula.
 *
 * Gradients are i32 in Q22, activations int16. Counts are multiples of 4.
 */
import {
  ACTIVATION_BITS,
  ACTIVATION_LIMIT,
  GEGLU_SHIFT,
  HIDDEN_LIMIT,
  NORM_INPUT_BITS,
  NORM_INPUT_SHIFT,
  SLOPE_BITS,
} from "./contract";
import {
  clampGradientVector,
  clampVector,
  horizontalMax,
  horizontalSum,
  mulRoundLow,
  mulRoundVector,
  roundShift,
  roundShiftVector,
  scaleOf,
} from "./vector";

/**
 * int16 operands from Q22 gradients, saturating at ±limit.
 *
 * @returns the largest magnitude of x
 */
export function quantiseGradient(x: usize, count: usize, shift: i32, limit: i32, out: usize): i32 {
  const half = i32x4.splat(shift > 0 ? 1 << (shift - 1) : 0);
  const high = i16x8.splat(<i16>limit);
  const low = i16x8.splat(<i16>-limit);
  let largest = i32x4.splat(0);
  for (let i: usize = 0; i < count * 4; i += 32) {
    const a = v128.load(x + i);
    const b = v128.load(x + i, 16);
    largest = i32x4.max_s(largest, i32x4.max_s(i32x4.abs(a), i32x4.abs(b)));
    const y = i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(a, half), shift), i32x4.shr_s(i32x4.add(b, half), shift));
    v128.store(out + (i >> 1), i16x8.max_s(i16x8.min_s(y, high), low));
  }
  return horizontalMax(largest);
}

/** out = roundShift(d * slope, 14), slopes already looked up. */
export function throughSlope(d: usize, slope: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count * 4; i += 16) {
    v128.store(out + i, mulRoundLow(v128.load(d + i), v128.load16x4_s(slope + (i >> 1)), SLOPE_BITS));
  }
}

/**
 * Backward through a skip, rows [from, to) of `width`.
 *
 * @param skip points at the master weight
 * @param rowsLog2 each row's term of the scalar's gradient is divided by this power of two
 * @param out gradient of what was skipped
 * @returns this thread's part of the scalar's gradient
 */
export function skipBackward(
  d: usize,
  skipped: usize,
  from: usize,
  to: usize,
  width: usize,
  skip: usize,
  rowsLog2: i32,
  out: usize,
): i32 {
  const scale = i32x4.splat(scaleOf(load<i32>(skip)));
  const right = ACTIVATION_BITS + <i32>ctz(width);
  let total = 0;
  for (let row = from; row < to; row++) {
    let sum = i32x4.splat(0);
    for (let i = row * width; i < (row + 1) * width; i += 4) {
      const g = v128.load(d + i * 4);
      sum = i32x4.add(sum, mulRoundVector(g, v128.load16x4_s(skipped + i * 2), right));
      v128.store(out + i * 4, mulRoundLow(g, scale, 12));
    }
    total += roundShift(horizontalSum(sum), rowsLog2);
  }
  return total;
}

/**
 * Gradients of (u, v) from that of gelu(u) * v, rows [from, to).
 *
 * @param x int16, rows x 2n; d i32, n values per row, rows dPitch bytes apart; out i32, rows x 2n
 */
export function gegluBackward(
  x: usize,
  d: usize,
  dPitch: usize,
  from: usize,
  to: usize,
  n: usize,
  values: usize,
  slopes: usize,
  out: usize,
): void {
  for (let row = from; row < to; row++) {
    const g = d + row * dPitch;
    const u = x + row * n * 4;
    const y = out + row * n * 8;
    for (let i: usize = 0; i < n; i += 4) {
      const at = u + i * 2;
      const a = <i32>load<i16>(at) << 1;
      const b = <i32>load<i16>(at, 2) << 1;
      const c = <i32>load<i16>(at, 4) << 1;
      const e = <i32>load<i16>(at, 6) << 1;
      let value = i32x4.splat(load<i16>(values + a));
      value = i32x4.replace_lane(value, 1, load<i16>(values + b));
      value = i32x4.replace_lane(value, 2, load<i16>(values + c));
      value = i32x4.replace_lane(value, 3, load<i16>(values + e));
      let slope = i32x4.splat(load<i16>(slopes + a));
      slope = i32x4.replace_lane(slope, 1, load<i16>(slopes + b));
      slope = i32x4.replace_lane(slope, 2, load<i16>(slopes + c));
      slope = i32x4.replace_lane(slope, 3, load<i16>(slopes + e));
      const factor = v128.load16x4_s(at + n * 2);
      const half = i32x4.splat(1 << (GEGLU_SHIFT - 1));
      const product = i32x4.shr_s(i32x4.add(i32x4.mul(value, factor), half), GEGLU_SHIFT);
      const inside = i32x4.le_s(i32x4.abs(product), i32x4.splat(HIDDEN_LIMIT));
      const dy = v128.and(v128.load(g + i * 4), inside);
      const toGelu = mulRoundLow(dy, factor, ACTIVATION_BITS);
      v128.store(y + i * 4, clampGradientVector(mulRoundLow(toGelu, slope, SLOPE_BITS)));
      v128.store(y + (n + i) * 4, clampGradientVector(mulRoundLow(dy, value, ACTIVATION_BITS)));
    }
  }
}

/** y (1 - y) of a sigmoid's value, Q14. */
// @ts-ignore: decorator
@inline
function sigmoidSlope(y: v128): v128 {
  const product = i32x4.mul(y, i32x4.sub(i32x4.splat(1 << SLOPE_BITS), y));
  return i32x4.shr_s(i32x4.add(product, i32x4.splat(1 << (SLOPE_BITS - 1))), SLOPE_BITS);
}

/** The coarse refiner's gate: gradients of its logit and of what it lets through. */
export function gateBackward(d: usize, up: usize, gate: usize, count: usize, dGate: usize, dUp: usize): void {
  for (let i: usize = 0; i < count * 4; i += 16) {
    const g = v128.load(d + i);
    const y = v128.load16x4_s(gate + (i >> 1));
    const toGate = mulRoundLow(g, v128.load16x4_s(up + (i >> 1)), ACTIVATION_BITS);
    v128.store(dGate + i, clampGradientVector(mulRoundLow(toGate, sigmoidSlope(y), SLOPE_BITS)));
    v128.store(dUp + i, mulRoundLow(g, y, SLOPE_BITS));
  }
}

/** The router: gradients of far (whose values are i32), near and alpha's logit. */
export function routeBackward(
  d: usize,
  far: usize,
  near: usize,
  alpha: usize,
  count: usize,
  dFar: usize,
  dNear: usize,
  dRouter: usize,
): void {
  const high = i32x4.splat(ACTIVATION_LIMIT);
  const low = i32x4.splat(-ACTIVATION_LIMIT);
  for (let i: usize = 0; i < count * 4; i += 16) {
    const g = v128.load(d + i);
    const y = v128.load16x4_s(alpha + (i >> 1));
    const toFar = mulRoundLow(g, y, SLOPE_BITS);
    v128.store(dFar + i, toFar);
    v128.store(dNear + i, i32x4.sub(g, toFar));
    const apart = i32x4.sub(v128.load(far + i), v128.load16x4_s(near + (i >> 1)));
    const narrow = clampVector(roundShiftVector(apart, NORM_INPUT_SHIFT), low, high);
    const toAlpha = mulRoundLow(g, narrow, NORM_INPUT_BITS);
    v128.store(dRouter + i, clampGradientVector(mulRoundLow(toAlpha, sigmoidSlope(y), SLOPE_BITS)));
  }
}

/** out = clampGradient(a + b). */
export function addTwo(a: usize, b: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count * 4; i += 16) {
    v128.store(out + i, clampGradientVector(i32x4.add(v128.load(a + i), v128.load(b + i))));
  }
}

/** out = clampGradient(a + b + c); none of them is above 2^29. */
export function addThree(a: usize, b: usize, c: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count * 4; i += 16) {
    const sum = i32x4.add(i32x4.add(v128.load(a + i), v128.load(b + i)), v128.load(c + i));
    v128.store(out + i, clampGradientVector(sum));
  }
}

/** Rows [from, to): a = clampGradient(a + b + c), where c has values for the last `newest` of `width` columns only. */
export function addNewest(a: usize, b: usize, c: usize, from: usize, to: usize, width: usize, newest: usize): void {
  for (let row = from; row < to; row++) {
    const start = row * width * 4;
    addTwo(a + start, b + start, width - newest, a + start);
    const tail = start + (width - newest) * 4;
    addThree(a + tail, b + tail, c + row * newest * 4, newest, a + tail);
  }
}

/** Four lanes of a tap's gradient: this position's gradient times a neighbour's value. */
// @ts-ignore: decorator
@inline
function addTap(sums: usize, d: v128, z: usize, right: i32): void {
  v128.store(sums, i32x4.add(v128.load(sums), mulRoundVector(d, v128.load16x4_s(z), right)));
}

/**
 * Backward through the convolution, rows [from, to) of `positions` x `width`.
 *
 * @param d gradient of its output; out gradient of its input z
 * @param tap master weights; tapSum, biasSum this thread's gradients, added to
 * @param rowsLog2 each term of those is divided by this power of two
 * @param work 12 * width bytes
 */
export function convolveBackward(
  d: usize,
  z: usize,
  from: usize,
  to: usize,
  positions: usize,
  width: usize,
  rowsLog2: i32,
  tap: usize,
  tapSum: usize,
  biasSum: usize,
  out: usize,
  work: usize,
): void {
  for (let i: usize = 0; i < 12 * width; i += 4) store<i32>(work + i, scaleOf(load<i32>(tap + i)));
  const right = ACTIVATION_BITS + rowsLog2;
  const bytes = width * 4;
  for (let row = from; row < to; row++) {
    for (let t: usize = 0; t < positions; t++) {
      const start = (row * positions + t) * bytes;
      const first = t == 0;
      const last = t == positions - 1;
      for (let i: usize = 0; i < bytes; i += 16) {
        const at = d + start + i;
        const here = v128.load(at);
        const value = z + ((start + i) >> 1);
        if (!first) addTap(tapSum + i, here, value - width * 2, right);
        addTap(tapSum + bytes + i, here, value, right);
        if (!last) addTap(tapSum + 2 * bytes + i, here, value + width * 2, right);
        v128.store(biasSum + i, i32x4.add(v128.load(biasSum + i), roundShiftVector(here, rowsLog2)));
        let sum = mulRoundLow(here, v128.load(work + bytes + i), 12);
        if (!last) sum = i32x4.add(sum, mulRoundLow(v128.load(at + bytes), v128.load(work + i), 12));
        if (!first) sum = i32x4.add(sum, mulRoundLow(v128.load(at - bytes), v128.load(work + 2 * bytes + i), 12));
        v128.store(out + start + i, clampGradientVector(sum));
      }
    }
  }
}

/**
 * Scatters the gradients of `count` embedded bytes to the rows of the embedding: this thread's 256 x width sums.
 */
export function scatterEmbedding(
  history: usize,
  count: usize,
  a: usize,
  b: usize,
  width: usize,
  dropped: i32,
  sums: usize,
): void {
  const bytes = width * 4;
  for (const end = history + count; history < end; history++) {
    const row = sums + <usize>load<u8>(history) * bytes;
    for (let i: usize = 0; i < bytes; i += 16) {
      const d = clampGradientVector(i32x4.add(v128.load(a + i), v128.load(b + i)));
      v128.store(row + i, i32x4.add(v128.load(row + i), roundShiftVector(d, dropped)));
    }
    a += bytes;
    b += bytes;
  }
}

/**
 * The short way of Adam through a block of 32 weights: the formulas of adam.ts with fewer instructions, for blocks in
 * which no gradient saturates and no unit moved. That is so in 99 of 100 blocks; the others take the general way.
 *
 * Shifts are what costs most here (JavaScriptCore moves each count through a general register into a vector: four
 * instructions), so there are four of them where the contract has seven:
 * - The gradient is never aligned. floor((floor(X / 2^r) + c) / 2^s) = floor((X + c 2^r) / 2^(r+s)), so the first
 *   moment shifts by r + 3 at once, against a moment multiplied by 2^r, and the square's operand is made from the
 *   accumulated gradient. Nothing wraps: |A| < 2^(21+r) and r <= 7, so no sum reaches 2^30.
 * - The square's operand, twice over (4 q^2 is wanted), is brought to the upper half of its lane by a multiplication;
 *   with the lower half cleared a dot with itself is the square. |2q| <= 2^14.
 * - roundShift(m, 6) stays 64 times as large, its lower bits cleared, and the exponent of the inverse root makes up.
 * - The ratio is the lower half of the float that holds it (see FLOAT_TO_INTEGER): a dot multiplies it by the rate.
 *
 * One stage after the other over all 32 weights, each leaving its results in memory, not all stages for one vector: the
 * chain of one vector is 60 cycles long, and the processor's scheduler holds 64 operations, so with long stages it runs
 * out of vectors to work on. (Fewer, longer stages have fewer loads and stores and are slower; stages in registers over
 * all vectors at once are put back in a row by Binaryen.) No loops: each address is a constant away from a register.
 */
import {
  ALIGN_HALF,
  ALIGN_LEFT,
  BLOCK_BYTES,
  COPY_HALF,
  COPY_HIGH,
  COPY_LOW,
  COPY_SHIFT,
  DITHER,
  HALVER,
  HIGH_UNIT,
  MAGIC,
  MOMENT_HALF,
  MOMENT_MASK,
  MOMENT_RIGHT,
  MOMENT_UNIT,
  ONE,
  OUTSIDE,
  RATE,
  RATIO_HALF,
  RATIO_HIGH,
  RATIO_LOW,
  SEEN_WEIGHT,
  SHORT,
  TOP_UNIT,
  TOWARD,
  TO_INTEGER,
  TRAINS,
  UPPER,
  WEIGHT_HIGH,
  copyMasters,
  copyOf,
  limitMasters,
  updateGeneral,
} from "./adam";
import { RATIO_BITS, SQUARE_SHIFT } from "./contract";

/** Whether a block whose gradients' magnitudes have these bits goes the short way. */
// @ts-ignore: decorator
@inline
function isShort(ctx: usize, magnitudes: v128): bool {
  return load<i32>(ctx, SHORT) != 0 && !v128.any_true(v128.and(magnitudes, v128.load(ctx, OUTSIDE)));
}

/** A first moment on its way to a gradient. */
// @ts-ignore: decorator
@inline
function newMoment(a: v128, m: v128, unit: v128, toward: v128, right: i32): v128 {
  const distance = i32x4.sub(i32x4.sub(a, i32x4.mul(m, unit)), toward);
  return i32x4.add(m, i32x4.shr_s(distance, right));
}

/** A second moment on its way to a gradient's square. */
// @ts-ignore: decorator
@inline
function newSquare(a: v128, v: v128, unit: v128, upper: v128, dither: v128): v128 {
  const top = v128.and(i32x4.mul(a, unit), upper);
  const rise = i32x4.add(i32x4.sub(dither, v), i32x4.dot_i16x8_s(top, top));
  return i32x4.add(v, i32x4.shr_s(rise, SQUARE_SHIFT));
}

/** Both moments of 32 weights. */
// @ts-ignore: decorator
@inline
function updateMoments(ctx: usize, acc: usize, moment: usize, square: usize): void {
  const half = v128.load(ctx, ALIGN_HALF);
  const topUnit = v128.load(ctx, TOP_UNIT);
  const upper = v128.load(ctx, UPPER);
  const unit = v128.load(ctx, MOMENT_UNIT);
  const toward = v128.load(ctx, TOWARD);
  const dither = v128.load(ctx, DITHER);
  const right = load<i32>(ctx, MOMENT_RIGHT);
  let a: v128;
  a = i32x4.add(v128.load(acc), half);
  v128.store(moment, newMoment(a, v128.load(moment), unit, toward, right));
  v128.store(square, newSquare(a, v128.load(square), topUnit, upper, dither));
  a = i32x4.add(v128.load(acc, 16), half);
  v128.store(moment, newMoment(a, v128.load(moment, 16), unit, toward, right), 16);
  v128.store(square, newSquare(a, v128.load(square, 16), topUnit, upper, dither), 16);
  a = i32x4.add(v128.load(acc, 32), half);
  v128.store(moment, newMoment(a, v128.load(moment, 32), unit, toward, right), 32);
  v128.store(square, newSquare(a, v128.load(square, 32), topUnit, upper, dither), 32);
  a = i32x4.add(v128.load(acc, 48), half);
  v128.store(moment, newMoment(a, v128.load(moment, 48), unit, toward, right), 48);
  v128.store(square, newSquare(a, v128.load(square, 48), topUnit, upper, dither), 48);
  a = i32x4.add(v128.load(acc, 64), half);
  v128.store(moment, newMoment(a, v128.load(moment, 64), unit, toward, right), 64);
  v128.store(square, newSquare(a, v128.load(square, 64), topUnit, upper, dither), 64);
  a = i32x4.add(v128.load(acc, 80), half);
  v128.store(moment, newMoment(a, v128.load(moment, 80), unit, toward, right), 80);
  v128.store(square, newSquare(a, v128.load(square, 80), topUnit, upper, dither), 80);
  a = i32x4.add(v128.load(acc, 96), half);
  v128.store(moment, newMoment(a, v128.load(moment, 96), unit, toward, right), 96);
  v128.store(square, newSquare(a, v128.load(square, 96), topUnit, upper, dither), 96);
  a = i32x4.add(v128.load(acc, 112), half);
  v128.store(moment, newMoment(a, v128.load(moment, 112), unit, toward, right), 112);
  v128.store(square, newSquare(a, v128.load(square, 112), topUnit, upper, dither), 112);
}

/** The inverse root of second moments, as a float. */
// @ts-ignore: decorator
@inline
function inverseOf(v: v128, one: v128, highUnit: v128, upper: v128, halver: v128, magic: v128): v128 {
  const positive = i32x4.max_s(v, one);
  // V >> 16: a dot of the upper halves with 1.
  const bits = f32x4.convert_i32x4_s(v128.andnot(positive, i32x4.dot_i16x8_s(positive, highUnit)));
  // (b >> 1) << 16 is (b & ~1) * 2^15: a dot of b, the upper half, with -2^15.
  return i32x4.add(magic, i32x4.dot_i16x8_s(v128.and(bits, upper), halver));
}

/** Inverse roots of 32 second moments. */
// @ts-ignore: decorator
@inline
function invertRoots(ctx: usize, square: usize, into: usize): void {
  const one = v128.load(ctx, ONE);
  const highUnit = v128.load(ctx, HIGH_UNIT);
  const upper = v128.load(ctx, UPPER);
  const halver = v128.load(ctx, HALVER);
  const magic = v128.load(ctx, MAGIC);
  v128.store(into, inverseOf(v128.load(square), one, highUnit, upper, halver, magic));
  v128.store(into, inverseOf(v128.load(square, 16), one, highUnit, upper, halver, magic), 16);
  v128.store(into, inverseOf(v128.load(square, 32), one, highUnit, upper, halver, magic), 32);
  v128.store(into, inverseOf(v128.load(square, 48), one, highUnit, upper, halver, magic), 48);
  v128.store(into, inverseOf(v128.load(square, 64), one, highUnit, upper, halver, magic), 64);
  v128.store(into, inverseOf(v128.load(square, 80), one, highUnit, upper, halver, magic), 80);
  v128.store(into, inverseOf(v128.load(square, 96), one, highUnit, upper, halver, magic), 96);
  v128.store(into, inverseOf(v128.load(square, 112), one, highUnit, upper, halver, magic), 112);
}

/** A float whose lower half is the ratio. */
// @ts-ignore: decorator
@inline
function ratioOfInverse(m: v128, inverse: v128, half: v128, mask: v128, low: v128, high: v128, unit: v128): v128 {
  const top = f32x4.convert_i32x4_s(v128.and(i32x4.add(m, half), mask));
  const limited = f32x4.pmax(f32x4.pmin(f32x4.mul(top, inverse), high), low);
  return f32x4.add(f32x4.floor(limited), unit);
}

/** Ratios of 32 first moments and the inverse roots at `acc`, in place of them. */
// @ts-ignore: decorator
@inline
function multiplyRoots(ctx: usize, moment: usize, acc: usize): void {
  const half = v128.load(ctx, MOMENT_HALF);
  const mask = v128.load(ctx, MOMENT_MASK);
  const low = v128.load(ctx, RATIO_LOW);
  const high = v128.load(ctx, RATIO_HIGH);
  const unit = v128.load(ctx, TO_INTEGER);
  let ratio: v128;
  ratio = ratioOfInverse(v128.load(moment), v128.load(acc), half, mask, low, high, unit);
  v128.store(acc, ratio);
  ratio = ratioOfInverse(v128.load(moment, 16), v128.load(acc, 16), half, mask, low, high, unit);
  v128.store(acc, ratio, 16);
  ratio = ratioOfInverse(v128.load(moment, 32), v128.load(acc, 32), half, mask, low, high, unit);
  v128.store(acc, ratio, 32);
  ratio = ratioOfInverse(v128.load(moment, 48), v128.load(acc, 48), half, mask, low, high, unit);
  v128.store(acc, ratio, 48);
  ratio = ratioOfInverse(v128.load(moment, 64), v128.load(acc, 64), half, mask, low, high, unit);
  v128.store(acc, ratio, 64);
  ratio = ratioOfInverse(v128.load(moment, 80), v128.load(acc, 80), half, mask, low, high, unit);
  v128.store(acc, ratio, 80);
  ratio = ratioOfInverse(v128.load(moment, 96), v128.load(acc, 96), half, mask, low, high, unit);
  v128.store(acc, ratio, 96);
  ratio = ratioOfInverse(v128.load(moment, 112), v128.load(acc, 112), half, mask, low, high, unit);
  v128.store(acc, ratio, 112);
}

/** Notes the largest of 32 masters. That one leaves its range is so rare that it is mended afterwards. */
// @ts-ignore: decorator
@inline
function endMasters(ctx: usize, acc: usize, master: usize, seen: v128): void {
  const limit = v128.load(ctx, WEIGHT_HIGH);
  if (v128.any_true(i32x4.gt_s(seen, limit))) {
    limitMasters(ctx, master);
    copyMasters(ctx, master, acc, BLOCK_BYTES);
    seen = i32x4.min_s(seen, limit);
  }
  v128.store(ctx, seen, SEEN_WEIGHT);
}

/** Masters less their steps; a step is below 2^18, so nothing wraps. */
// @ts-ignore: decorator
@inline
function newMaster(ratio: v128, w: v128, rate: v128, half: v128): v128 {
  return i32x4.sub(w, i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(ratio, rate), half), RATIO_BITS));
}

/** Masters of 32 weights from the ratios at `acc`, and their copies in place of those. */
// @ts-ignore: decorator
@inline
function updateMasters(ctx: usize, acc: usize, master: usize): void {
  const rate = v128.load(ctx, RATE);
  const ratioHalf = v128.load(ctx, RATIO_HALF);
  const shift = load<i32>(ctx, COPY_SHIFT);
  const half = v128.load(ctx, COPY_HALF);
  const low = v128.load(ctx, COPY_LOW);
  const high = v128.load(ctx, COPY_HIGH);
  let seen = v128.load(ctx, SEEN_WEIGHT);
  let a: v128;
  let b: v128;
  a = newMaster(v128.load(acc), v128.load(master), rate, ratioHalf);
  b = newMaster(v128.load(acc, 16), v128.load(master, 16), rate, ratioHalf);
  v128.store(master, a);
  v128.store(master, b, 16);
  seen = i32x4.max_s(seen, i32x4.max_s(i32x4.abs(a), i32x4.abs(b)));
  v128.store(acc, copyOf(a, b, half, shift, low, high));
  a = newMaster(v128.load(acc, 32), v128.load(master, 32), rate, ratioHalf);
  b = newMaster(v128.load(acc, 48), v128.load(master, 48), rate, ratioHalf);
  v128.store(master, a, 32);
  v128.store(master, b, 48);
  seen = i32x4.max_s(seen, i32x4.max_s(i32x4.abs(a), i32x4.abs(b)));
  v128.store(acc, copyOf(a, b, half, shift, low, high), 16);
  a = newMaster(v128.load(acc, 64), v128.load(master, 64), rate, ratioHalf);
  b = newMaster(v128.load(acc, 80), v128.load(master, 80), rate, ratioHalf);
  v128.store(master, a, 64);
  v128.store(master, b, 80);
  seen = i32x4.max_s(seen, i32x4.max_s(i32x4.abs(a), i32x4.abs(b)));
  v128.store(acc, copyOf(a, b, half, shift, low, high), 32);
  a = newMaster(v128.load(acc, 96), v128.load(master, 96), rate, ratioHalf);
  b = newMaster(v128.load(acc, 112), v128.load(master, 112), rate, ratioHalf);
  v128.store(master, a, 96);
  v128.store(master, b, 112);
  seen = i32x4.max_s(seen, i32x4.max_s(i32x4.abs(a), i32x4.abs(b)));
  v128.store(acc, copyOf(a, b, half, shift, low, high), 48);
  endMasters(ctx, acc, master, seen);
}

/** Gradients of a block that need a left shift, for which the block has room. */
function shiftLeft(acc: usize, left: i32): void {
  for (let i: usize = 0; i < BLOCK_BYTES; i += 16) v128.store(acc + i, i32x4.shl(v128.load(acc + i), left));
}

/**
 * Updates 32 weights from the gradients at `acc`, and leaves their copies there, int16. If nothing is trained, only
 * copies change.
 *
 * @param magnitudes the OR of the gradients' magnitudes
 */
// @ts-ignore: decorator
@inline
export function update(
  ctx: usize,
  acc: usize,
  magnitudes: v128,
  master: usize,
  moment: usize,
  square: usize,
): void {
  if (isShort(ctx, magnitudes)) {
    const left = load<i32>(ctx, ALIGN_LEFT);
    if (left > 0) shiftLeft(acc, left);
    updateMoments(ctx, acc, moment, square);
    invertRoots(ctx, square, acc);
    multiplyRoots(ctx, moment, acc);
    updateMasters(ctx, acc, master);
  } else {
    if (load<i32>(ctx, TRAINS) != 0) updateGeneral(ctx, acc, master, moment, square, BLOCK_BYTES);
    copyMasters(ctx, master, acc, BLOCK_BYTES);
  }
}

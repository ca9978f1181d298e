/**
 * Adam on neighbours of one tensor: src/model/reference/optimizer.ts, four weights to a vector.
 *
 * Why floats may appear here (contract: docs/NUMERICS.md section 7). momentRatio takes V = max(square, 1) <= 2^30 as
 * b, a number of 8 significant bits, cut off: the upper 16 bits of V as an f32 if the conversion does not round up
 * into them. V & ~(V >> 8) has the same first 8 bits, and below them a zero (the leading one of V >> 8 falls there),
 * so whatever the conversion rounds stops at that zero and b is exact. The inverse root's 16 bits, put back as the
 * upper half of an f32, have 8 significant bits; the moment's upper bits are at most 2^16; their product has 24 bits
 * and is exact. Multiplying by 2^4 and by 2^7 only moves the exponent (11 is added to it in the constant), so floor()
 * of that product is the contract's arithmetic shift. Nothing is rounded, denormal or infinite anywhere.
 * test/engine/cpu-kernels.test.ts tries all boundaries.
 */
import { clampVector, roundShiftVector } from "./vector";

/** The context of one tensor's update: constants as vectors (loads are free, building a constant is not). */
const ALIGN_HALF: usize = 0;
const ALIGNED_HIGH: usize = 16;
const ALIGNED_LOW: usize = 32;
const RATE: usize = 48;
const COPY_HALF: usize = 64;
const MOMENT_STEP_HALF: usize = 80;
const SQUARE_HALF: usize = 96;
const SQUARE_UNIT: usize = 112;
const ONE: usize = 128;
const MOMENT_HALF: usize = 144;
const MAGIC: usize = 160;
const UPPER: usize = 176;
const RATIO_HIGH: usize = 192;
const RATIO_LOW: usize = 208;
const TO_INTEGER: usize = 224;
const RATIO_HALF: usize = 240;
const WEIGHT_HIGH: usize = 256;
const WEIGHT_LOW: usize = 272;
const COPY_HIGH: usize = 288;
const COPY_LOW: usize = 304;
/** Results: the OR of all gradient magnitudes (its bit length is the largest one's), the largest |master|. */
export const SEEN_GRADIENT: usize = 320;
const SEEN_WEIGHT: usize = 336;
/** Scalars. */
const ALIGN_LEFT: usize = 352;
const MOVED: usize = 356;
const TRAINS: usize = 360;
const COPY_SHIFT: usize = 364;
/** What is added before a second moment's update is shifted down. */
const DITHER: usize = 384;
/** -2^15 in the upper halves. */
const HALVER: usize = 432;
/** Masks and a unit to pair int16 in 32-bit lanes. */
export const LOWER: usize = 400;
export const UPPER_UNIT: usize = 416;
/** Bytes of a context. */
export const CONTEXT_BYTES: usize = 448;

const ALIGNED_LIMIT: i32 = (1 << 22) - 1;
const SQUARE_LIMIT: i32 = 1 << 30;
const WEIGHT_LIMIT: i32 = 1 << 30;
const INVERSE_ROOT_MAGIC: i32 = 0x5f37;
/** The constants of src/model/reference/optimizer.ts. */
const SQUARE_DROP: i32 = 8;
const SQUARE_FRACTION: i32 = 2;
const MOMENT_DROP: i32 = 6;
const RATIO_BITS: i32 = 12;
const MOMENT_SHIFT: i32 = 3;
const SQUARE_SHIFT: i32 = 9;
/** product << PRODUCT_SHIFT, and the 7 bits of mantissa below one: what the exponent of the inverse root gains. */
const PRODUCT_SHIFT: i32 = 4;
/** 1.5 * 2^23: adding it to a float that is a small integer leaves that integer in the low bits. */
const FLOAT_TO_INTEGER: f32 = 12582912.0;

/**
 * Prepares a context for one tensor.
 *
 * @param left the shift that aligns its accumulated gradients (negative: right)
 * @param moved how far its gradient unit moved at the end of the last step
 * @param rate learning rate in Q24; 0 measures only
 * @param copyShift shift of its quantised copy
 * @param copyLimit saturation of its quantised copy
 * @param dither squareDither of this step
 */
export function beginTensor(
  ctx: usize,
  left: i32,
  moved: i32,
  rate: i32,
  copyShift: i32,
  copyLimit: i32,
  dither: i32,
): void {
  const right = left < 0 ? min(-left, 31) : 0;
  v128.store(ctx, i32x4.splat(right > 0 ? 1 << (right - 1) : 0), ALIGN_HALF);
  v128.store(ctx, i32x4.splat(ALIGNED_LIMIT), ALIGNED_HIGH);
  v128.store(ctx, i32x4.splat(-ALIGNED_LIMIT), ALIGNED_LOW);
  v128.store(ctx, i32x4.splat(rate), RATE);
  v128.store(ctx, i32x4.splat(copyShift > 0 ? 1 << (copyShift - 1) : 0), COPY_HALF);
  v128.store(ctx, i32x4.splat(1 << (MOMENT_SHIFT - 1)), MOMENT_STEP_HALF);
  v128.store(ctx, i32x4.splat(1 << (SQUARE_DROP - 1)), SQUARE_HALF);
  v128.store(ctx, i32x4.splat(1 << SQUARE_FRACTION), SQUARE_UNIT);
  v128.store(ctx, i32x4.splat(dither), DITHER);
  v128.store(ctx, i32x4.splat(0x80000000), HALVER);
  v128.store(ctx, i32x4.splat(0xffff), LOWER);
  v128.store(ctx, i32x4.splat(1 << 16), UPPER_UNIT);
  v128.store(ctx, i32x4.splat(1), ONE);
  v128.store(ctx, i32x4.splat(1 << (MOMENT_DROP - 1)), MOMENT_HALF);
  v128.store(ctx, i32x4.splat((INVERSE_ROOT_MAGIC + ((PRODUCT_SHIFT + 7) << 7)) << 16), MAGIC);
  v128.store(ctx, i32x4.splat(0xfffe0000), UPPER);
  v128.store(ctx, f32x4.splat(16383), RATIO_HIGH);
  v128.store(ctx, f32x4.splat(-16383), RATIO_LOW);
  v128.store(ctx, f32x4.splat(FLOAT_TO_INTEGER), TO_INTEGER);
  v128.store(ctx, i32x4.splat(1 << (RATIO_BITS - 1)), RATIO_HALF);
  v128.store(ctx, i32x4.splat(WEIGHT_LIMIT), WEIGHT_HIGH);
  v128.store(ctx, i32x4.splat(-WEIGHT_LIMIT), WEIGHT_LOW);
  v128.store(ctx, i32x4.splat(copyLimit), COPY_HIGH);
  v128.store(ctx, i32x4.splat(-copyLimit), COPY_LOW);
  v128.store(ctx, i32x4.splat(0), SEEN_GRADIENT);
  v128.store(ctx, i32x4.splat(0), SEEN_WEIGHT);
  store<i32>(ctx, left, ALIGN_LEFT);
  store<i32>(ctx, moved, MOVED);
  store<i32>(ctx, rate > 0 ? 1 : 0, TRAINS);
  store<i32>(ctx, copyShift, COPY_SHIFT);
}

/** The OR of all gradient magnitudes since beginTensor; only its bit length means something. */
export function seenGradient(ctx: usize): i32 {
  return (
    load<i32>(ctx, SEEN_GRADIENT) |
    load<i32>(ctx, SEEN_GRADIENT + 4) |
    load<i32>(ctx, SEEN_GRADIENT + 8) |
    load<i32>(ctx, SEEN_GRADIENT + 12)
  );
}

/** The largest |master| since beginTensor. */
export function seenWeight(ctx: usize): i32 {
  const a = max(load<i32>(ctx, SEEN_WEIGHT), load<i32>(ctx, SEEN_WEIGHT + 4));
  return max(a, max(load<i32>(ctx, SEEN_WEIGHT + 8), load<i32>(ctx, SEEN_WEIGHT + 12)));
}

/** alignGradient for left > 0: what would leave the range saturates before it is shifted. */
function alignLeft(ctx: usize, acc: v128): v128 {
  const left = min(load<i32>(ctx, ALIGN_LEFT), 31);
  const limit = i32x4.splat(ALIGNED_LIMIT >> left);
  const shifted = i32x4.shl(acc, left);
  const above = i32x4.gt_s(acc, limit);
  const below = i32x4.lt_s(acc, i32x4.neg(limit));
  const high = v128.bitselect(v128.load(ctx, ALIGNED_HIGH), shifted, above);
  return v128.bitselect(v128.load(ctx, ALIGNED_LOW), high, below);
}

/** Moments in a unit that moved; seldom run. */
function moveMoments(ctx: usize, moment: usize, square: usize): void {
  const moved = load<i32>(ctx, MOVED);
  const m = v128.load(moment);
  const v = v128.load(square);
  if (moved > 0) {
    v128.store(moment, roundShiftVector(m, min(moved, 31)));
    v128.store(square, i32x4.shr_s(v, min(2 * moved, 31)));
  } else {
    const full = i32x4.ge_s(v, i32x4.splat(SQUARE_LIMIT >> 2));
    v128.store(moment, clampVector(i32x4.shl(m, 1), v128.load(ctx, ALIGNED_LOW), v128.load(ctx, ALIGNED_HIGH)));
    v128.store(square, v128.bitselect(i32x4.splat(SQUARE_LIMIT), i32x4.shl(v, 2), full));
  }
}

/** Saturates and aligns `bytes` of accumulators that need a left shift, in place; seldom run. */
function alignAllLeft(ctx: usize, acc: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(acc + i, alignLeft(ctx, v128.load(acc + i)));
}

/** Both moments from the gradients at `acc`. */
// @ts-ignore: decorator
@inline
function updateMoments(ctx: usize, acc: usize, moment: usize, square: usize, bytes: usize): void {
  const left = load<i32>(ctx, ALIGN_LEFT);
  if (left > 0) alignAllLeft(ctx, acc, bytes);
  const right = left > 0 ? 0 : min(-left, 31);
  const half = v128.load(ctx, ALIGN_HALF);
  const low = v128.load(ctx, ALIGNED_LOW);
  const high = v128.load(ctx, ALIGNED_HIGH);
  const stepHalf = v128.load(ctx, MOMENT_STEP_HALF);
  const squareHalf = v128.load(ctx, SQUARE_HALF);
  const unit = v128.load(ctx, SQUARE_UNIT);
  const dither = v128.load(ctx, DITHER);
  for (const end = acc + bytes; acc < end; acc += 16) {
    const g = clampVector(i32x4.shr_s(i32x4.add(v128.load(acc), half), right), low, high);
    const m = v128.load(moment);
    const toward = i32x4.add(i32x4.sub(g, m), stepHalf);
    v128.store(moment, i32x4.add(m, i32x4.shr_s(toward, MOMENT_SHIFT)));
    const top = i32x4.shr_s(i32x4.add(g, squareHalf), SQUARE_DROP);
    const v = v128.load(square);
    const rise = i32x4.add(i32x4.sub(dither, v), i32x4.mul(i32x4.mul(top, unit), top));
    v128.store(square, i32x4.add(v, i32x4.shr_s(rise, SQUARE_SHIFT)));
    moment += 16;
    square += 16;
  }
}

/** momentRatio of `bytes` of moments, times the rate, rounded: the steps, left at `into`. */
// @ts-ignore: decorator
@inline
function stepsOf(ctx: usize, moment: usize, square: usize, into: usize, bytes: usize): void {
  const one = v128.load(ctx, ONE);
  const upper = v128.load(ctx, UPPER);
  const magic = v128.load(ctx, MAGIC);
  const halver = v128.load(ctx, HALVER);
  const momentHalf = v128.load(ctx, MOMENT_HALF);
  const low = v128.load(ctx, RATIO_LOW);
  const high = v128.load(ctx, RATIO_HIGH);
  const unit = v128.load(ctx, TO_INTEGER);
  for (const end = into + bytes; into < end; into += 16) {
    const positive = i32x4.max_s(v128.load(square), one);
    const bits = f32x4.convert_i32x4_s(v128.andnot(positive, i32x4.shr_s(positive, 8)));
    // (b >> 1) << 16 is (b & ~1) * 2^15: a dot of b, the upper half, with -2^15 is cheaper here than a shift.
    const inverse = i32x4.add(magic, i32x4.dot_i16x8_s(v128.and(bits, upper), halver));
    const top = f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.add(v128.load(moment), momentHalf), MOMENT_DROP));
    const limited = f32x4.pmax(f32x4.pmin(f32x4.mul(top, inverse), high), low);
    v128.store(into, i32x4.sub(f32x4.add(f32x4.floor(limited), unit), unit));
    moment += 16;
    square += 16;
  }
}

/** Saturates masters, and makes their copies at `into` anew; seldom run. */
function limitMasters(ctx: usize, master: usize, into: usize, bytes: usize): void {
  const shift = load<i32>(ctx, COPY_SHIFT);
  for (let i: usize = 0; i < bytes; i += 16) {
    const w = clampVector(v128.load(master + i), v128.load(ctx, WEIGHT_LOW), v128.load(ctx, WEIGHT_HIGH));
    v128.store(master + i, w);
    const rounded = i32x4.shr_s(i32x4.add(w, v128.load(ctx, COPY_HALF)), shift);
    v128.store(into + i, clampVector(rounded, v128.load(ctx, COPY_LOW), v128.load(ctx, COPY_HIGH)));
  }
}

/**
 * Updates `bytes` (at most 128) of neighbours from the gradients at `acc`, and leaves their copies there as i32.
 *
 * One stage after the other over all of them, not all stages for one vector: the chain of one vector is 60 cycles long,
 * and the processor's scheduler cannot look past two of them.
 */
// @ts-ignore: decorator
@inline
export function update(ctx: usize, acc: usize, master: usize, moment: usize, square: usize, bytes: usize): void {
  const trains = load<i32>(ctx, TRAINS) != 0;
  if (trains) {
    if (load<i32>(ctx, MOVED) != 0) {
      for (let i: usize = 0; i < bytes; i += 16) moveMoments(ctx, moment + i, square + i);
    }
    updateMoments(ctx, acc, moment, square, bytes);
    stepsOf(ctx, moment, square, acc, bytes);
  } else {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(acc + i, i32x4.splat(0));
  }
  const rate = v128.load(ctx, RATE);
  const ratioHalf = v128.load(ctx, RATIO_HALF);
  const shift = load<i32>(ctx, COPY_SHIFT);
  const half = v128.load(ctx, COPY_HALF);
  const low = v128.load(ctx, COPY_LOW);
  const high = v128.load(ctx, COPY_HIGH);
  let seen = v128.load(ctx, SEEN_WEIGHT);
  for (const end = acc + bytes; acc < end; acc += 16) {
    const step = i32x4.shr_s(i32x4.add(i32x4.mul(v128.load(acc), rate), ratioHalf), RATIO_BITS);
    const w = i32x4.sub(v128.load(master), step);
    v128.store(master, w);
    seen = i32x4.max_s(seen, i32x4.abs(w));
    v128.store(acc, clampVector(i32x4.shr_s(i32x4.add(w, half), shift), low, high));
    master += 16;
  }
  // A step is below 2^18, so nothing has wrapped; that a master leaves its range is so rare that it is mended after.
  if (v128.any_true(i32x4.gt_s(seen, v128.load(ctx, WEIGHT_HIGH)))) {
    limitMasters(ctx, master - bytes, acc - bytes, bytes);
    seen = i32x4.min_s(seen, v128.load(ctx, WEIGHT_HIGH));
  }
  v128.store(ctx, seen, SEEN_WEIGHT);
}

/**
 * Adam on neighbours of one tensor: src/engine/reference/optimizer.ts, four weights to a vector.
 *
 * This file is the contract as it stands, a vector at a time. Nearly all blocks of 32 weights take the shorter way of
 * adam-block.ts, whose constants are prepared here too.
 *
 * Why floats may appear here (contract: docs/NUMERICS.md section 7). momentRatio takes V = max(square, 1) <= 2^30 as
 * b, a number of 8 significant bits, cut off: the upper 16 bits of V as an f32 if the conversion does not round up
 * into them. V & ~(V >> 16) has the same first 8 bits, and a zero 16 below the leading one (if V >= 2^16; below that
 * it is V, and exact), so whatever the conversion rounds, 24 below the leading one, stops at that zero. The inverse
 * root's 16 bits, put back as the upper half of an f32, have 8 significant bits; the moment's upper bits are at most
 * 2^16; their product has 24 bits and is exact. Multiplying by powers of two (2^4 and 2^7, 2^-6 on the short way) only
 * moves the exponent (11 or 5 is added to it in the constant), so floor() of that product is the contract's arithmetic
 * shift. Nothing is rounded, denormal or infinite anywhere. test/engine/cpu-kernels.test.ts tries all boundaries.
 */
import {
  ALIGNED_BITS,
  ALIGNED_LIMIT,
  INVERSE_ROOT_MAGIC,
  MOMENT_DROP,
  MOMENT_SHIFT,
  RATIO_BITS,
  RATIO_GAIN,
  RATIO_LIMIT,
  SQUARE_DROP,
  SQUARE_FRACTION,
  SQUARE_LIMIT,
  SQUARE_SHIFT,
  WEIGHT_LIMIT,
} from "./contract";
import { clampVector, roundShiftVector } from "./vector";

/** The context of one tensor's update: constants as vectors (loads are free, building a constant is not). */
export const ALIGN_HALF: usize = 0;
export const TOP_UNIT: usize = 16;
export const UPPER: usize = 32;
export const MOMENT_UNIT: usize = 48;
export const TOWARD: usize = 64;
export const DITHER: usize = 80;
export const ONE: usize = 96;
export const HIGH_UNIT: usize = 112;
export const HALVER: usize = 128;
export const MAGIC: usize = 144;
export const MOMENT_HALF: usize = 160;
export const MOMENT_MASK: usize = 176;
export const RATIO_HIGH: usize = 192;
export const RATIO_LOW: usize = 208;
export const TO_INTEGER: usize = 224;
export const RATE: usize = 240;
export const RATIO_HALF: usize = 256;
export const COPY_HALF: usize = 272;
export const COPY_HIGH: usize = 288;
export const COPY_LOW: usize = 304;
/** Results: the OR of all gradient magnitudes (its bit length is the largest one's), the largest |master|. */
export const SEEN_GRADIENT: usize = 320;
export const SEEN_WEIGHT: usize = 336;
/** Bits that the gradients of a block must not have if it is to go the short way. */
export const OUTSIDE: usize = 352;
export const WEIGHT_HIGH: usize = 368;
/** Scalars. */
export const ALIGN_LEFT: usize = 384;
const MOVED: usize = 388;
export const TRAINS: usize = 392;
export const COPY_SHIFT: usize = 396;
export const SHORT: usize = 400;
export const MOMENT_RIGHT: usize = 404;

/** Weights that are updated together, and their bytes. */
export const BLOCK_BYTES: usize = 128;

/** 1.5 * 2^23: adding it to a float that is a small integer leaves that integer in the low bits. */
const FLOAT_TO_INTEGER: f32 = 12582912.0;
/** The bits of the inverse root's constant, its exponent larger by what the product is multiplied with. */
const MAGIC_BITS: i32 = (INVERSE_ROOT_MAGIC + ((RATIO_GAIN + 7) << 7)) << 16;
/** How far the short way can align: 2^7 times a moment and a gradient fit into 32 bits. */
const SHORT_RIGHT: i32 = 7;
const SHORT_LEFT: i32 = 20;
/** Rates above this are no int16, and no level has one. */
const SHORT_RATE: i32 = 32767;

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
  const isShort = rate > 0 && rate <= SHORT_RATE && moved == 0 && left >= -SHORT_RIGHT && left <= SHORT_LEFT;
  const right = isShort ? max(-left, 0) : 0;
  const half = (right > 0 ? 1 << (right - 1) : 0) + ((1 << (SQUARE_DROP - 1)) << right);
  v128.store(ctx, i32x4.splat(half), ALIGN_HALF);
  // What the half has too much of for the first moment: the square's rounding instead of the moment's.
  const toward = (1 << (SQUARE_DROP - 1)) - (1 << (MOMENT_SHIFT - 1));
  v128.store(ctx, i32x4.splat(toward << right), TOWARD);
  v128.store(ctx, i32x4.splat(1 << (17 - SQUARE_DROP - right)), TOP_UNIT);
  v128.store(ctx, i32x4.splat(1 << right), MOMENT_UNIT);
  v128.store(ctx, i32x4.splat(-1 << (ALIGNED_BITS - (isShort ? left : 0))), OUTSIDE);
  v128.store(ctx, i32x4.splat(0xfffe0000), UPPER);
  v128.store(ctx, i32x4.splat(dither), DITHER);
  v128.store(ctx, i32x4.splat(1), ONE);
  v128.store(ctx, i32x4.splat(1 << 16), HIGH_UNIT);
  v128.store(ctx, i32x4.splat(0x80000000), HALVER);
  v128.store(ctx, i32x4.splat(MAGIC_BITS - (MOMENT_DROP << 23)), MAGIC);
  v128.store(ctx, i32x4.splat(1 << (MOMENT_DROP - 1)), MOMENT_HALF);
  v128.store(ctx, i32x4.splat(-1 << MOMENT_DROP), MOMENT_MASK);
  v128.store(ctx, f32x4.splat(<f32>RATIO_LIMIT), RATIO_HIGH);
  v128.store(ctx, f32x4.splat(<f32>-RATIO_LIMIT), RATIO_LOW);
  v128.store(ctx, f32x4.splat(FLOAT_TO_INTEGER), TO_INTEGER);
  v128.store(ctx, i32x4.splat(rate), RATE);
  v128.store(ctx, i32x4.splat(1 << (RATIO_BITS - 1)), RATIO_HALF);
  v128.store(ctx, i32x4.splat(copyShift > 0 ? 1 << (copyShift - 1) : 0), COPY_HALF);
  v128.store(ctx, i16x8.splat(<i16>copyLimit), COPY_HIGH);
  v128.store(ctx, i16x8.splat(<i16>-copyLimit), COPY_LOW);
  v128.store(ctx, i32x4.splat(0), SEEN_GRADIENT);
  v128.store(ctx, i32x4.splat(0), SEEN_WEIGHT);
  v128.store(ctx, i32x4.splat(WEIGHT_LIMIT), WEIGHT_HIGH);
  store<i32>(ctx, left, ALIGN_LEFT);
  store<i32>(ctx, moved, MOVED);
  store<i32>(ctx, rate > 0 ? 1 : 0, TRAINS);
  store<i32>(ctx, copyShift, COPY_SHIFT);
  store<i32>(ctx, isShort ? 1 : 0, SHORT);
  store<i32>(ctx, right + MOMENT_SHIFT, MOMENT_RIGHT);
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

/** alignGradient: to the left, what would leave the range saturates before it is shifted. */
function align(acc: v128, left: i32): v128 {
  const high = i32x4.splat(ALIGNED_LIMIT);
  const low = i32x4.splat(-ALIGNED_LIMIT);
  if (left <= 0) return clampVector(roundShiftVector(acc, min(-left, 31)), low, high);
  const limit = i32x4.splat(ALIGNED_LIMIT >> min(left, 31));
  const shifted = i32x4.shl(acc, min(left, 31));
  const above = i32x4.gt_s(acc, limit);
  const below = i32x4.lt_s(acc, i32x4.neg(limit));
  return v128.bitselect(low, v128.bitselect(high, shifted, above), below);
}

/** moveMoment */
function moveMoment(m: v128, moved: i32): v128 {
  if (moved >= 0) return roundShiftVector(m, min(moved, 31));
  return clampVector(i32x4.shl(m, 1), i32x4.splat(-ALIGNED_LIMIT), i32x4.splat(ALIGNED_LIMIT));
}

/** moveSquare */
function moveSquare(v: v128, moved: i32): v128 {
  if (moved >= 0) return i32x4.shr_s(v, min(2 * moved, 31));
  const full = i32x4.ge_s(v, i32x4.splat(SQUARE_LIMIT >> 2));
  return v128.bitselect(i32x4.splat(SQUARE_LIMIT), i32x4.shl(v, 2), full);
}

/** momentRatio */
function ratioOf(moment: v128, square: v128): v128 {
  const positive = i32x4.max_s(square, i32x4.splat(1));
  const bits = f32x4.convert_i32x4_s(v128.andnot(positive, i32x4.shr_s(positive, 16)));
  const halved = i32x4.shr_s(v128.and(bits, i32x4.splat(0xfffe0000)), 1);
  const inverse = i32x4.sub(i32x4.splat(MAGIC_BITS), halved);
  const product = f32x4.mul(f32x4.convert_i32x4_s(roundShiftVector(moment, MOMENT_DROP)), inverse);
  const limited = f32x4.max(f32x4.min(product, f32x4.splat(<f32>RATIO_LIMIT)), f32x4.splat(<f32>-RATIO_LIMIT));
  return i32x4.trunc_sat_f32x4_s(f32x4.floor(limited));
}

/** Both moments and the master of one vector by the contract's formulas. */
function updateVector(ctx: usize, acc: usize, master: usize, moment: usize, square: usize): void {
  const moved = load<i32>(ctx, MOVED);
  const g = align(v128.load(acc), load<i32>(ctx, ALIGN_LEFT));
  const oldMoment = moveMoment(v128.load(moment), moved);
  const oldSquare = moveSquare(v128.load(square), moved);
  const m = i32x4.add(oldMoment, roundShiftVector(i32x4.sub(g, oldMoment), MOMENT_SHIFT));
  const top = roundShiftVector(g, SQUARE_DROP);
  const target = i32x4.shl(i32x4.mul(top, top), SQUARE_FRACTION);
  const rise = i32x4.add(i32x4.sub(target, oldSquare), v128.load(ctx, DITHER));
  const v = i32x4.add(oldSquare, i32x4.shr_s(rise, SQUARE_SHIFT));
  v128.store(moment, m);
  v128.store(square, v);
  const step = roundShiftVector(i32x4.mul(ratioOf(m, v), v128.load(ctx, RATE)), RATIO_BITS);
  // A step is below 2^18: nothing wraps.
  const limit = v128.load(ctx, WEIGHT_HIGH);
  v128.store(master, clampVector(i32x4.sub(v128.load(master), step), i32x4.neg(limit), limit));
}

/** Updates `bytes` of neighbours from the gradients at `acc`. */
export function updateGeneral(ctx: usize, acc: usize, master: usize, moment: usize, square: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) updateVector(ctx, acc + i, master + i, moment + i, square + i);
}

/** Saturates the masters of a block; seldom run. */
export function limitMasters(ctx: usize, master: usize): void {
  const limit = v128.load(ctx, WEIGHT_HIGH);
  const low = i32x4.neg(limit);
  for (let i: usize = 0; i < BLOCK_BYTES; i += 16) {
    v128.store(master + i, clampVector(v128.load(master + i), low, limit));
  }
}

/** The int16 copies of two vectors of masters. */
// @ts-ignore: decorator
@inline
export function copyOf(a: v128, b: v128, half: v128, shift: i32, low: v128, high: v128): v128 {
  const first = i32x4.shr_s(i32x4.add(a, half), shift);
  const second = i32x4.shr_s(i32x4.add(b, half), shift);
  return i16x8.max_s(i16x8.min_s(i16x8.narrow_i32x4_s(first, second), high), low);
}

/** Notes the largest of `bytes` of masters (a multiple of 32), and leaves their copies at `into`, int16. */
export function copyMasters(ctx: usize, master: usize, into: usize, bytes: usize): void {
  const half = v128.load(ctx, COPY_HALF);
  const low = v128.load(ctx, COPY_LOW);
  const high = v128.load(ctx, COPY_HIGH);
  const shift = load<i32>(ctx, COPY_SHIFT);
  let seen = v128.load(ctx, SEEN_WEIGHT);
  for (const end = master + bytes; master < end; master += 32) {
    const a = v128.load(master);
    const b = v128.load(master, 16);
    seen = i32x4.max_s(i32x4.max_s(seen, i32x4.abs(a)), i32x4.abs(b));
    v128.store(into, copyOf(a, b, half, shift, low, high));
    into += 16;
  }
  v128.store(ctx, seen, SEEN_WEIGHT);
}

/** Updates fewer weights than a block, a multiple of 8, from the gradients at `acc`, and leaves their copies there. */
export function updateFew(
  ctx: usize,
  acc: usize,
  master: usize,
  moment: usize,
  square: usize,
  bytes: usize,
): void {
  if (load<i32>(ctx, TRAINS) != 0) updateGeneral(ctx, acc, master, moment, square, bytes);
  copyMasters(ctx, master, acc, bytes);
}

/**
 * LayerNorm over rows of a power of two of values, forward and backward: src/engine/reference/norm.ts.
 */
import { ACTIVATION_BITS, MANTISSA_BITS, SCALE_BITS } from "./contract";
import {
  biasOf,
  clampGradientVector,
  horizontalSum,
  mulRoundLow,
  mulRoundVector,
  narrowActivation,
  roundShift,
  roundShiftVector,
  scaleOf,
} from "./vector";

/** Bytes of one row's deviation: mantissa and shift. */
const DEVIATION_BYTES: usize = 8;

/**
 * Mantissa and shift of 1 / deviation, stored at `into`.
 *
 * floor(sqrt(m)) for m < 2^30 is taken from an f64 square root: IEEE rounding is exact there, and an integer's root
 * that is not an integer lies at least 2^-17 away from the next one.
 */
function inverseDeviation(squares: u64, log2Width: u32, into: usize): void {
  const odd = log2Width & 1;
  let sum = max<u64>(squares, (<u64>1) << log2Width) << odd;
  const bits = 64 - <i32>clz<u64>(sum);
  const k = (bits - 15) & ~1;
  sum = k >= 0 ? sum >> k : sum << -k;
  const root = <u32>Math.sqrt(<f64>(sum << 14));
  store<i32>(into, <i32>min<u32>(32767, (1 << 29) / root));
  store<i32>(into, MANTISSA_BITS - ACTIVATION_BITS + (k >> 1) - <i32>((log2Width + odd) >> 1), 4);
}

/** Master weights of scale and shift as Q12 and Q10 in 32 bits: `width` of one, then of the other, at `work`. */
function prepareScales(scale: usize, shift: usize, width: usize, work: usize): void {
  for (let i: usize = 0; i < width * 4; i += 4) {
    store<i32>(work + i, scaleOf(load<i32>(scale + i)));
    store<i32>(work + width * 4 + i, biasOf(load<i32>(shift + i)));
  }
}

/**
 * Normalises rows [from, to) of int16 and applies scale and shift.
 *
 * @param scale, shift master weights in Q24, `width` of each
 * @param normalised int16 Q10 of mean 0 and variance 1, for the backward pass
 * @param deviations 8 bytes per row
 * @param work 8 * width bytes
 */
export function normForward(
  x: usize,
  from: usize,
  to: usize,
  width: usize,
  scale: usize,
  shift: usize,
  normalised: usize,
  deviations: usize,
  out: usize,
  work: usize,
): void {
  const log2Width = <u32>ctz(width);
  const bytes = width * 2;
  const ones = i16x8.splat(1);
  prepareScales(scale, shift, width, work);
  const shifts = work + width * 4;
  for (let row = from; row < to; row++) {
    const start = x + row * bytes;
    let sum = i32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(start + i), ones));
    }
    const mean = i16x8.splat(<i16>roundShift(horizontalSum(sum), log2Width));
    const least = i16x8.splat(-32767);
    const z = normalised + row * bytes;
    let squares = i64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const d = i16x8.max_s(i16x8.sub_sat_s(v128.load(start + i), mean), least);
      v128.store(z + i, d);
      const pairs = i32x4.dot_i16x8_s(d, d); // at most 2 * 32767^2 < 2^31
      squares = i64x2.add(squares, i64x2.extend_low_i32x4_u(pairs));
      squares = i64x2.add(squares, i64x2.extend_high_i32x4_u(pairs));
    }
    const deviation = deviations + row * DEVIATION_BYTES;
    inverseDeviation(i64x2.extract_lane(squares, 0) + i64x2.extract_lane(squares, 1), log2Width, deviation);
    const mantissa = i16x8.splat(<i16>load<i32>(deviation));
    const right = load<i32>(deviation, 4);
    const half = i32x4.splat(1 << (right - 1));
    const scaleHalf = i32x4.splat(1 << (SCALE_BITS - 1));
    for (let i: usize = 0; i < bytes; i += 16) {
      const d = v128.load(z + i);
      const low = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(d, mantissa), half), right);
      const high = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(d, mantissa), half), right);
      const n = narrowActivation(low, high);
      v128.store(z + i, n);
      const at = work + i * 2;
      const a = i32x4.mul(i32x4.extend_low_i16x8_s(n), v128.load(at));
      const b = i32x4.mul(i32x4.extend_high_i16x8_s(n), v128.load(at, 16));
      const y0 = i32x4.add(i32x4.shr_s(i32x4.add(a, scaleHalf), SCALE_BITS), v128.load(shifts + i * 2));
      const y1 = i32x4.add(i32x4.shr_s(i32x4.add(b, scaleHalf), SCALE_BITS), v128.load(shifts + i * 2, 16));
      v128.store(out + row * bytes + i, narrowActivation(y0, y1));
    }
  }
}

/** One vector of the first backward pass: gradients of scale and shift are added up, dNormalised is returned. */
// @ts-ignore: decorator
@inline
function throughScale(d: v128, z: v128, scale: usize, sums: usize, sumsShift: usize, rowsLog2: i32): v128 {
  v128.store(sums, i32x4.add(v128.load(sums), mulRoundVector(d, z, ACTIVATION_BITS + rowsLog2)));
  v128.store(sumsShift, i32x4.add(v128.load(sumsShift), roundShiftVector(d, rowsLog2)));
  return clampGradientVector(mulRoundLow(d, v128.load(scale), SCALE_BITS));
}

/**
 * Backward through rows [from, to).
 *
 * @param d gradient of the norm's output, i32 Q22
 * @param scale master weights of the scale, Q24
 * @param scaleSum, shiftSum i32 sums of this thread, `width` of each: their gradients are added
 * @param rowsLog2 each row's term is divided by this power of two
 * @param moreShift how much coarser than an activation the norm's input is, in bits
 * @param out gradient of the norm's input, i32; may be d
 * @param work 12 * width bytes
 */
export function normBackward(
  d: usize,
  from: usize,
  to: usize,
  width: usize,
  rowsLog2: i32,
  moreShift: i32,
  normalised: usize,
  deviations: usize,
  scale: usize,
  shift: usize,
  scaleSum: usize,
  shiftSum: usize,
  out: usize,
  work: usize,
): void {
  const log2Width = <i32>ctz(width);
  prepareScales(scale, shift, width, work);
  const inner = work + width * 8;
  for (let row = from; row < to; row++) {
    const deviation = deviations + row * DEVIATION_BYTES;
    const start = row * width;
    let means = i32x4.splat(0);
    let slopes = means;
    for (let i: usize = 0; i < width; i += 4) {
      const z = v128.load16x4_s(normalised + (start + i) * 2);
      const at = i * 4;
      const dOut = v128.load(d + (start + i) * 4);
      const dz = throughScale(dOut, z, work + at, scaleSum + at, shiftSum + at, rowsLog2);
      v128.store(inner + at, dz);
      means = i32x4.add(means, roundShiftVector(dz, log2Width));
      slopes = i32x4.add(slopes, mulRoundVector(dz, z, ACTIVATION_BITS + log2Width));
    }
    const mean = i32x4.splat(horizontalSum(means));
    const slope = i32x4.splat(horizontalSum(slopes));
    const mantissa = i32x4.splat(load<i32>(deviation));
    const right = load<i32>(deviation, 4) + moreShift;
    for (let i: usize = 0; i < width; i += 4) {
      const z = v128.load16x4_s(normalised + (start + i) * 2);
      const along = mulRoundLow(slope, z, ACTIVATION_BITS);
      const rest = i32x4.sub(i32x4.sub(v128.load(inner + i * 4), mean), along);
      v128.store(out + (start + i) * 4, clampGradientVector(mulRoundVector(rest, mantissa, right)));
    }
  }
}

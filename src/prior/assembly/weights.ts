/** Weights from their rows' numbers: there are thousands of rows, and half a million weights. */
import { FIRST, MEAN } from "./bits";
import { decodeRow, nextRow, ROW } from "./rows";

/** As in src/prior/state.ts. */
const UNITS_MAX: i64 = 1 << 16;
/** Weights of 32 bits are within these, those of 16 within what they hold. */
const WIDE_MIN: i64 = -(1 << 29);
const WIDE_MAX: i64 = (1 << 29) - 1;

/** Where a new lane's row lies (i32), of 256 weights at most. */
export function firstAddress(): usize {
  return FIRST;
}

/**
 * Makes the rows of a family, from `row` to before `until`: its mean, but for those that have numbers of their own.
 *
 * @param into where row 0 of the area lies: weights of 32 bits, or of 16
 */
export function decodeFamily(row: u32, until: u32, length: u32, unit: u32, isWide: bool, into: usize): void {
  const bytes = <usize>length << (isWide ? 2 : 1);
  decodeRow(length);
  memory.copy(MEAN, ROW, <usize>length << 2);
  const common = into + row * bytes;
  for (let i: u32 = 0; i < length; i++) putWeight(common, i, 0, unit, isWide);
  // Copies that double: a call for each row would be half of the work.
  const all = <usize>(until - row) * bytes;
  for (let done = bytes; done < all; done += done) memory.copy(common + done, common, min(done, all - done));
  for (let r = nextRow(row, until); r < until; r = nextRow(r + 1, until)) {
    decodeRow(length);
    for (let i: u32 = 0; i < length; i++) {
      // Most are nothing: there, the mean lies already.
      const own = load<i32>(ROW + (<usize>i << 2));
      if (own != 0) putWeight(into + r * bytes, i, own, unit, isWide);
    }
  }
}

/** A new lane's weight, and so many units more than the mean. */
// @ts-ignore: decorator
@inline
function putWeight(at: usize, i: u32, own: i32, unit: u32, isWide: bool): void {
  const units = <i64>load<i32>(MEAN + (<usize>i << 2)) + <i64>own;
  const more = min(max(units, -UNITS_MAX), UNITS_MAX) << unit;
  const weight = <i64>load<i32>(FIRST + (<usize>i << 2)) + more;
  if (isWide) store<i32>(at + (<usize>i << 2), <i32>min(max(weight, WIDE_MIN), WIDE_MAX));
  else store<i16>(at + (<usize>i << 1), <i16>min(max(weight, <i64>-32768), <i64>32767));
}

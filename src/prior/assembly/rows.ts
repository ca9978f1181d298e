/** Rows of an area of trained values: which are stored, and their numbers. */
import {
  bit,
  COLUMNS_MAX,
  forgetBits,
  isOver,
  ROWS,
  SIGNS,
  tree,
  UNIT_DIGITS,
  UNITS,
  unsignedNumber,
  ZEROS,
} from "./bits";

/** A row that was decoded (i32), of 256 numbers at most. */
export const ROW: usize = 0;
/** For each row of an area (u8): whether it has numbers. At most 65536 rows. */
const IS_STORED: usize = 1024;

/** Begins an area; its unit. */
export function startArea(): u32 {
  memory.fill(IS_STORED, 0, 65536);
  forgetBits();
  return tree(UNITS, UNIT_DIGITS);
}

/** The next row from `row` on that is stored; `until` if none before that is. */
export function nextRow(row: u32, until: u32): u32 {
  for (; row < until && !isOver; row++) {
    const before: u32 = row > 0 ? load<u8>(IS_STORED + row - 1) : 0;
    const above: u32 = row > 255 ? load<u8>(IS_STORED + row - 256) : 0;
    const isStored = bit(ROWS + 2 * before + above);
    store<u8>(IS_STORED + row, isStored);
    if (isStored) return row;
  }
  return until;
}

/** Decodes a row of so many numbers. */
export function decodeRow(length: u32): void {
  let near: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const value = signedNumber(min(i, COLUMNS_MAX - 1), near);
    store<i32>(ROW + (<usize>i << 2), value);
    near = value < 0 ? -value : value;
  }
}

function signedNumber(column: u32, near: u32): i32 {
  const context = min(near, 2);
  if (bit(ZEROS + 3 * column + context) == 0) return 0;
  const isBelow = bit(SIGNS + column);
  const size: i32 = 1 + unsignedNumber(context + u32(near > 8));
  return isBelow ? -size : size;
}

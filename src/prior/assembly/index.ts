/**
 * Decodes trained values: the exports of prior.wasm. The code is that of src/repeats/bits.ts and numbers.ts, whose
 * encoders write it; a prior has some hundred thousand bits, which would take a program that has just started, and is
 * not compiled yet, ten times as long.
 */

/** A row that was decoded (i32), of 256 numbers at most. */
const ROW: usize = 0;
/** For each row of an area (u8): whether it has numbers. At most 65536 rows. */
const IS_STORED: usize = 1024;
/** Adaptive bits (u32): how likely 1 is, in 2^16ths, and above it how often the bit was seen. */
const MODELS: usize = IS_STORED + 65536;
/** By number of the first bit: whether a row is stored, a number is 0, is negative; how large it is; counts; a unit. */
const ROWS: u32 = 0;
const ZEROS: u32 = 4;
const COLUMNS_MAX: u32 = 64;
const SIGNS: u32 = ZEROS + 3 * COLUMNS_MAX;
const LENGTHS: u32 = SIGNS + COLUMNS_MAX;
const LENGTH_DIGITS: u32 = 5;
const DIGITS: u32 = LENGTHS + (4 << LENGTH_DIGITS);
const SHORT_DIGITS: u32 = 6;
const FIRST_DIGITS: u32 = 3;
const LAST_DIGITS: u32 = 4;
const LASTS: u32 = DIGITS + (4 << (LENGTH_DIGITS + SHORT_DIGITS + 1));
const COUNT_DIGITS: u32 = 4;
const COUNTS: u32 = LASTS + (4 << LAST_DIGITS);
const UNIT_DIGITS: u32 = 5;
const UNITS: u32 = COUNTS + (1 << COUNT_DIGITS);
const MODEL_COUNT: u32 = UNITS + (1 << UNIT_DIGITS);
/** 2 · 65536 / (2n + 3), rounded down, for bits that were seen n times (u32). */
const RATES: usize = MODELS + ((<usize>MODEL_COUNT) << 2);
const SEEN_MAX: u32 = 60;
const CODE: usize = RATES + 64 * 4;
const MARGIN: u32 = 48;
/** Bytes that an encoder may leave out: zeros. */
const TAIL_BYTES: usize = 4;

let offset: u32 = 0;
let range: u32 = 0;
let at: usize = 0;
let end: usize = 0;
/** Whether more was asked for than there is. */
let isOver: bool = false;

/** Where the coded bytes lie. */
export function codeAddress(): usize {
  return CODE;
}

/** Where rows lie that were decoded. */
export function rowAddress(): usize {
  return ROW;
}

/** Begins with so many coded bytes. */
export function start(bytes: u32): void {
  for (let n: u32 = 0; n <= SEEN_MAX; n++) store<u32>(RATES + (<usize>n << 2), 131072 / (2 * n + 3));
  at = CODE;
  end = CODE + bytes;
  isOver = false;
  range = 0xffffffff;
  offset = 0;
  for (let i = 0; i < 4; i++) offset = (offset << 8) | nextByte();
}

/** Whether it was no code at all: one of 1 or more. */
export function isBeyond(): bool {
  return offset >= range;
}

/** Whether more bytes were wanted than there are. */
export function wasOver(): bool {
  return isOver;
}

/** Coded bytes that were taken. */
export function takenBytes(): u32 {
  return <u32>(min(at, end) - CODE);
}

/** Begins an area; its unit. */
export function startArea(): u32 {
  memory.fill(IS_STORED, 0, 65536);
  for (let i: usize = 0; i < MODEL_COUNT; i++) store<u32>(MODELS + (i << 2), 0x8000);
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

/** Decodes the classes of so many counts, which lie in place of what is known of the area's rows; returns where. */
export function decodeCounts(count: u32): usize {
  for (let i: u32 = 0; i < count; i++) store<u8>(IS_STORED + i, tree(COUNTS, COUNT_DIGITS));
  return IS_STORED;
}

// @ts-ignore: decorator
@inline
function nextByte(): u32 {
  if (at >= end + TAIL_BYTES) isOver = true;
  const byte: u32 = at < end ? <u32>load<u8>(at) : 0;
  at++;
  return byte;
}

// @ts-ignore: decorator
@inline
function decode(ones: u32): u32 {
  const isOne = u32(offset < ones);
  if (isOne) range = ones;
  else {
    offset -= ones;
    range -= ones;
  }
  while (range < 0x1000000) {
    offset = (offset << 8) | nextByte();
    range <<= 8;
  }
  return isOne;
}

function bit(number: u32): u32 {
  const model = MODELS + (<usize>number << 2);
  const both = load<u32>(model);
  const seen = both >> 16;
  let ones = both & 0xffff;
  const isOne = decode((range >> 16) * ones);
  const rate = load<u32>(RATES + (<usize>seen << 2));
  if (isOne) ones = min(65536 - MARGIN, ones + (((65536 - ones) * rate) >> 16));
  else ones = max(MARGIN, ones - ((ones * rate) >> 16));
  store<u32>(model, ones | (min(seen + 1, SEEN_MAX) << 16));
  return isOne;
}

function plain(digits: u32): u32 {
  let value: u32 = 0;
  for (; digits > 0; digits--) value = 2 * value + decode((range >> 16) << 15);
  return value;
}

function tree(base: u32, digits: u32): u32 {
  let node: u32 = 1;
  for (let i: u32 = 0; i < digits; i++) node = 2 * node + bit(base + node);
  return node - (1 << digits);
}

function unsignedNumber(context: u32): u32 {
  const digits = tree(LENGTHS + (context << LENGTH_DIGITS), LENGTH_DIGITS);
  const base = DIGITS + (((context << LENGTH_DIGITS) + digits) << (SHORT_DIGITS + 1));
  if (digits <= SHORT_DIGITS) return (1 << digits) + tree(base, digits) - 1;
  const middleDigits = digits > FIRST_DIGITS + LAST_DIGITS ? digits - FIRST_DIGITS - LAST_DIGITS : 0;
  const lastDigits = digits - FIRST_DIGITS - middleDigits;
  const first = tree(base, FIRST_DIGITS);
  const middle = plain(middleDigits);
  const last = tree(LASTS + (context << LAST_DIGITS), lastDigits);
  return (1 << digits) + (((first << middleDigits) + middle) << lastDigits) + last - 1;
}

function signedNumber(column: u32, near: u32): i32 {
  const context = min(near, 2);
  if (bit(ZEROS + 3 * column + context) == 0) return 0;
  const isBelow = bit(SIGNS + column);
  const size: i32 = 1 + unsignedNumber(context + u32(near > 8));
  return isBelow ? -size : size;
}

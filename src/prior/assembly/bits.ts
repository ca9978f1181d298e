/**
 * Adaptive bits and numbers: the code is that of src/repeats/bits.ts and numbers.ts, whose encoders write it; a prior
 * has some hundred thousand bits, which would take a program that has just started, and is not compiled yet, ten times
 * as long.
 */

/** Adaptive bits (u32): how likely 1 is, in 2^16ths, and above it how often the bit was seen. */
const MODELS: usize = 1024 + 65536;
/** By number of the first bit: whether a row is stored, a number is 0, is negative; how large it is; counts; a unit. */
export const ROWS: u32 = 0;
export const ZEROS: u32 = 4;
export const COLUMNS_MAX: u32 = 64;
export const SIGNS: u32 = ZEROS + 3 * COLUMNS_MAX;
const LENGTHS: u32 = SIGNS + COLUMNS_MAX;
const LENGTH_DIGITS: u32 = 5;
const DIGITS: u32 = LENGTHS + (4 << LENGTH_DIGITS);
const SHORT_DIGITS: u32 = 6;
const FIRST_DIGITS: u32 = 3;
const LAST_DIGITS: u32 = 4;
const LASTS: u32 = DIGITS + (4 << (LENGTH_DIGITS + SHORT_DIGITS + 1));
export const COUNT_DIGITS: u32 = 4;
export const COUNTS: u32 = LASTS + (4 << LAST_DIGITS);
export const UNIT_DIGITS: u32 = 5;
export const UNITS: u32 = COUNTS + (1 << COUNT_DIGITS);
const MODEL_COUNT: u32 = UNITS + (1 << UNIT_DIGITS);
/** 2 · 65536 / (2n + 3), rounded down, for bits that were seen n times (u32). */
const RATES: usize = MODELS + ((<usize>MODEL_COUNT) << 2);
const SEEN_MAX: u32 = 60;
/** Rows of 256 numbers at most (i32): what a family's have in common, and what a new lane has. */
export const MEAN: usize = RATES + 64 * 4;
export const FIRST: usize = MEAN + 1024;
export const CODE: usize = FIRST + 1024;
const MARGIN: u32 = 48;
/** Bytes that an encoder may leave out: zeros. */
const TAIL_BYTES: usize = 4;

let offset: u32 = 0;
let range: u32 = 0;
let at: usize = 0;
let end: usize = 0;
/** Whether more was asked for than there is. */
export let isOver: bool = false;

/** Where the coded bytes lie. */
export function codeAddress(): usize {
  return CODE;
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

/** Begins a part whose bits have shown nothing yet. */
export function forgetBits(): void {
  for (let i: usize = 0; i < MODEL_COUNT; i++) store<u32>(MODELS + (i << 2), 0x8000);
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

export function bit(number: u32): u32 {
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

export function tree(base: u32, digits: u32): u32 {
  let node: u32 = 1;
  for (let i: u32 = 0; i < digits; i++) node = 2 * node + bit(base + node);
  return node - (1 << digits);
}

export function unsignedNumber(context: u32): u32 {
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


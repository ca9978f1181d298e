/**
 * The hashes of many bytes that are known already, four at a time. What contexts are made of goes into columns first, a
 * value for each byte: only that must be done byte by byte.
 */
import { followPast, hashContexts, MATCH_MIN, valueOf } from "./contexts";
import { isBinary } from "./code";
import { guessSample } from "./numbers";
import { finish, time } from "./past";
import {
  BINARY_SPECS,
  contexts,
  data,
  HASHES,
  LESSONS,
  PLACE_BITS,
  PLACES,
  SPEC_BYTES,
  SPECS,
} from "./state";
import { storeText, TEXT_KINDS } from "./text";

/** Bytes of a column, one value (u32) for each. */
const ROWS: u32 = 1024;
export const COLUMN_BYTES: usize = 4096 + 64;
/** Of `columns`: hashes of orders, values of parts, and two more. */
const ORDER_COLUMNS: usize = 0;
const PART_COLUMNS: usize = ORDER_COLUMNS + 32 * COLUMN_BYTES;
/** All bits set where the bytes before look binary. */
const BINARY_COLUMN: usize = PART_COLUMNS + 32 * COLUMN_BYTES;
/** Hashes by the records for such bytes. */
const OTHER_COLUMN: usize = BINARY_COLUMN + COLUMN_BYTES;

/** Where columns lie. */
let columns: usize = 0;
/** Of all records: parts in SPECS and in BINARY_SPECS, the longest order, the farthest byte. */
let parts: u32 = 0;
let binaryParts: u32 = 0;
let longestOrder: u32 = 0;
let farthest: u32 = 0;

/** What a context's hash has of its number. */
const CONTEXT_STEP: u32 = 0x2c1b3c6d;

function measure(specs: usize): u32 {
  let all: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    const spec = specs + <usize>i * SPEC_BYTES;
    longestOrder = max(longestOrder, load<u32>(spec));
    all |= load<u32>(spec, 4);
    for (let o: usize = 8; o < 24; o += 4) farthest = max(farthest, load<u32>(spec + o));
  }
  return all;
}

/**
 * The next `count` bytes go by, as in followPast. Returns nothing that means anything, of what was read ahead.
 *
 * @param into where their hashes go, [context][byte], of contexts that learn any of them; columns behind them take
 *     67 · 4,160 bytes
 * @param rowBytes from a context's hashes to the next one's, a multiple of 16
 */
export function hashColumns(count: u32, into: usize, rowBytes: usize): u32 {
  columns = into + contexts * rowBytes;
  longestOrder = MATCH_MIN;
  farthest = 0;
  parts = measure(SPECS);
  binaryParts = measure(BINARY_SPECS);
  const until = time + count;
  let seen: u32 = 0;
  let at = into;
  // Before the block's first byte are zeros, which lie nowhere. Behind them, hashes come by fours.
  for (const reach = max(longestOrder, farthest); time < until && (time < reach || (at - into) & 15); at += 4) {
    hashContexts();
    for (let i: usize = 0; i < contexts; i++) store<u32>(at + i * rowBytes, load<u32>(HASHES + i * 4));
    followPast(load<u8>(data + time));
  }
  while (time < until) {
    const from = data + time;
    const rows = min(ROWS, until - time);
    const bytes = <usize>((rows + 3) & ~3) << 2;
    memory.fill(orderColumn(0), 0, COLUMN_BYTES);
    for (let o: u32 = 1; o <= longestOrder; o++) foldBytes(orderColumn(o - 1), orderColumn(o), from - o, bytes);
    seen += lookAhead(bytes);
    const isMixed = storeValues(from, rows);
    for (let i: u32 = 0; i < contexts; i++) {
      if (load<u32>(LESSONS + i * 4) != 0) hashContext(i, from, at + <usize>i * rowBytes, bytes, isMixed);
    }
    at += bytes;
  }
  return seen;
}

/** Hashes of the last so many bytes. */
function orderColumn(order: u32): usize {
  return columns + ORDER_COLUMNS + <usize>order * COLUMN_BYTES;
}

/** Asks for the places that the match will look at, which depend on nothing but bytes. */
function lookAhead(bytes: usize): u32 {
  const column = orderColumn(MATCH_MIN);
  let seen: u32 = 0;
  for (let row: usize = 0; row < bytes; row += 4) {
    seen += load<u8>(PLACES + <usize>(finish(load<u32>(column + row)) >> (32 - PLACE_BITS)) * 4);
  }
  return seen;
}

/** Values of all parts for each of these bytes; whether before any of them the bytes look binary. */
function storeValues(from: usize, rows: u32): bool {
  let any: u32 = 0;
  const end = <usize>rows << 2;
  for (let row: usize = 0; row < end; row += 4) {
    guessSample();
    const binary: u32 = 0 - u32(isBinary());
    any |= binary;
    store<u32>(columns + row, binary, BINARY_COLUMN);
    const values = columns + row + PART_COLUMNS;
    storeText(values);
    const others = (parts | (binaryParts & binary)) & ~TEXT_KINDS;
    for (let left = others; left != 0; left &= left - 1) {
      store<u32>(values + <usize>ctz(left) * COLUMN_BYTES, valueOf(ctz(left)));
    }
    followPast(load<u8>(from + (row >> 2)));
  }
  return any != 0;
}

/** Hashes of a context, by its two records if some bytes are binary. */
function hashContext(i: u32, from: usize, into: usize, bytes: usize, isMixed: bool): void {
  hashBySpec(i, SPECS + <usize>i * SPEC_BYTES, from, into, bytes);
  if (!isMixed) return;
  const other = columns + OTHER_COLUMN;
  hashBySpec(i, BINARY_SPECS + <usize>i * SPEC_BYTES, from, other, bytes);
  for (let row: usize = 0; row < bytes; row += 16) {
    const binary = v128.load(columns + row, BINARY_COLUMN);
    v128.store(into + row, v128.bitselect(v128.load(other + row), v128.load(into + row), binary));
  }
}

function hashBySpec(i: u32, spec: usize, from: usize, into: usize, bytes: usize): void {
  const order = orderColumn(load<u32>(spec));
  const step = i32x4.splat(<i32>(i * CONTEXT_STEP));
  for (let row: usize = 0; row < bytes; row += 16) v128.store(into + row, i32x4.add(v128.load(order + row), step));
  for (let left = load<u32>(spec, 4); left != 0; left &= left - 1) {
    const column = columns + PART_COLUMNS + <usize>ctz(left) * COLUMN_BYTES;
    for (let row: usize = 0; row < bytes; row += 16) {
      v128.store(into + row, intoFour(v128.load(into + row), v128.load(column + row)));
    }
  }
  for (let o: usize = 8; o < 24; o += 4) {
    const far = load<u32>(spec + o);
    if (far == 0) break;
    foldBytes(into, into, from - far, bytes);
  }
  for (let row: usize = 0; row < bytes; row += 16) v128.store(into + row, finishFour(v128.load(into + row)));
}

/** Hashes, and in each a byte more: from one column to another, or in place. */
function foldBytes(column: usize, into: usize, from: usize, bytes: usize): void {
  for (let row: usize = 0; row < bytes; row += 16) {
    const four = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from + (row >> 2))));
    v128.store(into + row, intoFour(v128.load(column + row), four));
  }
}

/** As into, four at once. */
// @ts-ignore: decorator
@inline
function intoFour(h: v128, v: v128): v128 {
  const x = i32x4.mul(i32x4.add(i32x4.add(h, v), i32x4.splat(1)), i32x4.splat(0x9e3779b1));
  return v128.xor(x, i32x4.shr_u(x, 15));
}

/** As finish, four at once. */
// @ts-ignore: decorator
@inline
export function finishFour(h: v128): v128 {
  let x = v128.xor(h, i32x4.shr_u(h, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

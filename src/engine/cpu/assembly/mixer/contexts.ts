/** What the last bytes are to the contexts, and the lines that these lead to. */
import {
  contexts,
  data,
  followers1,
  followers2,
  HASHES,
  LINES_AT,
  lineBits,
  lines,
  ORDERS,
  places,
  PLACE_BITS,
  SPEC_BYTES,
  SPECS,
  total,
} from "./state";

/** Kinds of values that a context may have as parts: bits of its second word. PARTS in src/contract/mixer.ts. */
const KINDS: u32 = 6;

const MATCH_MIN: u32 = 6;
/** Bytes whose agreement is counted when a match starts. */
const VERIFY_MAX: u32 = 64;
const MATCH_LENGTH_LIMIT: u32 = 65535;
const COLUMN_MAX: u32 = 255;
const NEWLINE: u32 = 10;

/** Bytes of the block so far. */
export let time: u32 = 0;
/** The last four bytes, the newest lowest. */
export let last: u32 = 0;
let word: u32 = 0;
let wordBefore: u32 = 0;
/** Where this line of text and the one before begin. */
let lineStart: u32 = 0;
let lineBefore: u32 = 0;
/** The byte that the match expects + 1, or 0, and how many bytes have agreed. */
export let expected: u32 = 0;
export let matchLength: u32 = 0;
let matchAt: u32 = 0;
let longestOrder: u32 = 0;

// @ts-ignore: decorator
@inline
function into(h: u32, v: u32): u32 {
  const x = (h + v + 1) * 0x9e3779b1;
  return x ^ (x >> 15);
}

// @ts-ignore: decorator
@inline
function finish(h: u32): u32 {
  let x = h ^ (h >> 16);
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

// @ts-ignore: decorator
@inline
export function back(o: u32): u32 {
  return o <= time ? <u32>load<u8>(data + time - o) : 0;
}

/** Begins a block: what was seen of the bytes before is forgotten, what was learnt from them stays. */
export function beginContexts(): void {
  time = 0;
  last = 0;
  word = 0;
  wordBefore = 0;
  lineStart = 0;
  lineBefore = 0;
  expected = 0;
  matchLength = 0;
  matchAt = 0;
  memory.fill(places, 0, 4 << PLACE_BITS);
  memory.fill(followers1, 0, 512);
  memory.fill(followers2, 0, 131072);
  longestOrder = 0;
  for (let i: u32 = 0; i < contexts; i++) longestOrder = max(longestOrder, load<u32>(SPECS + i * SPEC_BYTES));
}

// @ts-ignore: decorator
@inline
function valueOf(kind: u32): u32 {
  if (kind == 0) return word;
  if (kind == 1) return wordBefore;
  if (kind == 2) return <u32>load<u16>(followers1 + (last & 255) * 2) | ((last & 255) << 16);
  if (kind == 3) return <u32>load<u16>(followers2 + (last & 65535) * 2) | ((last & 255) << 16);
  const column = time - lineStart;
  if (kind == 5) return min(column, COLUMN_MAX);
  return lineBefore + column < lineStart ? <u32>load<u8>(data + lineBefore + column) : NEWLINE;
}

/** The hashes of all contexts of the next byte. */
export function hashContexts(): void {
  let h: u32 = 0;
  store<u32>(ORDERS, h);
  for (let o: u32 = 1; o <= longestOrder; o++) {
    h = into(h, back(o));
    store<u32>(ORDERS + o * 4, h);
  }
  for (let i: u32 = 0; i < contexts; i++) {
    const spec = SPECS + i * SPEC_BYTES;
    let k = load<u32>(ORDERS + load<u32>(spec) * 4) + i * 0x2c1b3c6d;
    const parts = load<u32>(spec, 4);
    if (parts != 0) {
      for (let kind: u32 = 0; kind < KINDS; kind++) if (parts & (1 << kind)) k = into(k, valueOf(kind));
    }
    for (let o: usize = 8; o < 24; o += 4) {
      const far = load<u32>(spec + o);
      if (far == 0) break;
      k = into(k, back(far));
    }
    store<u32>(HASHES + i * 4, finish(k));
  }
}

/** The line with this check, else the emptiest of its bucket, which is emptied for it. */
// @ts-ignore: decorator
@inline
function lineOf(bucket: usize, check: u32): usize {
  if (load<u8>(bucket) == check) return bucket;
  if (load<u8>(bucket, 16) == check) return bucket + 16;
  if (load<u8>(bucket, 32) == check) return bucket + 32;
  if (load<u8>(bucket, 48) == check) return bucket + 48;
  let line = bucket;
  let least: u32 = load<u8>(total + load<u8>(bucket, 1));
  for (let at = bucket + 16; at < bucket + 64; at += 16) {
    const n: u32 = load<u8>(total + load<u8>(at, 1));
    if (n < least) {
      least = n;
      line = at;
    }
  }
  v128.store(line, i32x4.splat(0));
  store<u8>(line, check);
  return line;
}

/** Finds the lines of one nibble. @param half 0, or the byte's high half + 1 */
export function findLines(half: u32): u32 {
  let seen: u32 = 0;
  // All of them are asked for before any is looked at, so that the caches' misses overlap.
  for (let i: u32 = 0; i < contexts; i++) {
    const at = HASHES + i * 4;
    const h = half == 0 ? load<u32>(at) : finish(load<u32>(at) + half * 0x9e3779b1);
    const bucket = lines + (((<usize>i << lineBits) + ((h >> 8) & ((1 << lineBits) - 4))) << 4);
    seen += load<u8>(bucket);
  }
  for (let i: u32 = 0; i < contexts; i++) {
    const at = HASHES + i * 4;
    const h = half == 0 ? load<u32>(at) : finish(load<u32>(at) + half * 0x9e3779b1);
    const bucket = lines + (((<usize>i << lineBits) + ((h >> 8) & ((1 << lineBits) - 4))) << 4);
    store<u32>(LINES_AT + i * 4, lineOf(bucket, max<u32>(1, h & 255)));
  }
  return seen;
}

/** Whether and where the last bytes have been before, and what came then. */
function followMatch(y: u32): void {
  if (matchLength > 0 && expected == y + 1) {
    matchLength = min(matchLength + 1, MATCH_LENGTH_LIMIT);
    matchAt++;
  } else {
    matchLength = 0;
  }
  expected = 0;
  if (time < MATCH_MIN) return;
  let k: u32 = 0;
  for (let o: u32 = 1; o <= MATCH_MIN; o++) k = into(k, back(o));
  const place = places + (finish(k) >> (32 - PLACE_BITS)) * 4;
  if (matchLength == 0) {
    matchAt = load<u32>(place);
    if (matchAt > 0) {
      const room = min(matchAt, VERIFY_MAX);
      while (matchLength < room && load<u8>(data + matchAt - 1 - matchLength) == back(matchLength + 1)) matchLength++;
      if (matchLength < MATCH_MIN) matchLength = 0;
    }
  }
  store<u32>(place, time);
  if (matchLength > 0) expected = 1 + load<u8>(data + matchAt);
}

function followWord(y: u32): void {
  const upper = y >= 65 && y <= 90;
  if (upper || (y >= 97 && y <= 122) || y >= 128) {
    word = into(word, upper ? y + 32 : y);
    return;
  }
  if (word != 0) wordBefore = word;
  word = 0;
}

/** A byte is known: all that contexts are made of moves on. It lies in the data already. */
export function follow(y: u32): void {
  const one = followers1 + (last & 255) * 2;
  store<u16>(one, (<u32>load<u16>(one) << 8) | y);
  const two = followers2 + (last & 65535) * 2;
  store<u16>(two, (<u32>load<u16>(two) << 8) | y);
  last = (last << 8) | y;
  time++;
  if (y == NEWLINE) {
    lineBefore = lineStart;
    lineStart = time;
  }
  followWord(y);
  followMatch(y);
}

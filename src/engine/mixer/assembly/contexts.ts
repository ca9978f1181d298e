/** What the last bytes are to the contexts: hashes, the lines and runs that these lead to, and the match. */
import { beginCode, codeValue, followCode, isBinary, keepCode, recallCode } from "./code";
import { foresee, foreseenContext, isForeseen, tellForesight } from "./foresight";
import { beginNumbers, guessSample, keepNumbers, numberValue, recallNumbers } from "./numbers";
import { back, beginPast, finish, into, keepPast, pass, recallPast, time } from "./past";
import { followRuns } from "./runs";
import {
  BINARY_SPECS,
  CHECKS,
  contexts,
  countedBytes,
  counters,
  data,
  HASHES,
  KEPT,
  LINES_AT,
  lineBits,
  lines,
  NEXT,
  ORDERS,
  PLACE_BITS,
  PLACES,
  runs,
  SPEC_BYTES,
  SPECS,
  TOTAL,
} from "./state";
import { beginLine, isTallied } from "./tallies";
import { beginText, followText, keepText, recallText, textValue } from "./text";

/** Of the values that a context may have as parts: PARTS in src/contract/mixer.ts. */
const KIND_EXPECTED: u32 = 10;
const KIND_X86: u32 = 24;

export const MATCH_MIN: u32 = 5;
/** Bytes whose agreement is counted when a match starts. */
const VERIFY_MAX: u32 = 64;
const MATCH_LENGTH_LIMIT: u32 = 65535;

/** The byte that the match expects + 1, or 0, and how many bytes have agreed. */
export let expected: u32 = 0;
export let matchLength: u32 = 0;
let matchAt: u32 = 0;
let longestOrder: u32 = 0;

/** Begins a block: what was seen of the bytes before is forgotten, what was learnt from them stays. */
export function beginContexts(): void {
  beginPast();
  beginText();
  beginNumbers();
  beginCode();
  expected = 0;
  matchLength = 0;
  matchAt = 0;
  memory.fill(PLACES, 0, 4 << PLACE_BITS);
}

/** Looks at the contexts' records, which may be others than before. */
export function measureOrders(): void {
  longestOrder = 0;
  for (let i: u32 = 0; i < contexts; i++) longestOrder = max(longestOrder, load<u32>(SPECS + i * SPEC_BYTES));
}

/** Lays what is known of the bytes so far into the memory, of which a copy is made then. */
export function keep(): void {
  keepPast();
  keepText();
  keepNumbers();
  keepCode();
  store<u32>(KEPT, expected, 44);
  store<u32>(KEPT, matchLength, 48);
  store<u32>(KEPT, matchAt, 52);
}

/** Takes it from there, when the copy has been laid back. */
export function recall(): void {
  recallPast();
  recallText();
  recallNumbers();
  recallCode();
  expected = load<u32>(KEPT, 44);
  matchLength = load<u32>(KEPT, 48);
  matchAt = load<u32>(KEPT, 52);
}

/** What the match expects, and how surely. */
// @ts-ignore: decorator
@inline
function expectedValue(): u32 {
  if (expected == 0) return 0;
  return (expected << 3) | (matchLength < 16 ? matchLength >> 2 : matchLength < 32 ? 4 : 5);
}

// @ts-ignore: decorator
@inline
export function valueOf(kind: u32): u32 {
  if (kind < KIND_EXPECTED) return textValue(kind);
  if (kind == KIND_EXPECTED) return expectedValue();
  return kind < KIND_X86 ? numberValue(kind) : codeValue(kind);
}

/** The hashes of all contexts of the next byte. */
export function hashContexts(): void {
  if (isForeseen) {
    foresee();
    for (let i: u32 = 0; i < contexts; i++) {
      store<u32>(HASHES + i * 4, finish(foreseenContext(i) + i * 0x2c1b3c6d));
    }
    return;
  }
  guessSample();
  let h: u32 = 0;
  store<u32>(ORDERS, h);
  for (let o: u32 = 1; o <= longestOrder; o++) {
    h = into(h, back(o));
    store<u32>(ORDERS + o * 4, h);
  }
  const specs = isBinary() ? BINARY_SPECS : SPECS;
  for (let i: u32 = 0; i < contexts; i++) {
    const spec = specs + i * SPEC_BYTES;
    let k = load<u32>(ORDERS + load<u32>(spec) * 4) + i * 0x2c1b3c6d;
    for (let parts = load<u32>(spec, 4); parts != 0; parts &= parts - 1) k = into(k, valueOf(ctz(parts)));
    for (let o: usize = 8; o < 24; o += 4) {
      const far = load<u32>(spec + o);
      if (far == 0) break;
      k = into(k, back(far));
    }
    store<u32>(HASHES + i * 4, finish(k));
  }
}

/** The line with this check, or 0. */
// @ts-ignore: decorator
@inline
export function sameLine(bucket: usize, check: u32): usize {
  const low: u32 = <u32>load<u8>(bucket) | (<u32>load<u8>(bucket, 16) << 8);
  const checks = low | (<u32>load<u8>(bucket, 32) << 16) | (<u32>load<u8>(bucket, 48) << 24);
  const differences = checks ^ (check * 0x01010101);
  // Of the bytes that are zero, the lowest has its highest bit set here, and none below it has.
  const same = (differences - 0x01010101) & ~differences & 0x80808080;
  return same != 0 ? bucket + ((ctz(same) & 24) << 1) : 0;
}

/** The emptiest of a bucket is emptied, as is its run, and begins with what its context's tally says, if it has one. */
function newLine(bucket: usize, check: u32, i: u32, half: u32): usize {
  const line = emptiest(bucket);
  v128.store(line, i32x4.splat(0));
  store<u8>(line, check);
  forgetBeside(line);
  if (isTallied) beginLine(line, i, load<u32>(HASHES + i * 4), half);
  return line;
}

/** A line's run and counters are those of another context now: nothing. */
// @ts-ignore: decorator
@inline
export function forgetBeside(line: usize): void {
  const offset = line - lines;
  store<u16>(runs + (offset >> 3), 0);
  if (offset < countedBytes) memory.fill(counters + (offset << 2), 0, 64);
}

/** Of a bucket's lines, that which has seen least; of equals the first. Without a branch: nobody foresees which. */
// @ts-ignore: decorator
@inline
export function emptiest(bucket: usize): usize {
  const first = seenBy(bucket, 0);
  const second = seenBy(bucket, 16);
  const third = seenBy(bucket, 32);
  const fourth = seenBy(bucket, 48);
  return bucket + (min(min(first, second), min(third, fourth)) & 63);
}

/** How much a line has seen, above its place in the bucket. */
// @ts-ignore: decorator
@inline
function seenBy(bucket: usize, offset: u32): u32 {
  return ((<u32>load<u8>(TOTAL + <usize>load<u8>(bucket + offset, 1))) << 6) | offset;
}

/** Finds the lines of one nibble. @param half 0, or the byte's high half + 1 */
export function findLines(half: u32): u32 {
  let seen: u32 = 0;
  const mask: u32 = (1 << lineBits) - 4;
  const step = half * 0x9e3779b1;
  // All of them are asked for before any is looked at, so that the caches' misses overlap.
  for (let i: u32 = 0; i < contexts; i++) {
    const hash = load<u32>(HASHES + i * 4);
    const h = half == 0 ? hash : finish(hash + step);
    const number = (i << lineBits) + ((h >> 8) & mask);
    const bucket = lines + (<usize>number << 4);
    seen += load<u8>(bucket);
    if (half == 0) seen += load<u8>(runs + (<usize>number << 1));
    store<u32>(LINES_AT + i * 4, bucket);
    store<u8>(CHECKS + i, max<u32>(1, h & 255));
  }
  for (let i: u32 = 0; i < contexts; i++) {
    const bucket: usize = load<u32>(LINES_AT + i * 4);
    const check: u32 = load<u8>(CHECKS + i);
    const line = sameLine(bucket, check);
    store<u32>(LINES_AT + i * 4, line != 0 ? line : newLine(bucket, check, i, half));
  }
  return seen;
}

/** A bit's history learns it. */
// @ts-ignore: decorator
@inline
export function learnState(at: usize, bit: u32): void {
  store<u8>(at, load<u8>(NEXT + <u32>load<u8>(at) * 2 + bit));
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
  const place = PLACES + (finish(k) >> (32 - PLACE_BITS)) * 4;
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

/** A byte is known: all that contexts are made of moves on. It lies in the data already. */
export function follow(y: u32): void {
  followRuns(y);
  followPast(y);
  if (isForeseen) tellForesight(y);
}

/** The same without runs. */
export function followPast(y: u32): void {
  pass(y);
  followText(y);
  followCode(y);
  followMatch(y);
}

/**
 * Bytes that go by without being predicted. Nothing that contexts are made of depends on lines, and each context has
 * lines of its own: so the hashes of many bytes come first, and then context after context takes them all, whose lines
 * fit into a core's cache where those of all contexts do not.
 */
import { finishFour, hashColumns } from "./columns";
import { emptiest, followPast, forgetBeside, hashContexts, learnState, sameLine } from "./contexts";
import { guessSample } from "./numbers";
import { time } from "./past";
import { followRun } from "./runs";
import { beginLine, isTallied } from "./tallies";
import { coded, contexts, data, HASHES, LESSONS, lineBits, lines, refine, runs } from "./state";

/** What a context learns or leaves out as a whole. */
const LESSON_BYTES: u32 = 1024;

/**
 * The next `count` bytes, at most 2^15, of which contexts learn what LESSONS says. Their hashes lie in the rows of
 * `refine`, none of which may be made: they take four bytes for each context, of which there are at most 28.
 */
export function replay(count: u32): u32 {
  const from = data + time;
  const rowBytes = <usize>((count + 3) & ~3) << 2;
  let seen = hashColumns(count, refine, rowBytes);
  makeNewLines();
  for (let i: u32 = 0; i < contexts; i++) {
    const hashes = refine + <usize>i * rowBytes;
    let lessons = load<u32>(LESSONS + i * 4);
    for (let done: u32 = 0; done < count; done += LESSON_BYTES) {
      const some = min(LESSON_BYTES, count - done);
      if (lessons & 1) seen += replayContext(i, hashes + (<usize>done << 2), from + done, some);
      lessons >>= 1;
    }
  }
  return seen;
}

/** The same between bytes that are coded: byte by byte, as rows of `refine` are made by then. */
export function rehearse(count: u32): u32 {
  makeNewLines();
  const four = i32x4.shl(i32x4(0, 1, 2, 3), <i32>lineBits + 4);
  let seen: u32 = 0;
  for (const until = time + count; time < until; ) {
    const byte: u32 = load<u8>(data + time);
    hashContexts();
    const bytes = i32x4.splat(byte);
    for (let i: u32 = 0; i < contexts; i += 4) {
      findBuckets(i, i32x4.add(firstOf(i), four), v128.load(HASHES + i * 4), bytes);
    }
    seen += lookAhead(contexts);
    for (let i: u32 = 0; i < contexts; i++) replayByte(i, i, load<u32>(HASHES + i * 4), byte);
    followPast(byte);
  }
  return seen;
}

/** The next `count` bytes go by without lines and runs. */
export function skim(count: u32): void {
  for (const until = time + count; time < until; ) {
    guessSample();
    followPast(load<u8>(data + time));
  }
}

/** Bytes whose lines are asked for before any is looked at, so that the caches' misses overlap; a multiple of four. */
const BATCH: u32 = 64;
/** Of a batch (u32), where coded bytes lie otherwise: the buckets of both halves of each byte, and their checks. */
const HIGH_BUCKETS: usize = 256;
const LOW_BUCKETS: usize = HIGH_BUCKETS + BATCH * 4;
const HIGH_CHECKS: usize = LOW_BUCKETS + BATCH * 4;
const LOW_CHECKS: usize = HIGH_CHECKS + BATCH * 4;

/** A context's lines learn bytes. @returns nothing that means anything, of what was read ahead */
function replayContext(i: u32, hashes: usize, from: usize, count: u32): u32 {
  const first = firstOf(i);
  let seen: u32 = 0;
  for (let done: u32 = 0; done < count; done += BATCH) {
    const some = min(BATCH, count - done);
    const at = hashes + (<usize>done << 2);
    for (let t: u32 = 0; t < some; t += 4) {
      const bytes = i16x8.extend_low_i8x16_u(v128.load32_zero(from + done + t));
      findBuckets(t, first, v128.load(at + (<usize>t << 2)), i32x4.extend_low_i16x8_u(bytes));
    }
    seen += lookAhead(some);
    for (let t: u32 = 0; t < some; t++) replayByte(t, i, load<u32>(at + (<usize>t << 2)), load<u8>(from + done + t));
  }
  return seen;
}

/** Where a context's lines begin, four times. */
// @ts-ignore: decorator
@inline
function firstOf(i: u32): v128 {
  return i32x4.splat(<i32>(lines + ((<usize>i << lineBits) << 4)));
}

/** Where four bytes' lines are looked for, of numbers t to t + 3 in the batch. @param first lines of the contexts */
// @ts-ignore: decorator
@inline
function findBuckets(t: u32, first: v128, hash: v128, bytes: v128): void {
  const mask = i32x4.splat((1 << lineBits) - 4);
  const one = i32x4.splat(1);
  const low = i32x4.splat(255);
  const high = i32x4.add(i32x4.shr_u(bytes, 4), one);
  const lowHash = finishFour(i32x4.add(hash, i32x4.mul(high, i32x4.splat(0x9e3779b1))));
  const at = coded + (<usize>t << 2);
  const bucket = i32x4.shl(v128.and(i32x4.shr_u(hash, 8), mask), 4);
  const lowBucket = i32x4.shl(v128.and(i32x4.shr_u(lowHash, 8), mask), 4);
  v128.store(at, i32x4.add(first, bucket), HIGH_BUCKETS);
  v128.store(at, i32x4.add(first, lowBucket), LOW_BUCKETS);
  v128.store(at, i32x4.max_u(one, v128.and(hash, low)), HIGH_CHECKS);
  v128.store(at, i32x4.max_u(one, v128.and(lowHash, low)), LOW_CHECKS);
}

/** Asks for the lines and runs of a batch. */
// @ts-ignore: decorator
@inline
function lookAhead(count: u32): u32 {
  let seen: u32 = 0;
  for (let t: u32 = 0; t < count; t++) {
    const at = coded + (<usize>t << 2);
    const bucket: usize = load<u32>(at, HIGH_BUCKETS);
    seen += load<u8>(bucket);
    seen += load<u8>(load<u32>(at, LOW_BUCKETS));
    seen += load<u8>(runs + ((bucket - lines) >> 3));
  }
  return seen;
}

/** The lines and the run of number t in the batch learn a byte. */
// @ts-ignore: decorator
@inline
function replayByte(t: u32, i: u32, hash: u32, byte: u32): void {
  const at = coded + (<usize>t << 2);
  const high = byte >> 4;
  const line = replayNibble(load<u32>(at, HIGH_BUCKETS), load<u32>(at, HIGH_CHECKS), high, i, hash, 0);
  replayNibble(load<u32>(at, LOW_BUCKETS), load<u32>(at, LOW_CHECKS), byte & 15, i, hash, high + 1);
  followRun(runs + ((line - lines) >> 3), byte);
}

/** For each nibble, what a new line is that has learnt it, without its check: where coded bytes lie otherwise. */
function makeNewLines(): void {
  memory.fill(coded, 0, 256);
  for (let nibble: u32 = 0; nibble < 16; nibble++) learnNibble(coded + (<usize>nibble << 4), nibble);
}

/** The line with this check, or a new one, learns a nibble. */
// @ts-ignore: decorator
@inline
function replayNibble(bucket: usize, check: u32, nibble: u32, i: u32, hash: u32, half: u32): usize {
  let line = sameLine(bucket, check);
  if (line != 0) {
    learnNibble(line, nibble);
    return line;
  }
  line = emptiest(bucket);
  forgetBeside(line);
  if (isTallied) {
    v128.store(line, i32x4.splat(0));
    beginLine(line, i, hash, half);
    learnNibble(line, nibble);
  } else v128.store(line, v128.load(coded + (<usize>nibble << 4)));
  store<u8>(line, check);
  return line;
}

/** The histories of a nibble's line learn its four bits. */
// @ts-ignore: decorator
@inline
function learnNibble(line: usize, nibble: u32): void {
  const n1 = 2 + (nibble >> 3);
  const n2 = 4 + (nibble >> 2);
  const n3 = 8 + (nibble >> 1);
  learnState(line + 1, nibble >> 3);
  learnState(line + n1, (nibble >> 2) & 1);
  learnState(line + n2, (nibble >> 1) & 1);
  learnState(line + n3, nibble & 1);
}

/**
 * Bytes that go by without being predicted. Nothing that contexts are made of depends on lines, and each context has
 * lines of its own: so the hashes of many bytes come first, and then context after context takes them all, whose lines
 * fit into a core's cache where those of all contexts do not.
 */
import { emptiest, followPast, forgetBeside, hashContexts, learnState, sameLine } from "./contexts";
import { guessSample } from "./numbers";
import { finish, time } from "./past";
import { followRun } from "./runs";
import { beginLine, isTallied } from "./tallies";
import { coded, contexts, data, HASHES, lineBits, lines, refine, runs } from "./state";

/**
 * The next `count` bytes, at most 2^15. Their hashes lie in the rows of `refine`, none of which may be made: they take
 * four bytes for each context, of which there are at most 32.
 */
export function replay(count: u32): void {
  const from = data + time;
  for (let t: u32 = 0; t < count; t++) {
    hashContexts();
    for (let i: u32 = 0; i < contexts; i++) {
      store<u32>(refine + ((<usize>(i * count + t)) << 2), load<u32>(HASHES + i * 4));
    }
    followPast(load<u8>(from + t));
  }
  makeNewLines();
  for (let i: u32 = 0; i < contexts; i++) replayContext(i, refine + ((<usize>(i * count)) << 2), from, count);
}

/** The same between bytes that are coded: byte by byte, as rows of `refine` are made by then. */
export function rehearse(count: u32): void {
  makeNewLines();
  for (const until = time + count; time < until; ) {
    const from = data + time;
    hashContexts();
    for (let i: u32 = 0; i < contexts; i++) replayContext(i, HASHES + i * 4, from, 1);
    followPast(load<u8>(from));
  }
}

/** The next `count` bytes go by without lines and runs. */
export function skim(count: u32): void {
  for (const until = time + count; time < until; ) {
    guessSample();
    followPast(load<u8>(data + time));
  }
}

function replayContext(i: u32, hashes: usize, from: usize, count: u32): void {
  const mask: u32 = (1 << lineBits) - 4;
  const first = lines + ((<usize>i << lineBits) << 4);
  for (let t: u32 = 0; t < count; t++) {
    const hash = load<u32>(hashes + (<usize>t << 2));
    const byte: u32 = load<u8>(from + t);
    const high = byte >> 4;
    const bucket = first + (<usize>((hash >> 8) & mask) << 4);
    const line = replayNibble(bucket, max<u32>(1, hash & 255), high, i, hash, 0);
    const h = finish(hash + (high + 1) * 0x9e3779b1);
    const lowBucket = first + (<usize>((h >> 8) & mask) << 4);
    replayNibble(lowBucket, max<u32>(1, h & 255), byte & 15, i, hash, high + 1);
    followRun(runs + ((line - lines) >> 3), byte);
  }
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

/**
 * What lines begin with behind a prior: the states that its tally of their context gives, which says how often which
 * bytes followed. src/contract/tally.ts lays tallies out; they lie before the block's bytes.
 */
import { contexts, data, moveData, tallyStates } from "./state";

/** Behind the states of levels: the levels of numbers below 2^7, and what four bits of a count stand for. */
const LEVELS_AT: usize = 256;
const LEVEL_BITS: u32 = 7;
const COUNTS_AT: usize = LEVELS_AT + 128;
/** Sums below the nodes of a half (u32), the leaves last. */
const SUMS_AT: usize = 512;
const SUM_BYTES: usize = 32 * 4;

/** Whether there are any. */
export let isTallied: bool = false;
/** For each context (u32): its buckets' digits + 1, or 0 if it has no tallies, and its first bucket. */
let digits: usize = 0;
let firsts: usize = 0;
/** For each bucket, and one more (u32): its first tally, and the first byte of that. */
let tallies: usize = 0;
let followers: usize = 0;
/** Parts of the tallies, as they came. */
let sizes: usize = 0;
let marks: usize = 0;
let bytes: usize = 0;
let counts: usize = 0;

/**
 * Looks through tallies, which are sound and lie where the block's bytes would begin.
 *
 * @param size of them
 * @param room that they take with what is made of them here
 * @returns where the block's bytes will begin
 */
export function takeTallies(size: u32, room: u32): usize {
  const at = data;
  moveData(at + room);
  digits = (at + size + 63) & ~63;
  firsts = digits + 256;
  tallies = firsts + 256;
  let buckets: u32 = 0;
  let all: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    const count = load<u32>(at + (<usize>i << 2));
    const own: u32 = count == 0 ? 0 : 1 + max<u32>(count > 1 ? 32 - clz(count - 1) : 0, 2) - 2;
    store<u32>(digits + (<usize>i << 2), own);
    store<u32>(firsts + (<usize>i << 2), buckets);
    if (own > 0) buckets += 1 << (own - 1);
    all += count;
  }
  followers = tallies + ((<usize>buckets + 1) << 2);
  sizes = at + (<usize>contexts << 2) + buckets;
  marks = sizes + all;
  bytes = marks + (<usize>all << 1);
  let tally: u32 = 0;
  let follower: u32 = 0;
  for (let bucket: u32 = 0; bucket <= buckets; bucket++) {
    store<u32>(tallies + (<usize>bucket << 2), tally);
    store<u32>(followers + (<usize>bucket << 2), follower);
    if (bucket == buckets) break;
    for (let left: u32 = load<u8>(at + (<usize>contexts << 2) + bucket); left > 0; left--) {
      follower += 1 + <u32>load<u8>(sizes + tally);
      tally++;
    }
  }
  counts = bytes + follower;
  isTallied = true;
  return data;
}

/**
 * Gives a line that has just been begun what its context's tally says.
 *
 * @param i the context, with its hash
 * @param half 0, or the byte's high half + 1
 */
export function beginLine(line: usize, i: u32, hash: u32, half: u32): void {
  const own = load<u32>(digits + (<usize>i << 2));
  if (own == 0) return;
  const bits = own - 1;
  const bucket = <usize>(load<u32>(firsts + (<usize>i << 2)) + (bits == 0 ? 0 : hash >> (32 - bits)));
  const last = load<u32>(tallies + (bucket << 2), 4);
  let follower = load<u32>(followers + (bucket << 2));
  const mark = (hash << bits) >> 16;
  for (let tally = load<u32>(tallies + (bucket << 2)); tally < last; tally++) {
    const size = 1 + <u32>load<u8>(sizes + tally);
    if (<u32>load<u16>(marks + (<usize>tally << 1)) == mark) return fill(line, half, follower, follower + size);
    follower += size;
  }
}

/** The states of a half, of these bytes. */
function fill(line: usize, half: u32, from: u32, to: u32): void {
  const sums = tallyStates + SUMS_AT;
  memory.fill(sums, 0, SUM_BYTES);
  for (let f = from; f < to; f++) {
    const byte: u32 = load<u8>(bytes + f);
    const high = byte >> 4;
    if (half != 0 && high + 1 != half) continue;
    const leaf = sums + ((16 + (half == 0 ? high : byte & 15)) << 2);
    const count = (<u32>load<u8>(counts + (f >> 1)) >> ((f & 1) << 2)) & 15;
    store<u32>(leaf, load<u32>(leaf) + load<u8>(tallyStates + COUNTS_AT + count));
  }
  for (let node: usize = 15; node >= 1; node--) {
    const zeros = load<u32>(sums + (node << 3));
    const ones = load<u32>(sums + (node << 3), 4);
    store<u32>(sums + (node << 2), zeros + ones);
    if ((zeros | ones) != 0) store<u8>(line + node, stateOf(zeros, ones));
  }
}

/** The state that stands for so many zeros and ones. */
// @ts-ignore: decorator
@inline
function stateOf(zeros: u32, ones: u32): u32 {
  const most = max(zeros, ones);
  const shift = most >> LEVEL_BITS == 0 ? 0 : 32 - LEVEL_BITS - clz(most);
  const levels = tallyStates + LEVELS_AT;
  return load<u8>(tallyStates + (<u32>load<u8>(levels + (zeros >> shift)) << 4) + load<u8>(levels + (ones >> shift)));
}

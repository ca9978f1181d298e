/**
 * The tallies of a prior (src/contract/tally.ts) as lanes on the device look them up. A prior says which bytes followed
 * a context; the device is given what lines begin with, states made of that once for all lanes, as a line is asked for
 * in the middle of a byte that all of a workgroup wait for.
 */
import {
  bucketBitsOf,
  LEVELS_AT,
  TALLY_BITS,
  TALLY_COUNTS,
  TALLY_LEVELS,
  tallyCounts,
  tallyLayout,
  tallyStates,
} from "../../contract/tally.ts";
import { TALLY_HEAD_WORDS, TALLY_HEADS, TALLY_RECORD_WORDS } from "./mixer-layout.ts";

type Words = Uint32Array<ArrayBuffer>;

/** A line: its check, of which tallies say nothing, and 15 states. */
const LINE_WORDS = 4;

/** Tallies as a prior's file has them, taken apart. */
class Parts {
  readonly perContext: readonly number[];
  /** Of each bucket, how many tallies it has; of each tally, the bytes that it has, less 1. */
  readonly buckets: Uint8Array;
  readonly sizes: Uint8Array;
  readonly #marks: DataView;
  readonly #followers: Uint8Array;
  readonly #counts: Uint8Array;

  /** @param tallies sound ones */
  constructor(tallies: Uint8Array, contexts: number) {
    this.perContext = tallyCounts(tallies, contexts);
    const { bucketsAt, sizesAt, marksAt, followersAt } = tallyLayout(this.perContext, 0);
    this.buckets = tallies.subarray(bucketsAt, sizesAt);
    this.sizes = tallies.subarray(sizesAt, marksAt);
    this.#marks = new DataView(tallies.buffer, tallies.byteOffset + marksAt, followersAt - marksAt);
    const followers = this.sizes.reduce((sum, size) => sum + size + 1, 0);
    this.#followers = tallies.subarray(followersAt, followersAt + followers);
    this.#counts = tallies.subarray(followersAt + followers);
  }

  markOf(tally: number): number {
    return this.#marks.getUint16(2 * tally, true);
  }

  byteOf(follower: number): number {
    return this.#followers[follower] as number;
  }

  countOf(follower: number): number {
    return TALLY_COUNTS[((this.#counts[follower >> 1] as number) >> (4 * (follower & 1))) & 15] as number;
  }

  /** Of each tally, a bit for each high half that its bytes have. */
  highHalves(): Uint16Array {
    let follower = 0;
    return Uint16Array.from(this.sizes, (size) => {
      let bits = 0;
      for (const end = follower + size + 1; follower < end; follower++) bits |= 1 << (this.byteOf(follower) >> 4);
      return bits;
    });
  }
}

function onesOf(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

/** Makes states of the nodes of a half. */
class HalfStates {
  readonly #states = tallyStates();
  /** By node, the leaves last. */
  readonly #sums = new Uint32Array(32);

  /**
   * @param counts of the half's 16 values, from this place on; they are zeroed
   * @param line 16 bytes, zeros, from here on get the states of the nodes; the first stays
   */
  take(counts: Uint32Array, from: number, bytes: Uint8Array, line: number): void {
    const sums = this.#sums;
    for (let i = 0; i < 16; i++) {
      sums[16 + i] = counts[from + i] as number;
      counts[from + i] = 0;
    }
    for (let node = 15; node >= 1; node--) {
      const zeros = sums[2 * node] as number;
      const ones = sums[2 * node + 1] as number;
      sums[node] = zeros + ones;
      if (zeros + ones > 0) bytes[line + node] = this.#stateOf(zeros, ones);
    }
  }

  #stateOf(zeros: number, ones: number): number {
    const shift = Math.max(0, 32 - Math.clz32(Math.max(zeros, ones)) - TALLY_BITS);
    const level = this.#states[LEVELS_AT + (zeros >> shift)] as number;
    return this.#states[TALLY_LEVELS.length * level + (this.#states[LEVELS_AT + (ones >> shift)] as number)] as number;
  }
}

/**
 * Words that lie at TALLY_HEADS of the tables. Places are words of the tables:
 *
 *   heads, for MIXER_CONTEXTS_MAX contexts: digits of its bucket + 1, or 0 if it has no tallies; its first bucket
 *   buckets, and one more: the first record
 *   records: the mark, above it a bit for each high half that follows; the line of the high half, behind which those
 *     of these low halves lie
 *   lines: a byte for the check, then 15 states
 */
export function tallyWords(tallies: Uint8Array, contexts: number): Words {
  const parts = new Parts(tallies, contexts);
  const highHalves = parts.highHalves();
  const lines = highHalves.reduce((sum, bits) => sum + 1 + onesOf(bits), 0);
  const bucketsAt = TALLY_HEAD_WORDS;
  const recordsAt = bucketsAt + parts.buckets.length + 1;
  const linesAt = recordsAt + TALLY_RECORD_WORDS * parts.sizes.length;
  const words = new Uint32Array(linesAt + LINE_WORDS * lines);
  layHeads(words, parts.perContext, bucketsAt);
  let record = recordsAt;
  for (let bucket = 0; bucket <= parts.buckets.length; bucket++) {
    words[bucketsAt + bucket] = TALLY_HEADS + record;
    record += TALLY_RECORD_WORDS * (parts.buckets[bucket] ?? 0);
  }
  layLines(words, recordsAt, linesAt, parts, highHalves);
  return words;
}

function layHeads(words: Words, perContext: readonly number[], bucketsAt: number): void {
  let bucket = bucketsAt;
  for (const [context, count] of perContext.entries()) {
    if (count === 0) continue;
    const bits = bucketBitsOf(count);
    words[2 * context] = bits + 1;
    words[2 * context + 1] = TALLY_HEADS + bucket;
    bucket += 2 ** bits;
  }
}

function layLines(words: Words, recordsAt: number, linesAt: number, parts: Parts, highHalves: Uint16Array): void {
  const bytes = new Uint8Array(words.buffer);
  const states = new HalfStates();
  // Counts of high halves; and of low ones, for each high half.
  const [high, low] = [new Uint32Array(16), new Uint32Array(256)];
  let [line, follower] = [linesAt, 0];
  for (let tally = 0; tally < parts.sizes.length; tally++) {
    const bits = highHalves[tally] as number;
    const record = recordsAt + TALLY_RECORD_WORDS * tally;
    words[record] = parts.markOf(tally) | (bits << 16);
    words[record + 1] = TALLY_HEADS + line;
    for (const end = follower + (parts.sizes[tally] as number) + 1; follower < end; follower++) {
      const byte = parts.byteOf(follower);
      const count = parts.countOf(follower);
      high[byte >> 4] = (high[byte >> 4] as number) + count;
      low[byte] = (low[byte] as number) + count;
    }
    states.take(high, 0, bytes, 4 * line);
    line += LINE_WORDS;
    for (let half = 0; half < 16; half++) {
      if (!((bits >> half) & 1)) continue;
      states.take(low, 16 * half, bytes, 4 * line);
      line += LINE_WORDS;
    }
  }
}

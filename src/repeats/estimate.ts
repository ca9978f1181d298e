/**
 * Estimates what the network will pay for each byte of a block, so that only those repeats are cut out that cost more
 * than a copy does. Length alone does not tell: in a log, a hundred repeated bytes are foreseen within a few bits; in a
 * genome, whose four letters say little each, thirty take longer to recognise than a copy takes to write.
 *
 * The estimate is a coarse cousin of the recall stream: for some context lengths a table of the byte that followed last
 * and how often in a row, and one match that is followed as long as it is right. The longest context that knows
 * something is asked first; how much it is trusted follows from how often such answers were right so far; where it
 * fails, the next shorter one is asked, and at last the frequencies behind the last byte. Integers only, so that every
 * machine cuts the same. The pass over the bytes is WebAssembly (assembly/estimate.ts).
 */
import type { SearchRoom } from "./kernels.ts";

/** Costs are in 32nds of a bit. */
export const COST_UNITS = 32;

/** Slots of a table, as a power of two; what is known of the last two bytes never needs more than 2^16. */
const TABLE_BITS_MIN = 12;
const TABLE_BITS_MAX = 20;
const SHORT_TABLE_BITS_MAX = 16;
/** Counts of pairs and their sums, trust, the table of costs: generously counted. */
const FIXED_TABLE_BYTES = 2 ** 17 + 2 ** 14;
/** Of the window, the estimate learns from so many bytes before the block. */
const LESSON_BYTES = 2 ** 22;
/** Sums are kept for one place in 8. */
const SUM_SHIFT = 3;

/** Three tables of 16-bit slots, a shorter one, and 32-bit places of matches. */
const tableBytes = (bits: number) => 10 * 2 ** bits + 2 * 2 ** Math.min(bits, SHORT_TABLE_BITS_MAX) + FIXED_TABLE_BYTES;

/** What the tables of an estimate take at most; sums take half a byte for each byte of the block. */
export const ESTIMATE_TABLES_BYTES = tableBytes(TABLE_BITS_MAX);

/** A table has a slot for each byte that is learned, within bounds. */
const bitsFor = (learnedBytes: number) =>
  Math.max(TABLE_BITS_MIN, Math.min(TABLE_BITS_MAX, 32 - Math.clz32(learnedBytes)));

const sumsFor = (blockBytes: number) => (blockBytes >>> SUM_SHIFT) + 1;

const firstLearned = (blockStart: number) => Math.max(0, blockStart - LESSON_BYTES);

/** What an estimate takes in a room: sums that stay, and tables that are needed until the end of the block. */
export function estimateBytes(
  byteCount: number,
  blockStart: number,
): { readonly sums: number; readonly tables: number } {
  return {
    sums: 4 * sumsFor(byteCount - blockStart),
    tables: tableBytes(bitsFor(byteCount - firstLearned(blockStart))),
  };
}

/** What stretches of a block will cost, by estimate. Places count from the start of the block. */
export class CostEstimate {
  readonly #room: SearchRoom;
  readonly #tables: number;
  /** The cost of all bytes before every eighth place, modulo 2^32. */
  readonly #sums: Uint32Array;

  /** @param room holds the window and behind it the block, which starts at `blockStart`: `byteCount` bytes */
  constructor(room: SearchRoom, byteCount: number, blockStart: number) {
    const first = firstLearned(blockStart);
    const bits = bitsFor(byteCount - first);
    this.#room = room;
    this.#sums = room.words(sumsFor(byteCount - blockStart));
    this.#tables = room.take(tableBytes(bits));
    room.kernels.startEstimate(0, byteCount, blockStart, first, bits, this.#tables, this.#sums.byteOffset);
  }

  /** Goes on for `count` bytes. @returns false at the end of the block, when its tables are given back */
  advance(count: number): boolean {
    if (this.#room.kernels.estimate(count) !== 0) return true;
    this.#room.giveBack(this.#tables);
    return false;
  }

  /** The cost of the bytes from `start` up to, but not including, `end`; both are behind what was advanced over. */
  cost(start: number, end: number): number {
    return (this.#before(end) - this.#before(start)) >>> 0;
  }

  #before(place: number): number {
    return this.#sums[place >>> SUM_SHIFT] as number;
  }
}

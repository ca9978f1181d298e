/**
 * Estimates what the network will pay for each byte of a block, so that only those repeats are cut out that cost more
 * than a copy does. Length alone does not tell: in a log, a hundred repeated bytes are foreseen within a few bits; in a
 * genome, whose four letters say little each, thirty take longer to recognise than a copy takes to write.
 *
 * The estimate is a coarse cousin of the recall stream: for some context lengths a table of the byte that followed last
 * and how often in a row, and one match that is followed as long as it is right. The longest context that knows
 * something is asked first; how much it is trusted follows from how often such answers were right so far; where it
 * fails, the next shorter one is asked, and at last the frequencies behind the last byte. Integers only, so that every
 * machine cuts the same. Lanes of a mixer know nothing of each other, so each is estimated by itself: a repeat of what
 * only another lane has seen costs what it cost there. The pass over the bytes is WebAssembly (assembly/estimate.ts).
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

/** What a lane learns, and in which order: bytes from `from` to before `to`. */
interface Passage {
  readonly from: number;
  readonly to: number;
  /** Whether they are another lane's than those before. */
  readonly isOther: boolean;
}

/**
 * So much of the window as there is a lesson for, and then the block; lanes have equal parts of both. Asked of a block
 * of which much will be cut out, so that a lane's part of the rest lies elsewhere than its part of the block before: it
 * has learned from the next lane's part, about.
 */
function passagesOf(byteCount: number, blockStart: number, lanes: number): Passage[] {
  const placeIn = (start: number, end: number, lane: number) => start + Math.floor(((end - start) * lane) / lanes);
  return Array.from({ length: lanes }, (_, lane) => {
    const other = (lane + 1) % lanes;
    const lessonEnd = placeIn(0, blockStart, other + 1);
    const lessonStart = Math.max(placeIn(0, blockStart, other), lessonEnd - Math.floor(LESSON_BYTES / lanes));
    return [
      { from: lessonStart, to: lessonEnd, isOther: lane > 0 },
      { from: placeIn(blockStart, byteCount, lane), to: placeIn(blockStart, byteCount, lane + 1), isOther: false },
    ];
  }).flat();
}

const learnedBytes = (byteCount: number, blockStart: number) =>
  byteCount - blockStart + Math.min(blockStart, LESSON_BYTES);

/** What an estimate takes in a room: sums that stay, and tables that are needed until the end of the block. */
export function estimateBytes(
  byteCount: number,
  blockStart: number,
): { readonly sums: number; readonly tables: number } {
  return {
    sums: 4 * sumsFor(byteCount - blockStart),
    tables: tableBytes(bitsFor(learnedBytes(byteCount, blockStart))),
  };
}

/** What stretches of a block will cost, by estimate. Places count from the start of the block. */
export class CostEstimate {
  readonly #room: SearchRoom;
  readonly #tables: number;
  /** The cost of all bytes before every eighth place, modulo 2^32. */
  readonly #sums: Uint32Array;
  /** What comes next. */
  readonly #passages: Passage[];

  /**
   * @param room holds the window and behind it the block, which starts at `blockStart`: `byteCount` bytes
   * @param lanes that share a block, and know nothing of each other
   */
  constructor(room: SearchRoom, byteCount: number, blockStart: number, lanes = 1) {
    const bits = bitsFor(learnedBytes(byteCount, blockStart));
    this.#room = room;
    this.#sums = room.words(sumsFor(byteCount - blockStart));
    this.#tables = room.take(tableBytes(bits));
    this.#passages = passagesOf(byteCount, blockStart, lanes);
    room.kernels.startEstimate(0, blockStart, bits, this.#tables, this.#sums.byteOffset);
    this.#nextPassage();
  }

  /** Goes on for `count` bytes. @returns false at the end of the block, when its tables are given back */
  advance(count: number): boolean {
    if (this.#room.kernels.estimate(count) !== 0 || this.#nextPassage()) return true;
    this.#room.giveBack(this.#tables);
    return false;
  }

  #nextPassage(): boolean {
    const passage = this.#passages.shift();
    if (!passage) return false;
    if (passage.isOther) this.#room.kernels.forget();
    this.#room.kernels.goTo(passage.from, passage.to);
    return true;
  }

  /** The cost of the bytes from `start` up to, but not including, `end`; both are behind what was advanced over. */
  cost(start: number, end: number): number {
    return (this.#before(end) - this.#before(start)) >>> 0;
  }

  #before(place: number): number {
    return this.#sums[place >>> SUM_SHIFT] as number;
  }
}

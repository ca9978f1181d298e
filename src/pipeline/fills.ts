/**
 * Takes long stretches of a repeated pattern out of a source: zeros, holes, any short pattern. They cost what reading
 * them costs, and neither the cutter nor the model ever sees them; a block is made of the bytes between them, so that
 * a few bytes scattered over a huge image make one block and not many. Holes of files are not even read.
 *
 * What is found depends on the bytes alone, and not on how they come, or on whether a file has holes: the source is
 * looked at in pieces whose lengths follow from what was found before, and a hole is skipped in just such pieces.
 */

import { FILL_LIST_BYTES_MAX, FILL_PATTERN_BYTES_MAX, type Fill } from "../archive/format.ts";
import { host } from "../platform/host.ts";
import { release } from "../platform/release.ts";
import { isMostlySteady, steadyDistances } from "./steady.ts";

/**
 * Stretches of fewer bytes are left to the model. A fill takes some eight bytes of the archive, and zeros just short of
 * this take level 1 sixteen (measured); but to the bytes behind a fill, what stood before it is not there.
 */
export const RUN_BYTES_MIN = 1 << 15;
/** A run of that length fills at least one window that begins at a multiple of this. */
const WINDOW_BYTES = RUN_BYTES_MIN / 2;
/**
 * Patterns that are longer stand in the list as they are, where the model would make next to nothing of a gradient or a
 * drawing: such runs are left to it and to copies, if they are not long, and all that comes with them is drawn, too.
 */
const DRAWN_PATTERN_BYTES_MIN = 64;
const DRAWN_RUN_BYTES_MAX = 2 ** 22;
const DRAWN_PERCENT = 90;
/** Bytes by which a repetition is looked for, and how many finds are tried. */
const NEEDLE_BYTES = 16;
const TRIES = 16;
/** What a fill's place and length take in a list, at most. */
const FILL_HEAD_BYTES_MAX = 20;
/** A pipe gives its block when so many bytes have come, however few of them are no fills. */
const PIPE_BYTES_MAX = 2 ** 30;

export interface PlainSource {
  /** Plain bytes that there are, if that is known. */
  readonly sizeBytes?: number;
  /** The next `count` bytes; fewer only at the end. The caller may keep them, but not change them. */
  read(count: number): Promise<Uint8Array>;
  /** Told when nobody looks at bytes any more that `read` gave: their memory may go, or be used again. */
  free?(bytes: Uint8Array): void;
  /** How many of the next bytes are known to be zeros; 0 if nothing is known. */
  zerosAhead?(): number;
  /** Goes on behind the next `count` bytes, no more than `zerosAhead` has told. */
  skip?(count: number): void;
}

/** A source of bytes that are in memory. @param isSizeKnown false: as if they came from a pipe */
export function sourceOf(plain: Uint8Array, isSizeKnown = true): PlainSource {
  let offset = 0;
  const read = async (count: number) => {
    offset += count;
    return plain.subarray(offset - count, offset);
  };
  return { ...(isSizeKnown && { sizeBytes: plain.length }), read };
}

/** The bytes of a block. */
export interface BlockBytes {
  /** Without what fills give. */
  readonly bytes: Uint8Array;
  readonly fills?: readonly Fill[];
  /** With what fills give. */
  readonly totalBytes: number;
  /** Whether the source has ended. */
  readonly isEnd: boolean;
}

export class FillReader {
  readonly #source: PlainSource;
  /** Bytes that were read to see how many there are. */
  #ahead: Uint8Array | undefined;
  readonly #own = new WeakSet<ArrayBufferLike>();

  /** @param ahead the source's first bytes: as many as the first call of `next` asks for, unless it has fewer */
  constructor(source: PlainSource, ahead: Uint8Array) {
    this.#source = source;
    this.#ahead = ahead;
  }

  /**
   * The next block.
   *
   * @param count so many bytes that are no fills; fewer at the end, and where the fills between them are many
   * @param leftBytes the source is said to have so many more, with fills
   */
  async next(count: number, leftBytes = Number.POSITIVE_INFINITY): Promise<BlockBytes> {
    const block = new Collector(Math.min(count, leftBytes));
    let taken = 0;
    let isEnd = false;
    const bytesMax = leftBytes === Number.POSITIVE_INFINITY ? PIPE_BYTES_MAX : leftBytes;
    while (!isEnd && !block.isFull && taken < bytesMax) {
      const wanted = Math.min(count - block.keptBytes, leftBytes - taken);
      const zeros = this.#skipZeros(wanted, block);
      taken += zeros;
      if (zeros > 0) continue;
      const piece = this.#ahead ?? (await this.#source.read(wanted));
      this.#ahead = undefined;
      taken += piece.length;
      isEnd = piece.length < wanted;
      if (block.add(piece)) this.#source.free?.(piece);
    }
    if (block.isOwn) this.#own.add(block.bytes.buffer);
    return { bytes: block.bytes, ...(block.fills.length > 0 && { fills: block.fills }), totalBytes: taken, isEnd };
  }

  /** Whether nobody else has the memory of a block: then it may go to another thread. */
  isGivenAway({ buffer }: Uint8Array): boolean {
    return this.#source.free !== undefined || this.#own.has(buffer);
  }

  /** Takes back the bytes of a block. */
  free(bytes: Uint8Array): void {
    if (this.#own.has(bytes.buffer)) release(bytes);
    else this.#source.free?.(bytes);
  }

  /** Holes, in pieces that would else be read, where a piece of zeros would be or become a fill. */
  #skipZeros(wanted: number, block: Collector): number {
    if (this.#ahead || !this.#source.zerosAhead || !this.#source.skip) return 0;
    if (!block.isInZeros && wanted < RUN_BYTES_MIN) return 0;
    const zeros = Math.floor(this.#source.zerosAhead() / wanted) * wanted;
    if (zeros > 0) this.#source.skip(zeros);
    block.addZeros(zeros);
    return zeros;
  }
}

/** A fill that may go on. */
interface OpenFill {
  readonly gapBytes: number;
  readonly pattern: Uint8Array;
  lengthBytes: number;
}

/** A block while its bytes come. */
class Collector {
  readonly #count: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #kept = 0;
  /** Where the last fill stands. */
  #gapStart = 0;
  readonly #fills: OpenFill[] = [];
  /** Whether the bytes so far end in the last fill. */
  #isOpen = false;
  #listBytes = 0;
  /** Whether its bytes are a copy. */
  isOwn = false;

  /** @param count bytes that it may keep */
  constructor(count: number) {
    this.#count = count;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#kept);
  }

  get fills(): readonly Fill[] {
    return this.#fills;
  }

  get keptBytes(): number {
    return this.#kept;
  }

  get isFull(): boolean {
    return this.#kept >= this.#count || !this.#hasRoom;
  }

  get isInZeros(): boolean {
    const { pattern } = (this.#isOpen && this.#fills.at(-1)) || { pattern: undefined };
    return pattern?.length === 1 && pattern[0] === 0;
  }

  get #hasRoom(): boolean {
    return this.#listBytes + FILL_HEAD_BYTES_MAX + FILL_PATTERN_BYTES_MAX <= FILL_LIST_BYTES_MAX;
  }

  addZeros(count: number): void {
    if (count === 0) return;
    if (this.isInZeros) (this.#fills.at(-1) as OpenFill).lengthBytes += count;
    else this.#open(new Uint8Array(1), count);
  }

  /** @returns whether `piece` is of no use any more */
  add(piece: Uint8Array): boolean {
    let from = this.#goOn(piece);
    for (let run = this.#nextRun(piece, from); run; run = this.#nextRun(piece, from)) {
      this.#keep(piece.subarray(from, run.start));
      this.#open(piece.slice(run.start, run.start + run.period), run.end - run.start);
      this.#isOpen = run.end === piece.length;
      from = run.end;
    }
    if (from === 0 && this.#kept === 0 && this.#fills.length === 0) {
      this.#bytes = piece;
      this.#kept = piece.length;
      return false;
    }
    this.#keep(piece.subarray(from));
    return true;
  }

  /** Lets the last fill go on into `piece`. @returns how far */
  #goOn(piece: Uint8Array): number {
    const fill = this.#fills.at(-1);
    if (!this.#isOpen || !fill) return 0;
    const { pattern } = fill;
    const phase = fill.lengthBytes % pattern.length;
    const head = Math.min(pattern.length, piece.length);
    let at = 0;
    while (at < head && piece[at] === pattern[(phase + at) % pattern.length]) at += 1;
    if (at === pattern.length) at = periodEnd(piece, pattern.length, at);
    fill.lengthBytes += at;
    this.#isOpen = at === piece.length;
    return at;
  }

  #nextRun(piece: Uint8Array, from: number): Run | undefined {
    return this.#hasRoom ? findRun(piece, from) : undefined;
  }

  #open(pattern: Uint8Array, lengthBytes: number): void {
    this.#fills.push({ gapBytes: this.#kept - this.#gapStart, pattern, lengthBytes });
    this.#gapStart = this.#kept;
    this.#isOpen = true;
    this.#listBytes += FILL_HEAD_BYTES_MAX + pattern.length;
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (!this.isOwn) this.#bytes = new Uint8Array(this.#count);
    this.isOwn = true;
    this.#isOpen = false;
    this.#bytes.set(bytes, this.#kept);
    this.#kept += bytes.length;
  }
}

/** A stretch in which every byte is the one `period` bytes before it, from the second period on. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

/** The first run of RUN_BYTES_MIN or more, as long as it goes in both directions, that begins at `from` or later. */
export function findRun(bytes: Uint8Array, from: number): Run | undefined {
  const first = Math.ceil(from / WINDOW_BYTES) * WINDOW_BYTES;
  for (let at = first; at + WINDOW_BYTES <= bytes.length; at += WINDOW_BYTES) {
    const period = periodOf(bytes, at, at + WINDOW_BYTES);
    if (period === 0) continue;
    const end = periodEnd(bytes, period, at + WINDOW_BYTES);
    let start = at;
    while (start > from && bytes[start - 1] === bytes[start - 1 + period]) start -= 1;
    if (end - start < RUN_BYTES_MIN) continue;
    if (!isDrawn(bytes, { start, end, period })) return { start, end, period };
    at = Math.max(at, Math.floor(end / WINDOW_BYTES) * WINDOW_BYTES - WINDOW_BYTES);
  }
  return undefined;
}

/** Whether a run is part of a drawing that the model is to see as a whole. */
function isDrawn(bytes: Uint8Array, { start, end, period }: Run): boolean {
  if (period <= DRAWN_PATTERN_BYTES_MIN || end - start > DRAWN_RUN_BYTES_MAX) return false;
  const isPatternDrawn = steadyDistances(bytes.subarray(start, start + period)).length > 0;
  if (!isPatternDrawn) return false;
  const isAllDrawn = drawings.get(bytes) ?? isMostlySteady(bytes, DRAWN_PERCENT);
  drawings.set(bytes, isAllDrawn);
  return isAllDrawn;
}

/** Of pieces that were looked at: whether they are drawn. */
const drawings = new WeakMap<Uint8Array, boolean>();

/** The shortest period, up to FILL_PATTERN_BYTES_MAX, of all bytes from `start` to `end`; 0 if there is none. */
function periodOf(bytes: Uint8Array, start: number, end: number): number {
  const repeats = (period: number) =>
    host.isEqual(bytes.subarray(start + period, end), bytes.subarray(start, end - period));
  if (repeats(1)) return 1;
  const last = start + FILL_PATTERN_BYTES_MAX;
  // Where the bytes change: in a pattern of long runs, few places look like that.
  let change = start + 1;
  while (change <= last && bytes[change] === bytes[start]) change += 1;
  const needle = bytes.subarray(change - 1, change - 1 + NEEDLE_BYTES);
  const searched = bytes.subarray(change - 1, change - 1 + FILL_PATTERN_BYTES_MAX + NEEDLE_BYTES);
  let period = 0;
  for (let tries = 0; change <= last && tries < TRIES; tries += 1) {
    period = host.indexOf(searched, needle, period + 1);
    if (period < 0) return 0;
    if (repeats(period)) return period;
  }
  return 0;
}

/** The first place from `from` on whose byte is not that `period` bytes before it. */
function periodEnd(bytes: Uint8Array, period: number, from: number): number {
  let at = from;
  let step = 1 << 12;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + step);
    if (host.isEqual(bytes.subarray(at, end), bytes.subarray(at - period, end - period))) {
      at = end;
      step = Math.min(2 * step, 1 << 20);
    } else if (step > 64) step = Math.max(64, step >> 3);
    else {
      while (bytes[at] === bytes[at - period]) at += 1;
      return at;
    }
  }
  return at;
}

/** The period, up to `periodMax`, of short input; 0 if it has none, or is no longer than one. */
export function shortPeriodOf(bytes: Uint8Array, periodMax: number): number {
  for (let period = 1; period <= Math.min(periodMax, bytes.length - 1); period += 1) {
    if (periodEnd(bytes, period, period) === bytes.length) return period;
  }
  return 0;
}

/**
 * Finds bytes that were there before: at each place of a block, whether some earlier place, in the block or in the
 * window before it, goes on with the same bytes for long.
 *
 * Only every S-th place is remembered, under a hash of the A bytes that begin there, and every place is looked up. A
 * repeat of A + S - 1 bytes holds a remembered place wherever it lies, and is then followed to both of its ends, so
 * none of the least length is missed. S is a quarter to an eighth of the least length. Memory: 9 to 14 bytes for each
 * place that is remembered, so for a least length of 32 bytes at most 1.8 bytes per byte of window and block.
 *
 * For mirrored repeats each place is looked up a second time, under the hash that its bytes would have on the other
 * strand; the places that are remembered are the same. The pass over the bytes is WebAssembly (assembly/find.ts).
 *
 * Nothing here decides what a decoder does: it only makes a list of copies, and any true list restores the block.
 */
import type { SearchRoom } from "./kernels.ts";
import { COMPLEMENT } from "./mirror.ts";

/** Longer ones would tell little more. */
const ANCHOR_BYTES_MAX = 48;
/** Slots of the index, as a power of two: one to two for each place. */
const SLOT_BITS_MIN = 8;
const SLOT_BITS_MAX = 29;
const FOUND_WORDS = 3;

/** A stretch of bytes that stand `distance` bytes before, too. */
export interface Repeat {
  readonly start: number;
  readonly end: number;
  readonly distance: number;
  /** Of a mirrored repeat (mirror.ts): the byte at p is the partner of the one at axis - p. */
  readonly axis?: number;
}

/** What is left of a repeat that begins later. The source of a mirrored one moves the other way. */
export function startingAt(repeat: Repeat, start: number): Repeat {
  if (start === repeat.start) return repeat;
  const { axis, distance } = repeat;
  return { ...repeat, start, distance: axis === undefined ? distance : 2 * start - axis };
}

/** How often places are remembered, for repeats of at least `minLength` bytes. */
function strideFor(minLength: number): number {
  return Math.max(1, 2 ** (29 - Math.clz32(minLength)));
}

const placesFor = (byteCount: number, minLength: number) => Math.ceil(byteCount / strideFor(minLength));

const slotBitsFor = (places: number) =>
  Math.min(SLOT_BITS_MAX, Math.max(SLOT_BITS_MIN, 32 - Math.clz32(Math.max(0, places - 1))));

/** Slots and a filter of 8 bits for each of them, and a link for each place. */
const indexBytes = (places: number) => 5 * 2 ** slotBitsFor(places) + 4 * (places + 1);

/** What a finder takes in a room. */
export function finderBytes(byteCount: number, minLength: number): readonly number[] {
  return [4 * FOUND_WORDS, COMPLEMENT.length, indexBytes(placesFor(byteCount, minLength))];
}

/**
 * Goes through a block once and gives the repeats in it that reach farther than all before them, in the order of their
 * starts: any place of the block is best served by one of these.
 */
export class RepeatFinder {
  readonly #room: SearchRoom;
  /** Of the repeat at hand: start, end, and the distance, or the axis of a mirrored one. */
  readonly #found: Uint32Array;

  /** @param room holds the window and behind it the block, which starts at `blockStart`: `byteCount` bytes */
  constructor(room: SearchRoom, byteCount: number, blockStart: number, minLength: number, mirrored = false) {
    const stride = strideFor(minLength);
    const anchorBytes = Math.min(ANCHOR_BYTES_MAX, minLength - stride + 1);
    const places = placesFor(byteCount, minLength);
    this.#room = room;
    this.#found = room.words(FOUND_WORDS);
    const partners = room.bytes(COMPLEMENT.length);
    partners.set(COMPLEMENT);
    room.kernels.startFinder(
      0,
      byteCount,
      blockStart,
      minLength,
      stride,
      anchorBytes,
      room.take(indexBytes(places)),
      slotBitsFor(places),
      this.#found.byteOffset,
      mirrored ? partners.byteOffset : 0,
    );
  }

  /** No repeat begins before this place; at first, the start of the block. */
  setFloor(place: number): void {
    this.#room.kernels.setFloor(place);
  }

  /** Whether the end of the block was reached. */
  get isDone(): boolean {
    return this.#room.kernels.isFinderDone() !== 0;
  }

  /**
   * The next repeat that ends behind `reach`; undefined at the end of the block, or if none was met for `count` bytes.
   *
   * @param since where the repeat that ends at `reach` starts
   */
  next(since: number, reach: number, count: number): Repeat | undefined {
    const kind = this.#room.kernels.findRepeat(since, reach, count);
    if (kind === 0) return undefined;
    const [start, end, source] = [this.#found[0], this.#found[1], this.#found[2]] as [number, number, number];
    return kind === 1 ? { start, end, distance: source } : { start, end, distance: 2 * start - source, axis: source };
  }
}

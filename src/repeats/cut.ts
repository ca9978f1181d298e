/**
 * The stage before the model: cuts long repeats out of a block (paste.ts puts them back).
 *
 * The network reads what is left, the rest, as if it had been written so. What it would have taken for a repeat (a
 * few bits per byte until it recognises it, and time for every byte) is replaced by one entry of a list (copies.ts).
 */
import { type CutOptions, chooseCopies, searchBytes } from "./choose.ts";
import { COPY_BYTES_MIN, type Copies, copiedBytes } from "./copies.ts";
import { ESTIMATE_TABLES_BYTES } from "./estimate.ts";
import { isRoom, type SearchMemory, SearchRoom } from "./kernels.ts";
import { spare } from "./spare.ts";

export interface CutBlock {
  /** The block without the bytes that copies give; the block itself if there are none. */
  readonly rest: Uint8Array;
  readonly copies: Copies;
}

/** Cuts repeats out of `block` all at once; `window` is what came directly before it. @throws what cutSlowly throws */
export function cut(block: Uint8Array, window: Uint8Array, options: CutOptions): CutBlock {
  const work = cutSlowly(block, window, options);
  let turn = work.next();
  while (!turn.done) turn = work.next();
  return turn.value;
}

/**
 * Cuts repeats out of a block, of bytes anywhere before them in the block or in the window before it. Pauses some times
 * a second; from the first time on, `block` and `window` are not looked at. Memory: cuttingMemoryBytes, besides what it
 * gives back.
 *
 * @param memory of the last search of whoever makes several
 * @throws RangeError if an option is out of range, or there is no memory for it
 */
export function* cutSlowly(
  block: Uint8Array,
  window: Uint8Array,
  options: CutOptions,
  memory?: SearchMemory,
): Generator<void, CutBlock> {
  const { minLength, seamBytes = 0, resumeLength = COPY_BYTES_MIN } = options;
  if (minLength < COPY_BYTES_MIN || resumeLength < COPY_BYTES_MIN || seamBytes < 0) {
    throw new RangeError(`copies of ${minLength} or ${resumeLength} bytes with seams of ${seamBytes} cannot be cut`);
  }
  const blockStart = window.length;
  const room = new SearchRoom(block, window, searchBytes(blockStart + block.length, blockStart, options), memory);
  const copies = spare(yield* chooseCopies(room, blockStart, options), options.spared ?? []);
  return { rest: copies.count === 0 ? block : withoutCopies(room.plain.subarray(blockStart), copies), copies };
}

/** What cutting takes, generously counted: the bytes themselves, places that are remembered, estimated costs. */
export function cuttingMemoryBytes(blockBytes: number, windowBytes: number): number {
  return Math.ceil(4.5 * (blockBytes + windowBytes) + blockBytes / 2) + ESTIMATE_TABLES_BYTES;
}

/** Whether a block can be cut at all, whatever memory there is: addresses have 32 bits. */
export const canBeCut = (blockBytes: number, windowBytes: number) =>
  isRoom(cuttingMemoryBytes(blockBytes, windowBytes));

function withoutCopies(block: Uint8Array, copies: Copies): Uint8Array {
  const rest = new Uint8Array(block.length - copiedBytes(copies));
  let done = 0;
  let from = 0;
  for (let i = 0; i < copies.count; i += 1) {
    const gap = copies.gaps[i] as number;
    rest.set(block.subarray(from, from + gap), done);
    done += gap;
    from += gap + (copies.lengths[i] as number);
  }
  rest.set(block.subarray(from), done);
  return rest;
}

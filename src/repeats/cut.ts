/**
 * The stage before the model: cuts long repeats out of a block, and puts them back.
 *
 * The network reads what is left, the rest, as if it had been written so. What it would have taken for a repeat (a
 * few bits per byte until it recognises it, and time for every byte) is replaced by one entry of a list (copies.ts).
 */
import { type CutOptions, chooseCopies } from "./choose.ts";
import { COPY_BYTES_MIN, type Copies, copiedBytes } from "./copies.ts";
import { COMPLEMENT } from "./mirror.ts";

export interface CutBlock {
  /** The block without the bytes that copies give; the block itself if there are none. */
  readonly rest: Uint8Array;
  readonly copies: Copies;
}

/** Cuts repeats out of `block` all at once; `window` is what came directly before it. @throws what cutSlowly throws */
export function cut(block: Uint8Array, window: Uint8Array, options: CutOptions): CutBlock {
  const bytes = new Uint8Array(window.length + block.length);
  bytes.set(window);
  bytes.set(block, window.length);
  const work = cutSlowly(bytes, window.length, options);
  let turn = work.next();
  while (!turn.done) turn = work.next();
  return turn.value;
}

/**
 * Cuts repeats out of a block, of bytes anywhere before them in the block or in the window before it. Pauses some times
 * a second. Memory: cuttingMemoryBytes, with `bytes` and besides what it gives back.
 *
 * @param bytes the window and behind it the block, which starts at `blockStart`
 * @throws RangeError if an option is out of range
 */
export function* cutSlowly(bytes: Uint8Array, blockStart: number, options: CutOptions): Generator<void, CutBlock> {
  const { minLength, seamBytes = 0, resumeLength = COPY_BYTES_MIN } = options;
  if (minLength < COPY_BYTES_MIN || resumeLength < COPY_BYTES_MIN || seamBytes < 0) {
    throw new RangeError(`copies of ${minLength} or ${resumeLength} bytes with seams of ${seamBytes} cannot be cut`);
  }
  const copies = yield* chooseCopies(bytes, blockStart, options);
  const block = bytes.subarray(blockStart);
  return { rest: copies.count === 0 ? block : withoutCopies(block, copies), copies };
}

/** What cutting takes, generously counted: the bytes themselves, places that are remembered, estimated costs. */
export function cuttingMemoryBytes(blockBytes: number, windowBytes: number): number {
  return Math.ceil(4.5 * (blockBytes + windowBytes) + 2.25 * blockBytes) + TABLES_BYTES;
}

/** Of the estimate. */
const TABLES_BYTES = 12 * 2 ** 20;

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

/**
 * The block that `cut` was given. `copies` may come from anybody, as long as it went through decodeCopies with the
 * lengths of this rest, window and block.
 */
export function restore(rest: Uint8Array, copies: Copies, window: Uint8Array): Uint8Array {
  const block = new Uint8Array(rest.length + copiedBytes(copies));
  let taken = 0;
  let done = 0;
  for (let i = 0; i < copies.count; i += 1) {
    const gap = copies.gaps[i] as number;
    const length = copies.lengths[i] as number;
    block.set(rest.subarray(taken, taken + gap), done);
    taken += gap;
    done += gap;
    const distance = copies.distances[i] as number;
    if (distance < 0) copyMirrored(block, window, done, length, -distance);
    else copyWithin(block, window, done, length, distance);
    done += length;
  }
  block.set(rest.subarray(taken), done);
  return block;
}

/** Writes `length` bytes at `at`, each the one `distance` before it, of the block or of the window before that. */
function copyWithin(block: Uint8Array, window: Uint8Array, at: number, length: number, distance: number): void {
  const fromWindow = Math.min(length, Math.max(0, distance - at));
  if (fromWindow > 0) {
    const from = window.length + at - distance;
    block.set(window.subarray(from, from + fromWindow), at);
  }
  const from = at - distance;
  if (distance >= length) {
    block.copyWithin(at + fromWindow, from + fromWindow, from + length);
    return;
  }
  for (let i = fromWindow; i < length; i += 1) block[at + i] = block[from + i] as number;
}

/** The same for a mirrored copy: backwards from the byte `distance` before `at`, each byte's partner. */
function copyMirrored(block: Uint8Array, window: Uint8Array, at: number, length: number, distance: number): void {
  for (let i = 0; i < length; i += 1) {
    const from = at - distance - i;
    const byte = from >= 0 ? block[from] : window[window.length + from];
    block[at + i] = COMPLEMENT[byte as number] as number;
  }
}

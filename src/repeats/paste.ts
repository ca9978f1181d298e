/** Puts the repeats back that cut.ts has cut out of a block: all that a decoder needs of the stage before the model. */
import { type Copies, copiedBytes } from "./copies.ts";
import { COMPLEMENT } from "./mirror.ts";

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

/**
 * Cuts a block where chance begins and ends. A tar of texts and pictures holds both in one block, and a block goes
 * through the model as a whole or not at all: without this, a few kilobytes of text would lead the model through
 * megabytes that it cannot shrink, in both directions.
 */
import { looksIncompressible } from "./content.ts";
import type { BlockBytes } from "./fills.ts";

/** What is judged at a time. */
const WINDOW_BYTES = 1 << 15;
/** A shorter stretch saves less time than a block of its own costs bytes: head, groups, short streams. */
const STRETCH_BYTES_MIN = 4 * WINDOW_BYTES;

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of a block in their order, each with bytes of its own; the block itself if it is all of one kind, or has
 * fills, whose places are counted from its start.
 */
export function splitAtChance(block: BlockBytes): readonly BlockBytes[] {
  const { bytes, fills, isEnd } = block;
  if (fills || bytes.length < 2 * STRETCH_BYTES_MIN || looksIncompressible(bytes)) return [block];
  const stretches = stretchesOf(bytes);
  if (stretches.length === 1) return [block];
  return stretches.map(({ start, end }) => {
    const part = bytes.slice(start, end);
    return { bytes: part, totalBytes: part.length, isEnd: isEnd && end === bytes.length };
  });
}

/** Of chance and of other bytes in turn; only what is chance as a whole counts as chance. */
function stretchesOf(bytes: Uint8Array): Stretch[] {
  const found: Stretch[] = [];
  let done = 0;
  for (let start = 0; start + WINDOW_BYTES <= bytes.length; ) {
    let end = start;
    while (end < bytes.length && looksIncompressible(bytes.subarray(end, end + WINDOW_BYTES))) end += WINDOW_BYTES;
    end = Math.min(end, bytes.length);
    if (end - start >= STRETCH_BYTES_MIN && looksIncompressible(bytes.subarray(start, end))) {
      if (start > done) found.push({ start: done, end: start });
      found.push({ start, end });
      done = end;
    }
    start = Math.max(end, start + WINDOW_BYTES);
  }
  if (done < bytes.length) found.push({ start: done, end: bytes.length });
  return found;
}

/** How many bytes of these parts are for a model. */
export function modelBytesOf(parts: readonly BlockBytes[]): number {
  return parts.reduce((sum, { bytes }) => sum + (looksIncompressible(bytes) ? 0 : bytes.length), 0);
}

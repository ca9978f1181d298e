/** How long a block is where nobody says so. */
import { isMixer, type Level } from "../model/levels.ts";

const MIB = 2 ** 20;
/** What inputs are cut into, at least, before a network's blocks grow. */
const BLOCKS_MIN = 8;
const GROWN_BYTES_MAX = 32 * MIB;

/**
 * The block size where nobody names one. Of networks: 8 MiB up to middle width, 64 MiB for wide ones. A stream of a
 * full block then has 8 or 16 KiB, so its first bytes, which follow bytes of another place, do not matter, and a pipe
 * gives its first bytes soon.
 */
export function blockBytesFor(level: Level): number {
  if (isMixer(level)) return level.blockBytes;
  return level.shape.history * level.shape.embedding <= 256 ? 8 * MIB : 64 * MIB;
}

/**
 * The same for an input whose size is known. A GPU takes hardly longer for a step of thousands of streams than for one
 * of hundreds, and a block of 8 MiB has some hundreds only; so from 64 MiB on, a network's blocks grow with the input,
 * as long as memory stays within bounds, and their streams with them. There are as many steps to learn in as with 64
 * MiB. A mixer's lanes stay as few as they are: each would need a memory of its own (docs/MODEL.md).
 */
export function blockBytesForSize(level: Level, sizeBytes: number): number {
  const usual = blockBytesFor(level);
  if (isMixer(level)) return usual;
  return Math.max(usual, Math.min(GROWN_BYTES_MAX, Math.ceil(sizeBytes / BLOCKS_MIN)));
}

/** Blocks of one length, rather than full ones and a small rest: no stream runs short. */
export function balancedBlockBytes(sizeBytes: number, blockBytes: number): number {
  return Math.ceil(sizeBytes / Math.max(1, Math.ceil(sizeBytes / blockBytes)));
}

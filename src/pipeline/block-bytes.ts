/** How long a block is where nobody says so. */
import { isMixer, type Level } from "../model/levels.ts";

const MIB = 2 ** 20;

/**
 * The block size where nobody names one. Of networks: 8 MiB up to middle width, 64 MiB for wide ones. A stream of a
 * full block then has 8 or 16 KiB, so its first bytes, which follow bytes of another place, do not matter, and a pipe
 * gives its first bytes soon.
 */
export function blockBytesFor(level: Level): number {
  if (isMixer(level)) return level.blockBytes;
  return level.shape.history * level.shape.embedding <= 256 ? 8 * MIB : 64 * MIB;
}

/** Blocks of one length, rather than full ones and a small rest: no stream runs short. */
export function balancedBlockBytes(sizeBytes: number, blockBytes: number): number {
  return Math.ceil(sizeBytes / Math.max(1, Math.ceil(sizeBytes / blockBytes)));
}

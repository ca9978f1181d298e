/** How long a block is where nobody says so. */
import type { Shape } from "../model/levels.ts";

const MIB = 2 ** 20;

/**
 * The block size where nobody names one: 8 MiB for models of up to middle width (levels 1 to 6), 64 MiB for wide ones.
 * A stream of a full block then has 8 or 16 KiB, so its first bytes, which follow bytes of another place, do not
 * matter, and a pipe gives its first bytes soon. With 16 MiB, level 5 would take 2048 streams and 70 MB more.
 */
export function blockBytesFor(shape: Shape): number {
  return shape.history * shape.embedding <= 256 ? 8 * MIB : 64 * MIB;
}

/** Blocks of one length, rather than full ones and a small rest: no stream runs short. */
export function balancedBlockBytes(sizeBytes: number, blockBytes: number): number {
  return Math.ceil(sizeBytes / Math.max(1, Math.ceil(sizeBytes / blockBytes)));
}

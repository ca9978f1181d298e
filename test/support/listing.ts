/** Listings with all that the library hands out piece by piece, for tests of small archives. */
import type { IndexEntry } from "../../src/archive/format.ts";
import { type ArchiveFile, blocksOf, type FrameSummary, listArchive } from "../../src/archive/list.ts";

export async function listFrames(file: ArchiveFile): Promise<(FrameSummary & { blocks: IndexEntry[] })[]> {
  const frames: (FrameSummary & { blocks: IndexEntry[] })[] = [];
  for await (const frame of (await listArchive(file)).frames()) {
    const blocks: IndexEntry[] = [];
    for await (const block of blocksOf(file, frame)) blocks.push(block);
    frames.push({ ...frame, blocks });
  }
  return frames;
}

/** An archive in memory as a file, which takes no places that a file would not. */
export const fileOf = (bytes: Uint8Array): ArchiveFile => ({
  sizeBytes: bytes.length,
  readAt: async (offset, length) => {
    if (offset < 0 || length < 0 || offset > bytes.length) throw new RangeError(`${length} bytes at ${offset}`);
    return bytes.subarray(offset, offset + length);
  },
});

/** All that `fade -l --json` looks at; only sums are kept. @throws what listArchive throws */
export async function lookThrough(file: ArchiveFile): Promise<void> {
  for await (const frame of (await listArchive(file)).frames()) {
    const blocks = blocksOf(file, frame);
    while (!(await blocks.next()).done);
  }
}

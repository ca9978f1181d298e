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

/** An archive in memory as a file. */
export const fileOf = (bytes: Uint8Array): ArchiveFile => ({
  sizeBytes: bytes.length,
  readAt: async (offset, length) => bytes.subarray(offset, offset + length),
});

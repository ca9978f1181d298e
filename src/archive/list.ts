/**
 * What an archive holds, without its payloads, in memory that does not grow with what it claims. Frames are found from
 * behind where that is possible, else by the heads of their blocks.
 */
import { collectAfter } from "../platform/release.ts";
import { framesFromBehind, indexPieces } from "./behind.ts";
import { ArchiveError } from "./errors.ts";
import { type ArchiveFile, FileWindow } from "./file.ts";
import { FORMAT_VERSION_1, type IndexEntry } from "./format.ts";
import { blocksByHeads, framesByHeads } from "./heads.ts";
import { IndexReader } from "./index.ts";
import type { PriorReference } from "./prior-reference.ts";
import type { FrameSummary } from "./summary.ts";

export type { ArchiveFile } from "./file.ts";
export type { FrameSummary } from "./summary.ts";

/** Frames that are remembered from the first look; an archive of more is looked through a second time. */
const FRAMES_KEPT = 1000;

/** Sums over all frames of an archive. */
export interface Listing {
  readonly frameCount: number;
  readonly blockCount: number;
  readonly plainBytes: number;
  /** Where the last frame ends; what is behind it are zeros. */
  readonly archiveBytes: number;
  /** The newest format version of a frame. */
  readonly version: number;
  /** The check of the only frame; of several none stands for all. */
  readonly check: bigint | undefined;
  /** Only the low half of the check is known: the only frame is a small one. */
  readonly isCheckLow: boolean;
  /** What a frame begins with: of the first one that does. */
  readonly prior: PriorReference | undefined;
  /** Whether that one is an old file, of which the frame is a patch. */
  readonly isPatch: boolean;
  /** The frames from the first to the last. */
  frames(): Iterable<FrameSummary> | AsyncIterable<FrameSummary>;
}

/**
 * Looks through an archive; what it says of itself is not believed, only told.
 *
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, TrailingBytesError, and what the
 *   file throws
 */
export async function listArchive(file: ArchiveFile): Promise<Listing> {
  try {
    return await gather(file, framesFromBehind(file), true);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    // Whatever it was, a reader from the front knows better what to call it.
    return await gather(file, framesByHeads(file), false);
  }
}

async function gather(file: ArchiveFile, frames: AsyncIterable<FrameSummary>, isBackward: boolean): Promise<Listing> {
  const kept: FrameSummary[] = [];
  const sums = { frameCount: 0, blockCount: 0, plainBytes: 0, archiveBytes: 0, version: 0 };
  let check: bigint | undefined;
  let isCheckLow = false;
  let behind: FrameSummary["header"] | undefined;
  for await (const frame of frames) {
    collectAfter(0);
    sums.frameCount += 1;
    sums.blockCount += frame.blockCount;
    sums.plainBytes += frame.plainBytes;
    sums.archiveBytes = Math.max(sums.archiveBytes, frame.offsetBytes + frame.lengthBytes);
    sums.version = Math.max(sums.version, frame.header.version);
    check = frame.check;
    isCheckLow = frame.header.small !== undefined;
    if (frame.header.prior && (isBackward || !behind)) behind = frame.header;
    if (kept.length <= FRAMES_KEPT) kept.push(frame);
  }
  if (isBackward) kept.reverse();
  return {
    ...sums,
    check: sums.frameCount === 1 ? check : undefined,
    isCheckLow,
    prior: behind?.prior,
    isPatch: behind?.isPatch ?? false,
    frames: () => (kept.length <= FRAMES_KEPT ? kept : framesByHeads(file)),
  };
}

/** The blocks of a frame, in order. @throws what listArchive throws */
export async function* blocksOf(file: ArchiveFile, frame: FrameSummary): AsyncGenerator<IndexEntry> {
  const { header, markOffset, offsetBytes, lengthBytes } = frame;
  if (header.small) {
    const { head } = header.small;
    const isCut = head?.cut !== undefined;
    if (head) yield { kind: head.kind, plainBytes: head.plainBytes, codedBytes: lengthBytes, ...(isCut && { isCut }) };
    return;
  }
  if (header.version === FORMAT_VERSION_1) {
    yield* blocksByHeads(file, frame);
    return;
  }
  const pieces = indexPieces(new FileWindow(file), new IndexReader(header), markOffset, offsetBytes + lengthBytes);
  for await (const entries of pieces) yield* entries.filter(isBlock);
}

const isBlock = ({ kind }: IndexEntry) => kind !== "model" && kind !== "fills";

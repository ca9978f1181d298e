/**
 * What an archive holds, without its payloads. Frames are found from behind: the last bytes of each lead to its index,
 * the index to its header and its blocks, and from there to the frame before. Of a file of many gigabytes that reads a
 * few kilobytes. Frames of version 1 have no index; then, and whenever something does not fit, all blocks are read.
 */
import { ByteReader } from "./bytes.ts";
import { CHECK_START } from "./checksum.ts";
import { ArchiveError } from "./errors.ts";
import {
  BLOCK_END,
  type FrameHeader,
  type FrameIndex,
  GROUPS_MAX,
  HEADER_BODY_BYTES_MAX,
  type IndexEntry,
  MAGIC,
  TRAILER_BYTES,
} from "./format.ts";
import { readBlockHead, readHeader, readIndex, readTrailer } from "./read.ts";
import { ArchiveReader, type PullBytes } from "./stream.ts";

/** An archive any part of which can be read. */
export interface ArchiveFile {
  readonly sizeBytes: number;
  /** Exactly these bytes, or fewer where the file ends. @throws system errors */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** A frame without its payloads. */
export interface FrameSummary {
  readonly header: FrameHeader;
  readonly blocks: readonly IndexEntry[];
  /** The check of the last block, which is one of the whole frame. */
  readonly check: bigint;
  readonly plainBytes: number;
  /** Where the frame lies in the archive. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const SCAN_BYTES = 1 << 20;
/** Kind, length, check and a varint per group. */
const BLOCK_HEAD_BYTES_MAX = 1 + 10 + 8 + 10 * GROUPS_MAX;
/** The magic, version, length, and guard. */
const HEADER_BYTES_MAX = MAGIC.length + 1 + 2 + HEADER_BODY_BYTES_MAX + 4;

/** @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, and what the file throws */
export async function listFrames(file: ArchiveFile): Promise<FrameSummary[]> {
  try {
    return await listFromBehind(file);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    // Whatever it was, a reader from the front knows better what to call it.
    return await listByScan(file);
  }
}

/** Plain bytes of all frames, if their indexes tell; they are not believed, only shown. */
export async function indexedPlainBytes(file: ArchiveFile): Promise<number | undefined> {
  try {
    return (await listFromBehind(file)).reduce((sum, frame) => sum + frame.plainBytes, 0);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/** Also verifies the guards of headers and indexes, but not those of blocks. */
async function listFromBehind(file: ArchiveFile): Promise<FrameSummary[]> {
  const frames: FrameSummary[] = [];
  let end = file.sizeBytes;
  do {
    const frame = await frameBefore(file, end);
    frames.unshift(frame);
    end = frame.offsetBytes;
  } while (end > 0);
  return frames;
}

async function frameBefore(file: ArchiveFile, end: number): Promise<FrameSummary> {
  const read = async (offset: number, length: number) => {
    const from = Math.max(0, offset);
    return new ByteReader(await file.readAt(from, Math.min(length, file.sizeBytes - from)), 0, from);
  };
  const indexBytes = readTrailer(await read(end - TRAILER_BYTES, TRAILER_BYTES));
  const markOffset = end - TRAILER_BYTES - indexBytes - 1;
  const tail = await read(markOffset, end - markOffset);
  if (tail.u8("the end mark") !== BLOCK_END) throw new ArchiveError("has no index", markOffset);
  const index = readIndex(tail, 0);
  const codedBytes = index.entries.reduce((sum, entry) => sum + entry.codedBytes, 0);
  const offsetBytes = markOffset - codedBytes - index.headerBytes;
  if (offsetBytes < 0) throw new ArchiveError("has an index that does not fit", markOffset);
  const header = readHeader(await read(offsetBytes, HEADER_BYTES_MAX));
  const plainBytes = checkedSum(header, index, markOffset);
  const last = index.entries.at(-1);
  const head = last && readBlockHead(await read(markOffset - last.codedBytes, BLOCK_HEAD_BYTES_MAX), header);
  const check = head?.check ?? CHECK_START;
  return { header, blocks: index.entries, check, plainBytes, offsetBytes, lengthBytes: end - offsetBytes };
}

function checkedSum(header: FrameHeader, { entries }: FrameIndex, offset: number): number {
  const plainBytes = entries.reduce((sum, entry) => sum + entry.plainBytes, 0);
  if ((header.plainBytes ?? plainBytes) === plainBytes) return plainBytes;
  throw new ArchiveError("has an index that does not fit", offset);
}

/** Reads every block, and verifies its guard. */
async function listByScan(file: ArchiveFile): Promise<FrameSummary[]> {
  const reader = new ArchiveReader(pullFile(file));
  const frames: FrameSummary[] = [];
  let blocks: IndexEntry[] = [];
  let check = CHECK_START;
  let opened: { header: FrameHeader; offsetBytes: number } | undefined;
  for (let part = await reader.next(); part; part = await reader.next()) {
    if (part.kind === "header") {
      opened = part;
      blocks = [];
      check = CHECK_START;
    } else if (part.kind === "block") {
      const { kind, plainBytes } = part.block;
      blocks.push({ kind, plainBytes, codedBytes: part.codedBytes });
      check = part.block.check;
    } else if (opened) {
      const { header, offsetBytes } = opened;
      const plainBytes = blocks.reduce((sum, block) => sum + block.plainBytes, 0);
      const lengthBytes = reader.position - offsetBytes;
      frames.push({ header, blocks, check, plainBytes, offsetBytes, lengthBytes });
    }
  }
  return frames;
}

/** Reads a file from front to back. */
export function pullFile(file: ArchiveFile): PullBytes {
  let offset = 0;
  return async () => {
    const bytes = await file.readAt(offset, SCAN_BYTES);
    offset += bytes.length;
    return bytes;
  };
}

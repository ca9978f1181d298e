/**
 * What an archive holds, without its payloads. Frames are found from behind: the last bytes of each lead to its index,
 * the index to its header and its blocks, and from there to the frame before. Of a file of many gigabytes that reads a
 * few kilobytes. Frames of version 1 have no index; then, and whenever something does not fit, all blocks are read.
 */
import { ByteReader } from "./bytes.ts";
import { CHECK_START } from "./checksum.ts";
import { ArchiveError } from "./errors.ts";
import {
  type FrameHeader,
  type FrameIndex,
  type FrameModel,
  GROUPS_MAX,
  HEADER_BODY_BYTES_MAX,
  type IndexEntry,
  MAGIC,
  MAGIC_OLD,
  SMALL_FRAME_BYTES_MAX,
  TRAILER_BYTES,
} from "./format.ts";
import { frameBytesOf, readIndex, readTrailer } from "./index.ts";
import { entriesOf, OpenFrame, readBlockHead, readHeader, readPart } from "./read.ts";
import { ArchiveReader, type PullBytes } from "./stream.ts";

/** An archive any part of which can be read. */
export interface ArchiveFile {
  readonly sizeBytes: number;
  /** Exactly these bytes, or fewer where the file ends. @throws system errors */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** A frame without its payloads. */
export interface FrameSummary {
  /** With the model, wherever it stands. */
  readonly header: FrameHeader;
  /** Without the model and fills. */
  readonly blocks: readonly IndexEntry[];
  /** Plain bytes that are repetitions of a pattern, outside of blocks. */
  readonly fillBytes: number;
  /** The check of the last block, which is one of the whole frame. */
  readonly check: bigint;
  readonly plainBytes: number;
  /** Where the frame lies in the archive. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const SCAN_BYTES = 1 << 20;
/** Where a small frame is looked for first: most are smaller. */
const SMALL_FRAME_BYTES_NEAR = 1 << 12;
/** Kind, length, check and a varint per group. */
const BLOCK_HEAD_BYTES_MAX = 1 + 10 + 8 + 10 * GROUPS_MAX;
/** The magic, version, length, and guard. */
const HEADER_BYTES_MAX = MAGIC_OLD.length + 1 + 2 + HEADER_BODY_BYTES_MAX + 4;

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
    const frame = await frameBefore(file, end).catch(async (error: unknown) => {
      const small = error instanceof ArchiveError ? await smallFrameBefore(file, end) : undefined;
      if (!small) throw error;
      return small;
    });
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
  const offsetBytes = markOffset - frameBytesOf(tail);
  if (offsetBytes < 0) throw new ArchiveError("has an index that does not fit", markOffset);
  const header = readHeader(await read(offsetBytes, HEADER_BYTES_MAX));
  tail.offset = 1;
  const { entries } = readIndex(tail, 0, header);
  const plainBytes = checkedSum(header, entries, markOffset);
  const model = header.model ?? (await findModel(entries, markOffset, header, read));
  const check = await checkOfLast(entries, markOffset, { ...header, ...(model && { model }) }, read);
  const lengthBytes = end - offsetBytes;
  return {
    header: { ...header, ...(model && { model }) },
    ...sorted(entries),
    check,
    plainBytes,
    offsetBytes,
    lengthBytes,
  };
}

/** Blocks, and what is none. */
function sorted(entries: readonly IndexEntry[]): Pick<FrameSummary, "blocks" | "fillBytes"> {
  const blocks = entries.filter(({ kind }) => kind !== "model" && kind !== "fills");
  const fills = entries.filter(({ kind }) => kind === "fills");
  return { blocks, fillBytes: fills.reduce((sum, { plainBytes }) => sum + plainBytes, 0) };
}

/**
 * A small frame that ends at `end`. Nothing there leads to its beginning, so its magic is looked for; what is found may
 * be a frame in the payload of another, but then what is left before it is no archive.
 */
async function smallFrameBefore(file: ArchiveFile, end: number): Promise<FrameSummary | undefined> {
  for (const bytesMax of [SMALL_FRAME_BYTES_NEAR, SMALL_FRAME_BYTES_MAX]) {
    const from = Math.max(0, end - bytesMax);
    const bytes = Buffer.from(await file.readAt(from, end - from));
    for (let at = bytes.lastIndexOf(MAGIC); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(MAGIC, at - 1)) {
      const frame = smallFrameOf(bytes.subarray(at), from + at);
      if (frame) return frame;
    }
    if (from === 0) break;
  }
  return undefined;
}

/** `bytes` as a small frame that takes all of them; undefined if they are anything else. */
function smallFrameOf(bytes: Uint8Array, offsetBytes: number): FrameSummary | undefined {
  const reader = new ByteReader(bytes, 0, offsetBytes);
  try {
    const header = readHeader(reader);
    const block = header.small && readPart(reader, new OpenFrame(header, offsetBytes));
    if (!header.small || block?.kind === "model" || reader.remainingBytes > 0) return undefined;
    const entries = block ? entriesOf(block, bytes.length) : [];
    const check = block?.check ?? CHECK_START;
    return {
      header,
      ...sorted(entries),
      check,
      plainBytes: header.plainBytes ?? 0,
      offsetBytes,
      lengthBytes: bytes.length,
    };
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

type ReadPart = (offset: number, length: number) => Promise<ByteReader>;

/** The check of the last block, which is one of the whole frame; a model is never the last part. */
async function checkOfLast(
  entries: FrameIndex["entries"],
  markOffset: number,
  header: FrameHeader,
  read: ReadPart,
): Promise<bigint> {
  const last = entries.at(-1);
  if (!last) return CHECK_START;
  const fills = entries.at(-2)?.kind === "fills" ? [] : undefined;
  const from = await read(markOffset - last.codedBytes, BLOCK_HEAD_BYTES_MAX);
  const head = readBlockHead(from, header, undefined, fills);
  return head && head.kind !== "model" ? head.check : CHECK_START;
}

/** The model of a frame that has one behind its first blocks. */
async function findModel(
  entries: FrameIndex["entries"],
  markOffset: number,
  header: FrameHeader,
  read: ReadPart,
): Promise<FrameModel | undefined> {
  const at = entries.findIndex(({ kind }) => kind === "model");
  if (at < 0) return undefined;
  const behind = entries.slice(at).reduce((sum, entry) => sum + entry.codedBytes, 0);
  const record = readBlockHead(await read(markOffset - behind, HEADER_BYTES_MAX), header);
  return record?.kind === "model" ? record.model : undefined;
}

function checkedSum(header: FrameHeader, entries: readonly IndexEntry[], offset: number): number {
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
    } else if (part.kind === "model") {
      if (opened) opened = { ...opened, header: { ...opened.header, model: part.model } };
    } else if (part.kind === "block") {
      blocks.push(...entriesOf(part.block, part.codedBytes));
      check = part.block.check;
    } else if (opened) {
      const { header, offsetBytes } = opened;
      const plainBytes = blocks.reduce((sum, block) => sum + block.plainBytes, 0);
      const lengthBytes = reader.position - offsetBytes;
      frames.push({ header, ...sorted(blocks), check, plainBytes, offsetBytes, lengthBytes });
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

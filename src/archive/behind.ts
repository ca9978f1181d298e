/**
 * Frames from behind: the last bytes of each lead to its index, the index to its header and its blocks, and from there
 * to the frame before. Of a file of many gigabytes that reads a few kilobytes. What it meets may be anything, so the
 * indexes go by in pieces, and each is read once.
 */
import { host } from "../platform/host.ts";
import { ByteReader } from "./bytes.ts";
import { ArchiveError } from "./errors.ts";
import { type ArchiveFile, FileWindow } from "./file.ts";
import {
  BLOCK_END_OLD,
  type FrameHeader,
  type FrameModel,
  HEADER_BODY_BYTES_MAX,
  type IndexEntry,
  MAGIC,
  MAGIC_OLD,
  SMALL_FRAME_BYTES_MAX,
  TRAILER_BYTES,
} from "./format.ts";
import { HEADER_OF_VERSION_2, IndexReader, readTrailer } from "./index.ts";
import { zerosAtEnd } from "./padding.ts";
import { entriesOf, OpenFrame, readBlockHead, readHeader, readPart } from "./read.ts";
import { type FrameSummary, FrameTotals } from "./summary.ts";

/** The magic, version, length, and guard. */
export const HEADER_BYTES_MAX = MAGIC_OLD.length + 1 + 2 + HEADER_BODY_BYTES_MAX + 4;
/** Of an index at a time. */
const INDEX_PIECE_BYTES = 1 << 14;
const SEARCH_BYTES = 1 << 16;
/** Where a small frame is looked for first: most are smaller. */
const SMALL_FRAME_BYTES_NEAR = 1 << 12;

/** Longer than any head: kind, lengths, stride, check, the length of a list, a varint per group; or a model. */
export function blockHeadBytesMax({ model }: FrameHeader): number {
  return HEADER_BYTES_MAX + 1 + 10 * 5 + 8 + 10 * (model?.groupCount ?? 0);
}

/**
 * The frames of an archive from the last to the first. Verifies the guards of headers and indexes, but not those of
 * blocks.
 *
 * @throws ArchiveError of any kind where something does not fit (a frame of version 1 has no index); what the file
 *   throws
 */
export async function* framesFromBehind(file: ArchiveFile): AsyncGenerator<FrameSummary> {
  const window = new FileWindow(file);
  let frame = await lastFrame(window);
  yield frame;
  while (frame.offsetBytes > 0) {
    frame = await frameBefore(window, frame.offsetBytes);
    yield frame;
  }
}

/** The last frame ends where the file does, or before zeros; some of them may be its own last bytes. */
async function lastFrame(window: FileWindow): Promise<FrameSummary> {
  const failure = new ArchiveError("has no index at its end", window.sizeBytes);
  const attempt = (end: number) =>
    frameBefore(window, end).catch((error: unknown) => {
      if (error instanceof ArchiveError) return undefined;
      throw error;
    });
  const frame = await attempt(window.sizeBytes);
  if (frame) return frame;
  const endMin = await endOfBytes(window);
  const endMax = Math.min(window.sizeBytes - 1, endMin + TRAILER_BYTES - 1);
  for (let end = endMin; end <= endMax; end += 1) {
    const found = await attempt(end);
    if (found) return found;
  }
  throw failure;
}

/** Where the zeros at the end of the file begin. */
async function endOfBytes({ file }: FileWindow): Promise<number> {
  let end = file.sizeBytes;
  while (end > 0) {
    const from = Math.max(0, end - SEARCH_BYTES);
    const bytes = await file.readAt(from, end - from);
    const zeros = zerosAtEnd(bytes);
    if (zeros < bytes.length || bytes.length === 0) return end - zeros;
    end = from;
  }
  return 0;
}

/** The frame that ends at `end`: most lead to their beginning; small ones do not. */
async function frameBefore(window: FileWindow, end: number): Promise<FrameSummary> {
  try {
    return await indexedFrameBefore(window, end);
  } catch (error) {
    const small = error instanceof ArchiveError ? await smallFrameBefore(window, end) : undefined;
    if (!small) throw error;
    return small;
  }
}

/**
 * A small frame that ends at `end`. Nothing there leads to its beginning, so its magic is looked for; what is found may
 * be a frame in the payload of another, but then what is left before it is no archive.
 */
async function smallFrameBefore({ file }: FileWindow, end: number): Promise<FrameSummary | undefined> {
  for (const bytesMax of [SMALL_FRAME_BYTES_NEAR, SMALL_FRAME_BYTES_MAX]) {
    const from = Math.max(0, end - bytesMax);
    const bytes = await file.readAt(from, end - from);
    for (
      let at = host.lastIndexOf(bytes, MAGIC);
      at >= 0;
      at = at === 0 ? -1 : host.lastIndexOf(bytes, MAGIC, at - 1)
    ) {
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
    if (!header.small) return undefined;
    const summary = smallFrameSummary(reader, header, offsetBytes);
    return reader.remainingBytes === 0 ? summary : undefined;
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/**
 * What is to be said of a small frame; the cursor goes from behind its header to its end.
 *
 * @throws TruncatedError
 */
export function smallFrameSummary(reader: ByteReader, header: FrameHeader, offsetBytes: number): FrameSummary {
  const blocksOffset = reader.position;
  const frame = new OpenFrame(header, offsetBytes);
  const totals = new FrameTotals(header);
  const block = readPart(reader, frame, { checks: false });
  if (block && block.kind !== "model") {
    const isCut = block.copies !== undefined;
    frame.passBlock(block, isCut, reader.position - blocksOffset);
    const seenBytes = block.copies?.restBytes ?? block.plainBytes;
    for (const entry of entriesOf(block, isCut, reader.position - blocksOffset)) totals.add(entry, seenBytes);
  }
  const lengthBytes = reader.position - offsetBytes;
  return totals.summary({ offsetBytes, lengthBytes, blocksOffset, markOffset: reader.position }, frame.check);
}

async function indexedFrameBefore(window: FileWindow, end: number): Promise<FrameSummary> {
  const indexBytes = readTrailer(await window.at(end - TRAILER_BYTES, Math.min(TRAILER_BYTES, end)));
  const markOffset = end - TRAILER_BYTES - indexBytes - 1;
  const offsetBytes = markOffset - (await frameBytesOf(window, markOffset, end));
  if (offsetBytes < 0) throw misfit(markOffset);
  const headerReader = await window.at(offsetBytes, HEADER_BYTES_MAX);
  const totals = new FrameTotals(readHeader(headerReader));
  const blocksOffset = headerReader.position;
  let last: IndexEntry | undefined;
  let isFilled = false;
  for await (const entries of indexPieces(window, new IndexReader(totals.header), markOffset, end)) {
    for (const entry of entries) {
      if (entry.kind === "model") totals.model = await modelAt(window, blocksOffset + totals.codedBytes, totals.header);
      totals.add(entry);
      isFilled = last?.kind === "fills";
      last = entry;
    }
  }
  const { plainBytes = totals.plainBytes } = totals.header;
  if (plainBytes !== totals.plainBytes || blocksOffset + totals.codedBytes !== markOffset) throw misfit(markOffset);
  const places = { offsetBytes, lengthBytes: end - offsetBytes, blocksOffset, markOffset };
  return totals.summary(places, await checkOfLast(window, last, isFilled, markOffset, totals.header));
}

const misfit = (offset: number) => new ArchiveError("has an index that does not fit", offset);

/** Bytes from the magic to the end mark, by an index alone; in version 2 that takes all entries. */
async function frameBytesOf(window: FileWindow, markOffset: number, end: number): Promise<number> {
  if (markOffset < 0) throw misfit(markOffset);
  const reader = await window.at(markOffset, Math.min(1 + 10, end - markOffset));
  const isOld = reader.u8("the end mark") === BLOCK_END_OLD;
  if (!isOld) return reader.varintWithin("the index", 1, Number.MAX_SAFE_INTEGER);
  const index = new IndexReader(HEADER_OF_VERSION_2);
  const pieces = indexPieces(window, index, markOffset, end);
  while (!(await pieces.next()).done);
  return index.frameBytes;
}

/**
 * What an index says, in pieces; its guard is verified behind the last.
 *
 * @param end of the frame
 * @throws TruncatedError, CorruptError
 */
export async function* indexPieces(
  window: FileWindow,
  index: IndexReader,
  markOffset: number,
  end: number,
): AsyncGenerator<readonly IndexEntry[]> {
  let at = markOffset + 1;
  while (!index.isDone) {
    const entries: IndexEntry[] = [];
    const reader = await window.at(at, Math.min(INDEX_PIECE_BYTES, end - at));
    index.read(reader, (entry) => void entries.push(entry));
    at = reader.position;
    yield entries;
  }
  if (at !== end) throw misfit(at);
}

/** The model that stands between a frame's blocks. */
async function modelAt(window: FileWindow, offset: number, header: FrameHeader): Promise<FrameModel> {
  const record = readBlockHead(await window.at(offset, HEADER_BYTES_MAX), header);
  if (record?.kind === "model") return record.model;
  throw misfit(offset);
}

/**
 * The check of the last block, which is one of the whole frame; a model is never the last part.
 *
 * @param isFilled whether fills stand before it
 */
async function checkOfLast(
  window: FileWindow,
  last: IndexEntry | undefined,
  isFilled: boolean,
  markOffset: number,
  header: FrameHeader,
): Promise<bigint | undefined> {
  if (!last) return undefined;
  const from = await window.at(markOffset - last.codedBytes, blockHeadBytesMax(header));
  const head = readBlockHead(from, header, undefined, isFilled ? [] : undefined);
  return head && head.kind !== "model" ? head.check : undefined;
}

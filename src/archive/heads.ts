/**
 * Frames from the front, by the heads of their blocks alone: payloads are leapt over, so that a file of any length is
 * looked through soon. For what cannot be read from behind: frames of version 1, and archives with something wrong at
 * their end, of which this says what it is.
 */
import { blockHeadBytesMax, HEADER_BYTES_MAX, smallFrameSummary } from "./behind.ts";
import { TrailingBytesError, TruncatedError } from "./errors.ts";
import { type ArchiveFile, FileWindow } from "./file.ts";
import { fillBytesOf } from "./fills.ts";
import {
  BLOCK_FILLS,
  type BlockHead,
  FILL_LIST_BYTES_MAX,
  type Fill,
  FORMAT_VERSION_3,
  FORMAT_VERSION_6,
  type FrameHeader,
  type IndexEntry,
} from "./format.ts";
import { openIndex } from "./index.ts";
import { zerosAtStart } from "./padding.ts";
import { checkGuard, entriesOf, isBare, OpenFrame, readBlockHead, readFillsOf, readHeader } from "./read.ts";
import { type FrameSummary, FrameTotals } from "./summary.ts";

const GUARD_BYTES = 4;
/** Kind, length, list and guard. */
const FILL_RECORD_BYTES_MAX = 1 + 10 + FILL_LIST_BYTES_MAX + GUARD_BYTES;
const PADDING_PIECE_BYTES = 1 << 16;
const INDEX_PIECE_BYTES = 1 << 14;

/**
 * The frames of an archive from the first to the last. Verifies everything but what needs the payloads.
 *
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, TrailingBytesError, and what the
 *   file throws
 */
export async function* framesByHeads(file: ArchiveFile): AsyncGenerator<FrameSummary> {
  const window = new FileWindow(file);
  let offsetBytes = 0;
  do {
    const frame = await frameAt(window, offsetBytes);
    yield frame;
    offsetBytes += frame.lengthBytes;
  } while (!(await isAtEnd(window, offsetBytes)));
}

/** Whether nothing comes any more, or nothing but zeros. @throws TrailingBytesError */
async function isAtEnd(window: FileWindow, archiveBytes: number): Promise<boolean> {
  const { file } = window;
  const next = await window.at(archiveBytes, 1);
  if (next.remainingBytes > 0 && next.u8("the next frame") !== 0) return false;
  let at = archiveBytes;
  while (at < file.sizeBytes) {
    const bytes = await file.readAt(at, Math.min(PADDING_PIECE_BYTES, file.sizeBytes - at));
    const zeros = zerosAtStart(bytes);
    at += zeros;
    if (bytes.length === 0) break;
    if (zeros < bytes.length) throw new TrailingBytesError(archiveBytes, at - archiveBytes, file.sizeBytes - at);
  }
  return true;
}

async function frameAt(window: FileWindow, offsetBytes: number): Promise<FrameSummary> {
  const headerReader = await window.at(offsetBytes, HEADER_BYTES_MAX);
  const header = readHeaderOrTrailing(headerReader, window.sizeBytes);
  const frame = new OpenFrame(header, offsetBytes);
  const totals = new FrameTotals(header);
  const blocksOffset = headerReader.position;
  if (header.small) return await smallFrameAt(window, header, offsetBytes, blocksOffset);
  let at = blocksOffset;
  for (;;) {
    const passed = await passBlock(window, at, frame);
    if (!passed) break;
    totals.model = frame.header.model;
    for (const { entry, seenBytes } of passed) {
      totals.add(entry, seenBytes);
      at += entry.codedBytes;
    }
  }
  const index = openIndex(frame, at + 1);
  let end = at + 1;
  while (index && !index.isDone) {
    const reader = await window.at(end, INDEX_PIECE_BYTES);
    index.read(reader);
    end = reader.position;
  }
  return totals.summary({ offsetBytes, lengthBytes: end - offsetBytes, blocksOffset, markOffset: at }, frame.check);
}

/** A small frame is read whole: only its payload tells the check of its plain bytes. */
async function smallFrameAt(
  window: FileWindow,
  header: FrameHeader,
  offsetBytes: number,
  blocksOffset: number,
): Promise<FrameSummary> {
  const { head } = header.small ?? {};
  const reader = await window.at(blocksOffset, head ? payloadBytesOf(head) : 0);
  return smallFrameSummary(reader, header, offsetBytes);
}

function readHeaderOrTrailing(reader: Parameters<typeof readHeader>[0], sizeBytes: number) {
  try {
    return readHeader(reader);
  } catch (error) {
    if (!(error instanceof TrailingBytesError)) throw error;
    throw new TrailingBytesError(error.archiveBytes, 0, sizeBytes - error.archiveBytes);
  }
}

interface Passed {
  readonly entry: IndexEntry;
  /** What the model sees of it. */
  readonly seenBytes: number;
}

/** Goes past a block with its fills, or the model; undefined at the end mark. */
async function passBlock(window: FileWindow, at: number, frame: OpenFrame): Promise<readonly Passed[] | undefined> {
  const { reader, head } = await headAt(window, at, frame);
  if (!head) return undefined;
  if (head.kind === "model") {
    checkGuard(reader, 0, "the checksum of a model");
    const codedBytes = reader.position - at;
    frame.passModel(head.model, codedBytes);
    return [{ entry: { kind: "model", plainBytes: 0, codedBytes }, seenBytes: 0 }];
  }
  const isCut = head.cut !== undefined;
  const payloadBytes = payloadBytesOf(head);
  const foundBytes = window.sizeBytes - reader.position;
  if (payloadBytes > foundBytes) {
    throw new TruncatedError(reader.position, "the payload of a block", payloadBytes, foundBytes);
  }
  const guardBytes = !isBare(head.kind, isCut) || frame.header.version < FORMAT_VERSION_3 ? GUARD_BYTES : 0;
  const leftBytes = foundBytes - payloadBytes;
  if (guardBytes > leftBytes) {
    throw new TruncatedError(window.sizeBytes - leftBytes, "the checksum of a block", guardBytes, leftBytes);
  }
  const codedBytes = reader.position + payloadBytes + guardBytes - at;
  frame.passBlock(head, isCut, codedBytes);
  const seenBytes = head.cut?.restBytes ?? head.plainBytes;
  return entriesOf(head, isCut, codedBytes).map((entry) => ({
    entry,
    seenBytes: entry.kind === "fills" ? 0 : seenBytes,
  }));
}

/** The head of the next block, behind its fills; of the model all of it. The cursor is behind it. */
async function headAt(window: FileWindow, at: number, frame: OpenFrame) {
  let reader = await window.at(at, blockHeadBytesMax(frame.header));
  let fills: Fill[] | undefined;
  if (reader.bytes[0] === BLOCK_FILLS && frame.header.version >= FORMAT_VERSION_6) {
    const record = await window.at(at, FILL_RECORD_BYTES_MAX);
    fills = readFillsOf(record, frame);
    reader = await window.at(record.position, blockHeadBytesMax(frame.header));
  }
  const head = readBlockHead(reader, frame.header, frame.leftBytes - fillBytesOf(fills), fills);
  return { reader, head };
}

/** The lists before it are part of it. */
function payloadBytesOf({ cut, stretchBytes = 0, lengths }: BlockHead): number {
  return lengths.reduce((sum, length) => sum + length, (cut?.listBytes ?? 0) + stretchBytes);
}

/** The blocks of one frame, the model not among them. @throws what framesByHeads throws */
export async function* blocksByHeads(
  file: ArchiveFile,
  { offsetBytes, blocksOffset }: FrameSummary,
): AsyncGenerator<IndexEntry> {
  const window = new FileWindow(file);
  // The header may have got its model from between the blocks.
  const frame = new OpenFrame(readHeader(await window.at(offsetBytes, HEADER_BYTES_MAX)), offsetBytes);
  let at = blocksOffset;
  for (;;) {
    const passed = await passBlock(window, at, frame);
    if (!passed) return;
    for (const { entry } of passed) {
      at += entry.codedBytes;
      if (entry.kind !== "model" && entry.kind !== "fills") yield entry;
    }
  }
}

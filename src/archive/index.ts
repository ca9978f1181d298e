/**
 * The last part of a frame: an index of its blocks, from which `fade -l` finds them without reading their payloads, and
 * which must agree with what a reader has met on its way from the front.
 */
import type { ByteReader } from "./bytes.ts";
import { varintBytes } from "./bytes.ts";
import { CorruptError, TruncatedError } from "./errors.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_END_OLD,
  BLOCK_TAGS,
  FILL_BYTES_MIN,
  FORMAT_VERSION_1,
  FORMAT_VERSION_3,
  type FrameHeader,
  type FrameIndex,
  HEADER_BODY_BYTES_MAX,
  INDEX_BYTES_MAX,
  type IndexEntry,
  TRAILER_BYTES,
} from "./format.ts";
import { checkGuard, isBare, type OpenFrame, readKind, readPlainLength } from "./read.ts";

const CHECK_BYTES = 8;

/** The length of the index, from the last bytes of a frame. @throws TruncatedError, CorruptError */
export function readTrailer(reader: ByteReader): number {
  const lengthBytes = reader.u32("the length of the index");
  if (reader.remainingBytes < TRAILER_BYTES - 4) throw new TruncatedError(reader.position, "the trailer", 4, 0);
  if (lengthBytes >= 2 && lengthBytes <= INDEX_BYTES_MAX) return lengthBytes;
  throw new CorruptError(reader.position - 4, "the length of the index", "2 bytes or more", `${lengthBytes}`);
}

/**
 * Bytes from the magic to the end mark, by an index alone; the cursor is at the mark. In version 2 that takes all
 * entries. Nothing is verified yet: with the header that lies there, readIndex does that.
 *
 * @throws TruncatedError, CorruptError
 */
export function frameBytesOf(reader: ByteReader): number {
  const isOld = reader.u8("the end mark") === BLOCK_END_OLD;
  if (!isOld) return reader.varintWithin("the index", 1, Number.MAX_SAFE_INTEGER);
  return readOldEntries(reader).frameBytes;
}

/**
 * What follows the end mark, from version 2 on.
 *
 * @param start the offset of the mark @param header of the frame, with or without the model
 * @throws TruncatedError, CorruptError
 */
export function readIndex(reader: ByteReader, start: number, header: FrameHeader): FrameIndex {
  const indexStart = reader.offset;
  const index = header.version < FORMAT_VERSION_3 ? readOldEntries(reader) : readEntries(reader, header);
  const lengthBytes = reader.offset - indexStart;
  const at = reader.position;
  const stated = reader.u32("the length of the index");
  if (stated !== lengthBytes) throw new CorruptError(at, "the length of the index", `${lengthBytes}`, `${stated}`);
  checkGuard(reader, start, "the checksum of the index");
  return index;
}

function readEntries(reader: ByteReader, header: FrameHeader): FrameIndex {
  const frameBytes = reader.varintWithin("the index", 1, Number.MAX_SAFE_INTEGER);
  const count = reader.varintWithin("the number of blocks", 0, INDEX_BYTES_MAX);
  const entries: IndexEntry[] = [];
  let leftBytes = header.plainBytes ?? Number.MAX_SAFE_INTEGER;
  let isFilled = false;
  for (let i = 0; i < count; i++) {
    const found = readKind(reader, header, reader.u8("the index"));
    const { kind, pieces, isCut } = found;
    const plainBytes =
      kind === "fills" ? readFilled(reader, leftBytes) : readPlain(reader, header, found, leftBytes, isFilled);
    const lengthBytes = pieces > 0 ? 0 : varintBytes(plainBytes);
    const codedBytes = isBare(kind, isCut)
      ? 1 + lengthBytes + CHECK_BYTES + plainBytes
      : reader.varintWithin("the index", 1, 2 * BLOCK_BYTES_MAX);
    entries.push({ kind, plainBytes, codedBytes, ...(isCut && { isCut }) });
    leftBytes -= plainBytes;
    isFilled = kind === "fills";
  }
  return { frameBytes, entries };
}

/** Bytes that the fills before a block give. */
const readFilled = (reader: ByteReader, leftBytes: number) =>
  reader.varintWithin("the length of fills", FILL_BYTES_MIN, leftBytes);

/** The model has none. */
const readPlain = (...of: Parameters<typeof readPlainLength>) => (of[2].kind === "model" ? 0 : readPlainLength(...of));

/** Version 2 has the header's length, and both lengths of every block; those of a model are refused elsewhere. */
function readOldEntries(reader: ByteReader): FrameIndex {
  let frameBytes = reader.varintWithin("the index", 1, HEADER_BODY_BYTES_MAX * 2);
  const count = reader.varintWithin("the number of blocks", 0, INDEX_BYTES_MAX);
  const entries: IndexEntry[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.position;
    const tag = reader.u8("the index");
    const kind = (["stored", "coded", "learned"] as const).find((each) => BLOCK_TAGS[each] === tag);
    if (kind === undefined) throw new CorruptError(at, "the index", "the kind of a block", "another number");
    const plainBytes = reader.varintWithin("the index", 1, BLOCK_BYTES_MAX);
    const codedBytes = reader.varintWithin("the index", 1, 2 * BLOCK_BYTES_MAX);
    entries.push({ kind, plainBytes, codedBytes });
    frameBytes += codedBytes;
  }
  return { frameBytes, entries };
}

/** Behind the end mark: all that the frame has said about itself must agree. @throws TruncatedError, CorruptError */
export function readEnd(reader: ByteReader, frame: OpenFrame): void {
  const { header, plainBytes, entries } = frame;
  if (header.small) return; // its header and its only block are all that there is
  const at = reader.position;
  if (header.plainBytes !== undefined && header.plainBytes !== plainBytes) {
    throw new CorruptError(at, "the sum of the blocks", `${header.plainBytes} bytes`, `${plainBytes} bytes`);
  }
  if (header.version === FORMAT_VERSION_1) return;
  const frameBytes = at - 1 - frame.offsetBytes;
  const index = readIndex(reader, reader.offset - 1, header);
  const agrees =
    index.frameBytes === frameBytes &&
    index.entries.length === entries.length &&
    index.entries.every((entry, i) => isSame(entry, entries[i]));
  if (!agrees) throw new CorruptError(at, "the index", "what the blocks say", "something else");
}

function isSame(a: IndexEntry, b: IndexEntry | undefined): boolean {
  return a.kind === b?.kind && a.isCut === b.isCut && a.plainBytes === b.plainBytes && a.codedBytes === b.codedBytes;
}

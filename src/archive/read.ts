/**
 * Finds headers, blocks and indexes in bytes that may be anything: the mirror image of write.ts. Nothing is allocated
 * by the word of an archive, payloads are views of the input, and every field is checked where it is read, so that
 * what comes out can be decoded without further doubt about its shape. Whether the plain bytes are right is only known
 * after decoding: see checkPlain. stream.ts feeds these functions piece by piece, index.ts from the end of a file.
 */
import { checkHyperParameters, HyperParameterError, type HyperParameters } from "../model/hyper.ts";
import { ByteReader } from "./bytes.ts";
import { chainCheck, checkText, guardOf } from "./checksum.ts";
import { CorruptError, NotAnArchiveError, TruncatedError, UnsupportedVersionError } from "./errors.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_END,
  BLOCK_TAGS,
  type Block,
  type BlockKind,
  FLAG_LENGTH,
  FLAG_MODEL,
  FORMAT_VERSION,
  FORMAT_VERSION_OLD,
  type Frame,
  type FrameHeader,
  type FrameIndex,
  type FrameModel,
  GROUPS_MAX,
  HEADER_BODY_BYTES_MAX,
  INDEX_BYTES_MAX,
  type IndexEntry,
  MAGIC,
  MODEL_CONTRACT_VERSION,
  PAYLOAD_SLACK_BYTES,
  PAYLOAD_SLACK_BYTES_PER_GROUP,
  PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX,
  TRAILER_BYTES,
} from "./format.ts";

/** @throws CorruptError if `plain` is not what was compressed into `block`. Returns the check to chain on. */
export function checkPlain(block: Block, plain: Uint8Array, checkBefore: bigint, offsetBytes: number): bigint {
  const found = chainCheck(plain, checkBefore);
  if (plain.length === block.plainBytes && found === block.check) return found;
  throw new CorruptError(offsetBytes, "the checksum of the decoded bytes", checkText(block.check), checkText(found));
}

function readMagic(reader: ByteReader): void {
  const start = reader.offset;
  const found = reader.bytes.subarray(start, start + MAGIC.length);
  const differs = found.findIndex((byte, i) => byte !== MAGIC[i]);
  if (differs < 0) {
    reader.take("the magic number", MAGIC.length);
    return;
  }
  const { position } = reader;
  if (position > 0) {
    throw new CorruptError(position, "what follows the last frame", "another frame or nothing", "neither");
  }
  // Text mode shows up to four bytes behind the first difference.
  if (found.length < MAGIC.length) throw new NotAnArchiveError(position, "magic");
  throw new NotAnArchiveError(position, isTextDamage(found) ? "text-mode" : "magic");
}

/** The name is there, but the high bit of the first byte or the line ends behind it are not. */
function isTextDamage(found: Uint8Array): boolean {
  const [first = -1, ...rest] = found;
  return (first & 0x7f) === 0x09 && rest.slice(0, 4).every((byte, i) => byte === MAGIC[i + 1]);
}

/** @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError */
export function readHeader(reader: ByteReader): FrameHeader {
  const start = reader.offset;
  if (reader.position === 0 && reader.remainingBytes === 0) throw new NotAnArchiveError(0, "empty");
  readMagic(reader);
  const version = reader.u8("the format version");
  if (version !== FORMAT_VERSION && version !== FORMAT_VERSION_OLD) {
    throw new UnsupportedVersionError(reader.position - 1, "format version", version, FORMAT_VERSION);
  }
  const bodyBytes = reader.varintWithin("the length of the header", 2, HEADER_BODY_BYTES_MAX);
  const bodyStart = reader.offset;
  reader.take("the header", bodyBytes);
  checkGuard(reader, start, "the checksum of the header");
  const body = new ByteReader(reader.bytes.subarray(0, bodyStart + bodyBytes), bodyStart, reader.baseBytes);
  const header = readWholeBody(body, version, bodyBytes);
  if (body.remainingBytes > 0) {
    throw new CorruptError(body.position, "the length of the header", `${body.offset - bodyStart}`, `${bodyBytes}`);
  }
  return header;
}

/** All of the body is there, so a field that reaches beyond its end is a contradiction and not a truncation. */
function readWholeBody(body: ByteReader, version: number, bodyBytes: number): FrameHeader {
  try {
    return readBody(body, version);
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    throw new CorruptError(error.offsetBytes, "the length of the header", "room for all fields", `${bodyBytes}`);
  }
}

function readBody(body: ByteReader, version: number): FrameHeader {
  const isOld = version === FORMAT_VERSION_OLD;
  const flagsOffset = body.position;
  const flags = body.u8("the header's flags");
  const known = isOld ? FLAG_MODEL : FLAG_MODEL | FLAG_LENGTH;
  if ((flags & ~known) !== 0) throw new UnsupportedVersionError(flagsOffset, "header flags", flags, known);
  const statedBytes = isOld ? undefined : body.varintWithin("the block size", 0, BLOCK_BYTES_MAX);
  const hasLength = isOld || (flags & FLAG_LENGTH) !== 0;
  const plainBytes = hasLength ? body.varintWithin("the original length", 0, Number.MAX_SAFE_INTEGER) : undefined;
  const model = flags & FLAG_MODEL ? readModel(body) : undefined;
  const blockBytes = statedBytes ?? Math.min(plainBytes ?? 0, BLOCK_BYTES_MAX);
  return { version, blockBytes, ...(plainBytes !== undefined && { plainBytes }), ...(model && { model }) };
}

function readModel(body: ByteReader): FrameModel {
  const start = body.position;
  const contract = body.varintWithin("the model contract", 0, 0xffff_ffff);
  if (contract !== MODEL_CONTRACT_VERSION) {
    throw new UnsupportedVersionError(start, "model contract", contract, MODEL_CONTRACT_VERSION);
  }
  const number = (field: string) => body.varintWithin(`hyper-parameter ${field}`, 0, 0xffff_ffff);
  const hyper: HyperParameters = {
    history: number("history"),
    embedding: number("embedding"),
    globalHidden: number("globalHidden"),
    slot: number("slot"),
    fineHidden: number("fineHidden"),
    coarseHidden: number("coarseHidden"),
    streams: number("streams"),
    learningRate: number("learningRate"),
  };
  try {
    checkHyperParameters(hyper);
  } catch (error) {
    if (!(error instanceof HyperParameterError)) throw error;
    throw new CorruptError(start, `hyper-parameter ${error.field}`, error.rule, `${error.value}`);
  }
  const groupsMax = Math.min(GROUPS_MAX, hyper.streams);
  return { hyper, groupCount: body.varintWithin("the number of coder groups", 1, groupsMax) };
}

/** What comes before a block's payload. */
export interface BlockHead {
  readonly kind: BlockKind;
  readonly plainBytes: number;
  readonly check: bigint;
  /** The parts of the payload: one, or one per coder group. */
  readonly lengths: readonly number[];
}

const KINDS = new Map(Object.entries(BLOCK_TAGS).map(([kind, tag]) => [tag, kind as BlockKind]));

/**
 * The next block's head, or undefined at the end mark.
 *
 * @param leftBytes plain bytes that the header has promised and no block has brought yet; undefined: not known
 * @throws TruncatedError, CorruptError
 */
export function readBlockHead(reader: ByteReader, header: FrameHeader, leftBytes?: number): BlockHead | undefined {
  const start = reader.position;
  const tag = reader.u8("a block");
  if (tag === BLOCK_END) return undefined;
  const kind = KINDS.get(tag);
  if (kind === undefined || (kind === "learned" && header.version === FORMAT_VERSION_OLD)) {
    throw new CorruptError(start, "the kind of a block", "0 to 3", `${tag}`);
  }
  if (kind !== "stored" && !header.model) {
    throw new CorruptError(start, "the kind of a block", "0 or 1 in a frame without a model", `${tag}`);
  }
  const plainBytesMax = Math.min(header.blockBytes, leftBytes ?? Number.MAX_SAFE_INTEGER);
  const plainBytes = reader.varintWithin("the length of a block", 1, plainBytesMax);
  const lengths = kind === "coded" ? readGroupLengths(reader, header.model, plainBytes, start) : [plainBytes];
  return { kind, plainBytes, lengths, check: reader.u64("the checksum of the plain bytes") };
}

function readGroupLengths(
  reader: ByteReader,
  model: FrameModel | undefined,
  plainBytes: number,
  start: number,
): number[] {
  const groupCount = model?.groupCount ?? 0;
  const slackBytes = PAYLOAD_SLACK_BYTES_PER_GROUP * groupCount;
  const payloadBytesMax = plainBytes + slackBytes + PAYLOAD_SLACK_BYTES;
  const lengths: number[] = [];
  let payloadBytes = 0;
  for (let group = 0; group < groupCount; group++) {
    const length = reader.varintWithin("the length of a coder group", 0, payloadBytesMax - payloadBytes);
    lengths.push(length);
    payloadBytes += length;
  }
  const plainBytesMax = (payloadBytes + slackBytes) * PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX;
  if (plainBytes > plainBytesMax) {
    const expected = `at most ${plainBytesMax} for a payload of ${payloadBytes} bytes`;
    throw new CorruptError(start, "the length of a block", expected, `${plainBytes}`);
  }
  return lengths;
}

/** A whole block, its guard verified; undefined behind the end mark. @throws TruncatedError, CorruptError */
export function readBlock(reader: ByteReader, header: FrameHeader, leftBytes?: number): Block | undefined {
  const start = reader.offset;
  const head = readBlockHead(reader, header, leftBytes);
  if (!head) return undefined;
  const { kind, plainBytes, check, lengths } = head;
  const payload = reader.take(
    "the payload of a block",
    lengths.reduce((sum, length) => sum + length, 0),
  );
  checkGuard(reader, start, "the checksum of a block");
  if (kind !== "coded") return { kind, plainBytes, check, payload };
  let offset = 0;
  const groups = lengths.map((length) => {
    offset += length;
    return payload.subarray(offset - length, offset);
  });
  return { kind, plainBytes, check, groups };
}

/** What follows the end mark in version 2. `start` is the offset of the mark. @throws TruncatedError, CorruptError */
export function readIndex(reader: ByteReader, start: number): FrameIndex {
  const indexStart = reader.offset;
  const headerBytes = reader.varintWithin("the index", 1, HEADER_BODY_BYTES_MAX * 2);
  const count = reader.varintWithin("the number of blocks", 0, INDEX_BYTES_MAX);
  const entries: IndexEntry[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.position;
    const kind = KINDS.get(reader.u8("the index"));
    if (kind === undefined) throw new CorruptError(at, "the index", "the kind of a block", "another number");
    const plainBytes = reader.varintWithin("the index", 1, BLOCK_BYTES_MAX);
    const codedBytes = reader.varintWithin("the index", 1, 2 * BLOCK_BYTES_MAX);
    entries.push({ kind, plainBytes, codedBytes });
  }
  const lengthBytes = reader.offset - indexStart;
  const at = reader.position;
  const stated = reader.u32("the length of the index");
  if (stated !== lengthBytes) throw new CorruptError(at, "the length of the index", `${lengthBytes}`, `${stated}`);
  checkGuard(reader, start, "the checksum of the index");
  return { headerBytes, entries };
}

/**
 * Behind the end mark: everything that the frame has said about itself must agree.
 *
 * @param seen what was read of the frame @param plainBytes the sum of its blocks
 * @throws TruncatedError, CorruptError
 */
export function readEnd(reader: ByteReader, header: FrameHeader, seen: FrameIndex, plainBytes: number): void {
  const at = reader.position;
  if (header.plainBytes !== undefined && header.plainBytes !== plainBytes) {
    throw new CorruptError(at, "the sum of the blocks", `${header.plainBytes} bytes`, `${plainBytes} bytes`);
  }
  if (header.version === FORMAT_VERSION_OLD) return;
  const index = readIndex(reader, reader.offset - 1);
  const agrees =
    index.headerBytes === seen.headerBytes &&
    index.entries.length === seen.entries.length &&
    index.entries.every((entry, i) => isSame(entry, seen.entries[i]));
  if (!agrees) throw new CorruptError(at, "the index", "what the blocks say", "something else");
}

function isSame(a: IndexEntry, b: IndexEntry | undefined): boolean {
  return a.kind === b?.kind && a.plainBytes === b.plainBytes && a.codedBytes === b.codedBytes;
}

/**
 * Reads all frames of an archive that is in memory, and verifies all guards. Payloads are views of `bytes`.
 *
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError
 */
export function readArchive(bytes: Uint8Array): Frame[] {
  const reader = new ByteReader(bytes);
  const frames: Frame[] = [];
  do frames.push(readFrame(reader));
  while (reader.remainingBytes > 0);
  return frames;
}

function readFrame(reader: ByteReader): Frame {
  const offsetBytes = reader.offset;
  const header = readHeader(reader);
  const headerBytes = reader.offset - offsetBytes;
  const blocks: Block[] = [];
  const entries: IndexEntry[] = [];
  let plainBytes = 0;
  for (;;) {
    const start = reader.offset;
    const block = readBlock(reader, header, header.plainBytes && header.plainBytes - plainBytes);
    if (!block) break;
    blocks.push(block);
    entries.push({ kind: block.kind, plainBytes: block.plainBytes, codedBytes: reader.offset - start });
    plainBytes += block.plainBytes;
  }
  readEnd(reader, header, { headerBytes, entries }, plainBytes);
  return { header: { ...header, plainBytes }, blocks, offsetBytes, lengthBytes: reader.offset - offsetBytes };
}

/** The length of the index, from the last bytes of a frame. @throws TruncatedError, CorruptError */
export function readTrailer(reader: ByteReader): number {
  const lengthBytes = reader.u32("the length of the index");
  if (reader.remainingBytes < TRAILER_BYTES - 4) throw new TruncatedError(reader.position, "the trailer", 4, 0);
  if (lengthBytes >= 2 && lengthBytes <= INDEX_BYTES_MAX) return lengthBytes;
  throw new CorruptError(reader.position - 4, "the length of the index", "2 bytes or more", `${lengthBytes}`);
}

/** Compares the u32 at the cursor with the guard of everything from `start` to the cursor. */
function checkGuard(reader: ByteReader, start: number, field: string): void {
  // First the field itself: where it is not there yet, hashing what comes before it would be in vain.
  const { offset, position } = reader;
  const found = reader.u32(field);
  const expected = guardOf(reader.bytes.subarray(start, offset));
  if (found === expected) return;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  throw new CorruptError(position, field, hex(expected), hex(found));
}

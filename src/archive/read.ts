/**
 * Finds the frames, blocks and payloads in bytes that may be anything: the mirror image of write.ts. Nothing is
 * allocated by the word of an archive, payloads are views of the input, and every field is checked where it is read,
 * so that what comes out can be decoded without further doubt about its shape. Whether the plain bytes are right is
 * only known after decoding: see checkPlain.
 */
import { checkHyperParameters, HyperParameterError, type HyperParameters } from "../model/hyper.ts";
import { ByteReader } from "./bytes.ts";
import { CHECK_START, chainCheck, checkText, guardOf } from "./checksum.ts";
import { CorruptError, NotAnArchiveError, PlainLimitError, TruncatedError, UnsupportedVersionError } from "./errors.ts";
import {
  BLOCK_CODED,
  BLOCK_END,
  BLOCK_STORED,
  type Block,
  FLAG_MODEL,
  FORMAT_VERSION,
  type Frame,
  type FrameHeader,
  type FrameModel,
  GROUPS_MAX,
  HEADER_BODY_BYTES_MAX,
  MAGIC,
  MODEL_CONTRACT_VERSION,
  PAYLOAD_SLACK_BYTES_PER_GROUP,
  PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX,
} from "./format.ts";

export interface ReadLimits {
  /** Refuse archives whose frames hold more plain bytes than this, all together. */
  readonly plainBytesMax: number;
}

/**
 * Reads all frames of an archive and verifies the guards of every header and block.
 *
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, PlainLimitError
 */
export function readArchive(bytes: Uint8Array, limits: ReadLimits): Frame[] {
  if (bytes.length === 0) throw new NotAnArchiveError(0, "empty");
  const reader = new ByteReader(bytes);
  const frames: Frame[] = [];
  let plainBytes = 0;
  do {
    const frame = readFrame(reader, limits.plainBytesMax - plainBytes);
    plainBytes += frame.header.plainBytes;
    frames.push(frame);
  } while (reader.remainingBytes > 0);
  return frames;
}

/** @throws CorruptError if `plain` is not what was compressed into `block`. Returns the check to chain on. */
export function checkPlain(frame: Frame, block: Block, plain: Uint8Array, checkBefore = CHECK_START): bigint {
  const found = chainCheck(plain, checkBefore);
  if (plain.length === block.plainBytes && found === block.check) return found;
  throw new CorruptError(
    frame.offsetBytes,
    "the checksum of the decoded bytes",
    checkText(block.check),
    checkText(found),
  );
}

function readFrame(reader: ByteReader, plainBytesMax: number): Frame {
  const offsetBytes = reader.offset;
  const header = readHeader(reader, plainBytesMax);
  const blocks: Block[] = [];
  let leftBytes = header.plainBytes;
  for (let block = readBlock(reader, header, leftBytes); block; block = readBlock(reader, header, leftBytes)) {
    blocks.push(block);
    leftBytes -= block.plainBytes;
  }
  if (leftBytes > 0) {
    const found = `${header.plainBytes - leftBytes} bytes`;
    throw new CorruptError(reader.offset, "the sum of the blocks", `${header.plainBytes} bytes`, found);
  }
  return { header, blocks, offsetBytes, lengthBytes: reader.offset - offsetBytes };
}

function readMagic(reader: ByteReader): void {
  const start = reader.offset;
  const found = reader.bytes.subarray(start, start + MAGIC.length);
  const differs = found.findIndex((byte, i) => byte !== MAGIC[i]);
  if (differs < 0 && found.length < MAGIC.length) {
    throw new TruncatedError(start, "the magic number", MAGIC.length, found.length);
  }
  if (differs < 0) {
    reader.offset += MAGIC.length;
    return;
  }
  if (start > 0) throw new CorruptError(start, "what follows the last frame", "another frame or nothing", "neither");
  throw new NotAnArchiveError(start, isTextDamage(found) ? "text-mode" : "magic");
}

/** The name is there, but the high bit of the first byte or the line ends behind it are not. */
function isTextDamage(found: Uint8Array): boolean {
  const [first = -1, ...rest] = found;
  return (first & 0x7f) === 0x09 && rest.slice(0, 4).every((byte, i) => byte === MAGIC[i + 1]);
}

function readHeader(reader: ByteReader, plainBytesMax: number): FrameHeader {
  const start = reader.offset;
  readMagic(reader);
  const version = reader.u8("the format version");
  if (version !== FORMAT_VERSION) {
    throw new UnsupportedVersionError(reader.offset - 1, "format version", version, FORMAT_VERSION);
  }
  const bodyBytes = reader.varintWithin("the length of the header", 2, HEADER_BODY_BYTES_MAX);
  const bodyStart = reader.offset;
  reader.take("the header", bodyBytes);
  checkGuard(reader, start, "the checksum of the header");
  const body = new ByteReader(reader.bytes.subarray(0, bodyStart + bodyBytes), bodyStart);
  const header = readBody(body, plainBytesMax);
  if (body.remainingBytes > 0) {
    throw new CorruptError(body.offset, "the length of the header", `${body.offset - bodyStart}`, `${bodyBytes}`);
  }
  return header;
}

function readBody(body: ByteReader, plainBytesMax: number): FrameHeader {
  const flagsOffset = body.offset;
  const flags = body.u8("the header's flags");
  if ((flags & ~FLAG_MODEL) !== 0) {
    throw new UnsupportedVersionError(flagsOffset, "header flags", flags, FLAG_MODEL);
  }
  const lengthOffset = body.offset;
  const plainBytes = body.varint("the original length");
  if (plainBytes > BigInt(plainBytesMax)) throw new PlainLimitError(lengthOffset, plainBytes, plainBytesMax);
  const model = flags & FLAG_MODEL ? readModel(body) : undefined;
  return { plainBytes: Number(plainBytes), ...(model && { model }) };
}

function readModel(body: ByteReader): FrameModel {
  const start = body.offset;
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

/** The next block, or undefined at the end mark. */
function readBlock(reader: ByteReader, header: FrameHeader, leftBytes: number): Block | undefined {
  const start = reader.offset;
  const tag = reader.u8("a block");
  if (tag === BLOCK_END) return undefined;
  if (tag !== BLOCK_STORED && tag !== BLOCK_CODED) {
    throw new CorruptError(start, "the kind of a block", "0, 1 or 2", `${tag}`);
  }
  const plainBytes = reader.varintWithin("the length of a block", 1, leftBytes);
  const block = tag === BLOCK_STORED ? readStored(reader, plainBytes) : readCoded(reader, header, plainBytes, start);
  checkGuard(reader, start, "the checksum of a block");
  return block;
}

function readStored(reader: ByteReader, plainBytes: number): Block {
  const check = reader.u64("the checksum of the plain bytes");
  const payload = reader.take("a stored block", plainBytes);
  return { kind: "stored", plainBytes, check, payload };
}

function readCoded(reader: ByteReader, header: FrameHeader, plainBytes: number, start: number): Block {
  const { model } = header;
  if (!model) throw new CorruptError(start, "the kind of a block", "0 or 1 in a frame without a model", "2");
  const lengths: number[] = [];
  let payloadBytes = 0;
  for (let group = 0; group < model.groupCount; group++) {
    // More than what is left is a truncation, not a corruption: only the take below can tell.
    const length = reader.varintWithin("the length of a coder group", 0, Number.MAX_SAFE_INTEGER);
    lengths.push(length);
    payloadBytes += length;
  }
  const slackBytes = PAYLOAD_SLACK_BYTES_PER_GROUP * model.groupCount;
  const plainBytesMax = (payloadBytes + slackBytes) * PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX;
  if (plainBytes > plainBytesMax) {
    const expected = `at most ${plainBytesMax} for a payload of ${payloadBytes} bytes`;
    throw new CorruptError(start, "the length of a block", expected, `${plainBytes}`);
  }
  const check = reader.u64("the checksum of the plain bytes");
  const groups = lengths.map((length) => reader.take("the payload of a coder group", length));
  return { kind: "coded", plainBytes, check, groups };
}

/** Compares the u32 at the cursor with the guard of everything from `start` to the cursor. */
function checkGuard(reader: ByteReader, start: number, field: string): void {
  const expected = guardOf(reader.bytes.subarray(start, reader.offset));
  const offset = reader.offset;
  const found = reader.u32(field);
  if (found === expected) return;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  throw new CorruptError(offset, field, hex(expected), hex(found));
}

/**
 * Finds headers and blocks in bytes that may be anything: the mirror image of write.ts. Nothing is allocated by the
 * word of an archive, payloads are views of the input, and every field is checked where it is read, so that what
 * comes out can be decoded without further doubt about its shape. Whether decoded bytes are right is only known after
 * decoding: see checkPlain. stream.ts feeds these functions piece by piece, list.ts from the end of a file.
 */
import { hasNetwork } from "../contract/hyper.ts";
import { ByteReader } from "./bytes.ts";
import { CHECK_START, chainRun, checkText, guardOf, guardText, lowCheck } from "./checksum.ts";
import { EntryTally } from "./entries.ts";
import { CorruptError, NotAnArchiveError, TruncatedError, UnsupportedVersionError } from "./errors.ts";
import { fillBytesOf, fillRecordBytes, readFillRecord } from "./fills.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_CUT,
  BLOCK_END,
  BLOCK_END_OLD,
  BLOCK_FILLS,
  BLOCK_TAGS,
  type Block,
  type BlockHead,
  type Fill,
  FLAG_LENGTH,
  FLAG_MODEL,
  FLAG_PATCH,
  FLAG_PRIOR,
  FORM_BLOCKS,
  FORMAT_VERSION_1,
  FORMAT_VERSION_2,
  FORMAT_VERSION_3,
  FORMAT_VERSION_6,
  FORMAT_VERSION_8,
  type FrameHeader,
  type FrameModel,
  HEADER_BODY_BYTES_MAX,
  type IndexEntry,
  type ModelRecord,
  PAYLOAD_SLACK_BYTES,
  PAYLOAD_SLACK_BYTES_PER_GROUP,
  PIECES_MAX,
  PIECES_SHIFT,
  PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX,
  STORED_RUN_BYTES_MAX,
} from "./format.ts";
import { readMagic } from "./magic.ts";
import { readPriorReference } from "./prior-reference.ts";
import { readModel } from "./read-model.ts";
import { readCut, readSmallHead, readStride, uncover } from "./small.ts";

/**
 * Of a block without fills.
 *
 * @returns the check to chain on
 * @throws CorruptError if `plain` is not what was compressed into `block`
 */
export function checkPlain(
  block: Pick<Block, "plainBytes" | "check">,
  plain: Uint8Array,
  checkBefore: bigint,
  header: Pick<FrameHeader, "blockBytes" | "small">,
  offsetBytes: number,
): bigint {
  const found = chainRun(plain, checkBefore, header.blockBytes);
  const isWhole = plain.length === block.plainBytes;
  return compareCheck(isWhole ? block : { check: ~block.check }, found, header, offsetBytes);
}

/**
 * @param found the check of what was decoded
 * @throws CorruptError if it is not the block's
 */
export function compareCheck(
  { check }: Pick<Block, "check">,
  found: bigint,
  { small }: Pick<FrameHeader, "small">,
  offsetBytes: number,
): bigint {
  if (check === (small ? lowCheck(found) : found)) return found;
  const text = (value: bigint) => checkText(small ? lowCheck(value) : value, small !== undefined);
  throw new CorruptError(offsetBytes, "the checksum of the decoded bytes", text(check), text(found));
}

/** @throws NotAnArchiveError, TrailingBytesError, UnsupportedVersionError, TruncatedError, CorruptError */
export function readHeader(reader: ByteReader): FrameHeader {
  const start = reader.offset;
  if (reader.position === 0 && reader.remainingBytes === 0) throw new NotAnArchiveError(0, "empty");
  const { version, form } = readMagic(reader);
  if (form !== FORM_BLOCKS) return readSmallHead(reader, version, form, start);
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
  const flagsOffset = body.position;
  const flags = body.u8("the header's flags");
  const known = knownFlags(version);
  if ((flags & ~known) !== 0) throw new UnsupportedVersionError(flagsOffset, "header flags", flags, known);
  const hasLength = version === FORMAT_VERSION_1 || (flags & FLAG_LENGTH) !== 0;
  const sizes = readSizes(body, version, hasLength);
  const prior = flags & FLAG_PRIOR ? readPriorReference(body, false) : undefined;
  const isPatch = (flags & FLAG_PATCH) !== 0;
  if (isPatch && !prior) throw new CorruptError(flagsOffset, "the header's flags", "a prior with a patch", `${flags}`);
  const model = flags & FLAG_MODEL ? readModel(body, version) : undefined;
  return { version, ...sizes, ...(prior && { prior }), ...(isPatch && { isPatch }), ...(model && { model }) };
}

function knownFlags(version: number): number {
  if (version === FORMAT_VERSION_1) return FLAG_MODEL;
  return FLAG_MODEL | FLAG_LENGTH | (version < FORMAT_VERSION_8 ? 0 : FLAG_PRIOR | FLAG_PATCH);
}

function readSizes(body: ByteReader, version: number, hasLength: boolean): { plainBytes?: number; blockBytes: number } {
  const readLength = () => body.varintWithin("the original length", 0, Number.MAX_SAFE_INTEGER);
  if (version === FORMAT_VERSION_1) {
    const plainBytes = readLength();
    return { plainBytes, blockBytes: Math.min(plainBytes, BLOCK_BYTES_MAX) };
  }
  if (version === FORMAT_VERSION_2) {
    const blockBytes = body.varintWithin("the block size", 0, BLOCK_BYTES_MAX);
    return { blockBytes, ...(hasLength && { plainBytes: readLength() }) };
  }
  if (!hasLength) return { blockBytes: body.varintWithin("the block size", 1, BLOCK_BYTES_MAX) };
  const plainBytes = readLength();
  const partsMin = Math.ceil(plainBytes / BLOCK_BYTES_MAX);
  const parts = body.varintWithin("the number of parts", partsMin, plainBytes);
  return { plainBytes, blockBytes: parts === 0 ? 0 : Math.ceil(plainBytes / parts) };
}

/** A frame while it is read: what its parts so far have said. */
export class OpenFrame {
  /** The parts so far, to be held against the index. */
  readonly tally = new EntryTally();
  /** Of the blocks so far. */
  plainBytes = 0;
  check = CHECK_START;
  /** Of a small frame: whether its block was read. */
  isSmallRead = false;

  constructor(
    public header: FrameHeader,
    /** Where the frame begins in the archive. */
    readonly offsetBytes: number,
  ) {}

  /** Plain bytes that the header has promised, or that numbers can count, and no block has brought yet. */
  get leftBytes(): number {
    return (this.header.plainBytes ?? Number.MAX_SAFE_INTEGER) - this.plainBytes;
  }

  /** Goes on behind the model. */
  passModel(model: FrameModel, codedBytes: number): void {
    this.header = { ...this.header, model };
    this.tally.add({ kind: "model", plainBytes: 0, codedBytes });
  }

  /** Goes on behind a block and its fills, of which the head is enough. */
  passBlock(head: PassedBlock, isCut: boolean, codedBytes: number): void {
    for (const entry of entriesOf(head, isCut, codedBytes)) this.tally.add(entry);
    this.plainBytes += head.plainBytes + fillBytesOf(head.fills);
    this.check = head.check;
    this.isSmallRead = true;
  }

  /** Goes on behind `part`. */
  advance(part: Block | ModelRecord, codedBytes: number): void {
    if (part.kind === "model") this.passModel(part.model, codedBytes);
    else this.passBlock(part, part.copies !== undefined, codedBytes);
  }
}

type PassedBlock = Pick<BlockHead, "kind" | "plainBytes" | "check" | "fills">;

/** What an index says of a block. @param codedBytes of the block and its fills */
export function entriesOf(
  { kind, plainBytes, fills }: Pick<PassedBlock, "kind" | "plainBytes" | "fills">,
  isCut: boolean,
  codedBytes: number,
): IndexEntry[] {
  const cut = isCut && { isCut };
  if (!fills) return [{ kind, plainBytes, codedBytes, ...cut }];
  const recordBytes = fillRecordBytes(fills);
  return [
    { kind: "fills", plainBytes: fillBytesOf(fills), codedBytes: recordBytes },
    { kind, plainBytes, codedBytes: codedBytes - recordBytes, ...cut },
  ];
}

export interface ReadOptions {
  /** Called with the head of each block before its payload is waited for; may throw to refuse it. */
  readonly admit?: (head: BlockHead, header: FrameHeader) => void;
  /** false: blocks of plain bytes pass whatever their check says. Default: true. */
  readonly checks?: boolean;
}

/** What a block's first byte says. */
interface FoundKind {
  readonly kind: IndexEntry["kind"];
  /** Full pieces, where that stands in place of a length. */
  readonly pieces: number;
  readonly isCut: boolean;
}

const KINDS = new Map(Object.entries(BLOCK_TAGS).map(([kind, tag]) => [tag, kind as IndexEntry["kind"]]));

/**
 * The kind of a block, and how many full pieces it holds if that stands in place of a length.
 *
 * @throws CorruptError for a kind that the frame cannot have
 */
export function readKind(reader: ByteReader, header: FrameHeader, byte: number): FoundKind {
  const isOld = header.version < FORMAT_VERSION_3;
  const pieces = isOld ? 0 : byte >> PIECES_SHIFT;
  const tag = isOld ? byte : byte & PIECES_MAX;
  const isFills = tag === BLOCK_FILLS && header.version >= FORMAT_VERSION_6;
  const isCut = !isOld && tag > BLOCK_CUT && !isFills;
  const kind = KINDS.get(isCut ? tag - BLOCK_CUT : tag);
  const refuse = (expected: string) =>
    new CorruptError(reader.position - 1, "the kind of a block", expected, `${byte}`);
  if (kind === undefined) throw refuse("1 to 8");
  if ((kind === "model" || kind === "fills") && (isOld || isCut || pieces > 0)) throw refuse("1 to 8");
  if ((kind !== "stored" || isCut) && pieces > 1) throw refuse("at most one piece");
  return { kind, pieces, isCut };
}

/**
 * The length of a block's plain bytes: full pieces, of which the header's length may cut the last, or a number.
 *
 * @param isFilled whether fills stand before the block: then it may be empty, and is no run
 */
export function readPlainLength(
  reader: ByteReader,
  { blockBytes, version }: FrameHeader,
  { kind, pieces, isCut }: FoundKind,
  leftBytes = Number.MAX_SAFE_INTEGER,
  isFilled = false,
): number {
  const isBareBlock = isBare(kind, isCut);
  const isRun = isBareBlock && version >= FORMAT_VERSION_3 && !isFilled;
  const bytesMax = Math.min(isRun ? Math.max(blockBytes, STORED_RUN_BYTES_MAX) : blockBytes, leftBytes);
  if (pieces === 0) return reader.varintWithin("the length of a block", isBareBlock && isFilled ? 0 : 1, bytesMax);
  const plainBytes = Math.min(pieces * blockBytes, leftBytes);
  // One length has one spelling: every piece must have bytes.
  if (plainBytes > (pieces - 1) * blockBytes && plainBytes <= bytesMax) return plainBytes;
  throw new CorruptError(reader.position - 1, "the length of a block", `1 to ${bytesMax}`, `${plainBytes}`);
}

const isEnd = (byte: number, { version }: FrameHeader) =>
  byte === (version < FORMAT_VERSION_3 ? BLOCK_END_OLD : BLOCK_END);

/**
 * The next block's head, the model, or undefined at the end mark.
 *
 * @param fills what stands before the block, if anything
 * @throws TruncatedError, CorruptError
 */
export function readBlockHead(
  reader: ByteReader,
  header: FrameHeader,
  leftBytes?: number,
  fills?: readonly Fill[],
): BlockHead | ModelRecord | undefined {
  const start = reader.position;
  const byte = reader.u8("a block");
  if (isEnd(byte, header) && !fills) return undefined;
  const found = readKind(reader, header, byte);
  const { kind } = found;
  if (kind === "fills" || (kind === "model" && fills)) {
    throw new CorruptError(start, "the kind of a block", "a block behind fills", kind);
  }
  if (kind === "model" ? header.model : kind !== "stored" && !header.model) {
    throw new CorruptError(start, "the kind of a block", "one model before what needs it", kind);
  }
  if (kind === "model") return { kind, model: readModel(reader, header.version) };
  const plainBytes = readPlainLength(reader, header, found, leftBytes, fills !== undefined);
  const cut = found.isCut ? readCut(reader, kind, plainBytes) : undefined;
  const stated = kind === "stored" ? {} : readStride(reader, header.version);
  if (stated.isForeseen && header.model && hasNetwork(header.model.hyper)) {
    throw new CorruptError(start, "the stride of a block", "no foresight of a network", "foresight");
  }
  const payloadBytes = cut?.restBytes ?? plainBytes;
  const lengths = kind === "coded" ? readGroupLengths(reader, header.model, payloadBytes, start) : [payloadBytes];
  const check = reader.u64("the checksum of the plain bytes");
  return {
    kind,
    plainBytes,
    lengths,
    check,
    ...(cut && { cut }),
    ...stated,
    ...(fills && { fills }),
  };
}

/** Whether a block's check is all that it has: the check of plain bytes that are there needs no guard beside it. */
export function isBare(kind: IndexEntry["kind"], isCut: boolean): boolean {
  return kind === "stored" && !isCut;
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

/**
 * A whole block, verified as far as that goes without decoding it, or the model; undefined behind the end mark.
 *
 * @throws TruncatedError, CorruptError, and what `options.admit` throws
 */
export function readPart(
  reader: ByteReader,
  frame: OpenFrame,
  options: ReadOptions = {},
): Block | ModelRecord | undefined {
  const { header } = frame;
  if (header.small) {
    const { head } = header.small;
    return head && !frame.isSmallRead ? readPayload(reader, head, frame, options, reader.offset) : undefined;
  }
  const fills = readFillsOf(reader, frame);
  const start = reader.offset;
  const head = readBlockHead(reader, header, frame.leftBytes - fillBytesOf(fills), fills);
  if (!head) return undefined;
  if (head.kind === "model") {
    checkGuard(reader, start, "the checksum of a model");
    return head;
  }
  return readPayload(reader, head, frame, options, start);
}

/** The fills of the next block, if it has any. */
export function readFillsOf(reader: ByteReader, { header, leftBytes }: OpenFrame): Fill[] | undefined {
  const start = reader.offset;
  if (header.version < FORMAT_VERSION_6 || reader.bytes[start] !== BLOCK_FILLS) return undefined;
  const fills = readFillRecord(reader, leftBytes);
  checkGuard(reader, start, "the checksum of fills");
  return fills;
}

/** @param start where the guard, if there is one, begins */
function readPayload(
  reader: ByteReader,
  head: BlockHead,
  { header, check: checkBefore }: OpenFrame,
  options: ReadOptions,
  start: number,
): Block {
  const at = reader.position - (reader.offset - start);
  options.admit?.(head, header);
  const { kind, plainBytes, lengths, cut, stride, stretchBytes, isForeseen, fills } = head;
  const gapBytes = fills?.reduce((sum, fill) => sum + fill.gapBytes, 0) ?? 0;
  if (gapBytes > plainBytes) throw new CorruptError(at, "the place of a fill", `at most ${plainBytes}`, `${gapBytes}`);
  const bodyStart = reader.offset;
  const list = reader.take("the copies of a block", cut?.listBytes ?? 0);
  const stretches = reader.take("the stretches of a block", stretchBytes ?? 0);
  const payload = reader.take(
    "the payload of a block",
    lengths.reduce((sum, length) => sum + length, 0),
  );
  const body = reader.bytes.subarray(bodyStart, reader.offset);
  const check = header.small ? uncover(header.small, body) : head.check;
  const copies = cut && { restBytes: cut.restBytes, list };
  const facts = {
    ...{ plainBytes, check, ...(copies && { copies }), ...(stride && { stride }), ...(fills && { fills }) },
    ...(stretchBytes && { stretches }),
    ...(isForeseen && { isForeseen }),
  };
  if (isBare(kind, cut !== undefined) && header.version >= FORMAT_VERSION_3) {
    // What fills give may be long: that is hashed where others can work meanwhile.
    if (options.checks !== false && !fills) checkPlain({ plainBytes, check }, payload, checkBefore, header, at);
    return { kind: "stored", ...facts, payload };
  }
  if (!header.small) checkGuard(reader, start, "the checksum of a block");
  if (kind !== "coded") return { kind, ...facts, payload };
  let offset = 0;
  const groups = lengths.map((length) => {
    offset += length;
    return payload.subarray(offset - length, offset);
  });
  return { kind, ...facts, groups };
}

/** Compares the u32 at the cursor with the guard of everything from `start` on. @throws TruncatedError, CorruptError */
export function checkGuard(reader: ByteReader, start: number, field: string): void {
  // First the field itself: where it is not there yet, hashing what comes before it would be in vain.
  const { offset, position } = reader;
  const found = reader.u32(field);
  const expected = guardOf(reader.bytes.subarray(start, offset));
  if (found === expected) return;
  throw new CorruptError(position, field, guardText(expected), guardText(found));
}

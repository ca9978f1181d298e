/**
 * Finds headers and blocks in bytes that may be anything: the mirror image of write.ts. Nothing is allocated by the
 * word of an archive, payloads are views of the input, and every field is checked where it is read, so that what
 * comes out can be decoded without further doubt about its shape. Whether decoded bytes are right is only known after
 * decoding: see checkPlain. stream.ts feeds these functions piece by piece, list.ts from the end of a file.
 */
import { STRIDE_MAX } from "../contract/contexts.ts";
import { MODEL_CONTRACT_OLDEST, MODEL_CONTRACT_VERSION } from "../contract/hyper.ts";
import { ByteReader } from "./bytes.ts";
import { CHECK_START, chainRun, checkText, guardOf } from "./checksum.ts";
import { CorruptError, NotAnArchiveError, TruncatedError, UnsupportedVersionError } from "./errors.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_CUT,
  BLOCK_END,
  BLOCK_END_OLD,
  BLOCK_TAGS,
  type Block,
  type BlockKind,
  FLAG_LENGTH,
  FLAG_MODEL,
  FORMAT_VERSION,
  FORMAT_VERSION_1,
  FORMAT_VERSION_2,
  FORMAT_VERSION_3,
  type FrameHeader,
  type FrameModel,
  GROUPS_MAX,
  HEADER_BODY_BYTES_MAX,
  type IndexEntry,
  MAGIC,
  MODEL_CONTRACT_VERSION_1,
  type ModelRecord,
  PAYLOAD_SLACK_BYTES,
  PAYLOAD_SLACK_BYTES_PER_GROUP,
  PIECES_MAX,
  PIECES_SHIFT,
  PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX,
  STORED_RUN_BYTES_MAX,
} from "./format.ts";
import { readHyperParameters } from "./hyper-fields.ts";

/**
 * @param blockBytes the frame's block size
 * @returns the check to chain on
 * @throws CorruptError if `plain` is not what was compressed into `block`
 */
export function checkPlain(
  block: Pick<Block, "plainBytes" | "check">,
  plain: Uint8Array,
  checkBefore: bigint,
  blockBytes: number,
  offsetBytes: number,
): bigint {
  const found = chainRun(plain, checkBefore, blockBytes);
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
  if (version < FORMAT_VERSION_1 || version > FORMAT_VERSION) {
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
  const flagsOffset = body.position;
  const flags = body.u8("the header's flags");
  const known = version === FORMAT_VERSION_1 ? FLAG_MODEL : FLAG_MODEL | FLAG_LENGTH;
  if ((flags & ~known) !== 0) throw new UnsupportedVersionError(flagsOffset, "header flags", flags, known);
  const hasLength = version === FORMAT_VERSION_1 || (flags & FLAG_LENGTH) !== 0;
  const sizes = readSizes(body, version, hasLength);
  const model = flags & FLAG_MODEL ? readModel(body, version) : undefined;
  return { version, ...sizes, ...(model && { model }) };
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

/** @param version of the format: all models before version 4 were of contract 1 */
function readModel(body: ByteReader, version: number): FrameModel {
  const start = body.position;
  const contract = body.varintWithin("the model contract", 0, 0xffff_ffff);
  if (version <= FORMAT_VERSION_3 && contract !== MODEL_CONTRACT_VERSION_1) {
    throw new CorruptError(start, "the model contract", `${MODEL_CONTRACT_VERSION_1}`, `${contract}`);
  }
  if (contract < MODEL_CONTRACT_OLDEST || contract > MODEL_CONTRACT_VERSION) {
    throw new UnsupportedVersionError(start, "model contract", contract, MODEL_CONTRACT_VERSION);
  }
  const hyper = readHyperParameters(body, contract);
  const groupsMax = Math.min(GROUPS_MAX, hyper.streams);
  return { hyper, groupCount: body.varintWithin("the number of coder groups", 1, groupsMax) };
}

/** A frame while it is read: what its parts so far have said. */
export class OpenFrame {
  readonly entries: IndexEntry[] = [];
  /** Of the blocks so far. */
  plainBytes = 0;
  check = CHECK_START;

  constructor(
    public header: FrameHeader,
    /** Where the frame begins in the archive. */
    readonly offsetBytes: number,
  ) {}

  /** Plain bytes that the header has promised and no block has brought yet; undefined: not known. */
  get leftBytes(): number | undefined {
    const { plainBytes } = this.header;
    return plainBytes === undefined ? undefined : plainBytes - this.plainBytes;
  }

  /** Goes on behind `part`. */
  advance(part: Block | ModelRecord, codedBytes: number): void {
    if (part.kind === "model") {
      this.header = { ...this.header, model: part.model };
      this.entries.push({ kind: "model", plainBytes: 0, codedBytes });
      return;
    }
    const { kind, plainBytes, check, copies } = part;
    this.entries.push({ kind, plainBytes, codedBytes, ...(copies && { isCut: true }) });
    this.plainBytes += plainBytes;
    this.check = check;
  }
}

/** What comes before a block's payload. */
export interface BlockHead {
  readonly kind: BlockKind;
  readonly plainBytes: number;
  readonly check: bigint;
  /** Only of blocks with copies: what is left of the plain bytes, and the length of the list, which comes first. */
  readonly cut?: { readonly restBytes: number; readonly listBytes: number };
  /** Only of coded and learned blocks that state one. */
  readonly stride?: number;
  /** The parts of the payload: one, or one per coder group. */
  readonly lengths: readonly number[];
}

export interface ReadOptions {
  /** Called with the head of each block before its payload is waited for; may throw to refuse it. */
  readonly admit?: (head: BlockHead, header: FrameHeader) => void;
  /** false: blocks of plain bytes pass whatever their check says. Default: true. */
  readonly checks?: boolean;
}

/** What a block's first byte says. */
export interface FoundKind {
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
  const isCut = !isOld && tag > BLOCK_CUT;
  const kind = KINDS.get(isCut ? tag - BLOCK_CUT : tag);
  const refuse = (expected: string) =>
    new CorruptError(reader.position - 1, "the kind of a block", expected, `${byte}`);
  if (kind === undefined) throw refuse("1 to 8");
  if (kind === "model" && (isOld || isCut || pieces > 0)) throw refuse("1 to 8");
  if ((kind !== "stored" || isCut) && pieces > 1) throw refuse("at most one piece");
  return { kind, pieces, isCut };
}

/** The length of a block's plain bytes: full pieces, of which the header's length may cut the last, or a number. */
export function readPlainLength(
  reader: ByteReader,
  { blockBytes, version }: FrameHeader,
  { kind, pieces, isCut }: FoundKind,
  leftBytes = Number.MAX_SAFE_INTEGER,
): number {
  const isRun = kind === "stored" && !isCut && version >= FORMAT_VERSION_3;
  const bytesMax = Math.min(isRun ? Math.max(blockBytes, STORED_RUN_BYTES_MAX) : blockBytes, leftBytes);
  if (pieces === 0) return reader.varintWithin("the length of a block", 1, bytesMax);
  const plainBytes = Math.min(pieces * blockBytes, leftBytes);
  // One length has one spelling: every piece must have bytes.
  if (plainBytes > (pieces - 1) * blockBytes && plainBytes <= bytesMax) return plainBytes;
  throw new CorruptError(reader.position - 1, "the length of a block", `1 to ${bytesMax}`, `${plainBytes}`);
}

const isEnd = (byte: number, { version }: FrameHeader) =>
  byte === (version < FORMAT_VERSION_3 ? BLOCK_END_OLD : BLOCK_END);

/** The next block's head, the model, or undefined at the end mark. @throws TruncatedError, CorruptError */
export function readBlockHead(
  reader: ByteReader,
  header: FrameHeader,
  leftBytes?: number,
): BlockHead | ModelRecord | undefined {
  const start = reader.position;
  const byte = reader.u8("a block");
  if (isEnd(byte, header)) return undefined;
  const found = readKind(reader, header, byte);
  const { kind } = found;
  if (kind === "model" ? header.model : kind !== "stored" && !header.model) {
    throw new CorruptError(start, "the kind of a block", "one model before what needs it", kind);
  }
  if (kind === "model") return { kind, model: readModel(reader, header.version) };
  const plainBytes = readPlainLength(reader, header, found, leftBytes);
  const cut = found.isCut ? readCut(reader, kind, plainBytes) : undefined;
  const stride = kind === "stored" ? 0 : reader.varintWithin("the stride of a block", 0, STRIDE_MAX);
  const payloadBytes = cut?.restBytes ?? plainBytes;
  const lengths = kind === "coded" ? readGroupLengths(reader, header.model, payloadBytes, start) : [payloadBytes];
  const check = reader.u64("the checksum of the plain bytes");
  return { kind, plainBytes, lengths, check, ...(cut && { cut }), ...(stride > 0 && { stride }) };
}

/** Whether a block's check is all that it has: the check of plain bytes that are there needs no guard beside it. */
export function isBare(kind: IndexEntry["kind"], isCut: boolean): boolean {
  return kind === "stored" && !isCut;
}

/** What a block with copies says of them. A list is never longer than what it saves; a model has something to do. */
function readCut(reader: ByteReader, kind: BlockKind, plainBytes: number): { restBytes: number; listBytes: number } {
  const restBytes = reader.varintWithin("the length of a rest", kind === "stored" ? 0 : 1, plainBytes - 1);
  return { restBytes, listBytes: reader.varintWithin("the length of a list of copies", 1, plainBytes - restBytes) };
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
  const start = reader.offset;
  const at = reader.position;
  const { header, check: checkBefore } = frame;
  const head = readBlockHead(reader, header, frame.leftBytes);
  if (!head) return undefined;
  if (head.kind === "model") {
    checkGuard(reader, start, "the checksum of a model");
    return head;
  }
  options.admit?.(head, header);
  const { kind, plainBytes, check, lengths, cut, stride } = head;
  const list = reader.take("the copies of a block", cut?.listBytes ?? 0);
  const payload = reader.take(
    "the payload of a block",
    lengths.reduce((sum, length) => sum + length, 0),
  );
  if (isBare(kind, cut !== undefined) && header.version >= FORMAT_VERSION_3) {
    if (options.checks !== false) checkPlain(head, payload, checkBefore, header.blockBytes, at);
    return { kind: "stored", plainBytes, check, payload };
  }
  checkGuard(reader, start, "the checksum of a block");
  const copies = cut && { restBytes: cut.restBytes, list };
  const facts = { plainBytes, check, ...(copies && { copies }), ...(stride && { stride }) };
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
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  throw new CorruptError(position, field, hex(expected), hex(found));
}

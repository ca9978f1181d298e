/**
 * Turns frames into bytes: the mirror image of read.ts. Every function here returns bytes and checks what it is given,
 * because an archive that cannot be read back is found out years later.
 */
import { STRIDE_MAX } from "../contract/contexts.ts";
import { contractOf } from "../contract/hyper.ts";
import { host } from "../platform/host.ts";
import { ByteWriter } from "./bytes.ts";
import { CHECK_START, chainCheck, guardOf } from "./checksum.ts";
import { encodeFills, fillBytesOf } from "./fills.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_CUT,
  BLOCK_END,
  BLOCK_TAGS,
  type Block,
  type BlockCopies,
  type BlockKind,
  FILL_LIST_BYTES_MAX,
  type Fill,
  FLAG_LENGTH,
  FLAG_MODEL,
  FLAG_PATCH,
  FLAG_PRIOR,
  FORM_BLOCKS,
  FORM_VERSION_SHIFT,
  FORMAT_VERSION,
  FORMAT_VERSION_6,
  type FrameHeader,
  type FrameModel,
  groupsMaxOf,
  MAGIC,
  type ModelRecord,
  PIECES_MAX,
  PIECES_SHIFT,
  SMALL_BYTES_MAX,
  STORED_RUN_BYTES_MAX,
} from "./format.ts";
import { writeHyperParameters } from "./hyper-fields.ts";
import { writePriorReference } from "./prior-reference.ts";
import { checkStretches, encodeSmallFrame, listsOf, writeStride } from "./small.ts";

/** What a caller decides about a header; the version is the lowest that has what the frame needs. */
export type NewHeader = Omit<FrameHeader, "version" | "small">;

/** @throws HyperParameterError, RangeError for a header that no reader would accept. */
export function encodeHeader({ model, plainBytes, blockBytes, prior, isPatch = false }: NewHeader): Uint8Array {
  if (blockBytes < 0 || blockBytes > BLOCK_BYTES_MAX) throw new RangeError(`blocks of ${blockBytes} bytes`);
  const body = new ByteWriter();
  if (isPatch && !prior) throw new RangeError("a patch of nothing");
  const flags = (model ? FLAG_MODEL : 0) | (plainBytes === undefined ? 0 : FLAG_LENGTH);
  body.u8(flags | (prior ? FLAG_PRIOR : 0) | (isPatch ? FLAG_PATCH : 0));
  if (plainBytes === undefined) body.varint(blockBytes);
  else body.varint(plainBytes).varint(partsOf(plainBytes, blockBytes));
  if (prior) writePriorReference(body, prior);
  if (model) writeModel(body, model);
  const bodyBytes = body.finish();
  const version = FORMAT_VERSION;
  const form = ((version - FORMAT_VERSION_6) << FORM_VERSION_SHIFT) | FORM_BLOCKS;
  const guarded = new ByteWriter().raw(MAGIC).u8(form).varint(bodyBytes.length).raw(bodyBytes).finish();
  return withGuard([guarded]);
}

/** How many parts of equal length a frame has, from which a reader takes the block size. */
function partsOf(plainBytes: number, blockBytes: number): number {
  const parts = plainBytes === 0 ? 0 : Math.ceil(plainBytes / blockBytes);
  if (plainBytes > 0 && Math.ceil(plainBytes / parts) === blockBytes) return parts;
  if (plainBytes === 0 && blockBytes === 0) return 0;
  throw new RangeError(`blocks of ${blockBytes} bytes do not share ${plainBytes} bytes alike`);
}

function writeModel(body: ByteWriter, { hyper, groupCount }: FrameModel): void {
  if (groupCount < 1 || groupCount > groupsMaxOf(hyper)) {
    throw new RangeError(`${groupCount} coder groups for ${hyper.streams} streams`);
  }
  body.varint(contractOf(hyper));
  writeHyperParameters(body, hyper);
  body.varint(groupCount);
}

/** Makes the bytes of a frame part by part, and keeps the index meanwhile. */
export class FrameWriter {
  readonly #index = new ByteWriter();
  readonly #header: NewHeader;
  #model: FrameModel | undefined;
  #blocks = 0;
  #frameBytes = 0;
  #plainBytes = 0;

  constructor(header: NewHeader) {
    this.#header = header;
    this.#model = header.model;
  }

  /** The first part. @throws what encodeHeader throws */
  header(): Uint8Array {
    const bytes = encodeHeader(this.#header);
    this.#frameBytes = bytes.length;
    return bytes;
  }

  /** For frames whose header has no model: before the first block that needs it. @throws RangeError if there is one */
  model(model: FrameModel): Uint8Array {
    if (this.#model) throw new RangeError("a second model in a frame");
    this.#model = model;
    const record = new ByteWriter().u8(BLOCK_TAGS.model);
    writeModel(record, model);
    const bytes = withGuard([record.finish()]);
    this.#index.u8(BLOCK_TAGS.model).varint(bytes.length);
    this.#count(bytes.length, 0);
    return bytes;
  }

  /**
   * A block, behind its fills, if it has any.
   *
   * @throws RangeError if the block breaks what the header says, or what the format allows
   */
  block(block: Block): Uint8Array {
    if (!block.fills) return this.#bareOfFills(block);
    const gapBytes = block.fills.reduce((sum, fill) => sum + fill.gapBytes, 0);
    if (gapBytes > block.plainBytes) throw new RangeError(`${gapBytes} bytes between fills in ${block.plainBytes}`);
    return host.concatenate([this.#fills(block.fills), this.#bareOfFills(block, true)]);
  }

  #fills(fills: readonly Fill[]): Uint8Array {
    const list = encodeFills(fills);
    if (list.length < 1 || list.length > FILL_LIST_BYTES_MAX) throw new RangeError(`${list.length} bytes of fills`);
    const bytes = withGuard([new ByteWriter().u8(BLOCK_TAGS.fills).varint(list.length).finish(), list]);
    const plainBytes = fillBytesOf(fills);
    this.#index.u8(BLOCK_TAGS.fills).varint(plainBytes).varint(bytes.length);
    this.#count(bytes.length, plainBytes);
    return bytes;
  }

  #bareOfFills(block: Block, isFilled = false): Uint8Array {
    const { kind, plainBytes, copies, stride = 0, stretches, check } = block;
    if (kind === "stored" && !copies) return host.concatenate(this.stored([block.payload], check, isFilled));
    if (!this.#model && kind !== "stored") throw new RangeError(`a ${kind} block in a frame without a model`);
    checkStride(kind, stride, stretches);
    const length = this.#lengthOf(kind, plainBytes, copies);
    const head = new ByteWriter().raw(length);
    if (copies) head.varint(copies.restBytes).varint(copies.list.length);
    if (kind !== "stored") writeStride(head, block);
    const payload = kind === "coded" ? block.groups : [block.payload];
    if (kind === "coded") for (const group of payload) head.varint(group.length);
    const bytes = withGuard([head.u64(check).finish(), ...listsOf(block), ...payload]);
    this.#index.raw(length).varint(bytes.length);
    this.#count(bytes.length, plainBytes);
    return bytes;
  }

  /**
   * A stored block, in parts that belong together: its head, and `pieces` as they are, without a copy.
   *
   * @param isFilled whether fills stand before it
   * @throws RangeError as `block`
   */
  stored(pieces: readonly Uint8Array[], check: bigint, isFilled = false): Uint8Array[] {
    const plainBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const length = this.#lengthOf("stored", plainBytes, undefined, isFilled);
    const head = new ByteWriter().raw(length).u64(check).finish();
    this.#index.raw(length);
    this.#count(head.length + plainBytes, plainBytes);
    return [head, ...pieces];
  }

  /** The last part. @throws RangeError if the blocks do not add up to the header's length */
  end(): Uint8Array {
    const { plainBytes = this.#plainBytes } = this.#header;
    if (plainBytes !== this.#plainBytes) {
      throw new RangeError(`blocks of ${this.#plainBytes} bytes in a frame of ${plainBytes}`);
    }
    const entries = this.#index.finish();
    const index = new ByteWriter().varint(this.#frameBytes).varint(this.#blocks).finish();
    const length = new ByteWriter().u32(index.length + entries.length).finish();
    return withGuard([Uint8Array.of(BLOCK_END), index, entries, length]);
  }

  /** The kind, with the number of full pieces if that says the length, else with the length behind it. */
  #lengthOf(kind: BlockKind, plainBytes: number, copies?: BlockCopies, isFilled = false): Uint8Array {
    const { blockBytes, plainBytes: totalBytes = Number.MAX_SAFE_INTEGER } = this.#header;
    if (copies) checkCopies(kind, plainBytes, copies);
    const tag = BLOCK_TAGS[kind] + (copies ? BLOCK_CUT : 0);
    const isBare = kind === "stored" && !copies;
    const bytesMax = isBare && !isFilled ? Math.max(blockBytes, STORED_RUN_BYTES_MAX) : blockBytes;
    // An empty input has no blocks, and only fills need an empty one.
    if (plainBytes < (isBare && isFilled ? 0 : 1) || plainBytes > bytesMax)
      throw new RangeError(`${plainBytes} bytes in a ${kind} block`);
    const pieces = Math.ceil(plainBytes / blockBytes);
    const isFull = plainBytes > 0 && plainBytes === Math.min(pieces * blockBytes, totalBytes - this.#plainBytes);
    if (isFull && pieces <= PIECES_MAX) return Uint8Array.of(tag | (pieces << PIECES_SHIFT));
    return new ByteWriter().u8(tag).varint(plainBytes).finish();
  }

  #count(codedBytes: number, plainBytes: number): void {
    this.#blocks += 1;
    this.#frameBytes += codedBytes;
    this.#plainBytes += plainBytes;
  }
}

function checkCopies(kind: BlockKind, plainBytes: number, { restBytes, list }: BlockCopies): void {
  const isRestRight = restBytes >= (kind === "stored" ? 0 : 1) && restBytes < plainBytes;
  if (isRestRight && list.length >= 1 && list.length <= plainBytes - restBytes) return;
  throw new RangeError(`${list.length} bytes of copies and ${restBytes} of rest in ${plainBytes} bytes`);
}

function checkStride(kind: BlockKind, stride: number, stretches: Uint8Array | undefined): void {
  const isPossible = stride === 0 || (kind !== "stored" && stride >= 1 && stride <= STRIDE_MAX);
  if (!isPossible || !Number.isInteger(stride)) throw new RangeError(`a stride of ${stride} in a ${kind} block`);
  if (stretches) checkStretches(kind, stretches);
}

/** A whole frame. @throws RangeError if the blocks do not add up to the header's length. */
export function encodeFrame(header: NewHeader, parts: readonly (Block | ModelRecord)[]): Uint8Array {
  const writer = new FrameWriter(header);
  const encode = (part: Block | ModelRecord) => (part.kind === "model" ? writer.model(part.model) : writer.block(part));
  return host.concatenate([writer.header(), ...parts.map(encode), writer.end()]);
}

/** A frame that holds `plain` as it is, in one block. @throws RangeError beyond BLOCK_BYTES_MAX */
export function encodeStoredFrame(plain: Uint8Array): Uint8Array {
  if (plain.length === 0) return encodeSmallFrame();
  const check = chainCheck(plain, CHECK_START);
  const block: Block = { kind: "stored", plainBytes: plain.length, check, payload: plain };
  if (plain.length <= SMALL_BYTES_MAX) return encodeSmallFrame(block);
  return encodeFrame({ plainBytes: plain.length, blockBytes: plain.length }, [block]);
}

function withGuard(parts: readonly Uint8Array[]): Uint8Array {
  const room = new Uint8Array(4);
  const bytes = host.concatenate([...parts, room]);
  const guardedBytes = bytes.length - room.length;
  bytes.set(new ByteWriter().u32(guardOf(bytes.subarray(0, guardedBytes))).finish(), guardedBytes);
  return bytes;
}

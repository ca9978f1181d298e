/**
 * Turns frames into bytes: the mirror image of read.ts. Every function here returns bytes and checks what it is given,
 * because an archive that cannot be read back is found out years later.
 */
import { checkHyperParameters } from "../model/hyper.ts";
import { ByteWriter } from "./bytes.ts";
import { CHECK_START, chainCheck, guardOf } from "./checksum.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_END,
  BLOCK_TAGS,
  type Block,
  FLAG_LENGTH,
  FLAG_MODEL,
  FORMAT_VERSION,
  type FrameHeader,
  type FrameIndex,
  GROUPS_MAX,
  type IndexEntry,
  MAGIC,
  MODEL_CONTRACT_VERSION,
} from "./format.ts";

/** What a caller decides about a header; the version is always the newest. */
export type NewHeader = Omit<FrameHeader, "version">;

/** @throws HyperParameterError, RangeError for a header that no reader would accept. */
export function encodeHeader(header: NewHeader): Uint8Array {
  const { model, plainBytes, blockBytes } = header;
  if (blockBytes < 0 || blockBytes > BLOCK_BYTES_MAX) throw new RangeError(`blocks of ${blockBytes} bytes`);
  const body = new ByteWriter();
  body.u8((model ? FLAG_MODEL : 0) | (plainBytes === undefined ? 0 : FLAG_LENGTH)).varint(blockBytes);
  if (plainBytes !== undefined) body.varint(plainBytes);
  if (model) {
    const { hyper, groupCount } = model;
    checkHyperParameters(hyper);
    if (groupCount < 1 || groupCount > Math.min(GROUPS_MAX, hyper.streams)) {
      throw new RangeError(`${groupCount} coder groups for ${hyper.streams} streams`);
    }
    body.varint(MODEL_CONTRACT_VERSION);
    body.varint(hyper.history).varint(hyper.embedding);
    body.varint(hyper.globalHidden).varint(hyper.slot).varint(hyper.fineHidden).varint(hyper.coarseHidden);
    body.varint(hyper.streams).varint(hyper.learningRate).varint(groupCount);
  }
  const bodyBytes = body.finish();
  const guarded = new ByteWriter().raw(MAGIC).u8(FORMAT_VERSION).varint(bodyBytes.length).raw(bodyBytes).finish();
  return withGuard([guarded]);
}

/** @throws RangeError if a block is empty (an empty input has no blocks) or longer than the format allows. */
export function encodeBlock(block: Block): Uint8Array {
  if (block.plainBytes < 1 || block.plainBytes > BLOCK_BYTES_MAX) {
    throw new RangeError(`a block of ${block.plainBytes} bytes`);
  }
  const parts = block.kind === "coded" ? block.groups : [block.payload];
  const head = new ByteWriter().u8(BLOCK_TAGS[block.kind]).varint(block.plainBytes);
  if (block.kind === "coded") for (const group of block.groups) head.varint(group.length);
  head.u64(block.check);
  return withGuard([head.finish(), ...parts]);
}

/** The end mark, the index and the trailer. */
export function encodeEnd({ headerBytes, entries }: FrameIndex): Uint8Array {
  const index = new ByteWriter().varint(headerBytes).varint(entries.length);
  for (const { kind, plainBytes, codedBytes } of entries) {
    index.u8(BLOCK_TAGS[kind]).varint(plainBytes).varint(codedBytes);
  }
  const bytes = index.finish();
  return withGuard([Uint8Array.of(BLOCK_END), bytes, new ByteWriter().u32(bytes.length).finish()]);
}

/** Makes the bytes of a frame part by part, and keeps the index meanwhile. */
export class FrameWriter {
  readonly #entries: IndexEntry[] = [];
  readonly #header: NewHeader;
  #headerBytes = 0;
  #plainBytes = 0;

  constructor(header: NewHeader) {
    this.#header = header;
  }

  /** The first part. @throws what encodeHeader throws */
  header(): Uint8Array {
    const bytes = encodeHeader(this.#header);
    this.#headerBytes = bytes.length;
    return bytes;
  }

  /** @throws RangeError if the block breaks what the header says */
  block(block: Block): Uint8Array {
    const { blockBytes, model } = this.#header;
    if (block.plainBytes > blockBytes) throw new RangeError(`${block.plainBytes} bytes in a block of ${blockBytes}`);
    if (!model && block.kind !== "stored") throw new RangeError(`a ${block.kind} block in a frame without a model`);
    const bytes = encodeBlock(block);
    this.#entries.push({ kind: block.kind, plainBytes: block.plainBytes, codedBytes: bytes.length });
    this.#plainBytes += block.plainBytes;
    return bytes;
  }

  /** The last part. @throws RangeError if the blocks do not add up to the header's length */
  end(): Uint8Array {
    const { plainBytes = this.#plainBytes } = this.#header;
    if (plainBytes !== this.#plainBytes) {
      throw new RangeError(`blocks of ${this.#plainBytes} bytes in a frame of ${plainBytes}`);
    }
    return encodeEnd({ headerBytes: this.#headerBytes, entries: this.#entries });
  }
}

/** A whole frame. @throws RangeError if the blocks do not add up to the header's length. */
export function encodeFrame(header: NewHeader, blocks: readonly Block[]): Uint8Array {
  const writer = new FrameWriter(header);
  return concatenate([writer.header(), ...blocks.map((block) => writer.block(block)), writer.end()]);
}

/** A frame that holds `plain` as it is, in one block. @throws RangeError beyond BLOCK_BYTES_MAX */
export function encodeStoredFrame(plain: Uint8Array): Uint8Array {
  const check = chainCheck(plain, CHECK_START);
  const blocks: Block[] = [];
  if (plain.length > 0) blocks.push({ kind: "stored", plainBytes: plain.length, check, payload: plain });
  return encodeFrame({ plainBytes: plain.length, blockBytes: plain.length }, blocks);
}

function withGuard(parts: readonly Uint8Array[]): Uint8Array {
  const room = new Uint8Array(4);
  const bytes = concatenate([...parts, room]);
  const guardedBytes = bytes.length - room.length;
  bytes.set(new ByteWriter().u32(guardOf(bytes.subarray(0, guardedBytes))).finish(), guardedBytes);
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((bytes, part) => bytes + part.length, 0);
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

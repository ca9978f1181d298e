/**
 * Turns frames into bytes: the mirror image of read.ts. Every function here returns bytes and checks what it is given,
 * because an archive that cannot be read back is found out years later.
 */
import { checkHyperParameters } from "../model/hyper.ts";
import { ByteWriter } from "./bytes.ts";
import { CHECK_START, chainCheck, guardOf } from "./checksum.ts";
import {
  BLOCK_CODED,
  BLOCK_END,
  BLOCK_STORED,
  type Block,
  FLAG_MODEL,
  FORMAT_VERSION,
  type FrameHeader,
  GROUPS_MAX,
  MAGIC,
  MODEL_CONTRACT_VERSION,
} from "./format.ts";

/** @throws HyperParameterError, RangeError for a header that no reader would accept. */
export function encodeHeader(header: FrameHeader): Uint8Array {
  const body = new ByteWriter();
  body.u8(header.model ? FLAG_MODEL : 0).varint(header.plainBytes);
  if (header.model) {
    const { hyper, groupCount } = header.model;
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
  return new ByteWriter().raw(guarded).u32(guardOf(guarded)).finish();
}

/** @throws RangeError if a block is empty: an empty input has no blocks. */
export function encodeBlock(block: Block): Uint8Array {
  if (block.plainBytes < 1) throw new RangeError("a block of no bytes");
  const parts = block.kind === "stored" ? [block.payload] : block.groups;
  const head = new ByteWriter();
  head.u8(block.kind === "stored" ? BLOCK_STORED : BLOCK_CODED).varint(block.plainBytes);
  if (block.kind === "coded") for (const group of block.groups) head.varint(group.length);
  head.u64(block.check);
  const guarded = concatenate([head.finish(), ...parts]);
  return concatenate([guarded, new ByteWriter().u32(guardOf(guarded)).finish()]);
}

export function encodeEnd(): Uint8Array {
  return Uint8Array.of(BLOCK_END);
}

/** A whole frame. @throws RangeError if the blocks do not add up to the header's length. */
export function encodeFrame(header: FrameHeader, blocks: readonly Block[]): Uint8Array {
  const sum = blocks.reduce((bytes, block) => bytes + block.plainBytes, 0);
  if (sum !== header.plainBytes) throw new RangeError(`blocks of ${sum} bytes in a frame of ${header.plainBytes}`);
  return concatenate([encodeHeader(header), ...blocks.map(encodeBlock), encodeEnd()]);
}

/** A frame that holds `plain` as it is: 17 bytes more when empty, at most 50 bytes more otherwise. */
export function encodeStoredFrame(plain: Uint8Array): Uint8Array {
  const check = chainCheck(plain, CHECK_START);
  const blocks: Block[] = [];
  if (plain.length > 0) blocks.push({ kind: "stored", plainBytes: plain.length, check, payload: plain });
  return encodeFrame({ plainBytes: plain.length }, blocks);
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

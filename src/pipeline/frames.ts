/**
 * Whole inputs to whole archives and back: joins the container (src/archive) with the blocks (compress.ts,
 * decompress.ts). Decides when storing beats coding, and lets no decoded byte out whose checksum does not match.
 */
import { CHECK_START, chainCheck } from "../archive/checksum.ts";
import { CorruptError } from "../archive/errors.ts";
import type { CodedBlock, Frame, FrameHeader } from "../archive/format.ts";
import { checkPlain } from "../archive/read.ts";
import { encodeFrame, encodeStoredFrame } from "../archive/write.ts";
import { CorruptDataError } from "../coder/errors.ts";
import { coderGroupsFor } from "../coder/groups.ts";
import type { Engine } from "../engine/engine.ts";
import type { HyperParameters } from "../model/hyper.ts";
import { compressBlock } from "./compress.ts";
import { BlockDecompressor } from "./decompress.ts";
import { checkMemory } from "./memory.ts";
import type { BlockOptions } from "./options.ts";

/** Opens the engine at the first call: what is stored needs none, and decodes on machines that have none. */
export type EngineSource = () => Promise<Engine>;

export interface FrameOptions extends BlockOptions {
  /** The model and the plain bytes together may take this much. */
  readonly memoryBytesMax: number;
}

/** The fields that a model adds to a header are about this long, so shorter inputs cannot gain from one. */
export const STORED_BELOW_BYTES = 32;

/**
 * Compresses `plain` into one frame; stored if coding would not make it smaller, so it grows by 50 bytes at most.
 *
 * @param hyper its `streams` may be at most plain.length
 * @throws HyperParameterError, MemoryLimitError, and what the engine and the coder throw
 */
export async function compressFrame(
  plain: Uint8Array,
  hyper: HyperParameters,
  engineSource: EngineSource,
  options: FrameOptions,
): Promise<Uint8Array> {
  if (plain.length < STORED_BELOW_BYTES) return encodeStoredFrame(plain);
  checkMemory(hyper, plain.length, options.memoryBytesMax);
  const groupCount = coderGroupsFor(hyper.streams);
  const engine = await engineSource();
  const { groups } = await compressBlock(engine, hyper, plain, { ...options, groups: groupCount });
  const check = chainCheck(plain, CHECK_START);
  const coded = encodeFrame({ model: { hyper, groupCount }, plainBytes: plain.length }, [
    { kind: "coded", plainBytes: plain.length, check, groups },
  ]);
  if (coded.length <= plain.length) return coded;
  const stored = encodeStoredFrame(plain);
  return coded.length < stored.length ? coded : stored;
}

/**
 * Restores the plain bytes of one frame.
 *
 * Allocates the frame's plain length, which readArchive has held against its limits.
 * @throws CorruptError, MemoryLimitError, and what the engine and the coder throw
 */
export async function decompressFrame(
  frame: Frame,
  engineSource: EngineSource,
  options: FrameOptions,
): Promise<Uint8Array> {
  const { header, blocks } = frame;
  let decompressor: BlockDecompressor | undefined;
  try {
    const parts: Uint8Array[] = [];
    let check = CHECK_START;
    for (const block of blocks) {
      if (block.kind === "coded") {
        decompressor ??= await openModel(header, engineSource, options);
      }
      const plain = block.kind === "stored" ? block.payload : await decode(frame, block, decompressor);
      check = checkPlain(frame, block, plain, check);
      parts.push(plain);
    }
    return parts.length === 1 && parts[0] ? parts[0] : join(parts, header.plainBytes);
  } finally {
    await decompressor?.close();
  }
}

async function openModel(
  { model, plainBytes }: FrameHeader,
  engineSource: EngineSource,
  options: FrameOptions,
): Promise<BlockDecompressor> {
  if (!model) throw new Error("readArchive let a coded block pass in a frame without a model");
  checkMemory(model.hyper, plainBytes, options.memoryBytesMax);
  return await BlockDecompressor.open(await engineSource(), model.hyper, options);
}

async function decode(
  frame: Frame,
  block: CodedBlock,
  decompressor: BlockDecompressor | undefined,
): Promise<Uint8Array> {
  if (!decompressor) throw new Error("no model is open");
  try {
    return await decompressor.decompress(block.plainBytes, block.groups);
  } catch (error) {
    if (!(error instanceof CorruptDataError)) throw error;
    throw new CorruptError(frame.offsetBytes, "the coded data", "what a fade coder writes", error.message);
  }
}

function join(parts: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const joined = new Uint8Array(totalBytes);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Compression of blocks: bytes -> streams -> engine -> coder groups.
 */
import type { Engine } from "../engine/engine.ts";
import type { HyperParameters } from "../model/hyper.ts";
import type { CodedBlock, CompressOptions } from "./options.ts";

/** Compresses blocks one after another with one model, which goes on learning from block to block. */
export interface BlockCompressor {
  /** @throws the engine's errors, CoderWorkerError, the abort reason */
  compress(data: Uint8Array): Promise<CodedBlock>;
  close(): Promise<void>;
}

export async function openBlockCompressor(
  _engine: Engine,
  _hyper: HyperParameters,
  _options: CompressOptions,
): Promise<BlockCompressor> {
  throw new Error("not yet");
}

/** Compresses a single block with a model of its own. */
export async function compressBlock(
  engine: Engine,
  hyper: HyperParameters,
  data: Uint8Array,
  options: CompressOptions,
): Promise<CodedBlock> {
  const compressor = await openBlockCompressor(engine, hyper, options);
  try {
    return await compressor.compress(data);
  } finally {
    await compressor.close();
  }
}

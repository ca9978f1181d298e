/**
 * Decompression of blocks: coder groups -> frequencies from the engine -> bytes -> streams put back in place.
 */
import type { Engine } from "../engine/engine.ts";
import type { HyperParameters } from "../model/hyper.ts";
import type { BlockOptions } from "./options.ts";

/** Restores blocks in the order in which a BlockCompressor made them, with one model that goes on learning. */
export interface BlockDecompressor {
  /**
   * @param sizeBytes plain bytes of the block; allocated at once, so the caller bounds it
   * @throws CorruptDataError, the engine's errors, CoderWorkerError, the abort reason
   */
  decompress(sizeBytes: number, groups: readonly Uint8Array[]): Promise<Uint8Array>;
  close(): Promise<void>;
}

export async function openBlockDecompressor(
  _engine: Engine,
  _hyper: HyperParameters,
  _options: BlockOptions,
): Promise<BlockDecompressor> {
  throw new Error("not yet");
}

/** Restores a single block that was compressed with a model of its own. The result still needs its checksum checked. */
export async function decompressBlock(
  engine: Engine,
  hyper: HyperParameters,
  sizeBytes: number,
  groups: readonly Uint8Array[],
  options: BlockOptions,
): Promise<Uint8Array> {
  const decompressor = await openBlockDecompressor(engine, hyper, options);
  try {
    return await decompressor.decompress(sizeBytes, groups);
  } finally {
    await decompressor.close();
  }
}

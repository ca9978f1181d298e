/** Whole blocks and archives, made and restored in memory as the program does it piece by piece. */
import { pullFrom } from "../../src/archive/stream.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { BlockCompressor } from "../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../src/pipeline/decompress.ts";
import { type CompressOptions, compressStream, type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import type { BlockOptions, CodedBlock, CompressOptions as CompressBlockOptions } from "../../src/pipeline/options.ts";
import { type RestoreOptions, restore } from "../../src/pipeline/restore.ts";
import { joined } from "./bytes.ts";
import { FakeEngine, tinyHyper } from "./fake-engine.ts";

/** More than any test needs. */
export const LIMITS = { workers: 1, memoryBytesMax: 2 ** 30 } as const;

/** All that `work` hands to its sink. */
export async function collected(work: (sink: (bytes: Uint8Array) => Promise<void>) => Promise<unknown>) {
  const parts: Uint8Array[] = [];
  await work(async (bytes) => void parts.push(bytes.slice()));
  return joined(...parts);
}

/** An archive; where nothing else is said, of one block, with a small network of four streams. */
export function archiveOf(
  plain: Uint8Array | PlainSource,
  options: Partial<CompressOptions> = {},
  engine: Engine = new FakeEngine(),
): Promise<Uint8Array<ArrayBuffer>> {
  const source = plain instanceof Uint8Array ? sourceOf(plain) : plain;
  const all = { ...LIMITS, blockBytes: 2 ** 24, hyperFor: () => tinyHyper(4), ...options };
  return collected((sink) => compressStream(source, sink, async () => engine, all));
}

/** What an archive holds. It comes in pieces of `pieceBytes`. */
export function plainOf(
  archive: Uint8Array,
  options: Partial<RestoreOptions> = {},
  engine: Engine = new FakeEngine(),
  pieceBytes = 1000,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = { ...LIMITS, ...options };
  return collected((sink) => restore(pullFrom(archive, pieceBytes), sink, async () => engine, all));
}

/** A single block with a model of its own. @throws what BlockCompressor throws */
export async function compressBlock(
  engine: Engine,
  hyper: HyperParameters,
  data: Uint8Array,
  options: CompressBlockOptions,
): Promise<CodedBlock> {
  const compressor = await BlockCompressor.open(engine, hyper, options);
  try {
    return await compressor.compress(data);
  } finally {
    await compressor.close();
  }
}

/** The same back. @throws what BlockDecompressor throws */
export async function decompressBlock(
  engine: Engine,
  hyper: HyperParameters,
  sizeBytes: number,
  groups: readonly Uint8Array[],
  options: BlockOptions,
): Promise<Uint8Array> {
  const decompressor = await BlockDecompressor.open(engine, hyper, options);
  try {
    return await decompressor.decompress(sizeBytes, groups);
  } finally {
    await decompressor.close();
  }
}

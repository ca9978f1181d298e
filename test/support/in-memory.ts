/** Whole blocks and archives, made and restored in memory as the program does it piece by piece. */
import { fillBytesOf } from "../../src/archive/fills.ts";
import type { Block, FrameHeader } from "../../src/archive/format.ts";
import { ArchiveReader, pullFrom } from "../../src/archive/stream.ts";
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

/** A frame that was read as a whole. `plainBytes` is known behind the last block. */
export interface Frame {
  readonly header: FrameHeader & { readonly plainBytes: number };
  readonly blocks: readonly Block[];
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** All frames of an archive as the container has them, before anything is decoded. @throws what ArchiveReader throws */
export async function readArchive(archive: Uint8Array, pieceBytes?: number): Promise<Frame[]> {
  const reader = new ArchiveReader(pullFrom(archive, pieceBytes), { sizeBytes: archive.length });
  const frames: Frame[] = [];
  let frame = { header: {} as FrameHeader, offsetBytes: 0, blocks: [] as Block[] };
  for (let part = await reader.next(); part; part = await reader.next()) {
    if (part.kind === "header") frame = { header: part.header, offsetBytes: part.offsetBytes, blocks: [] };
    else if (part.kind === "model") frame.header = { ...frame.header, model: part.model };
    // The next part takes its payload's place.
    else if (part.kind === "block") frame.blocks.push(structuredClone(part.block));
    else {
      const plainBytes = frame.blocks.reduce((sum, { plainBytes, fills }) => sum + plainBytes + fillBytesOf(fills), 0);
      const lengthBytes = reader.position - frame.offsetBytes;
      frames.push({ ...frame, header: { ...frame.header, plainBytes }, lengthBytes });
    }
  }
  return frames;
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

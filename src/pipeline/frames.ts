/**
 * Streams of plain bytes to frames: joins the container (src/archive) with the blocks (compress.ts). One block is in
 * memory, whatever the length of the input, and what is done with it (coded, stored, learned) is decided here. Only
 * stored blocks are collected, up to 64 MiB, so that they share a head: the first of a row goes out at once.
 *
 * A block that looks like chance is stored, and the model never hears of it. Where the model has tried and failed, it
 * has learned from the block all the same: then the block goes out as "learned", plain bytes through which the decoder
 * must lead its model too; unless nothing hangs on the model's state, because no coded block came before (the model
 * begins anew) or none can follow.
 */
import { CHECK_START, chainCheck } from "../archive/checksum.ts";
import {
  BLOCK_BYTES_MAX,
  type Block,
  type FrameModel,
  type PlainBlock,
  STORED_RUN_BYTES_MAX,
} from "../archive/format.ts";
import { FrameWriter } from "../archive/write.ts";
import { coderGroupsFor } from "../coder/groups.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine } from "../engine/engine.ts";
import type { Shape } from "../model/levels.ts";
import { collectAfter, release } from "../platform/release.ts";
import type { CutPolicy } from "../repeats/policy.ts";
import { BlockCompressor } from "./compress.ts";
import { looksIncompressible } from "./content.ts";
import { checkMemory } from "./memory.ts";
import type { BlockOptions } from "./options.ts";
import { type Cut, RepeatCutter } from "./repeats.ts";
import { findStride } from "./stride.ts";

/** Opens the engine at the first call: what is stored needs none, and decodes on machines that have none. */
export type EngineSource = () => Promise<Engine>;

export interface FrameOptions extends BlockOptions {
  /** The model and its blocks together may take this much. */
  readonly memoryBytesMax: number;
}

export interface PlainSource {
  /** Plain bytes that there are, if that is known. */
  readonly sizeBytes?: number;
  /** The next `count` bytes; fewer only at the end. The caller may keep them. */
  read(count: number): Promise<Uint8Array>;
  /** Told when nobody looks at bytes any more that `read` gave: their memory may go, or be used again. */
  free?(bytes: Uint8Array): void;
}

/** Takes bytes, in order; it may keep them. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

export interface CompressOptions extends FrameOptions {
  /** Plain bytes in a block, at most; 1 to BLOCK_BYTES_MAX. */
  readonly blockBytes: number;
  /** Stored blocks are joined up to this length; default: STORED_RUN_BYTES_MAX, or what the memory allows. */
  readonly runBytes?: number;
  /** The model for blocks of this many bytes; its `streams` may be at most that. */
  readonly hyperFor: (blockBytes: number) => HyperParameters;
  /** Which repeats are cut out before the model; without it, none. */
  readonly repeats?: CutPolicy;
}

/** The input did not have the length that it was said to have. */
export class InputSizeError extends Error {
  constructor(
    readonly expectedBytes: number,
    readonly foundBytes: number,
  ) {
    super(`changed while it was read: ${expectedBytes} bytes were expected, ${foundBytes} are there`);
    this.name = "InputSizeError";
  }
}

/** The fields that a model adds to a header are about this long, so shorter inputs cannot gain from one. */
export const STORED_BELOW_BYTES = 32;

const MIB = 2 ** 20;

/**
 * The block size where nobody names one: 8 MiB for models of up to middle width (levels 1 to 6), 64 MiB for wide ones.
 * A stream of a full block then has 8 or 16 KiB, so its first bytes, which follow bytes of another place, do not
 * matter, and a pipe gives its first bytes soon. With 16 MiB, level 5 would take 2048 streams and 70 MB more.
 */
export function blockBytesFor(shape: Shape): number {
  return shape.history * shape.embedding <= 256 ? 8 * MIB : 64 * MIB;
}

/** Blocks of one length, rather than full ones and a small rest: no stream runs short. */
export function balancedBlockBytes(sizeBytes: number, blockBytes: number): number {
  return Math.ceil(sizeBytes / Math.max(1, Math.ceil(sizeBytes / blockBytes)));
}

/**
 * Compresses everything that `source` gives into one frame. Each block goes to `sink` as soon as it is coded.
 *
 * @throws HyperParameterError, MemoryLimitError, InputSizeError, and what the source, the engine and the coder throw
 */
export async function compressStream(
  source: PlainSource,
  sink: ByteSink,
  engineSource: EngineSource,
  options: CompressOptions,
): Promise<void> {
  const { sizeBytes } = source;
  const wanted = Math.min(options.blockBytes, BLOCK_BYTES_MAX);
  const blockBytes = sizeBytes === undefined ? wanted : balancedBlockBytes(sizeBytes, wanted);
  const first = await source.read(Math.max(1, blockBytes));
  // A short block is the last one; what comes after a full one is only known if the size is.
  const totalBytes = sizeBytes ?? (first.length < blockBytes ? first.length : undefined);
  const plan = { totalBytes, blockBytes: totalBytes === first.length ? first.length : blockBytes };
  const compressor = new FrameCompressor(engineSource, options, plan, sink, (plain) => source.free?.(plain));
  try {
    // A block's bytes are gone when it was added: only its length is looked at later.
    let lastBytes = first.length;
    let doneBytes = lastBytes;
    await compressor.add(first, lastBytes < blockBytes || doneBytes === totalBytes);
    while (lastBytes === blockBytes && doneBytes !== totalBytes) {
      collectAfter(blockBytes);
      const wantedBytes = totalBytes === undefined ? blockBytes : Math.min(blockBytes, totalBytes - doneBytes);
      const plain = await source.read(wantedBytes);
      lastBytes = plain.length;
      doneBytes += lastBytes;
      if (lastBytes > 0) await compressor.add(plain, lastBytes < blockBytes || doneBytes === totalBytes);
    }
    if (totalBytes !== undefined && doneBytes !== totalBytes) throw new InputSizeError(totalBytes, doneBytes);
    await compressor.end();
  } finally {
    await compressor.close();
  }
}

/** Compresses bytes in memory into a frame of one block. @throws what compressStream throws */
export async function compressFrame(
  plain: Uint8Array,
  hyper: HyperParameters,
  engineSource: EngineSource,
  options: FrameOptions,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array) => void parts.push(bytes);
  const all = { ...options, blockBytes: Math.max(1, plain.length), hyperFor: () => hyper };
  await compressStream(sourceOf(plain), sink, engineSource, all);
  return new Uint8Array(Buffer.concat(parts));
}

/** A source of bytes that are in memory. @param isSizeKnown false: as if they came from a pipe */
export function sourceOf(plain: Uint8Array, isSizeKnown = true): PlainSource {
  let offset = 0;
  const read = async (count: number) => {
    offset += count;
    return plain.subarray(offset - count, offset);
  };
  return { ...(isSizeKnown && { sizeBytes: plain.length }), read };
}

/** What is known of a frame before its first block. */
interface FramePlan {
  readonly totalBytes: number | undefined;
  readonly blockBytes: number;
}

/** What is known of a block before the model has seen it. */
interface BlockPlan {
  readonly isLast: boolean;
  /** Whether it looks like chance. */
  readonly isChance: boolean;
  readonly cut?: Cut;
}

/** A share of the memory that may be used, for stored blocks that wait for each other. */
const RUN_SHARE = 1 / 4;

class FrameCompressor {
  readonly #engineSource: EngineSource;
  readonly #options: CompressOptions;
  readonly #plan: FramePlan;
  readonly #sink: ByteSink;
  readonly #free: (plain: Uint8Array) => void;
  readonly #runBytesMax: number;
  #frameModel: FrameModel | undefined;
  #writer: FrameWriter | undefined;
  #isModelWritten = false;
  #model: BlockCompressor | undefined;
  #doneBytes = 0;
  #check = CHECK_START;
  /** Whether a coded or learned block came before: then the model's state is the decoder's, too. */
  #hasHistory = false;
  /** Stored blocks that have not gone out. */
  #run: Uint8Array[] = [];
  #runCheck = CHECK_START;
  #isBehindStored = false;
  #cutter: RepeatCutter | undefined;
  /** Plain bytes that stand behind each byte that the model sees of the block at hand. */
  #plainPerSeen = 1;

  /** @param free takes blocks that have gone out */
  constructor(
    engineSource: EngineSource,
    options: CompressOptions,
    plan: FramePlan,
    sink: ByteSink,
    free: (plain: Uint8Array) => void,
  ) {
    this.#engineSource = engineSource;
    this.#options = options;
    this.#plan = plan;
    this.#sink = sink;
    this.#free = free;
    const { runBytes = STORED_RUN_BYTES_MAX, memoryBytesMax } = options;
    this.#runBytesMax = Math.min(runBytes, STORED_RUN_BYTES_MAX, Math.floor(memoryBytesMax * RUN_SHARE));
  }

  /** Takes the next block, and sends what is ready to the sink. */
  async add(plain: Uint8Array, isLast: boolean): Promise<void> {
    const isFirst = this.#writer === undefined;
    const isTiny = isFirst && isLast && plain.length < STORED_BELOW_BYTES;
    const isChance = isTiny || looksIncompressible(plain);
    const cut = isTiny ? undefined : await this.#cut(plain, isChance, isLast);
    if (isFirst && !isTiny) this.#chooseModel((cut?.rest ?? plain).length, isLast);
    const block = await this.#makeBlock(plain, { isLast, isChance, ...(cut && { cut }) });
    if (isFirst) await this.#writeHeader(block);
    if (plain.length === 0) return;
    if (block.kind === "stored" && !block.copies) {
      await this.#addStored(block.payload, isLast);
      return;
    }
    await this.#flush();
    this.#isBehindStored = false;
    await this.#writeModel();
    await this.#sink(this.#open.block(block));
    if (cut) release(cut.rest);
    this.#free(plain);
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#sink(this.#open.end());
  }

  async close(): Promise<void> {
    await this.#model?.close();
    this.#model = undefined;
  }

  get #open(): FrameWriter {
    if (!this.#writer) throw new Error("the frame is not open");
    return this.#writer;
  }

  async #cut(plain: Uint8Array, isChance: boolean, isLast: boolean): Promise<Cut | undefined> {
    const { repeats: policy, memoryBytesMax, signal } = this.#options;
    if (!policy) return undefined;
    const options = { policy, memoryBytesMax, ...(signal && { signal }) };
    this.#cutter ??= new RepeatCutter(this.#plan.blockBytes, isLast, options);
    return await this.#cutter.cut(plain, isChance);
  }

  /** How many streams there are follows from what the model will see; of later blocks that is a guess. */
  #chooseModel(firstBytes: number, isOnlyBlock: boolean): void {
    const { blockBytes } = this.#plan;
    const seenBytes = isOnlyBlock ? firstBytes : Math.max(firstBytes, Math.floor(blockBytes / 4));
    const hyper = this.#options.hyperFor(Math.min(blockBytes, seenBytes));
    checkMemory(hyper, 3 * blockBytes, this.#options.memoryBytesMax);
    this.#frameModel = { hyper, groupCount: coderGroupsFor(hyper.streams) };
  }

  /** The model stands there only if the first block needs it: what is stored to its end has none. */
  async #writeHeader(first: Block): Promise<void> {
    const { totalBytes: plainBytes, blockBytes } = this.#plan;
    const model = first.kind === "stored" ? undefined : this.#frameModel;
    this.#isModelWritten = model !== undefined;
    this.#writer = new FrameWriter({
      blockBytes,
      ...(plainBytes !== undefined && { plainBytes }),
      ...(model && { model }),
    });
    await this.#sink(this.#writer.header());
  }

  async #writeModel(): Promise<void> {
    if (this.#isModelWritten || !this.#frameModel) return;
    this.#isModelWritten = true;
    await this.#sink(this.#open.model(this.#frameModel));
  }

  async #addStored(plain: Uint8Array, isLast: boolean): Promise<void> {
    this.#run.push(plain);
    this.#runCheck = this.#check;
    const runBytes = this.#run.reduce((sum, piece) => sum + piece.length, 0);
    const isFull = runBytes + this.#plan.blockBytes > this.#runBytesMax;
    if (isLast || isFull || !this.#isBehindStored) await this.#flush();
    this.#isBehindStored = true;
  }

  async #flush(): Promise<void> {
    if (this.#run.length === 0) return;
    const run = this.#run;
    this.#run = [];
    for (const part of this.#open.stored(run, this.#runCheck)) await this.#sink(part);
    run.forEach(this.#free);
  }

  async #makeBlock(plain: Uint8Array, facts: BlockPlan): Promise<Block> {
    const { isLast, isChance, cut } = facts;
    const seen = cut?.rest ?? plain;
    const isStored = isChance || (cut && (seen.length < STORED_BELOW_BYTES || looksIncompressible(seen)));
    if (isStored || !this.#frameModel) return this.#plainBlock("stored", plain, cut);
    this.#plainPerSeen = plain.length / seen.length;
    const stride = findStride(seen, this.#frameModel.hyper.streams);
    const { groups } = await (await this.#openModel()).compress(seen, { stride });
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    // A frame of one stored block needs no model in its header; only there does a tie go to storing.
    const headerGain = isLast && this.#doneBytes === 0 ? STORED_BELOW_BYTES / 2 : 0;
    if (codedBytes + headerGain < seen.length) {
      this.#hasHistory = true;
      this.#chain(plain);
      return { kind: "coded", ...this.#factsOf(plain, cut, stride), groups };
    }
    if (!isLast && this.#hasHistory) return this.#plainBlock("learned", plain, cut, stride);
    if (!isLast) await this.close();
    return this.#plainBlock("stored", plain, cut);
  }

  async #openModel(): Promise<BlockCompressor> {
    if (this.#model) return this.#model;
    if (!this.#frameModel) throw new Error("the frame has no model");
    const { hyper, groupCount: groups } = this.#frameModel;
    const onProgress = this.#options.onProgress;
    const options = {
      ...this.#options,
      groups,
      // Blocks count from their own start; callers want the frame's.
      ...(onProgress && {
        onProgress: (progress: Parameters<typeof onProgress>[0]) =>
          onProgress({
            ...progress,
            bytesDone: this.#doneBytes + Math.floor(progress.bytesDone * this.#plainPerSeen),
          }),
      }),
    };
    this.#model = await BlockCompressor.open(await this.#engineSource(), hyper, options);
    return this.#model;
  }

  #plainBlock(kind: "stored" | "learned", plain: Uint8Array, cut: Cut | undefined, stride = 0): PlainBlock {
    this.#chain(plain);
    return { kind, ...this.#factsOf(plain, cut, stride), payload: cut?.rest ?? plain };
  }

  /** Of a block that is chained already. */
  #factsOf(plain: Uint8Array, cut: Cut | undefined, stride: number) {
    const facts = { plainBytes: plain.length, check: this.#check };
    return { ...facts, ...(cut && { copies: cut.copies }), ...(stride > 0 && { stride }) };
  }

  #chain(plain: Uint8Array): void {
    this.#check = chainCheck(plain, this.#check);
    this.#doneBytes += plain.length;
  }
}

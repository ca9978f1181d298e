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

import { varintBytes } from "../archive/bytes.ts";
import { CHECK_START, chainCheck } from "../archive/checksum.ts";
import {
  BLOCK_BYTES_MAX,
  type Block,
  type FrameModel,
  SMALL_BYTES_MAX,
  SMALL_STRIDE_BYTES_MIN,
  windowBytesOf,
} from "../archive/format.ts";
import { type PriorReference, priorReferenceBytes } from "../archive/prior-reference.ts";
import {
  encodeSmallFrame,
  encodeStatedFrame,
  levelOfModel,
  SMALL_PATTERN_BYTES_MAX,
  smallModelBehind,
} from "../archive/small.ts";
import { FrameWriter } from "../archive/write.ts";
import { groupsFor } from "../coder/groups.ts";
import { keepLanesWithin } from "../platform/idle-room.ts";
import { release } from "../platform/release.ts";
import { type CutPolicy, PATCH_POLICY } from "../repeats/policy.ts";
import { windowRoomBytes } from "../repeats/window.ts";
import { balancedBlockBytes } from "./block-bytes.ts";
import {
  type BlockPlan,
  beforePrediction,
  cuesFor,
  type Found,
  factsOf,
  lanesOf,
  plainBlock,
  type ShownBytes,
} from "./block-plan.ts";
import { builtInFor, isToldNone, withFittingPrior } from "./built-in.ts";
import { BlockCompressor } from "./compress.ts";
import { looksIncompressible } from "./content.ts";
import { cueMemoryBytes } from "./cues.ts";
import { FillReader, type PlainSource, shortPeriodOf } from "./fills.ts";
import type { ByteSink, CompressOptions, EngineSource } from "./frame-options.ts";
import { checkMemory, modelMemoryBytes } from "./memory.ts";
import { type FramePlan, type Part, PartLine, partsOf } from "./parts.ts";
import { type ModelView, numbersIn, type Prepared, STORED_BELOW_BYTES, show } from "./prepare.ts";
import { Preparers, preparerCount } from "./preparers.ts";
import { fitting, hyperBehind, oldBytesOf, priorMemoryBytes, referenceOf, smallStride } from "./priors.ts";
import { RepeatCutter } from "./repeats.ts";
import { StoredRun } from "./stored-run.ts";

export { type PlainSource, sourceOf } from "./fills.ts";
export * from "./frame-options.ts";

/** Behind a prior it is open already, and may know them. */
const STORED_BELOW_BYTES_BEHIND = 8;
/** What a frame with a model of its own costs more than a small one that is stored. */
const LARGE_FRAME_BYTES = 64;

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
  const known = sizeBytes === undefined ? undefined : options.blockBytesFor?.(sizeBytes);
  const most = Math.min(known ?? options.blockBytes, BLOCK_BYTES_MAX);
  const blockBytes = sizeBytes === undefined ? most : balancedBlockBytes(sizeBytes, most);
  const first = await source.read(Math.max(1, blockBytes));
  // A short block is the last one; what comes after a full one is only known if the size is.
  const totalBytes = sizeBytes ?? (first.length < blockBytes ? first.length : undefined);
  const plan = { totalBytes, blockBytes: totalBytes === first.length ? first.length : blockBytes };
  const reader = new FillReader(source, first);
  const prior = options.prior ?? (totalBytes === first.length ? builtInFor(first, options) : undefined);
  const all = { ...options, ...(prior && { prior }) };
  const compressor = new FrameCompressor(engineSource, all, plan, sink, reader);
  try {
    const isSmall = totalBytes === first.length && totalBytes <= SMALL_BYTES_MAX;
    if (isSmall && (totalBytes === 0 || !options.prior?.old)) return await compressor.addSmall(first);
    await compressor.addAll(partsOf(reader, plan, blockBytes, totalBytes === first.length, all.signal));
    await compressor.end();
  } finally {
    await compressor.close();
  }
}

class FrameCompressor {
  readonly #engineSource: EngineSource;
  #options: CompressOptions;
  readonly #plan: FramePlan;
  readonly #sink: ByteSink;
  readonly #reader: FillReader;
  #frameModel: FrameModel | undefined;
  #writer: FrameWriter | undefined;
  #isModelWritten = false;
  #model: BlockCompressor | undefined;
  #doneBytes = 0;
  /** Whether a coded or learned block came before: then the model's state is the decoder's, too. */
  #hasHistory = false;
  readonly #run: StoredRun;
  #cutter: RepeatCutter | undefined;
  #preparerCount = 0;
  #preparers: Preparers | undefined;
  /** Plain bytes that stand behind each byte that the model sees of the block at hand. */
  #plainPerSeen = 1;

  /** @param reader takes back blocks that are of no use any more */
  constructor(
    engineSource: EngineSource,
    options: CompressOptions,
    plan: FramePlan,
    sink: ByteSink,
    reader: FillReader,
  ) {
    this.#engineSource = engineSource;
    this.#options = options;
    this.#plan = plan;
    this.#sink = sink;
    this.#reader = reader;
    this.#run = new StoredRun(plan.blockBytes, options);
  }

  /** Takes all parts of an input, and sends what is ready to the sink. @throws what they throw */
  async addAll(parts: AsyncGenerator<Part>): Promise<void> {
    const line = new PartLine(parts, (part) => this.#prepareAhead(part));
    for (let next = await line.next(); next; next = await line.next()) {
      const ready = await (next.prepared ?? this.#findIn(next.part));
      this.#chooseModelFor(next.part, ready);
      // From here on only what is left of it counts: it makes room for the next one.
      if (ready.cut) this.#reader.free(next.part.block.bytes);
      // There is nothing behind it.
      if (next.part.isLast) await this.#preparers?.close();
      // What is on its way goes through the cutter at once, so nothing may wait that is yet to go through it.
      if (this.#frameModel) line.goAhead(this.#preparerCount);
      await this.#add(next.part, ready);
    }
  }

  async #add(part: Part, ready: Found | Prepared): Promise<void> {
    const { isFirst, isLast, check, keptBytes: plainBytes } = part;
    const { bytes, fills, totalBytes } = part.block;
    const seen = ready.cut?.rest ?? (ready as Prepared).plain ?? bytes;
    // A frame of one stored block needs no model in its header; only there does a tie go to storing.
    const gainMin = isFirst && isLast ? STORED_BELOW_BYTES / 2 : 0;
    const facts = { ...ready, plainBytes, isLast, check, gainMin, ...(fills && { fills }) };
    const block = await this.#makeBlock(seen, facts);
    if (isFirst && isLast && (await this.#sendStated(block))) return;
    if (isFirst) await this.#writeHeader(block);
    this.#doneBytes += totalBytes;
    if (block.kind === "stored" && !block.copies && !fills) {
      if (this.#run.add(block.payload, check, isLast)) await this.#flush();
      return;
    }
    await this.#flush();
    this.#run.end();
    if (block.kind !== "stored") await this.#writeModel();
    await this.#sink(this.#open.block(block));
    this.#free(seen, ready);
  }

  /** What is found in a part, here and now. */
  async #findIn({ block: { bytes: plain }, isFirst, isLast }: Part): Promise<Found> {
    const isTiny = plain.length === 0 || (isFirst && isLast && plain.length < STORED_BELOW_BYTES);
    const isChance = isTiny || looksIncompressible(plain);
    return await this.#find(plain, isChance, !isTiny, isLast);
  }

  async #find(plain: Uint8Array, isChance: boolean, isCut: boolean, isLast: boolean): Promise<Found> {
    // The model may yet be chosen for fewer bytes, which have no more lanes.
    const numbers = await numbersIn(plain, isChance, () => this.#hyperOf(plain.length), this.#options.signal);
    const cut = isCut ? await this.#openCutter(isLast)?.cut(plain, isChance, numbers) : undefined;
    return { isChance, numbers, ...(cut && { cut }) };
  }

  /** Sets a thread to what `#find` and `#show` would do. */
  #prepareAhead({ block: { bytes: plain }, keptBytes, isLast }: Part): Promise<Prepared> | undefined {
    const view = this.#viewOf();
    if (!this.#preparers || !view || keptBytes === 0) return undefined;
    const reach = this.#openCutter(isLast)?.reachOf(plain, this.#preparerCount === 1);
    const cutting = reach && { ...reach, policy: this.#policy as CutPolicy };
    const order = { plain, isChance: looksIncompressible(plain), ...(cutting && { cutting }), view };
    return this.#preparers.prepare(order, this.#reader.isGivenAway(plain));
  }

  #chooseModelFor({ keptBytes, isFirst, isLast, modelBytes }: Part, { cut }: Found): void {
    const isTiny = keptBytes === 0 || (isFirst && isLast && keptBytes < STORED_BELOW_BYTES);
    if (this.#frameModel || isTiny) return;
    const seenBytes = cut?.rest.length ?? keptBytes;
    if (isLast || modelBytes === undefined) this.#chooseModel(seenBytes, isFirst && isLast);
    else this.#chooseModel(Math.max(1, modelBytes), true);
  }

  /** Takes all of a short input, and sends its frame to the sink: a small one, unless its model is of no level. */
  async addSmall(plain: Uint8Array): Promise<void> {
    const block = plain.length > 0 ? await this.#makeSmall(plain) : undefined;
    const model = this.#frameModel && block?.kind === "coded" ? this.#smallModelOf(block) : undefined;
    if (block?.kind === "coded" && model === undefined) {
      if (await this.#sendStated(block)) return;
      await this.#writeHeader(block);
      await this.#sink(this.#open.block(block));
      return await this.end();
    }
    await this.#sink(encodeSmallFrame(block, model));
  }

  async #makeSmall(plain: Uint8Array): Promise<Block> {
    const check = chainCheck(plain, CHECK_START);
    const period = shortPeriodOf(plain, SMALL_PATTERN_BYTES_MAX);
    if (period > 0 && period + 1 < plain.length) {
      const fills = [{ gapBytes: 0, lengthBytes: plain.length, pattern: plain.slice(0, period) }];
      return { kind: "stored", plainBytes: 0, check, fills, payload: new Uint8Array(0) };
    }
    const { prior } = this.#options;
    const isTiny = plain.length < (prior ? STORED_BELOW_BYTES_BEHIND : STORED_BELOW_BYTES);
    const isChance = isTiny || (!prior && looksIncompressible(plain));
    const found = await this.#find(plain, isChance, !isTiny && !prior, true);
    const seenBytes = (found.cut?.rest ?? plain).length;
    if (!isTiny) this.#chooseModel(seenBytes, true, true);
    const model = this.#frameModel;
    const isOfLevel = model !== undefined && (prior ?? levelOfModel(model, seenBytes)) !== undefined;
    const referenceBytes = prior ? priorReferenceBytes(referenceOf(prior, true)) : 0;
    const gainMin = isOfLevel ? smallCodedBytes(seenBytes) + referenceBytes : LARGE_FRAME_BYTES;
    const facts = { ...found, plainBytes: plain.length, isLast: true, isSmall: true, check, gainMin };
    return await this.#makeBlock(found.cut?.rest ?? plain, facts);
  }

  /** How a small frame says which model it has; undefined if none can. */
  #smallModelOf({ plainBytes, copies }: Block): number | PriorReference | undefined {
    const { prior } = this.#options;
    if (prior) return referenceOf(prior, true);
    return this.#frameModel && levelOfModel(this.#frameModel, copies?.restBytes ?? plainBytes);
  }

  /** Sends the only block of an input as a small frame that states its model. @returns false if it is not for one */
  async #sendStated(block: Block): Promise<boolean> {
    const { prior } = this.#options;
    if (!this.#frameModel || (prior && prior.number === undefined)) return false;
    const frame = encodeStatedFrame(block, this.#frameModel, prior?.number ?? 0);
    if (frame) await this.#sink(frame);
    return frame !== undefined;
  }

  async end(): Promise<void> {
    if (!this.#writer) return;
    await this.#flush();
    await this.#sink(this.#open.end());
  }

  async close(): Promise<void> {
    await this.#preparers?.close();
    await this.#closeModel();
  }

  async #closeModel(): Promise<void> {
    await this.#model?.close();
    this.#model = undefined;
  }

  get #open(): FrameWriter {
    if (!this.#writer) throw new Error("the frame is not open");
    return this.#writer;
  }

  get #policy(): CutPolicy | undefined {
    const { repeats: policy, prior } = this.#options;
    return policy && prior?.old && policy.minLength === undefined ? PATCH_POLICY : policy;
  }

  /** Of the first block: whether it is the only one. */
  #openCutter(isLast: boolean): RepeatCutter | undefined {
    const policy = this.#policy;
    if (!policy) return undefined;
    const { memoryBytesMax, signal, prior } = this.#options;
    const lanesFor = (bytes: number) => lanesOf(this.#hyperOf(bytes));
    const old = prior?.old && { old: prior.old };
    const options = { policy, memoryBytesMax, lanesFor, ...(signal && { signal }), ...old };
    this.#cutter ??= new RepeatCutter(this.#plan.blockBytes, isLast, options);
    return this.#cutter;
  }

  /** The frame's model, or as far as is known. */
  #hyperOf(sizeBytes: number) {
    return this.#frameModel?.hyper ?? this.#options.hyperFor(sizeBytes);
  }

  /** What who prepares a block must know; undefined while there is no model. @param firstBytes of a first block */
  #viewOf(firstBytes = Number.POSITIVE_INFINITY): ModelView | undefined {
    const { hyper } = this.#frameModel ?? {};
    const { prior, memoryBytesMax } = this.#options;
    if (!hyper) return undefined;
    const priorBytes = priorMemoryBytes(prior, hyper);
    return {
      hyper,
      priorBytes,
      hasStrides: !isToldNone(firstBytes, prior),
      blockBytes: this.#plan.blockBytes,
      memoryBytesMax,
    };
  }

  /** How many streams there are follows from what the model will see; of later blocks that is a guess. */
  #chooseModel(firstBytes: number, isOnlyBlock: boolean, isSmall = false): void {
    const { blockBytes } = this.#plan;
    const { prior, hyperFor } = this.#options;
    const seenBytes = isOnlyBlock ? firstBytes : Math.max(firstBytes, Math.floor(blockBytes / 4));
    const expectedBytes = Math.min(blockBytes, seenBytes);
    const hyper = !prior
      ? hyperFor(expectedBytes)
      : isSmall
        ? smallModelBehind(prior, firstBytes).hyper
        : hyperBehind(prior, hyperFor, expectedBytes);
    const { memoryBytesMax } = this.#options;
    const cueBytes = prior?.old ? cueMemoryBytes(blockBytes) : 0;
    checkMemory(
      hyper,
      3 * blockBytes + cueBytes + 3 * oldBytesOf(prior) + priorMemoryBytes(prior, hyper),
      memoryBytesMax,
    );
    // A decoder with the same limit has the model and the window open while it reads a run, which it counts twice.
    const modelBytes = modelMemoryBytes(hyper) + priorMemoryBytes(prior, hyper);
    const besideBytes = modelBytes + windowRoomBytes(windowBytesOf(blockBytes));
    this.#run.limit(Math.max(blockBytes, Math.floor((memoryBytesMax - besideBytes) / 2)));
    this.#frameModel = { hyper, groupCount: groupsFor(hyper) };
    if (prior) this.#options = { ...this.#options, prior: fitting(prior, hyper, 0) };
    if (prior) keepLanesWithin(memoryBytesMax - besideBytes - 5 * blockBytes);
    if (!isOnlyBlock && !prior?.old) this.#allowPreparers(memoryBytesMax - besideBytes - 5 * blockBytes);
  }

  /** @param spareBytes of memory that nothing else needs */
  #allowPreparers(spareBytes: number): void {
    this.#preparerCount = preparerCount(this.#options.workers, this.#plan.blockBytes, spareBytes);
    if (this.#preparerCount > 0) this.#preparers = new Preparers(this.#preparerCount);
  }

  /** The model stands there only if the first block needs it: what is stored to its end has none. */
  async #writeHeader(first: Block): Promise<void> {
    const { totalBytes: plainBytes, blockBytes } = this.#plan;
    const model = first.kind === "stored" ? undefined : this.#frameModel;
    this.#isModelWritten = model !== undefined;
    const { prior } = this.#options;
    const isMore = first.plainBytes < (plainBytes ?? Number.POSITIVE_INFINITY);
    const needsPrior = prior && (model || isMore || (prior.old && first.copies));
    this.#writer = new FrameWriter({
      blockBytes,
      ...(needsPrior && { prior: referenceOf(prior, false), isPatch: prior.old !== undefined }),
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

  async #flush(): Promise<void> {
    const { pieces, check } = this.#run.take();
    if (pieces.length === 0) return;
    for (const part of this.#open.stored(pieces, check)) await this.#sink(part);
    for (const piece of pieces) this.#reader.free(piece);
  }

  /** @param seen what is left of the block when repeats are cut out */
  async #makeBlock(seen: Uint8Array, facts: BlockPlan): Promise<Block> {
    const { plainBytes, isLast, cut, gainMin } = facts;
    const isFirst = this.#doneBytes === 0;
    const view = this.#viewOf(isFirst ? seen.length : undefined);
    const made = "shown" in facts ? facts.shown : view && (await show(seen, facts, view, this.#options.signal));
    if (!made) return plainBlock("stored", seen, facts);
    const { bytes: shown, stride } = made;
    const seenBytes = shown.bytes.length;
    const plainAgain = this.#sparePlain(seen, facts, shown);
    if (isFirst) this.#options = withFittingPrior(seenBytes, stride, this.#options);
    this.#plainPerSeen = plainBytes / seenBytes;
    const model = await this.#openModel(isLast ? seenBytes : undefined);
    const told = facts.isSmall ? smallStride(this.#options.prior, seenBytes, stride) : stride;
    const cues = cut && cuesFor(this.#options.prior, plainBytes, cut, shown);
    const { groups } = await model.compress(shown.bytes, { stride: told, cues, foreseen: shown.foreseen });
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    if (codedBytes + gainMin < seenBytes) {
      this.#hasHistory = true;
      if (shown.stretches) release(shown.bytes);
      return { kind: "coded", ...factsOf(facts, stride, shown), groups };
    }
    if (!isLast && this.#hasHistory) return plainBlock("learned", seen, facts, stride, shown);
    if (!isLast) await this.#closeModel();
    return plainBlock("stored", await plainAgain(), facts);
  }

  /** Of numbers, what predictors leave is enough: the numbers follow from it. @returns what gives them back */
  #sparePlain(seen: Uint8Array, facts: BlockPlan, shown: ShownBytes) {
    if (!shown.stretches) return async () => seen;
    this.#free(seen, facts);
    return () => beforePrediction(shown, this.#options.signal);
  }

  /** @param seen what is left of a block */
  #free(seen: Uint8Array, { cut }: Found): void {
    if (cut) release(seen);
    else this.#reader.free(seen);
  }

  /** @param expectedBytes that the model will see, if this block is the only one */
  async #openModel(expectedBytes: number | undefined): Promise<BlockCompressor> {
    if (this.#model) return this.#model;
    if (!this.#frameModel) throw new Error("the frame has no model");
    const { hyper, groupCount: groups } = this.#frameModel;
    const onProgress = this.#options.onProgress;
    const expected = expectedBytes !== undefined && { expectedBytes };
    const options = {
      ...this.#options,
      groups,
      ...expected,
      // Blocks count from their own start; callers want the frame's.
      ...(onProgress && {
        onProgress: (progress: Parameters<typeof onProgress>[0]) =>
          onProgress({
            ...progress,
            bytesDone: this.#doneBytes + Math.floor(progress.bytesDone * this.#plainPerSeen),
          }),
      }),
    };
    this.#model = await BlockCompressor.open(await this.#engineSource({ hyper, ...expected }), hyper, options);
    return this.#model;
  }
}

/** Bytes that a small frame of a coded block has for its payload's length, and its stride. */
const smallCodedBytes = (seenBytes: number) => (seenBytes < SMALL_STRIDE_BYTES_MIN ? varintBytes(seenBytes) : 4);

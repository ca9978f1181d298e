/**
 * Compression of blocks: bytes -> streams -> engine -> coder groups.
 *
 * Two slots go round: while the coder works on the intervals of one chunk, the engine fills those of the next. Each
 * block's coders start anew, and its model goes on from the block before; a decoder must follow in the same order.
 */
import { type ChunkEncoder, openEncoder, SLOTS } from "../coder/encode-pool.ts";
import { coderGroupsFor } from "../coder/groups.ts";
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine, Model } from "../engine/engine.ts";
import type { CodedBlock, CompressOptions } from "./options.ts";
import { ChunkPace, Pacer } from "./pacer.ts";
import { bytesInSteps, gatherSteps, layoutOf, type StreamLayout } from "./streams.ts";

/** Compresses blocks one after another with one model, which goes on learning from block to block. */
export class BlockCompressor {
  readonly #model: Model;
  readonly #encoder: ChunkEncoder;
  readonly #options: CompressOptions;
  readonly #pace: ChunkPace;
  /** One step-major chunk per slot: the engine may still read one after it was asked for the next. */
  readonly #chunks: readonly Uint8Array[];
  /** What the model was told last. */
  #stride = PLAIN_DATA.stride;

  private constructor(model: Model, encoder: ChunkEncoder, chunkSteps: number, options: CompressOptions) {
    this.#model = model;
    this.#encoder = encoder;
    this.#options = options;
    this.#pace = new ChunkPace(chunkSteps);
    this.#chunks = Array.from({ length: SLOTS }, () => new Uint8Array(chunkSteps * model.hyper.streams));
  }

  /** @throws HyperParameterError, EngineLimitError, CoderWorkerError, RangeError if groups > streams */
  static async open(engine: Engine, hyper: HyperParameters, options: CompressOptions): Promise<BlockCompressor> {
    const { chunkSteps } = engine;
    const groups = options.groups ?? coderGroupsFor(hyper.streams);
    const { workers, expectedBytes } = options;
    const encoder = await openEncoder({ streams: hyper.streams, groups, chunkSteps }, workers, expectedBytes);
    try {
      return new BlockCompressor(await engine.openModel(hyper, expectedBytes), encoder, chunkSteps, options);
    } catch (error) {
      await encoder.close();
      throw error;
    }
  }

  /**
   * Compresses one block; after an error only `close` is allowed.
   *
   * @param kind what the model is told of the block; a decoder must be told the same
   * @throws the engine's errors, IntervalError, CoderWorkerError, the abort reason
   */
  async compress(data: Uint8Array, kind: DataKind = PLAIN_DATA): Promise<CodedBlock> {
    if (kind.stride !== this.#stride) await this.#model.describe(kind);
    this.#stride = kind.stride;
    const layout = layoutOf(data.length, this.#model.hyper.streams);
    const pacer = new Pacer(this.#options.signal);
    let stepsDone = 0;
    let codedBytes = 0;
    const report = () => this.#report(layout, stepsDone, codedBytes);
    // The work that each slot is in: its promise settles when the slot may be filled again.
    const inSlot: Promise<void>[] = Array.from({ length: SLOTS }, () => Promise.resolve());
    try {
      for (let first = 0, chunk = 0; first < layout.steps; chunk += 1) {
        const slot = chunk % SLOTS;
        await inSlot[slot];
        await pacer.turn(report);
        const steps = Math.min(this.#pace.steps, layout.steps - first);
        const filled = this.#fill(slot, data, layout, first, steps);
        const before = inSlot[(chunk + SLOTS - 1) % SLOTS];
        const end = first + steps;
        inSlot[slot] = this.#code(slot, steps, layout, first, filled, before).then((coded) => {
          stepsDone = end;
          codedBytes = coded;
        });
        first = end;
        // Awaited a turn later; a rejection must not count as unhandled until then.
        inSlot[slot]?.catch(() => {});
      }
      await Promise.all(inSlot);
    } catch (error) {
      // Nothing may still write into the slots, or use the model, when the caller closes them.
      await Promise.allSettled(inSlot);
      throw error;
    }
    const groups = await this.#observed(() => this.#encoder.finishBlock());
    codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    report();
    return { groups };
  }

  async close(): Promise<void> {
    try {
      await this.#encoder.close();
    } finally {
      await this.#model.close();
    }
  }

  /** Asks the engine for the intervals of one chunk. */
  #fill(slot: number, data: Uint8Array, layout: StreamLayout, first: number, steps: number): Promise<void> {
    const chunk = this.#chunks[slot] as Uint8Array;
    const size = steps * layout.streams;
    gatherSteps(data, layout, first, steps, chunk);
    const intervals = this.#encoder.slots[slot] as Uint32Array;
    const ended = this.#pace.begin(steps);
    return this.#model.encodeSteps(chunk.subarray(0, size), steps, intervals.subarray(0, size * 2)).then(ended);
  }

  /** Codes a chunk once it is filled and the chunk before it is coded. */
  async #code(
    slot: number,
    steps: number,
    layout: StreamLayout,
    first: number,
    filled: Promise<void>,
    before: Promise<void> | undefined,
  ): Promise<number> {
    await Promise.all([filled, before]);
    const endsBlock = first + steps === layout.steps;
    const { streams } = layout;
    const liveInLastStep = endsBlock ? layout.liveInLastStep : streams;
    const intervals = this.#encoder.slots[slot] as Uint32Array;
    this.#options.observer?.intervals?.(intervals, { streams, steps, liveInLastStep });
    return await this.#observed(() => this.#encoder.encodeChunk(slot, steps, liveInLastStep));
  }

  /** Work of the coder, with the observer told. */
  async #observed<T>(work: () => Promise<T>): Promise<T> {
    const { observer } = this.#options;
    observer?.coding?.(true);
    try {
      return await work();
    } finally {
      observer?.coding?.(false);
    }
  }

  #report(layout: StreamLayout, stepsDone: number, codedBytes: number): void {
    const bytesDone = bytesInSteps(layout, stepsDone);
    this.#options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes });
  }
}

/** Compresses a single block with a model of its own. @throws what BlockCompressor throws */
export async function compressBlock(
  engine: Engine,
  hyper: HyperParameters,
  data: Uint8Array,
  options: CompressOptions,
): Promise<CodedBlock> {
  const compressor = await BlockCompressor.open(engine, hyper, options);
  try {
    return await compressor.compress(data);
  } finally {
    await compressor.close();
  }
}

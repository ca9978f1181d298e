/**
 * Decompression of blocks: coder groups -> frequencies from the engine -> bytes -> streams put back in place.
 *
 * Every step waits for the bytes of the one before. A model that can decode gets the payloads, and gives back chunks of
 * steps, one of which is on its way while the one before is put in place. Else the host decodes, and there is nothing
 * to overlap but this: the model is told the bytes and asked for the next tables in one go, before either has happened.
 */
import { decodeThreadsFor, StepDecoder } from "../coder/decode-pool.ts";
import { checkGroups, LONE_BYTES } from "../coder/groups.ts";
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { canDecode, type DecodingModel, type Engine, type Model } from "../engine/engine.ts";
import type { BlockOptions } from "./options.ts";
import { ChunkPace, Pacer } from "./pacer.ts";
import { bytesInSteps, gatherSteps, layoutOf, liveAt, type StreamLayout, scatterSteps } from "./streams.ts";

/** Steps that are collected before they are put in place: enough to write runs of bytes to each stream. */
const SCATTER_STEPS = 64;

/** Restores blocks in the order in which a BlockCompressor made them, with one model that goes on learning. */
export class BlockDecompressor {
  readonly #model: Model;
  readonly #pace: ChunkPace;
  readonly #options: BlockOptions;
  /** Opened by the first block, whose groups say how many threads are of use. */
  #decoder: StepDecoder | undefined;
  /** What the model was told last. */
  #stride = PLAIN_DATA.stride;

  private constructor(model: Model, chunkSteps: number, options: BlockOptions) {
    this.#model = model;
    this.#pace = new ChunkPace(chunkSteps);
    this.#options = options;
  }

  /** @throws HyperParameterError, EngineLimitError */
  static async open(engine: Engine, hyper: HyperParameters, options: BlockOptions): Promise<BlockDecompressor> {
    const model = await engine.openModel(hyper, options.expectedBytes);
    return new BlockDecompressor(model, engine.chunkSteps, options);
  }

  /**
   * Restores one block; after an error only `close` is allowed.
   *
   * @param sizeBytes plain bytes of the block; allocated at once, so the caller bounds it
   * @param groups the payloads, at least one and at most one per stream
   * @param kind what the encoder's model was told of the block
   * @returns bytes that are right if their checksum is
   * @throws CorruptDataError, RangeError for an impossible number of groups, the engine's errors, CoderWorkerError,
   *   the abort reason
   */
  async decompress(sizeBytes: number, groups: readonly Uint8Array[], kind: DataKind = PLAIN_DATA): Promise<Uint8Array> {
    const { streams } = this.#model.hyper;
    checkGroups(groups.length, streams);
    await this.#describe(kind);
    const layout = layoutOf(sizeBytes, streams);
    const data = new Uint8Array(sizeBytes);
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    const report = (stepsDone: number) => {
      const bytesDone = bytesInSteps(layout, stepsDone);
      this.#options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes });
    };
    const model = this.#model;
    if (canDecode(model) && (await model.openPayloads(groups))) {
      await this.#decodeChunks(model, layout, data, report);
    } else {
      await this.#decodeSteps(groups, layout, data, report);
    }
    report(layout.steps);
    return data;
  }

  /** Decodes on the host, step by step. */
  async #decodeSteps(
    groups: readonly Uint8Array[],
    layout: StreamLayout,
    data: Uint8Array,
    report: (stepsDone: number) => void,
  ): Promise<void> {
    const { streams } = layout;
    const { observer, signal } = this.#options;
    const decoder = await this.#openDecoder(streams, groups.length);
    const pacer = new Pacer(signal);
    const recent = new Uint8Array(SCATTER_STEPS * streams);
    decoder.openBlock(groups);
    let learned: Promise<void> = Promise.resolve();
    for (let step = 0; step < layout.steps; step += 1) {
      await pacer.turn(() => report(step));
      await Promise.all([learned, this.#model.predict(decoder.ends)]);
      observer?.coding?.(true);
      await decoder.decodeStep(liveAt(layout, step));
      observer?.coding?.(false);
      const row = step % SCATTER_STEPS;
      const bytes = recent.subarray(row * streams, (row + 1) * streams);
      bytes.set(decoder.bytes);
      if (row === SCATTER_STEPS - 1 || step === layout.steps - 1) {
        scatterSteps(recent, layout, step - row, row + 1, data);
      }
      learned = this.#model.learn(bytes);
      learned.catch(() => {}); // awaited with the next prediction
    }
    await learned;
    await decoder.finishBlock();
  }

  /** Leaves decoding to the model. */
  async #decodeChunks(
    model: DecodingModel,
    layout: StreamLayout,
    data: Uint8Array,
    report: (stepsDone: number) => void,
  ): Promise<void> {
    const pacer = new Pacer(this.#options.signal);
    let stepsDone = 0;
    const take = async (first: number, steps: number) => {
      const chunk = new Uint8Array(steps * layout.streams);
      const ended = this.#pace.begin(steps);
      await model.decodeSteps(chunk, steps, liveAt(layout, first + steps - 1));
      ended();
      scatterSteps(chunk, layout, first, steps, data);
      stepsDone = first + steps;
    };
    let before: Promise<void> = Promise.resolve();
    let last = before;
    try {
      for (let first = 0, steps = 0; first < layout.steps; first += steps) {
        await pacer.turn(() => report(stepsDone));
        before = last;
        steps = Math.min(this.#pace.steps, layout.steps - first);
        last = take(first, steps);
        last.catch(() => {}); // awaited a turn later
        await before;
      }
      await last;
    } catch (error) {
      // Nothing may still use the model when the caller closes it.
      await Promise.allSettled([before, last]);
      throw error;
    }
    await model.finishPayloads();
  }

  /**
   * Leads the model through bytes that are known already, as if they had been decoded; after an error only `close` is
   * allowed. Takes as long as decoding them.
   *
   * @throws the engine's errors, the abort reason
   */
  async learn(data: Uint8Array, kind: DataKind = PLAIN_DATA): Promise<void> {
    const { streams } = this.#model.hyper;
    await this.#describe(kind);
    const layout = layoutOf(data.length, streams);
    const pacer = new Pacer(this.#options.signal);
    const ends = new Uint32Array(streams * 256);
    const bytes = new Uint8Array(streams);
    let step = 0;
    const report = () => {
      const bytesDone = bytesInSteps(layout, step);
      this.#options.onProgress?.({ stepsDone: step, steps: layout.steps, bytesDone, codedBytes: data.length });
    };
    for (; step < layout.steps; step += 1) {
      await pacer.turn(report);
      gatherSteps(data, layout, step, 1, bytes);
      // An engine takes a step as a prediction and the bytes that came; this one's tables are not needed.
      await this.#model.predict(ends);
      await this.#model.learn(bytes);
    }
    report();
  }

  async #describe(kind: DataKind): Promise<void> {
    if (kind.stride !== this.#stride) await this.#model.describe(kind);
    this.#stride = kind.stride;
  }

  async #openDecoder(streams: number, groups: number): Promise<StepDecoder> {
    const { workers, streamsPerThread, expectedBytes = Number.POSITIVE_INFINITY } = this.#options;
    const isLone = streamsPerThread === undefined && expectedBytes < LONE_BYTES;
    const threads = isLone ? 1 : decodeThreadsFor(workers, groups, streams, streamsPerThread);
    this.#decoder ??= await StepDecoder.open(streams, threads);
    return this.#decoder;
  }

  async close(): Promise<void> {
    try {
      await this.#decoder?.close();
    } finally {
      await this.#model.close();
    }
  }
}

/**
 * Restores a single block that was compressed with a model of its own. Its checksum is still to be compared.
 *
 * @throws what BlockDecompressor throws
 */
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

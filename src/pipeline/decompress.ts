/**
 * Decompression of blocks: payloads to the engine's model, chunks of decoded steps back, streams put back in place.
 *
 * One chunk is on its way while the one before is put in place. Where the coder works is the engine's business.
 */
import { checkGroups } from "../coder/groups.ts";
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { DecoderOptions, Engine, Model } from "../engine/engine.ts";
import type { BlockOptions } from "./options.ts";
import { ChunkPace, Pacer } from "./pacer.ts";
import { bytesInSteps, gatherSteps, layoutOf, liveAt, type StreamLayout, scatterSteps } from "./streams.ts";

/** Restores blocks in the order in which a BlockCompressor made them, with one model that goes on learning. */
export class BlockDecompressor {
  readonly #model: Model;
  readonly #pace: ChunkPace;
  readonly #options: BlockOptions;
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
    await this.#model.openPayloads(groups, decoderOptionsOf(this.#options));
    await this.#decodeChunks(layout, data, report);
    report(layout.steps);
    return data;
  }

  async #decodeChunks(layout: StreamLayout, data: Uint8Array, report: (stepsDone: number) => void): Promise<void> {
    const model = this.#model;
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
   * allowed. Takes about as long as decoding them.
   *
   * @throws the engine's errors, the abort reason
   */
  async learn(data: Uint8Array, kind: DataKind = PLAIN_DATA): Promise<void> {
    const { streams } = this.#model.hyper;
    await this.#describe(kind);
    const layout = layoutOf(data.length, streams);
    const pacer = new Pacer(this.#options.signal);
    let first = 0;
    const report = () => {
      const bytesDone = bytesInSteps(layout, first);
      this.#options.onProgress?.({ stepsDone: first, steps: layout.steps, bytesDone, codedBytes: data.length });
    };
    for (let steps = 0; first < layout.steps; first += steps) {
      await pacer.turn(report);
      steps = Math.min(this.#pace.steps, layout.steps - first);
      const chunk = new Uint8Array(steps * streams);
      gatherSteps(data, layout, first, steps, chunk);
      const ended = this.#pace.begin(steps);
      await this.#model.learnSteps(chunk, steps);
      ended();
    }
    report();
  }

  async #describe(kind: DataKind): Promise<void> {
    if (kind.stride !== this.#stride) await this.#model.describe(kind);
    this.#stride = kind.stride;
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}

function decoderOptionsOf({ workers, streamsPerThread, expectedBytes, observer }: BlockOptions): DecoderOptions {
  const coding = observer?.decoding && { coding: (isWorking: boolean) => observer.decoding?.(isWorking) };
  return {
    workers,
    ...(streamsPerThread !== undefined && { streamsPerThread }),
    ...(expectedBytes !== undefined && { expectedBytes }),
    ...coding,
  };
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

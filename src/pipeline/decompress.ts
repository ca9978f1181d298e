/**
 * Decompression of blocks: payloads to the engine's model, chunks of decoded steps back, streams put back in place.
 *
 * One chunk is on its way while the one before is put in place. Where the coder works is the engine's business.
 */
import { checkGroups } from "../coder/groups.ts";
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine, Model } from "../engine/engine.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import { type CueFacts, tellCues } from "./cues.ts";
import type { BlockOptions } from "./options.ts";
import { ChunkLoop } from "./pacer.ts";
import { bytesInSteps, gatherSteps, layoutOf, liveAt, scatterSteps } from "./streams.ts";

/** Restores blocks in the order in which a BlockCompressor made them, with one model that goes on learning. */
export class BlockDecompressor {
  readonly #model: Model;
  readonly #loop: ChunkLoop;
  readonly #options: BlockOptions;
  /** What the model was told last. */
  #stride: number;
  #isForeseen = false;

  private constructor(model: Model, options: BlockOptions) {
    this.#model = model;
    this.#loop = new ChunkLoop(model.chunkSteps, options.signal);
    this.#options = options;
    this.#stride = options.prior?.stride ?? PLAIN_DATA.stride;
  }

  /** @throws HyperParameterError, EngineLimitError */
  static async open(engine: Engine, hyper: HyperParameters, options: BlockOptions): Promise<BlockDecompressor> {
    const model = await engine.openModel(hyper, options.expectedBytes, options.prior);
    return new BlockDecompressor(model, options);
  }

  /**
   * Restores one block; after an error only `close` is allowed.
   *
   * @param sizeBytes plain bytes of the block; allocated at once, so the caller bounds it
   * @param groups the payloads, at least one and at most one per stream
   * @param kind, foreseen what the encoder's model was told of the block
   * @param cues what its lanes were reminded of
   * @returns bytes that are right if their checksum is
   * @throws CorruptDataError, RangeError for an impossible number of groups, the engine's errors, CoderWorkerError,
   *   the abort reason
   */
  async decompress(
    sizeBytes: number,
    groups: readonly Uint8Array[],
    kind: DataKind = PLAIN_DATA,
    cues?: CueFacts,
    foreseen?: ForeseenBlock,
  ): Promise<Uint8Array> {
    const { streams } = this.#model.hyper;
    checkGroups(groups.length, streams);
    await this.#describe(kind, foreseen);
    const layout = layoutOf(sizeBytes, streams);
    const data = new Uint8Array(sizeBytes);
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    let stepsDone = 0;
    const report = () => {
      const bytesDone = bytesInSteps(layout, stepsDone);
      this.#options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes });
    };
    await this.#model.openPayloads(groups, this.#options);
    await tellCues(this.#model, cues);
    await this.#loop.run(layout.steps, report, async (first, steps) => {
      const chunk = new Uint8Array(steps * streams);
      await this.#model.decodeSteps(chunk, steps, liveAt(layout, first + steps - 1));
      scatterSteps(chunk, layout, first, steps, data);
      stepsDone = first + steps;
    });
    await this.#model.finishPayloads();
    report();
    return data;
  }

  /**
   * Leads the model through bytes that are known already, as if they had been decoded; after an error only `close` is
   * allowed. Takes about as long as decoding them.
   *
   * @throws the engine's errors, the abort reason
   */
  async learn(data: Uint8Array, kind: DataKind = PLAIN_DATA, cues?: CueFacts, foreseen?: ForeseenBlock): Promise<void> {
    await this.#describe(kind, foreseen);
    const layout = layoutOf(data.length, this.#model.hyper.streams);
    let stepsDone = 0;
    const report = () => {
      const bytesDone = bytesInSteps(layout, stepsDone);
      this.#options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes: data.length });
    };
    await this.#model.beginLearning();
    await tellCues(this.#model, cues);
    await this.#loop.run(layout.steps, report, async (first, steps) => {
      const chunk = gatherSteps(data, layout, first, steps);
      await this.#model.learnSteps(chunk, steps, liveAt(layout, first + steps - 1));
      stepsDone = first + steps;
    });
    report();
  }

  async #describe(kind: DataKind, foreseen?: ForeseenBlock): Promise<void> {
    const isNew = foreseen !== undefined || this.#isForeseen || kind.stride !== this.#stride;
    if (isNew) await this.#model.describe(kind, foreseen);
    this.#stride = kind.stride;
    this.#isForeseen = foreseen !== undefined;
  }

  async close(): Promise<void> {
    await this.#model.close();
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

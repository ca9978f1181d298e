/**
 * Compression of blocks: streams laid side by side, chunks of steps to the engine's model, payloads back.
 *
 * One chunk is gathered while the one before is on its way. Where the coder works is the engine's business. Each
 * block's coders start anew, and its model goes on from the block before; a decoder must follow in the same order.
 */
import { groupsFor } from "../coder/groups.ts";
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine, Model } from "../engine/engine.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import { type CueFacts, tellCues } from "./cues.ts";
import type { CodedBlock, CompressOptions } from "./options.ts";
import { ChunkLoop } from "./pacer.ts";
import { bytesInSteps, gatherSteps, layoutOf, liveAt } from "./streams.ts";

/** Compresses blocks one after another with one model, which goes on learning from block to block. */
export class BlockCompressor {
  readonly #model: Model;
  readonly #loop: ChunkLoop;
  readonly #options: CompressOptions;
  /** What the model was told last. */
  #stride: number;
  #isForeseen = false;

  private constructor(model: Model, options: CompressOptions) {
    this.#model = model;
    this.#loop = new ChunkLoop(model.chunkSteps, options.signal);
    this.#options = options;
    this.#stride = options.prior?.stride ?? PLAIN_DATA.stride;
  }

  /** @throws HyperParameterError, EngineLimitError */
  static async open(engine: Engine, hyper: HyperParameters, options: CompressOptions): Promise<BlockCompressor> {
    const model = await engine.openModel(hyper, options.expectedBytes, options.prior);
    return new BlockCompressor(model, options);
  }

  /**
   * Compresses one block; after an error only `close` is allowed.
   *
   * @param kind, foreseen what the model is told of the block; a decoder must be told the same
   * @param cues what its lanes are reminded of; likewise
   * @throws the engine's errors, IntervalError, CoderWorkerError, RangeError if groups > streams, the abort reason
   */
  async compress(
    data: Uint8Array,
    kind: DataKind = PLAIN_DATA,
    cues?: CueFacts,
    foreseen?: ForeseenBlock,
  ): Promise<CodedBlock> {
    const model = this.#model;
    const { streams } = model.hyper;
    if (foreseen || this.#isForeseen || kind.stride !== this.#stride) await model.describe(kind, foreseen);
    this.#stride = kind.stride;
    this.#isForeseen = foreseen !== undefined;
    const layout = layoutOf(data.length, streams);
    let stepsDone = 0;
    let codedBytes = 0;
    const report = () => {
      const bytesDone = bytesInSteps(layout, stepsDone);
      this.#options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes });
    };
    await model.beginPayloads(this.#options.groups ?? groupsFor(model.hyper), this.#options);
    await tellCues(model, cues);
    await this.#loop.run(layout.steps, report, async (first, steps) => {
      const chunk = gatherSteps(data, layout, first, steps);
      codedBytes = await model.encodeSteps(chunk, steps, liveAt(layout, first + steps - 1));
      stepsDone = first + steps;
    });
    const groups = await model.takePayloads();
    codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    report();
    return { groups };
  }

  async close(): Promise<void> {
    await this.#model.close();
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

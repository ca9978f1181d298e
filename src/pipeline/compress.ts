/**
 * Compression of blocks: streams laid side by side, chunks of steps to the engine's model, payloads back.
 *
 * One chunk is gathered while the one before is on its way. Where the coder works is the engine's business. Each
 * block's coders start anew, and its model goes on from the block before; a decoder must follow in the same order.
 */
import { groupsFor } from "../coder/groups.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine } from "../engine/engine.ts";
import { collectAfter, release } from "../platform/release.ts";
import { BlockModel, type Chunk, type ToldFacts } from "./block-model.ts";
import type { CodedBlock, CompressOptions } from "./options.ts";
import { gatherSteps } from "./streams.ts";

/** Compresses blocks one after another with one model, which goes on learning from block to block. */
export class BlockCompressor extends BlockModel<CompressOptions> {
  /** @throws HyperParameterError, EngineLimitError */
  static async open(engine: Engine, hyper: HyperParameters, options: CompressOptions): Promise<BlockCompressor> {
    collectAfter(0); // what models of frames before have left
    return new BlockCompressor(await engine.openModel(hyper, options.expectedBytes, options.prior), options);
  }

  /**
   * Compresses one block; after an error only `close` is allowed.
   *
   * @throws the engine's errors, IntervalError, CoderWorkerError, RangeError if groups > streams, the abort reason
   */
  async compress(data: Uint8Array, told: ToldFacts = {}): Promise<CodedBlock> {
    const { model, options } = this;
    let groups: Uint8Array[] = [];
    const passage = {
      codedBytes: 0,
      begin: () => model.beginPayloads(options.groups ?? groupsFor(model.hyper), options),
      step: async ({ layout, first, steps, live }: Chunk) => {
        const chunk = gatherSteps(data, layout, first, steps);
        passage.codedBytes = await model.encodeSteps(chunk, steps, live);
        release(chunk);
      },
      end: async () => {
        groups = await model.takePayloads();
        passage.codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
      },
    };
    await this.pass(data.length, told, passage);
    return { groups };
  }
}

/**
 * Decompression of blocks: payloads to the engine's model, chunks of decoded steps back, streams put back in place.
 *
 * One chunk is on its way while the one before is put in place. Where the coder works is the engine's business.
 */
import { checkGroups } from "../coder/groups.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine } from "../engine/engine.ts";
import { collectAfter, release } from "../platform/release.ts";
import { BlockModel, type ToldFacts } from "./block-model.ts";
import type { BlockOptions } from "./options.ts";
import { gatherSteps, scatterSteps } from "./streams.ts";

/** Restores blocks in the order in which a BlockCompressor made them, with one model that goes on learning. */
export class BlockDecompressor extends BlockModel {
  /** @throws HyperParameterError, EngineLimitError */
  static async open(engine: Engine, hyper: HyperParameters, options: BlockOptions): Promise<BlockDecompressor> {
    collectAfter(0); // what models of frames before have left
    return new BlockDecompressor(await engine.openModel(hyper, options.expectedBytes, options.prior), options);
  }

  /**
   * Restores one block; after an error only `close` is allowed.
   *
   * @param sizeBytes plain bytes of the block; allocated at once, so the caller bounds it
   * @param groups the payloads, at least one and at most one per stream
   * @returns bytes that are right if their checksum is
   * @throws CorruptDataError, RangeError for an impossible number of groups, the engine's errors, CoderWorkerError,
   *   the abort reason
   */
  async decompress(sizeBytes: number, groups: readonly Uint8Array[], told: ToldFacts = {}): Promise<Uint8Array> {
    const { model, options } = this;
    const { streams } = model.hyper;
    checkGroups(groups.length, streams);
    const data = new Uint8Array(sizeBytes);
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    await this.pass(sizeBytes, told, {
      codedBytes,
      begin: () => model.openPayloads(groups, options),
      step: async ({ layout, first, steps, live }) => {
        const chunk = new Uint8Array(steps * streams);
        await model.decodeSteps(chunk, steps, live);
        scatterSteps(chunk, layout, first, steps, data);
        release(chunk);
      },
      end: () => model.finishPayloads(),
    });
    return data;
  }

  /**
   * Leads the model through bytes that are known already, as if they had been decoded; after an error only `close` is
   * allowed. Takes about as long as decoding them.
   *
   * @throws the engine's errors, the abort reason
   */
  async learn(data: Uint8Array, told: ToldFacts = {}): Promise<void> {
    const { model } = this;
    await this.pass(data.length, told, {
      codedBytes: data.length,
      begin: () => model.beginLearning(),
      step: async ({ layout, first, steps, live }) => {
        const chunk = gatherSteps(data, layout, first, steps);
        await model.learnSteps(chunk, steps, live);
        release(chunk);
      },
    });
  }
}

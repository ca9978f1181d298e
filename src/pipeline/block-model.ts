/**
 * An engine's model on its way through the blocks of a frame, in either direction: it goes on learning from block to
 * block, is told what is new of each, and takes its steps in chunks. compress.ts and decompress.ts say what a chunk is.
 */
import { type DataKind, PLAIN_DATA } from "../contract/contexts.ts";
import type { Model } from "../engine/engine.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import { type CueFacts, tellCues } from "./cues.ts";
import type { BlockOptions } from "./options.ts";
import { ChunkLoop } from "./pacer.ts";
import { bytesInSteps, layoutOf, liveAt, type StreamLayout } from "./streams.ts";

/** What the model is told of a block: a decoder must be told the same. */
export interface ToldFacts extends Partial<DataKind> {
  /** What its lanes are reminded of. */
  readonly cues?: CueFacts | undefined;
  readonly foreseen?: ForeseenBlock | undefined;
}

/** A chunk of a block: `steps` from `first` on, in the last of which `live` streams have a byte. */
export interface Chunk {
  readonly layout: StreamLayout;
  readonly first: number;
  readonly steps: number;
  readonly live: number;
}

/** How a model passes a block. */
interface Passage {
  /** Of the whole block, or so far. */
  readonly codedBytes: number;
  begin(): Promise<void>;
  step(chunk: Chunk): Promise<void>;
  end?(): Promise<void>;
}

export class BlockModel<Options extends BlockOptions = BlockOptions> {
  readonly #loop: ChunkLoop;
  /** What the model was told last. */
  #stride: number;
  #isForeseen = false;

  protected constructor(
    protected readonly model: Model,
    protected readonly options: Options,
  ) {
    this.#loop = new ChunkLoop(model.chunkSteps, options.signal);
    this.#stride = options.prior?.stride ?? PLAIN_DATA.stride;
  }

  /** After an error only `close` is allowed. @throws the engine's errors, what the passage throws, the abort reason */
  protected async pass(sizeBytes: number, told: ToldFacts, passage: Passage): Promise<void> {
    await this.#describe(told);
    const layout = layoutOf(sizeBytes, this.model.hyper.streams);
    let stepsDone = 0;
    const report = () => {
      const { codedBytes } = passage;
      const bytesDone = bytesInSteps(layout, stepsDone);
      this.options.onProgress?.({ stepsDone, steps: layout.steps, bytesDone, codedBytes });
    };
    await passage.begin();
    await tellCues(this.model, told.cues);
    await this.#loop.run(layout.steps, report, async (first, steps) => {
      const live = liveAt(layout, first + steps - 1);
      await passage.step({ layout, first, steps, live });
      stepsDone = first + steps;
    });
    await passage.end?.();
    report();
  }

  async #describe({ stride = PLAIN_DATA.stride, foreseen }: ToldFacts): Promise<void> {
    const isNew = foreseen !== undefined || this.#isForeseen || stride !== this.#stride;
    if (isNew) await this.model.describe({ stride }, foreseen);
    this.#stride = stride;
    this.#isForeseen = foreseen !== undefined;
  }

  async close(): Promise<void> {
    await this.model.close();
  }
}

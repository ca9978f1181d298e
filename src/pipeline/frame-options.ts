/** What is asked of who makes frames or restores them. */
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine } from "../engine/engine.ts";
import type { Prior } from "../prior/file.ts";
import type { CutPolicy } from "../repeats/policy.ts";
import type { BlockOptions } from "./options.ts";

/** What an engine is wanted for. */
export interface ModelWork {
  readonly hyper: HyperParameters;
  /** Bytes that the model will see, about; undefined if nobody knows how many come. */
  readonly expectedBytes?: number;
}

/** Opens the engine at the first call: what is stored needs none, and decodes on machines that have none. */
export type EngineSource = (work: ModelWork) => Promise<Engine>;

export interface FrameOptions extends Omit<BlockOptions, "prior"> {
  /** The model and its blocks together may take this much. */
  readonly memoryBytesMax: number;
}

/** Takes bytes, in order; it may keep them. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

export interface CompressOptions extends FrameOptions {
  /** Plain bytes in a block, at most; 1 to BLOCK_BYTES_MAX. */
  readonly blockBytes: number;
  /** The same for an input whose size is known before; without it, `blockBytes`. */
  readonly blockBytesFor?: (sizeBytes: number) => number;
  /** Stored blocks are joined up to this length; default: STORED_RUN_BYTES_MAX, or what the memory allows. */
  readonly runBytes?: number;
  /** The model for blocks of this many bytes; its `streams` may be at most that. */
  readonly hyperFor: (blockBytes: number) => HyperParameters;
  /** Which repeats are cut out before the model; without it, none. */
  readonly repeats?: CutPolicy;
  /** What the frame begins with; of a mixer only. */
  readonly prior?: Prior;
  /** Whether, without a prior, inputs of one block begin with a built-in one that suits them; of a mixer only. */
  readonly hasBuiltInPriors?: boolean;
}

/** What callers tell the pipeline, and what it tells them while it works. */
import type { LanePrior } from "../contract/prior.ts";
import type { DecoderOptions } from "../engine/engine.ts";

export interface BlockProgress {
  /** Steps of this block that are coded, and how many it has. */
  readonly stepsDone: number;
  readonly steps: number;
  /** Plain bytes of this block that are coded or restored. */
  readonly bytesDone: number;
  /** Coded bytes written so far (compression), or of the whole block (decompression). */
  readonly codedBytes: number;
}

export interface BlockOptions extends DecoderOptions {
  /** Called at most about 20 times a second, and once when the block is done. */
  readonly onProgress?: (progress: BlockProgress) => void;
  /** What the model begins with. */
  readonly prior?: LanePrior;
  /** Aborting rejects with the signal's reason within about one chunk of steps. */
  readonly signal?: AbortSignal;
}

export interface CompressOptions extends BlockOptions {
  /** G, coder groups; stored in the archive. Default: coderGroupsFor(streams). */
  readonly groups?: number;
}

/** One block of an archive, before the container puts headers and checksums around it. */
export interface CodedBlock {
  /** One payload per coder group, in order. The container stores their lengths. */
  readonly groups: Uint8Array[];
}

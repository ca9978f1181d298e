/** What callers tell the pipeline, and what it tells them while it works. */

export interface BlockProgress {
  /** Steps of this block that are coded, and how many it has. */
  readonly stepsDone: number;
  readonly steps: number;
  /** Plain bytes of this block that are coded or restored. */
  readonly bytesDone: number;
  /** Coded bytes written so far (compression), or of the whole block (decompression). */
  readonly codedBytes: number;
}

/** Watches the work from beside it, for benchmarks. Nothing depends on it. */
export interface BlockObserver {
  /** The coder begins (true) or ends (false) a piece of work, beside the engine. */
  coding?(isWorking: boolean): void;
  /** An engine's coder on the host begins (true) or ends (false) its part of a step, in which the network waits. */
  decoding?(isWorking: boolean): void;
  /** What the engine predicted for some steps: start and frequency of each byte, step-major, before they are coded. */
  intervals?(intervals: Uint32Array, shape: { streams: number; steps: number; liveInLastStep: number }): void;
}

export interface BlockOptions {
  /** Threads that code, the main one included; at least 1. The bytes do not depend on it. */
  readonly workers: number;
  /** Streams that a decoding thread must have to itself; for tests. Default: DECODE_STREAMS_PER_THREAD. */
  readonly streamsPerThread?: number;
  /** Called at most about 20 times a second, and once when the block is done. */
  readonly onProgress?: (progress: BlockProgress) => void;
  readonly observer?: BlockObserver;
  /** How many bytes the model will see in all, about, if that is known: few are not worth threads. */
  readonly expectedBytes?: number;
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

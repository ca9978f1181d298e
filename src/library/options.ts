/**
 * What the library is asked for, and what it answers: the types that others see, which import nothing of the inside.
 * The options are those of the command line, by names that say their units.
 */

/** What both directions take. */
export interface WorkOptions {
  /** Threads that may work at once; default: as many as the machine runs. The bytes do not depend on it. */
  readonly threads?: number;
  /**
   * A model and its blocks may take so many bytes, or the work is refused (`-M`). Default: 80 % of what the machine or
   * container has, less 100 MiB.
   */
  readonly memoryBytesMax?: number;
  /**
   * What runs the model: "auto" (the default), "cpu", "gpu", or "reference", which is slow. The bytes do not depend on
   * it. There is a GPU where a browser has WebGPU, and in Node and Bun where the project has npm's `webgpu`.
   */
  readonly engine?: "auto" | "cpu" | "gpu" | "reference";
  /** Aborting ends the work at once, whatever it is doing, and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called at most some twenty times a second, and once at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How to compress. */
export interface CompressOptions extends WorkOptions {
  /** 1 (fast) to 9 (small); default: 5. */
  readonly level?: number;
  /** A neural network instead of a level: "network-1" to "network-9", or "paper" (`--preset`). */
  readonly preset?: string;
  /** Plain bytes in a block, at least 1024, which bound the memory (`-B`). */
  readonly blockBytes?: number;
  /** Parallel streams or lanes, 1 to 16384: more are faster, and cost some compression (`--streams`). */
  readonly streams?: number;
  /** Repeats of so many bytes or more become copies, 0 for none; default: those that pay (`--repeats`). */
  readonly repeatBytesMin?: number;
  /** A file of `fade --train`, or any bytes like those to come, to begin with (`-D`). Restoring needs it, too. */
  readonly prior?: Uint8Array;
  /** false: inputs begin with no built-in prior, even if one suits them (`--no-prior`). Default: true. */
  readonly builtInPrior?: boolean;
  /** An older version of the bytes: the archive holds what is new (`--patch-from`). Restoring needs it, too. */
  readonly patchFrom?: Uint8Array;
  /** Of a stream: plain bytes that will come. An archive of a known length is a little smaller, and begins sooner. */
  readonly sizeBytes?: number;
}

/** How to restore. */
export interface DecompressOptions extends WorkOptions {
  /** Refuse archives that hold more plain bytes (`--max-output`). */
  readonly outputBytesMax?: number;
  /** Refuse archives whose decoding would take longer here, by estimate (`--max-time`). */
  readonly secondsMax?: number;
  /** false: do not compare the checksums of the plain bytes (`--no-check`). Default: true. */
  readonly checks?: boolean;
  /** Priors that the archive may have been begun with (`-D`). */
  readonly priors?: readonly Uint8Array[];
  /** The older version that the archive is a patch of (`--patch-from`). */
  readonly patchFrom?: Uint8Array;
}

/** Two ends, as `ReadableStream.pipeThrough` takes them. */
export interface ByteTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** How far the work is. */
export interface Progress {
  /** Plain bytes that are compressed or restored. */
  readonly plainBytes: number;
  /** Bytes of the archive that are written or used up, about. */
  readonly archiveBytes: number;
  /** Plain bytes in all; undefined while nobody knows. */
  readonly totalBytes: number | undefined;
}

/** What an archive says of itself. */
export interface ArchiveFacts {
  readonly plainBytes: number;
  /** Without zeros behind the archive, which are padding. */
  readonly archiveBytes: number;
  readonly blockCount: number;
  /** The newest version of the format in it. */
  readonly formatVersion: number;
  readonly frames: readonly FrameFacts[];
}

/** A frame: archives that were joined have several. */
export interface FrameFacts {
  readonly offsetBytes: number;
  readonly archiveBytes: number;
  readonly plainBytes: number;
  readonly blockCount: number;
  /** The xxHash64 of the frame's bytes in hexadecimal digits; of a small frame its low half. */
  readonly check: string;
  /** The number of a built-in prior, or the hash of another, that the frame begins with. */
  readonly prior?: string;
  /** The frame is a patch of a file with this hash. */
  readonly isPatch: boolean;
}

/** An option has a value that there cannot be. */
export class OptionError extends RangeError {
  constructor(
    readonly option: string,
    readonly value: unknown,
    /** What it may be. */
    readonly expected: string,
  ) {
    super(`${option} must be ${expected}`);
    this.name = "OptionError";
  }
}

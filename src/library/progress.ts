/** What work goes with besides its settings, and what it tells of itself. */
import type { EngineSource } from "../pipeline/frame-options.ts";
import type { Prior } from "../prior/file.ts";

/** How far work is. */
export interface WorkProgress {
  /** Bytes in so far: plain ones when compressing, else of the archive. */
  readonly plainBytes: number;
  readonly archiveBytes: number;
  /** Plain bytes in all; undefined if nobody knows. */
  readonly totalBytes: number | undefined;
}

/** Plain bytes and bytes of the archive, when all is done. */
export interface WorkSizes {
  readonly plainBytes: number;
  readonly archiveBytes: number;
}

/** What work goes with, besides its settings. */
export interface Company {
  readonly engine: EngineSource;
  readonly priors: readonly Prior[];
  readonly onProgress?: ((progress: WorkProgress) => void) | undefined;
  /** Aborting ends the work within about one chunk of steps. */
  readonly signal?: AbortSignal;
}

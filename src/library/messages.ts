/**
 * What a caller and a thread of the library say to each other. Bytes go one piece at a time in each direction, so that
 * neither side fills up with what the other has no time for; all of a call's input may come with the job.
 */
import type { CompressOptions, DecompressOptions, Progress } from "./options.ts";
import type { WorkSizes } from "./progress.ts";

/** What of the options can go to another thread. */
type Sent<Options> = Omit<Options, "signal" | "onProgress">;

export type Job = (
  | { readonly action: "compress"; readonly options: Sent<CompressOptions> }
  | { readonly action: "decompress"; readonly options: Sent<DecompressOptions> }
) & {
  /** All of the input; else it comes in pieces. */
  readonly input?: Uint8Array;
  readonly wantsProgress: boolean;
};

export type ToThread =
  | { readonly kind: "job"; readonly job: Job }
  /** Asked for by "want"; without bytes the input has ended. */
  | { readonly kind: "input"; readonly bytes?: Uint8Array }
  /** The last output has been taken. */
  | { readonly kind: "taken" }
  /** The job is to end: nobody waits for what it would make. */
  | { readonly kind: "stop" };

export type FromThread =
  | { readonly kind: "want" }
  | { readonly kind: "output"; readonly bytes: Uint8Array }
  | { readonly kind: "progress"; readonly progress: Progress }
  /** Whether the thread has a driver loaded that must not be torn away in the middle of its work. */
  | { readonly kind: "driver"; readonly isLoaded: boolean }
  | { readonly kind: "done"; readonly sizes: WorkSizes }
  | { readonly kind: "failed"; readonly failure: Failure };

/** An error on its way to another thread, which keeps an error's message and forgets its class. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** What it carries besides. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** That it was thrown for. */
  readonly cause?: Failure;
}

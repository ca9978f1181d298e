/**
 * Starts worker threads: from source (`bun src/cli/main.ts`, `bun test`), from the built executable, and from the npm
 * package's library alike.
 *
 * A worker is a module of its own. `build.ts` passes every one of WORKERS as an extra entry point, and because it
 * builds with `root: "src"`, a compiled worker lies beside the main program under its path below src/. tools/library.ts
 * makes of LIBRARY_WORKERS files beside the library's.
 */
import { ThreadLimitError } from "./errors.ts";
import { host, type Worker } from "./host.ts";

export { isCompiled } from "./compiled.ts";
export { ThreadLimitError } from "./errors.ts";
export type { Worker } from "./host.ts";

/** What engines, coders and the pipeline start, by its path below src/. */
const WORK = {
  coder: "coder/worker.ts",
  engine: "engine/cpu/worker.ts",
  mixer: "engine/mixer/worker.ts",
  preparer: "pipeline/prepare-worker.ts",
} as const;

/** Every worker of the executable. Add a line here to add a worker; build.ts reads this table. */
export const WORKERS = { program: "cli/program.ts", ...WORK } as const;

/** Every worker of the library. */
export const LIBRARY_WORKERS = { library: "library/worker.ts", ...WORK } as const;

export type WorkerName = keyof typeof WORKERS | keyof typeof LIBRARY_WORKERS;

/**
 * Starts a worker, whose `host.beginWorker` hands out `data` (shared memory stays shared).
 * Errors arrive as the worker's "error" event: the caller must listen.
 *
 * @throws ThreadLimitError
 */
export function startWorker(name: WorkerName, data: unknown): Worker {
  try {
    return host.startWorker(name, { ...WORKERS, ...LIBRARY_WORKERS }[name], data);
  } catch (error) {
    throw new ThreadLimitError(error);
  }
}

/**
 * Starts worker threads, from source (`bun src/cli/main.ts`, `bun test`) and from the built executable alike.
 *
 * A worker is a module of its own, named in WORKERS. `build.ts` passes every one of them as an extra entry point, and
 * because it builds with `root: "src"`, a compiled worker lies beside the main program under its path below src/.
 */
import { isMainThread, Worker } from "node:worker_threads";

export type { Worker } from "node:worker_threads";

/** Set to true by build.ts; not defined when running from source. */
declare const FADE_COMPILED: boolean | undefined;

/** Every worker entry, by its path below src/. Add a line here to add a worker; build.ts reads this table. */
export const WORKERS = {
  program: "cli/program.ts",
  coder: "coder/worker.ts",
  engine: "engine/cpu/worker.ts",
  mixer: "engine/mixer/worker.ts",
} as const;

export type WorkerName = keyof typeof WORKERS;

/** True inside an executable made by build.ts. */
export const isCompiled = typeof FADE_COMPILED !== "undefined" && FADE_COMPILED;

/**
 * Starts a worker; inside it, `workerData` of node:worker_threads holds `data` (shared memory stays shared).
 * Errors arrive as the worker's "error" event: the caller must listen.
 *
 * @throws ThreadLimitError
 */
export function startWorker(name: WorkerName, data: unknown): Worker {
  const path = WORKERS[name];
  // In the executable, import.meta.url of every module is that of the entry: <root>/fade, or that of the program's
  // thread, which starts all the others: <root>/cli/program.js.
  const url = new URL(isCompiled && isMainThread ? `./${path}` : `../${path}`, import.meta.url);
  try {
    return new Worker(url, { workerData: data });
  } catch (error) {
    throw new ThreadLimitError(error);
  }
}

/** The system gives no more threads. */
export class ThreadLimitError extends Error {
  constructor(override readonly cause: unknown) {
    super("the system gives fade no more threads");
    this.name = "ThreadLimitError";
  }
}

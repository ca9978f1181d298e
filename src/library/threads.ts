/**
 * The library's threads, as its callers' thread sees them: each does one job at a time. A thread that is done waits a
 * while for the next job; it keeps no program from ending.
 */
import { startWorker, type Worker } from "../platform/workers.ts";
import { errorOf } from "./failures.ts";
import type { FromThread, Job, ToThread } from "./messages.ts";
import type { Progress } from "./options.ts";
import type { WorkSizes } from "./progress.ts";

/** How long a thread without a job stays. */
const IDLE_MS = 5000;

/** What whoever has a job done hears of it. */
interface JobEvents {
  /** The next piece of the input is wanted, by `send`. */
  want(): void;
  /** A piece of the output; the next comes after `taken`. */
  output(bytes: Uint8Array): void;
  progress(progress: Progress): void;
}

interface Idle {
  readonly worker: Worker;
  readonly timer: ReturnType<typeof setTimeout>;
}

const idle: Idle[] = [];

function takeWorker(): Worker {
  const found = idle.pop();
  if (!found) return startWorker("library", undefined);
  clearTimeout(found.timer);
  return found.worker;
}

/** Ends a thread, which may be waiting for a job. */
function dropWorker(worker: Worker): void {
  const at = idle.findIndex((each) => each.worker === worker);
  const found = at < 0 ? undefined : idle.splice(at, 1)[0];
  clearTimeout(found?.timer);
  void worker.terminate();
}

function leaveWorker(worker: Worker): void {
  const timer = setTimeout(() => dropWorker(worker), IDLE_MS);
  // In Node a timer is an object, which the program need not wait for; in a browser a number.
  if (typeof timer === "object") timer.unref();
  worker.unref();
  idle.push({ worker, timer });
}

/** Who listens to a worker at the moment: its events can be subscribed to only once. */
const runs = new WeakMap<Worker, RunningJob>();

/** A worker that nobody listens to yet. */
function listen(worker: Worker): void {
  // One that fails without a job must not get the next.
  const fail = (error: unknown) => {
    dropWorker(worker);
    runs.get(worker)?.fail(error);
  };
  worker.on("message", (message: FromThread) => runs.get(worker)?.hear(message));
  worker.on("error", fail);
  worker.on("messageerror", () => fail(new Error("a message could not be read")));
  worker.on("exit", () => fail(new Error("a thread of fade has ended")));
}

/** Threads that have a driver loaded, and end their jobs themselves. */
const withDriver = new WeakSet<Worker>();

/** A job that a thread is doing. */
export class RunningJob {
  /** Settles when the job is done, has failed, or was aborted. */
  readonly done: Promise<WorkSizes>;
  readonly #worker: Worker;
  readonly #events: JobEvents;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.stop(this.#signal?.reason);
  #settle: { resolve(sizes: WorkSizes): void; reject(reason: unknown): void } | undefined;

  /** @throws ThreadLimitError, the reason of a signal that was aborted before */
  constructor(job: Job, events: JobEvents, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#events = events;
    this.#signal = signal;
    const worker = takeWorker();
    this.#worker = worker;
    if (!runs.has(worker)) listen(worker);
    runs.set(worker, this);
    worker.ref();
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever waits for it hears of it; a stream may be given up before anybody does.
    this.done.catch(() => {});
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#say({ kind: "job", job });
  }

  /** The piece of the input that was wanted; undefined: it has ended. */
  send(bytes: Uint8Array | undefined): void {
    this.#say({ kind: "input", ...(bytes && { bytes }) });
  }

  /** The piece of the output that came is taken. */
  taken(): void {
    this.#say({ kind: "taken" });
  }

  /** Ends the job, and its thread with it, whatever it is doing; but one with a driver ends what it has begun. */
  stop(reason: unknown): void {
    if (!withDriver.has(this.#worker)) {
      this.fail(reason);
      return;
    }
    const settle = this.#finish();
    if (!settle) return;
    this.#worker.postMessage({ kind: "stop" } satisfies ToThread);
    settle.reject(reason);
  }

  hear(message: FromThread): void {
    if (message.kind === "driver") this.#noteDriver(message.isLoaded);
    else if (!this.#settle) this.#hearStopped(message);
    else if (message.kind === "want") this.#events.want();
    else if (message.kind === "output") this.#events.output(message.bytes);
    else if (message.kind === "progress") this.#events.progress(message.progress);
    else {
      const settle = this.#finish();
      if (!settle) return;
      // Threads keep nothing of a job: that one has failed says nothing of the next.
      leaveWorker(this.#worker);
      if (message.kind === "done") settle.resolve(message.sizes);
      else settle.reject(errorOf(message.failure));
    }
  }

  /** From a thread that was told to stop: when it has, it is free for the next job. */
  #hearStopped({ kind }: FromThread): void {
    if (kind === "done" || kind === "failed") leaveWorker(this.#worker);
  }

  #noteDriver(isLoaded: boolean): void {
    if (isLoaded) withDriver.add(this.#worker);
    else withDriver.delete(this.#worker);
  }

  /** The thread can do no more, or shall not. */
  fail(reason: unknown): void {
    const settle = this.#finish();
    if (!settle) return;
    void this.#worker.terminate();
    settle.reject(reason);
  }

  #finish() {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#signal?.removeEventListener("abort", this.#abort);
    return settle;
  }

  #say(message: ToThread): void {
    if (this.#settle || message.kind === "job") this.#worker.postMessage(message);
  }
}

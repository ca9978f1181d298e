/**
 * One coder worker as the main thread sees it: requests out, replies in, and a failure that is never lost.
 */
import { startWorker, type Worker } from "../platform/workers.ts";
import { CoderWorkerError } from "./errors.ts";
import type { Reply, Request, WorkerSetup } from "./protocol.ts";

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** A worker thread whose death, at any moment, rejects whatever is being awaited of it. */
export class CoderThread {
  readonly #index: number;
  readonly #worker: Worker;
  readonly #replies: Reply[] = [];
  readonly #waiters: Waiter[] = [];
  #failure: CoderWorkerError | undefined;
  #closing = false;

  constructor(index: number, setup: WorkerSetup) {
    this.#index = index;
    this.#worker = startWorker("coder", setup);
    this.#worker.on("message", (reply: Reply) => {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#replies.push(reply);
      else waiter.resolve(reply);
    });
    this.#worker.on("error", (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)));
    this.#worker.on("messageerror", () => this.#fail("a message could not be read"));
    this.#worker.on("exit", (code: number) => this.#fail(`it ended with code ${code}`));
  }

  /** Why the worker can do no more, if so. Becomes visible only when the event loop has run. */
  get failure(): CoderWorkerError | undefined {
    return this.#failure;
  }

  /** @param buffers of the request that go over to the worker, and are gone here */
  send(request: Request, buffers: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, buffers);
  }

  /** The next reply. @throws CoderWorkerError if the worker has failed or fails before it comes */
  receive(): Promise<Reply> {
    const early = this.#replies.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Ends the worker, whatever it is doing. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #fail(detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new CoderWorkerError(this.#index, this.#closing ? "it was closed" : detail);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
  }
}

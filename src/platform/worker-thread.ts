/**
 * One worker thread that answers requests, as the thread that started it sees it: requests out, replies in, and a
 * failure that is never lost.
 */
import { startWorker, type Worker, type WorkerName } from "./workers.ts";

interface Waiter<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** A thread whose death, at any moment, rejects whatever is being awaited of it. */
export class WorkerThread<Request, Reply> {
  readonly #errorOf: (detail: string) => Error;
  readonly #worker: Worker;
  readonly #replies: Reply[] = [];
  readonly #waiters: Waiter<Reply>[] = [];
  #failure: Error | undefined;
  #closing = false;

  /** @param errorOf makes the error that says why the thread can do no more @throws ThreadLimitError */
  constructor(name: WorkerName, setup: unknown, errorOf: (detail: string) => Error) {
    this.#errorOf = errorOf;
    this.#worker = startWorker(name, setup);
    this.#worker.on("message", (reply: Reply) => {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#replies.push(reply);
      else waiter.resolve(reply);
    });
    this.#worker.on("error", (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)));
    this.#worker.on("messageerror", () => this.#fail("a message could not be read"));
    this.#worker.on("exit", (code: number) => this.#fail(`it ended with code ${code}`));
  }

  /** Why the thread can do no more, if so. Becomes visible only when the event loop has run. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** @param buffers of the request that go over to the thread, and are gone here */
  send(request: Request, buffers: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, buffers);
  }

  /** The next reply. @throws what `errorOf` made if the thread has failed or fails before it comes */
  receive(): Promise<Reply> {
    const early = this.#replies.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #fail(detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.#errorOf(this.#closing ? "it was closed" : detail);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
  }
}

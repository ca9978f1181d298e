/**
 * Web Streams: what is written comes out compressed or restored. Each pair has a thread of its own. A piece of output
 * is asked for only when it is read, so a reader that is slow holds up the writer and nothing piles up.
 */
import type { Job } from "./messages.ts";
import type { ByteTransform, WorkOptions } from "./options.ts";
import { RunningJob } from "./threads.ts";

interface Turn {
  resolve(): void;
  reject(reason: unknown): void;
}

class StreamJob {
  readonly #job: () => RunningJob;
  #run: RunningJob | undefined;
  /** The thread wants input that has not come. */
  #isWanted = false;
  /** The writer waits until the thread wants its piece. */
  #writer: Turn | undefined;
  /** The reader waits for output. */
  #reader: Turn | undefined;
  /** Output has come, and nobody has asked for more since. */
  #isShown = false;
  #output: ReadableStreamDefaultController<Uint8Array> | undefined;
  #input: WritableStreamDefaultController | undefined;
  #isOver = false;

  constructor(job: Job, { signal, onProgress }: WorkOptions) {
    const events = {
      want: () => this.#want(),
      output: (bytes: Uint8Array) => this.#show(bytes),
      progress: onProgress ?? (() => {}),
    };
    this.#job = () => new RunningJob(job, events, signal);
  }

  ends(): ByteTransform {
    const readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#output = controller;
        },
        pull: () => this.#pull(),
        cancel: (reason) => this.#stop(reason),
      },
      { highWaterMark: 0 },
    );
    const writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#input = controller;
      },
      write: (bytes) => this.#write(bytes),
      close: () => this.#close(),
      abort: (reason) => this.#stop(reason),
    });
    return { readable, writable };
  }

  /** Starts the thread: with the first byte that is written or wanted, and not before. */
  #open(): RunningJob {
    if (this.#run) return this.#run;
    const run = this.#job();
    this.#run = run;
    run.done.then(
      () => this.#end(),
      (error: unknown) => this.#fail(error),
    );
    return run;
  }

  #want(): void {
    this.#isWanted = true;
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.resolve();
  }

  #show(bytes: Uint8Array): void {
    this.#isShown = true;
    const reader = this.#reader;
    this.#reader = undefined;
    this.#output?.enqueue(bytes);
    reader?.resolve();
  }

  #pull(): Promise<void> {
    const run = this.#opened((error) => this.#fail(error));
    if (!run) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      if (this.#isShown) run.taken();
      this.#isShown = false;
    });
  }

  #opened(failed: (error: unknown) => void): RunningJob | undefined {
    try {
      return this.#open();
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  async #write(bytes: unknown): Promise<void> {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("a stream of bytes takes Uint8Array");
    await this.#turn();
    this.#isWanted = false;
    this.#open().send(bytes);
  }

  async #close(): Promise<void> {
    await this.#turn();
    const run = this.#open();
    run.send(undefined);
    await run.done;
  }

  /** Until the thread wants a piece. */
  async #turn(): Promise<void> {
    this.#open();
    if (this.#isWanted) return;
    await new Promise<void>((resolve, reject) => {
      this.#writer = { resolve, reject };
    });
  }

  #end(): void {
    this.#isOver = true;
    this.#output?.close();
    this.#reader?.resolve();
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#output?.error(error);
    this.#input?.error(error);
    this.#writer?.reject(error);
    this.#reader?.reject(error);
  }

  #stop(reason: unknown): void {
    const why = reason ?? new Error("the stream was given up");
    this.#run?.stop(why);
    this.#fail(why);
  }
}

/** A pair of streams that does a job. */
export const transformBy = (job: Job, options: WorkOptions): ByteTransform => new StreamJob(job, options).ends();

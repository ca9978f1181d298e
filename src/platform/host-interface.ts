/** What fade asks of a runtime: host.ts says who answers. */

/** SHA-256 of what it was given so far. */
export interface Sha256 {
  update(bytes: Uint8Array | Float64Array): void;
  /** May be asked again when more was given. */
  digestHex(): string;
}

/** A worker thread, as who started it sees it: as node:worker_threads has it, of which browsers have less. */
export interface Worker {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  // Each tells something of its own; who listens says what that is.
  on<Fact>(event: WorkerEvent, listen: (fact: Fact) => void): unknown;
  once<Fact>(event: WorkerEvent, listen: (fact: Fact) => void): unknown;
  /** Ends the thread, whatever it is doing. */
  terminate(): Promise<unknown>;
  /** While it is not referred to, the program may end without it. */
  ref(): void;
  unref(): void;
}

/** Browsers do not tell of "exit". */
export type WorkerEvent = "message" | "messageerror" | "error" | "exit";

/** The end of a worker thread that lies within it. */
export interface WorkerEnd {
  /** What `startWorker` was given. */
  readonly data: unknown;
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  onMessage<Message>(handle: (message: Message) => void): void;
}

export interface Host {
  /** As in xxHash's public specification. */
  xxHash64(bytes: Uint8Array, seed: bigint): bigint;
  sha256(): Sha256;
  /** Whether two arrays have the same bytes. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
  concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer>;
  /** Where `needle` stands first, at `from` or later; -1 if nowhere. */
  indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number;
  /** Where `needle` stands last, at `from` or before; -1 if nowhere. */
  lastIndexOf(bytes: Uint8Array, needle: Uint8Array, from?: number): number;
  /** So many bytes of a pattern, again and again. */
  repeat(pattern: Uint8Array, lengthBytes: number): Uint8Array;
  /** Collects this thread's garbage at once, where that can be asked for. */
  collectGarbage(): void;
  /** Since some moment; never goes back. */
  nanoseconds(): number;
  /** Threads that run at once. */
  processorCount(): number;
  /** Memory of the machine, or of the container that this runs in, if that has less. */
  memoryBytes(): number;
  /**
   * Asks for large pages for a memory of which little has been touched and all will be, again and again: where its
   * bytes lie is found sooner. A runtime that cannot ask does nothing.
   */
  preferLargePages(memory: WebAssembly.Memory): void;
  /**
   * Gives the memory of bytes back to the system, which then are zeros; the first one begins a page of a
   * WebAssembly.Memory. @returns whether it was done: a runtime that cannot leaves them as they are
   */
  emptyPages(bytes: Uint8Array): boolean;
  /** Whether threads may look at the same memory: a page may not, unless it is isolated from others. */
  readonly sharesMemory: boolean;
  /** Whether a thread may be ended while a GPU works for it: in Node and Bun Dawn would end the program. */
  readonly mayTearDrivers: boolean;
  /** A file of the program, by the path that importing it gave. In a browser only worker threads may ask. */
  readAsset(path: string): Uint8Array<ArrayBuffer>;
  /**
   * Starts a worker thread: workers.ts knows their names. It begins with `beginWorker`. The caller must listen to its
   * errors.
   *
   * @param path of its module below src/ @throws what the system refuses
   */
  startWorker(name: string, path: string, data: unknown): Worker;
  /** For the worker thread that asks: begins its work, at once or when its data has come. */
  beginWorker(begin: (end: WorkerEnd) => void): void;
}

/** What fade asks of a runtime: host.ts says who answers. */

/** SHA-256 of what it was given so far. */
export interface Sha256 {
  update(bytes: Uint8Array | Float64Array): void;
  /** May be asked again when more was given. */
  digestHex(): string;
}

/** The end of a worker thread that lies within it. */
export interface WorkerEnd {
  /** What `startWorker` was given. */
  readonly data: unknown;
  post(message: unknown): void;
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
  /** Collects this thread's garbage at once. */
  collectGarbage(): void;
  /** Since some moment; never goes back. */
  nanoseconds(): number;
  /** Threads that run at once. */
  processorCount(): number;
  /** A file of the program, by the path that importing it gave. */
  readAsset(path: string): Uint8Array<ArrayBuffer>;
  /** Of the worker thread that asks. */
  workerEnd(): WorkerEnd;
}

/** What the system refuses, as classes that carry the facts. */

/** The system gives no more threads. */
export class ThreadLimitError extends Error {
  constructor(override readonly cause: unknown) {
    super("the system gives fade no more threads");
    this.name = "ThreadLimitError";
  }
}

/** Neither compressing nor restoring with a model is possible here: the processor or the browser is too old. */
export class SimdUnavailableError extends Error {
  constructor(override readonly cause: unknown) {
    super("WebAssembly SIMD does not run here");
    this.name = "SimdUnavailableError";
  }
}

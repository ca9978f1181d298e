/** What the system refuses, as classes that carry the facts. */

/** The system gives no more threads. */
export class ThreadLimitError extends Error {
  constructor(override readonly cause: unknown) {
    super("the system gives fade no more threads");
    this.name = "ThreadLimitError";
  }
}

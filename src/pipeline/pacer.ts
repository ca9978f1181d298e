/**
 * Keeps a long loop polite: an engine that computes on this thread would otherwise never let timers, signals and the
 * progress line run.
 */

/** How long a loop may hold the event loop; also the shortest time between two progress reports. */
const HOLD_MS = 50;

export class Pacer {
  readonly #signal: AbortSignal | undefined;
  #restedAtMs = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /**
   * Call once per turn of the loop. Now and then calls `report` and lets the event loop run.
   *
   * @throws the signal's reason once it is aborted
   */
  async turn(report: () => void): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#restedAtMs < HOLD_MS) return;
    report();
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#restedAtMs = performance.now();
    this.#signal?.throwIfAborted();
  }
}

/**
 * Keeps a long loop polite: an engine that computes on this thread would otherwise never let timers, signals and the
 * progress line run. And cuts work by time: an engine takes many steps at once, and a step takes microseconds or
 * seconds, which depends on the model, its streams and the machine.
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

/** How long a chunk of steps should take: reports and aborts come between two chunks. */
const CHUNK_MS = 100;
/** How much longer than the one before a chunk may be: the first steps tell little about the later ones. */
const GROWTH = 4;

/**
 * How many steps a chunk has, by the time that those before it took. The result does not depend on it. Chunks end one
 * after another, and the next may be in work already while one ends.
 */
export class ChunkPace {
  readonly #stepsMax: number;
  #steps = 1;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  /** @param stepsMax what an engine takes at once */
  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax;
  }

  /** Steps of the next chunk. */
  get steps(): number {
    return this.#steps;
  }

  /** A chunk begins. @returns what to call when it has ended */
  begin(steps: number): () => void {
    const beganAtMs = performance.now();
    return () => {
      const nowMs = performance.now();
      const tookMs = nowMs - Math.max(beganAtMs, this.#endedAtMs);
      this.#endedAtMs = nowMs;
      const wanted = Math.floor((steps * CHUNK_MS) / Math.max(tookMs, 1e-3));
      // The last chunk of a block may be short.
      const most = Math.max(this.#steps, GROWTH * steps);
      this.#steps = Math.max(1, Math.min(this.#stepsMax, most, wanted));
    };
  }
}

/** Goes through steps chunk by chunk: one is in work while the one before ends. */
export class ChunkLoop {
  readonly #pace: ChunkPace;
  readonly #signal: AbortSignal | undefined;

  /** @param stepsMax what an engine takes at once */
  constructor(stepsMax: number, signal: AbortSignal | undefined) {
    this.#pace = new ChunkPace(stepsMax);
    this.#signal = signal;
  }

  /**
   * @param report called now and then, between chunks
   * @param work does a chunk: its first step, and how many
   * @throws the signal's reason, what `work` throws; when all that has begun has ended
   */
  async run(
    stepCount: number,
    report: () => void,
    work: (first: number, steps: number) => Promise<void>,
  ): Promise<void> {
    const pacer = new Pacer(this.#signal);
    let before: Promise<void> = Promise.resolve();
    let last = before;
    try {
      for (let first = 0, steps = 0; first < stepCount; first += steps) {
        await pacer.turn(report);
        before = last;
        steps = Math.min(this.#pace.steps, stepCount - first);
        const ended = this.#pace.begin(steps);
        last = work(first, steps).then(ended);
        last.catch(() => {}); // awaited a turn later
        await before;
      }
      await last;
    } catch (error) {
      // Nothing may still use the model when the caller closes it.
      await Promise.allSettled([before, last]);
      throw error;
    }
  }
}

/**
 * Keeps a long loop polite: an engine that computes on this thread would otherwise never let timers, signals and the
 * progress line run. And cuts work by time: an engine takes many steps at once, and a step takes microseconds or
 * seconds, which depends on the model, its streams and the machine.
 */
import { StepPace } from "../platform/pace.ts";

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
/** Goes through steps chunk by chunk: one is in work while the one before ends. */
export class ChunkLoop {
  readonly #pace: StepPace;
  readonly #signal: AbortSignal | undefined;

  /** @param stepsMax what an engine takes at once */
  constructor(stepsMax: number, signal: AbortSignal | undefined) {
    this.#pace = new StepPace(1, CHUNK_MS, stepsMax);
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

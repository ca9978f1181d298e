/**
 * How many steps of some work go out at a time, by what those before them took: bytes of a mixer's lanes in a dispatch
 * or steps of a network in a submit, since some drivers reset a device that is busy for two seconds; steps of a block
 * in a chunk, since reports and aborts come between two of them. The result does not depend on it. Shares of the work
 * end one after another, and the next may be in work already while one ends.
 */
import { host } from "./host.ts";

/** What a dispatch should take, and so less than 200 ms if steps take half as long again. */
const DISPATCH_MS = 120;
/** How much longer than the one before a share may be: the first steps tell little about the later ones. */
const GROWTH = 4;

const nowMs = () => host.nanoseconds() / 1e6;

export class StepPace {
  #steps: number;
  readonly #shareMs: number;
  readonly #stepsMax: number;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param firstSteps of the first share, about which nothing is known
   * @param shareMs what one should take
   */
  constructor(firstSteps: number, shareMs = DISPATCH_MS, stepsMax = Number.POSITIVE_INFINITY) {
    this.#steps = firstSteps;
    this.#shareMs = shareMs;
    this.#stepsMax = stepsMax;
  }

  /** Steps of the next share, at most. */
  get steps(): number {
    return this.#steps;
  }

  /** A share goes out; those before it come first. @returns what to call when it has ended */
  begin(steps: number): () => void {
    const beganAtMs = nowMs();
    return () => {
      const endedAtMs = nowMs();
      const tookMs = endedAtMs - Math.max(beganAtMs, this.#endedAtMs);
      this.#endedAtMs = endedAtMs;
      const wanted = Math.floor((steps * this.#shareMs) / Math.max(tookMs, 1e-3));
      // A short one, such as the last of a block, says little about the time of a step: its overhead counts, too.
      const most = Math.max(this.#steps, GROWTH * steps);
      this.#steps = Math.max(1, Math.min(this.#stepsMax, most, wanted));
    };
  }
}

/**
 * How many steps go to the device at a time, bytes of a mixer's lanes in one dispatch or steps of a network in one
 * submit: some drivers reset a device that is busy for two seconds, and how long a step takes is known only when some
 * are done. The result does not depend on it.
 */
import { host } from "../../platform/host.ts";

/** What a dispatch should take, and so less than 200 ms if steps take half as long again. */
const DISPATCH_MS = 120;
/** How much longer than the one before a dispatch may be. */
const GROWTH = 4;

const nowMs = () => host.nanoseconds() / 1e6;

export class DispatchPace {
  #steps: number;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  /** @param firstSteps of the first dispatch, about which nothing is known */
  constructor(firstSteps: number) {
    this.#steps = firstSteps;
  }

  /** Steps of the next dispatch, at most. */
  get steps(): number {
    return this.#steps;
  }

  /** A dispatch is submitted; those before it come first. @returns what to call when it has ended */
  begin(steps: number): () => void {
    const beganAtMs = nowMs();
    return () => {
      const endedAtMs = nowMs();
      const tookMs = endedAtMs - Math.max(beganAtMs, this.#endedAtMs);
      this.#endedAtMs = endedAtMs;
      const wanted = Math.floor((steps * DISPATCH_MS) / Math.max(tookMs, 1e-3));
      // A short one says little about the time of a byte: its overhead counts, too.
      const most = Math.max(this.#steps, GROWTH * steps);
      this.#steps = Math.max(1, Math.min(most, wanted));
    };
  }
}

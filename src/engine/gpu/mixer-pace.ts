/**
 * How many bytes a lane may go through in one dispatch: some drivers reset a device that is busy for two seconds, and
 * how long a byte takes is known only when some are done. The result does not depend on it.
 */
import { host } from "../../platform/host.ts";

const FIRST_STEPS = 16;
/** What a dispatch should take, and so less than 200 ms if bytes take half as long again. */
const DISPATCH_MS = 120;
/** How much longer than the one before a dispatch may be. */
const GROWTH = 4;

const nowMs = () => host.nanoseconds() / 1e6;

export class DispatchPace {
  #steps = FIRST_STEPS;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  /** Bytes of each lane in the next dispatch, at most. */
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

/**
 * What an engine's network gives a coder on the host: intervals of bytes that are known, tables for bytes that are not.
 * The engine's interface knows nothing of it, so that engines may code by other means.
 *
 * Calls take effect in the order in which they were made, whether or not the earlier ones were awaited.
 */
import type { HyperParameters } from "../contract/hyper.ts";

/** A network that is told the bytes. */
export interface IntervalModel {
  readonly hyper: HyperParameters;

  /**
   * Predicts and learns `stepCount` steps of known bytes.
   *
   * @param bytes step-major, `stepCount` x B; not read any more when the promise has settled
   * @param intervals filled with `stepCount` x B x 2 numbers: the start and the frequency of each byte, of
   *   FREQUENCY_TOTAL. It may be backed by shared memory.
   */
  fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void>;
}

/** A network that goes step by step. */
export interface StepModel {
  readonly hyper: HyperParameters;

  /**
   * The frequency tables of the next step.
   *
   * @param ends filled with B x 256 cumulative frequencies: byte v of stream s owns the interval from
   *   v === 0 ? 0 : ends[s * 256 + v - 1] to ends[s * 256 + v]. ends[s * 256 + 255] is at most FREQUENCY_TOTAL; what
   *   lies above is owned by no byte and marks a corrupt archive.
   */
  predict(ends: Uint32Array): Promise<void>;

  /** Tells the network the B bytes of the step that was predicted last, and trains it. */
  learn(bytes: Uint8Array): Promise<void>;
}

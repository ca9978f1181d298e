/**
 * The learning curve: how many bits a byte the model needs over the course of a file. A network's is counted from the
 * intervals that the coder's observer sees, so it is exact wherever a stretch ends; a mixer's comes in its chunks.
 */
import { FREQUENCY_BITS } from "../contract/frequency.ts";
import type { CoderObserver } from "../engine/engine.ts";
import type { CurvePoint } from "./results.ts";

/** Stretches of a curve: as many as a chart can show. */
const POINTS = 200;

export class LearningCurve {
  readonly #stretchBytes: number;
  readonly #points: CurvePoint[] = [];
  #bytesDone = 0;
  #bits = 0;
  #bytes = 0;

  /** @param sizeBytes plain bytes in all @param points stretches at most */
  constructor(sizeBytes: number, points = POINTS) {
    this.#stretchBytes = Math.max(1, Math.ceil(sizeBytes / points));
  }

  /** Adds some steps; a function of its own, to be an observer's `intervals`. */
  readonly add: NonNullable<CoderObserver["intervals"]> = (intervals, { streams, steps, liveInLastStep }) => {
    for (let step = 0; step < steps; step += 1) {
      const live = step === steps - 1 ? liveInLastStep : streams;
      for (let stream = 0; stream < live; stream += 1) {
        const frequency = intervals[2 * (step * streams + stream) + 1] ?? 0;
        this.#bits += FREQUENCY_BITS - Math.log2(frequency);
      }
      this.#bytes += live;
      if (this.#bytes >= this.#stretchBytes) this.#endStretch();
    }
  };

  /** Adds bytes that a mixer has coded; an observer's `coded`. */
  readonly addCoded: NonNullable<CoderObserver["coded"]> = (bytes, codedBytes) => {
    this.#bytes += bytes;
    this.#bits += 8 * codedBytes;
    if (this.#bytes >= this.#stretchBytes) this.#endStretch();
  };

  /** All stretches, the last one as long as it got. */
  finish(): readonly CurvePoint[] {
    if (this.#bytes > 0) this.#endStretch();
    return this.#points;
  }

  #endStretch(): void {
    this.#bytesDone += this.#bytes;
    this.#points.push({ bytesDone: this.#bytesDone, bitsPerByte: this.#bits / this.#bytes });
    this.#bits = 0;
    this.#bytes = 0;
  }
}

/**
 * Holds a model of an engine against the reference at the shape that is about to be timed: every interval, and every
 * weight and moment after some steps. A kernel that is wrong shows in one of them, because all of its results go there.
 */

import type { HyperParameters } from "../contract/hyper.ts";
import { CALIBRATION_STEPS } from "../contract/schedule.ts";
import type { IntervalModel } from "../engine/network.ts";
import { ReferenceModel } from "../engine/reference/engine.ts";

/** The first steps only measure; then weights change, and one more step must see the change. */
export const CHECK_STEPS = CALIBRATION_STEPS + 2;

export interface CheckedModel extends Pick<IntervalModel, "fillIntervals"> {
  /** What training changed, in the order of the contract. */
  readTrained(): Promise<TrainedNumbers>;
}

interface TrainedNumbers {
  readonly master: Int32Array;
  readonly moment: Int32Array;
  readonly square: Int32Array;
}

/** Bytes with something to learn: words at other places in each stream. */
export function benchBytes(steps: number, streams: number): Uint8Array {
  const words = "the model learns the bytes of a file while it predicts them, and a decoder learns them just so; ";
  return Uint8Array.from({ length: steps * streams }, (_, i) => {
    const stream = i % streams;
    return words.charCodeAt((Math.floor(i / streams) + stream * 29) % words.length);
  });
}

/** The first number that differs, in words; undefined if none does. */
export async function differenceFromReference(
  hyper: HyperParameters,
  model: CheckedModel,
  steps = CHECK_STEPS,
): Promise<string | undefined> {
  const bytes = benchBytes(steps, hyper.streams);
  const mine = new Uint32Array(2 * bytes.length);
  const expected = new Uint32Array(2 * bytes.length);
  await model.fillIntervals(bytes, steps, mine);
  const reference = new ReferenceModel(hyper);
  await reference.fillIntervals(bytes, steps, expected);
  const trained = await model.readTrained();
  const parts = [
    { what: "interval", found: mine, wanted: expected },
    ...(["master", "moment", "square"] as const).map((what) => ({
      what,
      found: trained[what],
      wanted: reference.state[what],
    })),
  ];
  for (const { what, found, wanted } of parts) {
    const at = wanted.findIndex((value: number, i: number) => value !== found[i]);
    if (at >= 0) return `${what} ${at} is ${found[at]}, the reference has ${wanted[at]}`;
  }
  return undefined;
}

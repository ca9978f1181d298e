/** What a whole step takes, held against the peak: what a model does in one is counted in src/model/step-work.ts. */
import type { HyperParameters } from "../contract/hyper.ts";
import { multiplyAddsOfStep } from "../model/step-work.ts";
import type { PeakResult } from "./kernel-results.ts";

/** What a step result says of its multiply-adds. */
export function stepWork(hyper: HyperParameters, wholeMicroseconds: number, peaks: readonly PeakResult[]) {
  const multiplyAdds = multiplyAddsOfStep(hyper);
  const peak = Math.max(0, ...peaks.filter(({ what }) => what === "multiply-adds").map(({ perSecond }) => perSecond));
  const perSecond = (multiplyAdds * 1e6) / wholeMicroseconds;
  return { multiplyAdds, ...(peak > 0 && { shareOfPeak: perSecond / peak }) };
}

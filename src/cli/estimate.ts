/**
 * How long decoding will take on this machine's CPU, for `fade -lv`: an estimate from what was measured once, because a
 * listing opens no engine. It is right to about a factor of two; the progress line knows better after a second.
 */
import type { HyperParameters } from "../model/hyper.ts";
import { layoutOf } from "../model/tensors.ts";

/** Measured with the CPU engine on one thread of an AMD EPYC at 2.45 GHz, levels 1, 5 and 9, 8 and 96 streams. */
const SECONDS_PER_STEP = 1e-4;
const SECONDS_PER_PARAMETER = 0.5e-9;
const SECONDS_PER_PARAMETER_AND_STREAM = 0.17e-9;

/** @param plainBytes that go through the model: of coded and learned blocks */
export function decodeSeconds(hyper: HyperParameters, plainBytes: number, threads: number): number {
  const { parameterCount } = layoutOf(hyper);
  const perParameter = SECONDS_PER_PARAMETER + SECONDS_PER_PARAMETER_AND_STREAM * hyper.streams;
  const perStep = SECONDS_PER_STEP + (parameterCount * perParameter) / threads;
  return (plainBytes / hyper.streams) * perStep;
}

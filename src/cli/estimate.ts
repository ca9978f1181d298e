/**
 * How long decoding will take on this machine's CPU, for `fade -lv`: an estimate, because a listing opens no engine. It
 * counts what a step does, in multiply-adds, from the model itself, so that only one constant is measured; the progress
 * line knows better after a second.
 */
import { multiplyAddsOfStep } from "../bench/model-work.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { layoutOf } from "../contract/tensors.ts";

/** The optimizer's work on one parameter, and what is done with one logit (also of each table), in multiply-adds. */
const PER_PARAMETER = 64;
const PER_LOGIT = 96;
/** Softmax, differences, coding and gradients look at the logits about so often besides. */
const LOGIT_PASSES = 4;
/**
 * Measured with one thread of the CPU engine on an AMD EPYC at 2.6 GHz: levels 1, 3, 5, 7 and 9 with 8, 24, 120 and
 * 1024 streams agree within 8 %.
 */
const SECONDS_PER_MULTIPLY_ADD = 3.6e-11;

/** @param plainBytes that go through the model: of coded and learned blocks */
export function decodeSeconds(hyper: HyperParameters, plainBytes: number, threads: number): number {
  const logits = hyper.streams * 256 * (hyper.tables + LOGIT_PASSES);
  // A step without training has the first of three products, and no optimizer; the recall stream learns in every one.
  const trained = 1 / hyper.trainEvery;
  const products = (multiplyAddsOfStep(hyper) * (1 + 2 * trained)) / 3;
  const perStep = products + PER_PARAMETER * trained * layoutOf(hyper).parameterCount + PER_LOGIT * logits;
  return ((plainBytes / hyper.streams) * perStep * SECONDS_PER_MULTIPLY_ADD) / threads;
}

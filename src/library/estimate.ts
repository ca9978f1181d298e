/**
 * How long decoding will take on this machine's CPU, for `fade -lv`: an estimate, because a listing opens no engine. It
 * counts what a step does, in multiply-adds, from the model itself, so that only one constant is measured; the progress
 * line knows better after a second.
 */
import type { FrameSummary } from "../archive/list.ts";
import { type HyperParameters, hasNetwork, TRAIN_ALWAYS_STEPS } from "../contract/hyper.ts";
import { layoutOf } from "../contract/tensors.ts";
import { multiplyAddsOfStep } from "../model/step-work.ts";
import { modelMemoryBytes } from "../pipeline/memory.ts";

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

/** Opening a model: its threads, writing all of its memory once, and giving it back. Measured on two threads. */
const SECONDS_TO_OPEN = 0.08;
const MIXER_SECONDS_TO_OPEN = 0.02;
const SECONDS_PER_MODEL_BYTE = 1e-9;

/** One step of a model, in multiply-adds, of which a step without training has only a part. */
function workOfStep(hyper: HyperParameters, isTrained: boolean): number {
  const logits = hyper.streams * 256 * (hyper.tables + LOGIT_PASSES);
  // Without training: the first of three products, and no optimizer; the recall stream learns in every step.
  const network = isTrained
    ? multiplyAddsOfStep(hyper) + PER_PARAMETER * layoutOf(hyper).parameterCount
    : multiplyAddsOfStep(hyper) / 3;
  return network + PER_LOGIT * logits;
}

/** A byte of a lane, without and for each context: measured like the network's. */
const SECONDS_PER_BYTE = 6e-7;
const SECONDS_PER_CONTEXT = 1.6e-7;
/** And for each context with counters, and for the sets that they bring along. */
const SECONDS_PER_COUNTER = 1e-7;
const SECONDS_OF_COUNTED = 1.6e-6;

const countersSeconds = (counters: number) => (counters > 0 ? SECONDS_OF_COUNTED + counters * SECONDS_PER_COUNTER : 0);

/** Lanes share out the threads. */
function mixerSeconds(
  { streams, mixerContexts, mixerCounters }: HyperParameters,
  steps: number,
  threads: number,
): number {
  const perByte = SECONDS_PER_BYTE + mixerContexts * SECONDS_PER_CONTEXT + countersSeconds(mixerCounters);
  return steps * perByte * Math.ceil(streams / Math.min(threads, streams));
}

/**
 * What steps of a model take on so many threads.
 *
 * @param before steps that it has made already: at first it trains in every one
 */
export function stepsSeconds(hyper: HyperParameters, steps: number, threads: number, before = 0): number {
  if (!hasNetwork(hyper)) return mixerSeconds(hyper, steps, threads);
  const always = Math.min(steps, Math.max(0, TRAIN_ALWAYS_STEPS - before));
  const trained = always + (steps - always) / hyper.trainEvery;
  const work = trained * workOfStep(hyper, true) + (steps - trained) * workOfStep(hyper, false);
  return (work * SECONDS_PER_MULTIPLY_ADD) / threads;
}

/** Before a model's first step. */
export function openSeconds(hyper: HyperParameters): number {
  const opening = hasNetwork(hyper) ? SECONDS_TO_OPEN : MIXER_SECONDS_TO_OPEN;
  return opening + SECONDS_PER_MODEL_BYTE * modelMemoryBytes(hyper);
}

/** @param plainBytes that go through the model: of coded and learned blocks */
export function decodeSeconds(hyper: HyperParameters, plainBytes: number, threads: number): number {
  return stepsSeconds(hyper, plainBytes / hyper.streams, threads);
}

/** What the model of a frame takes; 0 without one. */
export function modelSeconds({ header, modelSteps }: FrameSummary, threads: number): number {
  return header.model ? stepsSeconds(header.model.hyper, modelSteps, threads) : 0;
}

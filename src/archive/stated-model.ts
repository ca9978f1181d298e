/**
 * The model of a small frame that states it: a mixer of one lane, and the built-in prior that it begins with, in a
 * number of one or two bytes. How many lines it has follows from what it sees, as it does at every level that has the
 * memory for them.
 */
import { ceilLog2 } from "../contract/fixed.ts";
import { type HyperParameters, NO_NETWORK, WITHOUT } from "../contract/hyper.ts";
import { MIXER_CONTEXTS_MAX, MIXER_CONTEXTS_MIN } from "../contract/mixer.ts";
import type { ByteReader } from "./bytes.ts";
import { CorruptError } from "./errors.ts";
import type { FrameModel } from "./format.ts";
import { PRIOR_NUMBER_MAX } from "./prior-reference.ts";

const LINE_BITS_MIN = 10;
const LINE_BITS_MAX = 22;
/** Numbers of contexts that a mixer may have. */
const CONTEXT_COUNTS = MIXER_CONTEXTS_MAX - MIXER_CONTEXTS_MIN + 1;
/** Numbers that say no prior; as many more for each. */
const MODEL_NUMBERS = CONTEXT_COUNTS * (MIXER_CONTEXTS_MAX + 1);

function modelWith(mixerContexts: number, mixerCounters: number, seenBytes: number): FrameModel {
  const mixerBits = Math.min(LINE_BITS_MAX, Math.max(LINE_BITS_MIN, ceilLog2(Math.max(1, seenBytes)) - 1));
  const hyper = { ...WITHOUT, ...NO_NETWORK, streams: 1, mixerContexts, mixerCounters, mixerBits };
  return { hyper, groupCount: 1 };
}

/**
 * The number that states a model; undefined if none does.
 *
 * @param seenBytes what it sees
 * @param priorNumber of the built-in prior, 0 for none
 */
export function numberOfModel(
  { hyper, groupCount }: FrameModel,
  seenBytes: number,
  priorNumber: number,
): number | undefined {
  const { mixerContexts, mixerCounters } = hyper;
  const like: HyperParameters = modelWith(mixerContexts, mixerCounters, seenBytes).hyper;
  const isLike = (Object.keys(like) as (keyof HyperParameters)[]).every((name) => like[name] === hyper[name]);
  if (groupCount !== 1 || mixerContexts === 0 || !isLike) return undefined;
  return MODEL_NUMBERS * priorNumber + CONTEXT_COUNTS * mixerCounters + mixerContexts - MIXER_CONTEXTS_MIN;
}

interface StatedModel {
  readonly modelFor: (seenBytes: number) => FrameModel;
  /** Of the built-in prior; 0: none. */
  readonly priorNumber: number;
}

/** Reads such a number. @throws TruncatedError, CorruptError */
export function readModelNumber(reader: ByteReader): StatedModel {
  const at = reader.position;
  const field = "the model of a small frame";
  const stated = reader.varintWithin(field, 0, MODEL_NUMBERS * (PRIOR_NUMBER_MAX + 1) - 1);
  const number = stated % MODEL_NUMBERS;
  const contexts = MIXER_CONTEXTS_MIN + (number % CONTEXT_COUNTS);
  const counters = Math.floor(number / CONTEXT_COUNTS);
  if (counters > contexts) throw new CorruptError(at, field, `at most ${contexts} counters`, `${counters}`);
  const priorNumber = Math.floor(stated / MODEL_NUMBERS);
  return { modelFor: (seenBytes) => modelWith(contexts, counters, seenBytes), priorNumber };
}

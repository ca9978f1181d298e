/**
 * The model of a small frame that states it: a mixer of one lane, in a number of one or two bytes. How many lines it
 * has follows from what it sees, as it does at every level that has the memory for them.
 */
import { ceilLog2 } from "../contract/fixed.ts";
import { type HyperParameters, NO_NETWORK, WITHOUT } from "../contract/hyper.ts";
import { MIXER_CONTEXTS_MAX, MIXER_CONTEXTS_MIN } from "../contract/mixer.ts";
import type { ByteReader } from "./bytes.ts";
import { CorruptError } from "./errors.ts";
import type { FrameModel } from "./format.ts";

const LINE_BITS_MIN = 10;
const LINE_BITS_MAX = 22;
/** Numbers of contexts that a mixer may have. */
const CONTEXT_COUNTS = MIXER_CONTEXTS_MAX - MIXER_CONTEXTS_MIN + 1;

function modelWith(mixerContexts: number, mixerCounters: number, seenBytes: number): FrameModel {
  const mixerBits = Math.min(LINE_BITS_MAX, Math.max(LINE_BITS_MIN, ceilLog2(Math.max(1, seenBytes)) - 1));
  const hyper = { ...WITHOUT, ...NO_NETWORK, streams: 1, mixerContexts, mixerCounters, mixerBits };
  return { hyper, groupCount: 1 };
}

/** The number that states a model; undefined if none does. @param seenBytes what it sees */
export function numberOfModel({ hyper, groupCount }: FrameModel, seenBytes: number): number | undefined {
  const { mixerContexts, mixerCounters } = hyper;
  const like: HyperParameters = modelWith(mixerContexts, mixerCounters, seenBytes).hyper;
  const isLike = (Object.keys(like) as (keyof HyperParameters)[]).every((name) => like[name] === hyper[name]);
  if (groupCount !== 1 || mixerContexts === 0 || !isLike) return undefined;
  return mixerContexts - MIXER_CONTEXTS_MIN + CONTEXT_COUNTS * mixerCounters;
}

const NUMBER_MAX = CONTEXT_COUNTS * (MIXER_CONTEXTS_MAX + 1) - 1;

/** Reads such a number. @returns what it makes of the bytes that the model sees @throws TruncatedError, CorruptError */
export function readModelNumber(reader: ByteReader): (seenBytes: number) => FrameModel {
  const at = reader.position;
  const field = "the model of a small frame";
  const number = reader.varintWithin(field, 0, NUMBER_MAX);
  const contexts = MIXER_CONTEXTS_MIN + (number % CONTEXT_COUNTS);
  const counters = Math.floor(number / CONTEXT_COUNTS);
  if (counters > contexts) throw new CorruptError(at, field, `at most ${contexts} counters`, `${counters}`);
  return (seenBytes) => modelWith(contexts, counters, seenBytes);
}

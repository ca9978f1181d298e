/**
 * What a byte of every lane makes a GPU do in the bit mixer's kernel, counted from the layout of its memory as
 * shaders/mixer*.wgsl go through it, behind no prior; and into how many dispatches a device's bindings cut the lanes.
 */
import type { HyperParameters } from "../contract/hyper.ts";
import { COUNTER_LINE_BYTES, finalsOf, inputsOf, LINE_BYTES, setsOf } from "../contract/mixer.ts";
import { BUCKET_LINES } from "../contract/mixer-numbers.ts";
import { banksFor } from "../engine/gpu/mixer.ts";
import { REFINE_ROW_WORDS } from "../engine/gpu/mixer-layout.ts";
import { HARDWARE_MIXER_LANES } from "../engine/gpu/path.ts";
import type { PlanResult } from "./kernel-results.ts";
import { HARDWARE_LIMITS, type PlanLimits } from "./plan-device.ts";

const BITS = 8;
const NIBBLES = 2;
/** Of a byte besides contexts: text, the places of matches, history, coded and plain bytes. About. */
const OTHER_BYTES = 64;

/** A bit, a nibble, a byte of one lane. */
interface Lane {
  readonly contexts: number;
  readonly counters: number;
  readonly words: number;
  readonly sets: number;
  readonly finals: number;
}

/** Iterations of one invocation for a byte, one after the other. */
function iterationsOf({ contexts, words, sets, finals }: Lane, invocations: number): number {
  const ownWords = Math.ceil(words / invocations);
  const ownContexts = Math.ceil(contexts / invocations);
  // Its words are brought, multiplied and learnt; one to a set sums for all; all do the second layer; contexts learn.
  const bit = 3 * ownWords + Math.ceil(sets / invocations) * invocations + finals * sets + ownContexts;
  const nibble = ownContexts * (BUCKET_LINES + 1);
  // Contexts are hashed and their runs followed.
  return BITS * bit + NIBBLES * nibble + 2 * ownContexts;
}

/** Bytes loaded and stored for a byte of a lane. */
function bytesOf({ contexts, counters, words, sets, finals }: Lane): number {
  const weights = 2 * 4 * (sets * words + finals * sets);
  const cells = (2 * 4 + 2 * 4 + 2 * 4) * contexts + 2 * 4;
  const bit = weights + cells + 4 * (REFINE_ROW_WORDS + 1);
  const nibble = contexts * ((BUCKET_LINES + 1) * LINE_BYTES + 2 * 4) + counters * 2 * COUNTER_LINE_BYTES;
  return BITS * bit + NIBBLES * nibble + contexts * 2 * 4 + OTHER_BYTES;
}

/** A byte of every lane. @throws EngineLimitError if no lane fits into a binding */
export function mixerPlanOf(
  setting: string,
  hyper: HyperParameters,
  { bindingBytes, storageBuffers }: PlanLimits = HARDWARE_LIMITS,
): PlanResult {
  const { streams, mixerContexts: contexts, mixerCounters: counters } = hyper;
  const choices = { sets: setsOf(counters).length, finals: finalsOf(counters).length };
  const lane: Lane = { contexts, counters, words: inputsOf(contexts, counters) / 2, ...choices };
  const invocations = HARDWARE_MIXER_LANES;
  const { words, sets, finals } = lane;
  return {
    kind: "plan",
    setting,
    streams,
    kernel: "mixer",
    calls: banksFor(hyper, bindingBytes, storageBuffers).length,
    workgroups: streams,
    invocations,
    iterations: iterationsOf(lane, invocations),
    // Two inputs to a word, each multiplied when bits are predicted and when they are learnt.
    multiplyAdds: streams * BITS * (4 * sets * words + 2 * finals * sets),
    lanesUsed: words / (Math.ceil(words / invocations) * invocations),
    bytes: streams * bytesOf(lane),
  };
}

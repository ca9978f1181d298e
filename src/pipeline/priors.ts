/**
 * Priors in the pipeline: which of them a frame names, what model a lane has behind one, and what it takes. The files
 * of priors are the business of src/prior.
 */
import { lowCheck } from "../archive/checksum.ts";
import { CorruptError, MissingPriorError } from "../archive/errors.ts";
import { FORMAT_VERSION_9, type FrameHeader, SMALL_STRIDE_BYTES_MIN } from "../archive/format.ts";
import { type PriorReference, priorText } from "../archive/prior-reference.ts";
import { smallModelBehind } from "../archive/small.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { keptLaneBytesMax, roomBytesOf } from "../contract/prior.ts";
import { builtInPrior, PRESENT_FIRST } from "../prior/built-in.ts";
import { PATCH_CONTENT_BYTES_OLD, type Prior, patchPrior } from "../prior/file.ts";
import { fitPrior } from "../prior/fit.ts";
import { modelMemoryBytes } from "./memory.ts";

/** How a frame names a prior. @param isLow in a small frame */
export function referenceOf({ number, hash }: Prior, isLow: boolean): PriorReference {
  return number === undefined ? { hash, isLow } : { number };
}

/**
 * The prior that a header names.
 *
 * @param given those that are there beside the built-in ones
 * @param offsetBytes of the frame
 * @throws MissingPriorError, CorruptError if its model cannot be the header's
 */
export function priorOf(header: FrameHeader, given: readonly Prior[], offsetBytes: number): Prior | undefined {
  const { prior: reference, model, isPatch = false } = header;
  if (!reference) return undefined;
  const found = "number" in reference ? builtInPrior(reference.number) : findGiven(reference, given, isPatch);
  if (!found) {
    const texts = given
      .filter((prior) => (prior.old !== undefined) === isPatch)
      .map((prior) => textOf(prior, reference));
    throw new MissingPriorError(offsetBytes, priorText(reference), isPatch, texts);
  }
  const isOldPatch = found.old && header.version < FORMAT_VERSION_9;
  const prior = isOldPatch ? patchPrior(found.old, found.contexts, PATCH_CONTENT_BYTES_OLD) : found;
  return fitting(prior, model?.hyper, offsetBytes);
}

function findGiven(
  { hash, isLow }: Extract<PriorReference, { hash: bigint }>,
  given: readonly Prior[],
  isPatch: boolean,
): Prior | undefined {
  return given.find((prior) => {
    const isSame = isLow ? lowCheck(prior.hash) === hash : prior.hash === hash;
    return isSame && (prior.old !== undefined) === isPatch;
  });
}

const textOf = (prior: Prior, reference: PriorReference) =>
  priorText({ hash: prior.hash, isLow: "hash" in reference && reference.isLow });

/**
 * A prior for this model: that of a patch is for any mixer without counters, one that archives are given now for any.
 *
 * @throws CorruptError
 */
export function fitting(prior: Prior, hyper: HyperParameters | undefined, offsetBytes: number): Prior {
  const { contexts, old, number = 0 } = prior;
  if (hyper && number >= PRESENT_FIRST && hyper.mixerContexts > 0) return builtInBehind(prior, hyper);
  if (hyper && hyper.mixerCounters > 0) {
    throw new CorruptError(offsetBytes, "the counters of a model", "none, behind a prior", `${hyper.mixerCounters}`);
  }
  if (!hyper || hyper.mixerContexts === contexts) return prior;
  if (old && hyper.mixerContexts > 0) return { ...prior, contexts: hyper.mixerContexts };
  throw new CorruptError(offsetBytes, "the contexts of a model", `${contexts}, as its prior`, `${hyper.mixerContexts}`);
}

/**
 * By number, contexts and counters, the last used last. Lanes are kept by their priors, so the same must come again;
 * but archives of strangers may ask for thousands of them, two megabytes each.
 */
const fitted = new Map<string, Prior>();
const FITTED_MAX = 4;

function builtInBehind(prior: Prior, { mixerContexts: contexts, mixerCounters: counters }: HyperParameters): Prior {
  if (prior.contexts === contexts && (prior.counters ?? 0) === counters) return prior;
  const key = `${prior.number} ${contexts} ${counters}`;
  const found = fitted.get(key) ?? { ...prior, ...fitPrior(prior, { contexts, counters }) };
  fitted.delete(key);
  fitted.set(key, found);
  for (const oldest of fitted.keys()) if (fitted.size > FITTED_MAX) fitted.delete(oldest);
  return found;
}

/** Old bytes of a patch, which are there beside all else. */
export const oldBytesOf = (prior: Prior | undefined) => prior?.old?.length ?? 0;

/** What lanes go through before the frame's first block. */
export const contentBytesOf = (prior: Prior | undefined) => prior?.content.length ?? 0;

/** A small frame's header with the model that follows from its prior. */
export function withSmallModel(header: FrameHeader, prior: Prior): FrameHeader {
  const { head } = header.small ?? {};
  if (!head || header.model) return header;
  return {
    ...header,
    model: smallModelBehind(prior, head.cut?.restBytes ?? head.plainBytes),
  };
}

/** What the model is told of a small frame's block, which states it only if it is long. */
export function smallStride(prior: Prior | undefined, seenBytes: number, stride: number): number {
  return prior && seenBytes < SMALL_STRIDE_BYTES_MIN ? prior.stride : stride;
}

/**
 * The model of a frame that is not small: as many lanes as without a prior, and lines for its content, too; behind one
 * that is not built in as many contexts as this has, and no counters.
 *
 * @param hyperFor the model without it
 */
export function hyperBehind(
  prior: Prior,
  hyperFor: (bytes: number) => HyperParameters,
  seenBytes: number,
): HyperParameters {
  const { streams } = hyperFor(seenBytes);
  const linedBytes = prior.content.length - (prior.skimmedBytes ?? 0);
  const { mixerBits, ...hyper } = hyperFor(seenBytes + streams * linedBytes);
  if (prior.number !== undefined) return { ...hyper, streams, mixerBits };
  return { ...hyper, streams, mixerContexts: prior.contexts, mixerBits, mixerCounters: 0 };
}

/** What a model takes behind a prior besides itself: content and tallies in each lane, and a copy of a kept lane. */
export function priorMemoryBytes(prior: Prior | undefined, hyper: HyperParameters): number {
  if (!prior) return 0;
  const ownBytes = roomBytesOf(prior);
  const laneBytes = modelMemoryBytes(hyper) / hyper.streams + ownBytes;
  return ownBytes * (1 + hyper.streams) + (laneBytes <= keptLaneBytesMax(prior) ? laneBytes : 0);
}

/**
 * The predictors' stage, in the pipeline: finds stretches of numbers in a block, tries on each whether its predictor
 * saves anything, and transforms those where it does. The way back needs none of this (src/predict/transform.ts).
 *
 * Found on the plain block, before repeats are cut out of it, because a few bytes that are missing break the order of
 * numbers: the cutter spares what was found, but for long copies, and what those leave is what is transformed.
 */
import { encodeStretches, type Numbers, STRETCH_BYTES_MAX, STRETCH_BYTES_MIN, type Stretch } from "../predict/list.ts";
import { transformSlowly } from "../predict/transform.ts";
import type { Copies } from "../repeats/copies.ts";
import { type Piece, type Range, rangesInRest } from "../repeats/spare.ts";
import { Pacer } from "./pacer.ts";
import { findSound } from "./sound-trial.ts";
import { StrideTrial } from "./stride-trial.ts";

/** A stretch as it lies in a block. */
export interface FoundNumbers extends Range {
  readonly numbers: Numbers;
}

/** A block as the model sees it. */
export interface SeenBlock {
  readonly bytes: Uint8Array;
  readonly stretches: Uint8Array;
}

/** Blocks below this have no stretch that pays. */
const BLOCK_BYTES_MIN = 2 ** 14;
/** Of a run, so many bytes are transformed for the trial. */
const TRIAL_BYTES = 2 ** 17;
/** A predictor must save one part in so many of what the trial takes without it. */
const SAVING_SHARE = 40;
/** A distance at which bytes of no kind resemble each other. */
const NO_STRIDE = 4001;

/** The stretches of a block whose predictors save something, in order. @throws the abort reason */
export async function findNumbers(plain: Uint8Array, signal?: AbortSignal): Promise<FoundNumbers[]> {
  if (plain.length < BLOCK_BYTES_MIN) return [];
  const pacer = new Pacer(signal);
  const found: FoundNumbers[] = [];
  for (const { start, end, sound } of findSound(plain)) {
    await pacer.turn(() => {});
    if (await saves(plain.subarray(start, end), sound, pacer)) found.push({ start, end, numbers: sound });
  }
  return found;
}

/** Whether the small model takes less for what the predictor leaves than for the bytes. */
async function saves(bytes: Uint8Array, numbers: Numbers, pacer: Pacer): Promise<boolean> {
  const unit = unitOf(numbers);
  const skip = Math.floor(Math.max(0, bytes.length - TRIAL_BYTES) / 2 / unit) * unit;
  const sample = bytes.slice(skip, skip + TRIAL_BYTES);
  const before = new StrideTrial(sample, NO_STRIDE).bitsWithout;
  await transform(sample, [{ gapBytes: 0, lengthBytes: sample.length, numbers }], pacer);
  const after = new StrideTrial(sample, NO_STRIDE).bitsWithout;
  return before - after > before / SAVING_SHARE;
}

/**
 * Transforms what is left of the stretches in the rest of a block; undefined if nothing is.
 *
 * @param copies that were cut out of the block
 * @throws the abort reason
 */
export async function predictNumbers(
  rest: Uint8Array,
  found: readonly FoundNumbers[],
  copies: Copies,
  signal?: AbortSignal,
): Promise<SeenBlock | undefined> {
  const stretches = stretchesOf(rangesInRest(found, copies).map((piece) => alignedPiece(piece, found)));
  if (stretches.length === 0) return undefined;
  const bytes = rest.slice();
  await transform(bytes, stretches, new Pacer(signal));
  return { bytes, stretches: encodeStretches(stretches) };
}

/** What is left of a stretch that was cut may begin somewhere in a sample. */
function alignedPiece({ start, end, of, into }: Piece, found: readonly FoundNumbers[]): FoundNumbers {
  const { numbers } = found[of] as FoundNumbers;
  const unit = unitOf(numbers);
  return { start: start + ((unit - (into % unit)) % unit), end, numbers };
}

/** Pieces of what a stretch may hold. */
function stretchesOf(ranges: readonly FoundNumbers[]): Stretch[] {
  const stretches: Stretch[] = [];
  let done = 0;
  for (const { start, end, numbers } of ranges) {
    const unit = unitOf(numbers);
    const most = Math.floor(STRETCH_BYTES_MAX / unit) * unit;
    for (let at = start; end - at >= STRETCH_BYTES_MIN; ) {
      const lengthBytes = Math.min(most, end - at);
      stretches.push({ gapBytes: at - done, lengthBytes, numbers });
      at += lengthBytes;
      done = at;
    }
  }
  return stretches;
}

async function transform(bytes: Uint8Array, stretches: readonly Stretch[], pacer: Pacer): Promise<void> {
  for (const _ of transformSlowly(bytes, stretches, false)) await pacer.turn(() => {});
}

/** Bytes after which the same thing comes again. */
const unitOf = ({ channels, width }: Numbers) => channels * width;

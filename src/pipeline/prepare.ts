/**
 * What is done to a block before its model sees it: whether it is chance, where numbers stand in it, which repeats are
 * cut out, what predictors leave of the numbers, and in which distance the rest resembles itself.
 *
 * All of it follows from the arguments and from nothing else, so it is the same wherever it is done: where the pipeline
 * is, or in a thread beside it while the model is at the block before (preparers.ts).
 */
import type { HyperParameters } from "../contract/hyper.ts";
import { NO_COPIES } from "../repeats/copies.ts";
import type { CutPolicy } from "../repeats/policy.ts";
import { type Found, foresightOf, predictedMemoryBytes, type Shown, type ShownBytes } from "./block-plan.ts";
import { looksIncompressible } from "./content.ts";
import { findNumbers } from "./numbers.ts";
import { type FoundNumbers, predictNumbers } from "./predicted.ts";
import { type Cut, searchRepeats } from "./repeats.ts";
import { findStride } from "./stride.ts";
import { closeTrialKernels } from "./trial-kernels.ts";

/** So few bytes teach a model nothing: what it would save does not pay for opening one. */
export const STORED_BELOW_BYTES = 32;

/** The model takes so long for longer blocks that six megabytes of trials need not wait for the next block. */
const TRIALS_KEPT_BYTES = 2 ** 20;

/** What is known of the model that will see a block. */
export interface ModelView {
  readonly hyper: HyperParameters;
  /** What its prior takes. */
  readonly priorBytes: number;
  /** A prior that the program carries: behind it, no stride is told. */
  readonly isBuiltIn: boolean;
  /** Plain bytes of the frame's blocks. */
  readonly blockBytes: number;
  readonly memoryBytesMax: number;
}

/** Where copies may reach. */
interface Reach {
  /** The bytes before the block. */
  readonly window: Uint8Array;
  readonly policy: CutPolicy;
}

/** A block that another thread prepares: what `numbersIn`, `searchRepeats` and `show` are given. */
export interface Order {
  readonly plain: Uint8Array;
  readonly isChance: boolean;
  readonly reach?: Reach;
  readonly view: ModelView;
}

/** What becomes of it: `show` has been asked, too. */
export interface Prepared extends Found {
  readonly shown: Shown | undefined;
}

/** Does all of it, one after the other. The window of `reach` is empty afterwards. @throws the abort reason */
export async function prepare({ plain, isChance, reach, view }: Order): Promise<Prepared> {
  const numbers = await numbersIn(plain, isChance, () => view.hyper);
  const search = reach && { ...reach, isChance, spared: numbers, isWindowTaken: true };
  const cut = search && (await searchRepeats(plain, search));
  const found = { isChance, numbers, ...(cut && { cut }) };
  return { ...found, shown: await show(plain, found, view) };
}

/** @param hyperFor the model that would foresee pixels, asked only if there are any @throws the abort reason */
export async function numbersIn(
  plain: Uint8Array,
  isChance: boolean,
  hyperFor: () => HyperParameters,
  signal?: AbortSignal,
): Promise<FoundNumbers[]> {
  if (isChance) return [];
  return await findNumbers(plain, signal, () => foresightOf(hyperFor(), plain.length).lanes > 0);
}

/** What the model is shown of a block; undefined if it is not worth a model's time. @throws the abort reason */
export async function show(
  plain: Uint8Array,
  found: Found,
  view: ModelView,
  signal?: AbortSignal,
): Promise<Shown | undefined> {
  try {
    return await shownOf(plain, found, view, signal);
  } finally {
    if (plain.length >= TRIALS_KEPT_BYTES) closeTrialKernels();
  }
}

async function shownOf(
  plain: Uint8Array,
  { isChance, numbers, cut }: Found,
  view: ModelView,
  signal: AbortSignal | undefined,
): Promise<Shown | undefined> {
  const rest = cut?.rest ?? plain;
  if (isChance || (cut && (rest.length < STORED_BELOW_BYTES || looksIncompressible(rest)))) return undefined;
  const bytes = await predict(rest, numbers, cut, view, signal);
  return { bytes, stride: bytes.stride ?? (view.isBuiltIn ? 0 : findStride(bytes.bytes, view.hyper)) };
}

/** What the model sees in place of what is left of a block. */
async function predict(
  rest: Uint8Array,
  numbers: readonly FoundNumbers[],
  cut: Cut | undefined,
  { hyper, priorBytes, blockBytes, memoryBytesMax }: ModelView,
  signal: AbortSignal | undefined,
): Promise<ShownBytes> {
  if (numbers.length === 0) return { bytes: rest };
  // A decoder with the same limit must have room for predictors, too.
  if (predictedMemoryBytes(hyper, priorBytes, rest.length, blockBytes) > memoryBytesMax) return { bytes: rest };
  const foresight = foresightOf(hyper, rest.length);
  return (await predictNumbers(rest, numbers, cut?.places ?? NO_COPIES, foresight, signal)) ?? { bytes: rest };
}

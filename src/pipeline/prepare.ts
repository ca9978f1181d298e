/**
 * What is done to a block before its model sees it: whether it is chance, where numbers stand in it, which repeats are
 * cut out, what predictors leave of the numbers, and in which distance the rest resembles itself.
 *
 * All of it follows from the arguments and from nothing else, so it is the same wherever it is done: where the pipeline
 * is, or in a thread beside it while the model is at the block before (preparers.ts).
 */
import type { HyperParameters } from "../contract/hyper.ts";
import { release } from "../platform/release.ts";
import { NO_COPIES } from "../repeats/copies.ts";
import type { SearchMemory } from "../repeats/kernels.ts";
import type { CutPolicy } from "../repeats/policy.ts";
import { type Found, foresightOf, lanesOf, predictedMemoryBytes, type Shown, type ShownBytes } from "./block-plan.ts";
import { looksIncompressible } from "./content.ts";
import { findNumbers } from "./numbers.ts";
import { Pacer } from "./pacer.ts";
import { type FoundNumbers, predictNumbers } from "./predicted.ts";
import { provenStride } from "./records-trial.ts";
import { type Cut, type Reach, searchRepeats } from "./repeats.ts";
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
  /** Behind a prior that the program carries, a short input's block is told no stride. */
  readonly hasStrides: boolean;
  /** Plain bytes of the frame's blocks. */
  readonly blockBytes: number;
  readonly memoryBytesMax: number;
}

/** A block that another thread prepares: what `numbersIn`, `searchRepeats` and `show` are given. */
export interface Order {
  readonly plain: Uint8Array;
  readonly isChance: boolean;
  /** How repeats are cut, if they are. */
  readonly cutting?: Reach & { readonly policy: CutPolicy };
  readonly view: ModelView;
}

/** What becomes of it: `show` has been asked, too. */
export interface Prepared extends Found {
  readonly shown: Shown | undefined;
  /** The block's bytes, unless something was cut out of them, or predicted. */
  readonly plain?: Uint8Array;
}

/**
 * Does all of it, one after the other. The order's own bytes are empty afterwards.
 *
 * @param memory of the search for repeats in the block before @throws the abort reason
 */
export async function prepare(order: Order, memory: SearchMemory): Promise<{ plain: Uint8Array; prepared: Prepared }> {
  const { isChance, view } = order;
  const numbers = await numbersIn(order.plain, isChance, () => view.hyper);
  const { plain, cut } = await cutOrder(order, numbers, memory);
  const found = { isChance, numbers, ...(cut && { cut }) };
  return { plain, prepared: { ...found, shown: await show(plain, found, view) } };
}

/** @returns where the block's bytes are now, too */
async function cutOrder(
  { plain, isChance, cutting, view: { hyper } }: Order,
  spared: readonly FoundNumbers[],
  memory: SearchMemory,
): Promise<{ plain: Uint8Array; cut?: Cut | undefined }> {
  if (!cutting) return { plain };
  const { policy, reachBytes } = cutting;
  const window = cutting.window ?? memory.plain.subarray(Math.max(0, memory.plain.length - reachBytes));
  const windowBytes = window.length;
  let isTaken = false;
  const onTaken = () => {
    isTaken = true;
    release(plain);
    if (cutting.window) release(cutting.window);
  };
  const lanesFor = () => lanesOf(hyper);
  const cut = await searchRepeats(plain, { window, policy, lanesFor, isChance, spared, memory, onTaken });
  if (!isTaken) memory.pass(window, plain);
  memory.rest();
  return { plain: memory.plain.subarray(windowBytes), cut };
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
  const { stride = view.hasStrides ? await provenStride(bytes.bytes, view.hyper, new Pacer(signal)) : 0 } = bytes;
  return { bytes, stride };
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

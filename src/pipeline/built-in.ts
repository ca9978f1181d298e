/**
 * Which inputs begin with a built-in prior: those that one of them suits. Behind one, short blocks have no stride:
 * contexts of records are not what a built-in prior's values are for. A long input that has a stride has no prior.
 */
import { SMALL_BYTES_MAX } from "../archive/format.ts";
import { smallModelBehind } from "../archive/small.ts";
import { builtInPrior } from "../prior/built-in.ts";
import { chooseBuiltIn } from "../prior/choose.ts";
import type { Prior } from "../prior/file.ts";
import { looksIncompressible } from "./content.ts";
import type { CompressOptions } from "./frame-options.ts";
import { modelMemoryBytes } from "./memory.ts";
import { hyperBehind, priorMemoryBytes } from "./priors.ts";

/** Shorter inputs are not worth the time. */
const INPUT_BYTES_MIN = 32;
/** A lane takes some milliseconds to begin: of many lanes, each must have so many bytes. */
const LANE_BYTES_MIN = 4096;
/** Shorter inputs have a prior whatever stride seems to be there: it is found by chance too often (docs/PRIORS.md). */
const LONG_BYTES_MIN = 160 * 1024;

/**
 * @param first the input, or its first block
 * @param isAll which of both
 */
export function builtInFor(first: Uint8Array, isAll: boolean, options: CompressOptions): Prior | undefined {
  const { builtInPriors = "none" } = options;
  const isMeant = builtInPriors === "all" || (builtInPriors === "of one block" && isAll);
  if (!isMeant || first.length < INPUT_BYTES_MIN) return undefined;
  const number = chooseBuiltIn(first);
  const prior = number === undefined ? undefined : builtInPrior(number);
  return prior && !looksIncompressible(first) && hasRoom(prior, first.length, isAll, options) ? prior : undefined;
}

/** Whether lanes are long enough, and the memory: without a prior it may be, and a prior is nobody's wish here. */
function hasRoom(prior: Prior, firstBytes: number, isAll: boolean, options: CompressOptions): boolean {
  const { hyperFor, memoryBytesMax } = options;
  const isSmall = isAll && firstBytes <= SMALL_BYTES_MAX;
  const hyper = isSmall ? smallModelBehind(prior, firstBytes).hyper : hyperBehind(prior, hyperFor, firstBytes);
  if (hyper.streams > 1 && firstBytes < LANE_BYTES_MIN * hyper.streams) return false;
  return modelMemoryBytes(hyper) + priorMemoryBytes(prior, hyper) + 3 * firstBytes <= memoryBytesMax;
}

/** Whether an input's first block, of which a model sees so much, is told no stride behind a built-in prior. */
export const isToldNone = (seenBytes: number, prior: Prior | undefined) =>
  prior?.number !== undefined && seenBytes <= LONG_BYTES_MIN;

/** Leaves a built-in prior out where a long first block has a stride. */
export function withFittingPrior(seenBytes: number, stride: number, options: CompressOptions): CompressOptions {
  const { prior, ...others } = options;
  return prior?.number !== undefined && stride > 0 && seenBytes > LONG_BYTES_MIN ? others : options;
}

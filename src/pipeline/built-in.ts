/**
 * Which inputs begin with a built-in prior: those of one block that one of them suits. Of more, a prior gains less than
 * a hundredth, and would lie beside all that works at several blocks. Behind one, short blocks have no stride: contexts
 * of records are not what a built-in prior's values are for. A long input that has a stride has no prior.
 */
import { SMALL_BYTES_MAX } from "../archive/format.ts";
import { smallModelBehind } from "../archive/small.ts";
import { builtInPrior } from "../prior/built-in.ts";
import { chooseBuiltIn, LONG_BYTES_MIN } from "../prior/choose.ts";
import type { Prior } from "../prior/file.ts";
import { looksIncompressible } from "./content.ts";
import type { CompressOptions } from "./frame-options.ts";
import { modelMemoryBytes } from "./memory.ts";
import { hyperBehind, priorMemoryBytes } from "./priors.ts";

/** Shorter inputs are not worth the time. */
const INPUT_BYTES_MIN = 32;
/** A lane takes some milliseconds to begin: of many lanes, each must have so many bytes. */
const LANE_BYTES_MIN = 4096;

/** @param plain all of the input, in one block */
export function builtInFor(plain: Uint8Array, options: CompressOptions): Prior | undefined {
  if (!options.hasBuiltInPriors || plain.length < INPUT_BYTES_MIN) return undefined;
  const number = chooseBuiltIn(plain);
  const prior = number === undefined ? undefined : builtInPrior(number);
  return prior && !looksIncompressible(plain) && hasRoom(prior, plain.length, options) ? prior : undefined;
}

/** Whether lanes are long enough, and the memory: without a prior it may be, and a prior is nobody's wish here. */
function hasRoom(prior: Prior, plainBytes: number, { hyperFor, memoryBytesMax }: CompressOptions): boolean {
  const isSmall = plainBytes <= SMALL_BYTES_MAX;
  const hyper = isSmall ? smallModelBehind(prior, plainBytes).hyper : hyperBehind(prior, hyperFor, plainBytes);
  if (hyper.streams > 1 && plainBytes < LANE_BYTES_MIN * hyper.streams) return false;
  return modelMemoryBytes(hyper) + priorMemoryBytes(prior, hyper) + 3 * plainBytes <= memoryBytesMax;
}

/**
 * Whether an input's first block, of which a model sees so much, is told no stride behind a built-in prior: of a short
 * one, a stride is found by chance too often (docs/PRIORS.md).
 */
export const isToldNone = (seenBytes: number, prior: Prior | undefined) =>
  prior?.number !== undefined && seenBytes <= LONG_BYTES_MIN;

/** Leaves a built-in prior out where a long first block has a stride. */
export function withFittingPrior(seenBytes: number, stride: number, options: CompressOptions): CompressOptions {
  const { prior, ...others } = options;
  return prior?.number !== undefined && stride > 0 && seenBytes > LONG_BYTES_MIN ? others : options;
}

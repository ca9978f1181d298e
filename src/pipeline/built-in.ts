/**
 * Which inputs begin with a built-in prior: short ones that one of them suits. Long ones soon know more than any prior.
 * Behind one, a block has no stride: contexts of records are not what a built-in prior's values are for.
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

/** @param plain all of the input */
export function builtInFor(plain: Uint8Array, options: CompressOptions): Prior | undefined {
  const { builtInBytesMax = 0 } = options;
  if (plain.length < INPUT_BYTES_MIN || plain.length > builtInBytesMax) return undefined;
  const number = chooseBuiltIn(plain);
  const prior = number === undefined ? undefined : builtInPrior(number);
  return prior && !looksIncompressible(plain) && hasRoom(prior, plain.length, options) ? prior : undefined;
}

/** Whether the memory is enough: without a prior it may be, and a prior is nobody's wish here. */
function hasRoom(prior: Prior, plainBytes: number, { hyperFor, memoryBytesMax }: CompressOptions): boolean {
  const isSmall = plainBytes <= SMALL_BYTES_MAX;
  const hyper = isSmall ? smallModelBehind(prior, plainBytes).hyper : hyperBehind(prior, hyperFor, plainBytes);
  return modelMemoryBytes(hyper) + priorMemoryBytes(prior, hyper) + 3 * plainBytes <= memoryBytesMax;
}

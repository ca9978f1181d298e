/**
 * Which repeats of a block are cut out. Measured with zpaq -m5 in the network's place (docs/REPEATS.md): a strong model
 * pays so little for most repeats that a copy would cost more, and what is cut out is missing from the context of what
 * follows. So a repeat must save far more than a copy takes. In two kinds of data it is otherwise.
 */
import { isOfFewLetters } from "./byte-statistics.ts";
import type { CutOptions, Glance } from "./choose.ts";

/** What each byte counts for the time that it takes, in 32nds of a bit: the faster a level, the more. */
export interface CutPolicy {
  readonly timeUnits: number;
  /** What differs from what pays with a network. */
  readonly mixer?: MixerPrices;
  /** Of patches, or given by the user: cut all repeats of so many bytes. */
  readonly minLength?: number;
}

/** What a mixer wants of copies. */
interface MixerPrices {
  /** Bits that a copy must save. */
  readonly copyBits: number;
  readonly glance: Glance;
}

/**
 * By the size of the network. At 2, a megabyte of webpack statistics costs zpaq 12 % more than at 0 and takes 0.4 of
 * the time; a log is as it was. At 8, the log costs 11 % more and takes 0.8 of the time.
 */
const NETWORK_TIME_UNITS: readonly number[] = [0, 8, 6, 4, 2, 1, 0, 0, 0, 0];
/**
 * A mixer follows matches so well that a repeat must save twice as much, and no time is worth a byte. Most files have
 * hardly a copy that does; so they are looked at only where repeats are a third of a block, about (docs/REPEATS.md).
 */
const MIXER_PRICES: MixerPrices = { copyBits: 140, glance: { minLength: 256, sharePercent: 30, longBytes: 2048 } };

/** Of the levels, which are mixers. */
export const MIXER_POLICY: CutPolicy = { timeUnits: 0, mixer: MIXER_PRICES };

/**
 * Of patches. What is new comes in pieces of a few bytes, between which the old file goes on: there a short copy in the
 * same distance costs a few bits, and a model that has seen little of the old file would pay more (docs/PRIORS.md).
 */
export const PATCH_POLICY: CutPolicy = { timeUnits: 0, minLength: 24 };

/** @param size 1 to 9 */
export function policyOfNetwork(size: number): CutPolicy {
  return { timeUnits: NETWORK_TIME_UNITS[size] ?? 0 };
}

/** Repeats of fewer bytes are not looked for; with these prices they would hardly ever be chosen. */
const MIN_LENGTH = 32;
const COPY_BITS = 70;
/** In a genome a letter says so little that a model is long in recognising a repeat, and context hardly matters. */
const LETTERS_MIN_LENGTH = 20;
/** Bytes that no model shrinks: anything that stood there before is worth a copy, but short repeats are chance. */
const CHANCE_MIN_LENGTH = 256;

/** @param isChance whether the block looks like chance to the model */
export function cutOptionsFor(block: Uint8Array, isChance: boolean, policy: CutPolicy): CutOptions {
  const mirrored = isOfFewLetters(block);
  if (policy.minLength !== undefined) return { minLength: policy.minLength, mirrored };
  if (isChance) return { minLength: CHANCE_MIN_LENGTH };
  if (mirrored) return { minLength: LETTERS_MIN_LENGTH, mirrored };
  const { mixer, timeUnits } = policy;
  if (!mixer) return { minLength: MIN_LENGTH, worth: { copyBits: COPY_BITS, timeUnits } };
  return { minLength: MIN_LENGTH, glance: mixer.glance, worth: { copyBits: mixer.copyBits, timeUnits } };
}

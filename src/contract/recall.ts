/**
 * The recall stream's arithmetic on single numbers: hashes, slots, confidence buckets, words.
 *
 * A slot remembers, for one context that a hash has led to it, the byte that followed (a), a second one (b), and how
 * well each has done. docs/NUMERICS.md section 12 is the contract; engines repeat these functions in their language.
 */
import { ceilLog2, mix32 } from "./fixed.ts";
import { ENTRY_BITS, ENTRY_SHIFT, GRADIENT_BITS, SLOPE_BITS } from "./formats.ts";

/** An odd constant of mixInto. */
export const MIX_MULTIPLIER = 0x9e3779b1;

/** Adds one value (a byte, or a word's hash) to a running hash. */
export function mixInto(hash: number, value: number): number {
  const mixed = Math.imul((hash + value + 1) | 0, MIX_MULTIPLIER);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** The hash's last step: every bit of it depends on all that was mixed. */
export const finishHash = (hash: number): number => mix32(hash);

/** A slot's fields; 0 is the empty slot, whose `count` of 0 no lookup takes for a hit. */
export interface Slot {
  /** 8 bits of the hash that are not in the slot's place. */
  readonly check: number;
  readonly a: number;
  readonly b: number;
  /** Confidence in a, 1 to 31. */
  readonly count: number;
  /** Confidence in b, 0 to 7; 0 means that there is no b. */
  readonly other: number;
}

export const COUNT_MAX = 31;
export const OTHER_MAX = 7;
/** A run does not count beyond this. */
export const RUN_MAX = 30;

export const packSlot = ({ check, a, b, count, other }: Slot): number =>
  (check | (a << 8) | (b << 16) | (count << 24) | (other << 29)) >>> 0;

export const unpackSlot = (word: number): Slot => ({
  check: word & 255,
  a: (word >>> 8) & 255,
  b: (word >>> 16) & 255,
  count: (word >>> 24) & 31,
  other: word >>> 29,
});

/** Whether a slot's word belongs to the context with this check. */
export const slotHits = (word: number, check: number): boolean => (word & 255) === check && ((word >>> 24) & 31) > 0;

/** The slot after byte `y` came, for the slot word that the lookup found (0 if it missed). */
export function updatedSlot(found: number, check: number, y: number): number {
  if (found === 0) return packSlot({ check, a: y, b: 0, count: 1, other: 0 });
  const { a, b, count, other } = unpackSlot(found);
  if (y === a) return packSlot({ check, a, b, count: Math.max(count, Math.min(count + 1, RUN_MAX)), other });
  if (other > 0 && y === b) {
    const more = other + 1;
    const less = count > 2 ? count - (count >> 2) : count;
    if (more >= less) return packSlot({ check, a: b, b: a, count: more, other: Math.min(less, OTHER_MAX) });
    return packSlot({ check, a, b, count: less, other: Math.min(more, OTHER_MAX) });
  }
  const less = count < 2 ? count : count < 4 ? count - 1 : (count >> 1) + 1;
  if (less <= 1 && other <= 1) return packSlot({ check, a: y, b: a, count: 1, other: less });
  return packSlot({ check, a, b: y, count: less, other: 1 });
}

/** Confidence buckets: 0 for a miss, else 1 + 4 * (class of count) + (class of other). */
export const BUCKETS = 33;

/** Where the classes of `count` begin after the first: 1, 2, 3, 4-5, 6-8, 9-14, 15-24, 25 and more. */
export const COUNT_STARTS: readonly number[] = [2, 3, 4, 6, 9, 15, 25];
/** Where the classes of `other` begin after the first: none, 1, 2-3, 4 and more. */
export const OTHER_STARTS: readonly number[] = [1, 2, 4];

const classesOf = (starts: readonly number[], most: number) =>
  Uint8Array.from({ length: most + 1 }, (_, value) => starts.filter((start) => value >= start).length);

/** The class of each `count` and of each `other`. */
export const COUNT_CLASS = classesOf(COUNT_STARTS, COUNT_MAX);
const OTHER_CLASS = classesOf(OTHER_STARTS, OTHER_MAX);

/** The bucket of a slot word that a lookup found (0: missed). */
export function bucketOf(found: number): number {
  if (found === 0) return 0;
  const { count, other } = unpackSlot(found);
  return 1 + 4 * (COUNT_CLASS[count] as number) + (OTHER_CLASS[other] as number);
}

/**
 * First boosts of a in Q10, by class of count and class of other: log2(1.5 n + 2) / 2 * (1 - m / 5). Those of b are 0.
 */
export const INITIAL_BOOSTS: readonly number[] = [
  [512, 410, 307, 205],
  [925, 740, 555, 370],
  [1189, 951, 713, 476],
  [1383, 1106, 830, 553],
  [1536, 1229, 922, 614],
  [1663, 1330, 998, 665],
  [1771, 1417, 1063, 708],
  [1866, 1493, 1119, 746],
].flat();

/** Boosts of a and of b of each bucket of each context, before they learn: Q20. A miss has none. */
export function initialBoosts(contexts: number): Int32Array {
  return Int32Array.from({ length: contexts * BUCKETS * 2 }, (_, i) => {
    const bucket = (i >> 1) % BUCKETS;
    return bucket === 0 || i % 2 === 1 ? 0 : (INITIAL_BOOSTS[bucket - 1] as number) << ENTRY_SHIFT;
  });
}

/** A boost learns at 2^-7, and slower beyond 2^10 streams. */
export const BOOST_RATE_SHIFT = 7;
export const BOOST_CROWD_LOG2 = 10;

/** How far a table's or the boosts' rate is shifted down when B streams learn at once. */
export function crowdShift(streams: number, crowdLog2: number): number {
  return Math.max(0, ceilLog2(streams) - crowdLog2);
}

/** How far a boost's step is shifted down, from Q22 to Q20 and by its rate. */
export function boostShift({ streams }: { readonly streams: number }): number {
  return BOOST_RATE_SHIFT + GRADIENT_BITS - ENTRY_BITS + crowdShift(streams, BOOST_CROWD_LOG2);
}

/** Rates of the logit tables are Q8. */
export const TABLE_RATE_BITS = 8;
/** A rate scaled by its table's gate has more: gates move slowly, and rates are small numbers. */
export const TABLE_RATE_GATED_BITS = 12;
/** From a rate times a sigmoid to the rate scaled by twice that. */
export const GATED_RATE_SHIFT = SLOPE_BITS - 1 - (TABLE_RATE_GATED_BITS - TABLE_RATE_BITS);
/** Bits that a difference loses before it meets a gated rate, so that the product fits 32. */
export const TABLE_DIFFERENCE_SHIFT = 4;
/** Their product's shift, to a step of an entry. */
export const TABLE_RIGHT_SHIFT = TABLE_RATE_GATED_BITS + (GRADIENT_BITS - TABLE_DIFFERENCE_SHIFT) - ENTRY_BITS;
/** Largest logit of a table as it is used, Q10: eight of them under open gates fit 32 bits. */
export const TABLE_LOGIT_LIMIT = (1 << 14) - 1;
/** Of a difference, bits that are summed apart in the gradient of a table's gate. */
export const EFFECT_LOW_BITS = 7;

/** Bits of a remembered byte enter the network as plus or minus this times (class of count + 1), Q7. */
export const FEATURE_UNIT = 15;
/** Fraction bits of the feature operand. */
export const FEATURE_BITS = 7;
export const FEATURES_PER_CONTEXT = 8;

/** Of the streams whose slots of a context agree in so many low bits, only the highest-numbered one writes. */
export const OWNER_BITS = 16;

/** The hash of the current word of a stream after byte y: letters and all bytes from 128 on make words. */
export function wordAfter(word: number, y: number): number {
  const upper = y >= 65 && y <= 90;
  if (!upper && !(y >= 97 && y <= 122) && y < 128) return 0;
  return mixInto(word, upper ? y + 32 : y);
}

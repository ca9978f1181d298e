/**
 * Tallies: what a prior says of a context without bytes to go through, namely which bytes followed it and how often. A
 * line that a lane begins takes from its context's tally what states would have become of that: so tallies are
 * statistics that cost a lane nothing until their context is met. They lie in a prior's file as lanes look them up.
 */
import { ceilLog2 } from "./fixed.ts";
import { histories } from "./histories.ts";

/** Counts that a tally can have: four bits say which. */
export const TALLY_COUNTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 255] as const;
/** What zeros and ones are taken for before a state is looked up: the level that is no more. */
export const TALLY_LEVELS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96] as const;
/** Zeros and ones are brought below 2^n, together. */
export const TALLY_BITS = 7;
/** A context's tallies lie in buckets, four of them in one on average, or two. */
const BUCKET_BITS = 2;

/** A context with so many tallies has 2^n buckets. */
export const bucketBitsOf = (tallies: number) => Math.max(0, ceilLog2(Math.max(1, tallies)) - BUCKET_BITS);

/** Where parts of tallies lie that are bytes already: docs/FORMAT.md, "Priors". */
interface TallyLayout {
  /** How many each context has. */
  readonly perContext: readonly number[];
  /** Of each bucket, how many tallies it has (u8). */
  readonly bucketsAt: number;
  /** Of each tally, how many bytes it has, less 1 (u8). */
  readonly sizesAt: number;
  /** Of each tally, 16 bits of the hash (u16). */
  readonly marksAt: number;
  /** Bytes, and which of TALLY_COUNTS each has: two to a byte, the lower half first. */
  readonly followersAt: number;
  readonly countsAt: number;
  readonly end: number;
}

/** What a lane takes for tallies: themselves, where each bucket begins, and what it knows of contexts. */
export function tallyRoomBytes(tallies: Uint8Array, contexts: number): number {
  const { bucketsAt, sizesAt } = tallyLayout(tallyCounts(tallies, contexts), 0);
  return tallies.length + 8 * (sizesAt - bucketsAt) + 1024;
}

/** How many tallies each context has. */
export function tallyCounts(tallies: Uint8Array, contexts: number): number[] {
  const view = new DataView(tallies.buffer, tallies.byteOffset, tallies.byteLength);
  return Array.from({ length: contexts }, (_, i) => view.getUint32(4 * i, true));
}

/** @param followers bytes of all tallies */
export function tallyLayout(perContext: readonly number[], followers: number): TallyLayout {
  const tallies = perContext.reduce((sum, count) => sum + count, 0);
  const buckets = perContext.reduce((sum, count) => sum + (count > 0 ? 2 ** bucketBitsOf(count) : 0), 0);
  const bucketsAt = 4 * perContext.length;
  const sizesAt = bucketsAt + buckets;
  const marksAt = sizesAt + tallies;
  const followersAt = marksAt + 2 * tallies;
  const countsAt = followersAt + followers;
  return { perContext, bucketsAt, sizesAt, marksAt, followersAt, countsAt, end: countsAt + ((followers + 1) >> 1) };
}

const LEVELS = TALLY_LEVELS.length;
let made: Uint8Array | undefined;

/**
 * [level of zeros][level of ones]: the state that stands for them; then for each number below 2^TALLY_BITS its level,
 * and TALLY_COUNTS.
 *
 * Without zeros or without ones, the state is that of the most of the other that are no more. Else, of all states that
 * have seen both and no more in all, it is that whose ratio is nearest; of these that which has seen most, and then
 * that whose last bit is the more frequent one, or 1. Made once: for reading alone.
 */
export function tallyStates(): Uint8Array {
  if (made) return made;
  const levels = Array.from({ length: 1 << TALLY_BITS }, (_, n) => TALLY_LEVELS.findLastIndex((level) => level <= n));
  const states = TALLY_LEVELS.flatMap((zeros) => TALLY_LEVELS.map((ones) => stateFor(zeros, ones)));
  made = Uint8Array.from([...states, ...levels, ...TALLY_COUNTS]);
  return made;
}

/** Where levels begin in tallyStates. */
export const LEVELS_AT = LEVELS ** 2;

function stateFor(zeros: number, ones: number): number {
  const { count, total, ones: onesOf, last } = histories();
  const wantedLast = ones >= zeros ? 1 : 0;
  let best = 0;
  // By what factor the best one's ratio differs from the wanted one: a fraction of at least 1.
  let over = 1;
  let under = 1;
  for (let s = 1; s < count; s++) {
    const b = onesOf[s] as number;
    const a = (total[s] as number) - b;
    if ((a === 0) !== (zeros === 0) || (b === 0) !== (ones === 0) || a + b > zeros + ones) continue;
    // Of pure states the ratio says nothing: all have distance 1.
    const isPure = a === 0 || b === 0;
    const x = isPure ? 1 : a * ones;
    const y = isPure ? 1 : b * zeros;
    const nearer = Math.max(x, y) * under - over * Math.min(x, y);
    if (best !== 0 && (nearer > 0 || (nearer === 0 && !isRather(s, best)))) continue;
    best = s;
    over = Math.max(x, y);
    under = Math.min(x, y);
  }
  return best;

  function isRather(s: number, than: number): boolean {
    const more = (total[s] as number) - (total[than] as number);
    return more > 0 || (more === 0 && last[s] === wantedLast && last[than] !== wantedLast);
  }
}

/**
 * Inputs for kernels: patterns that reach the corners (all largest, all smallest, one spike, alternating signs, equal
 * rows) and random values of every magnitude, from a generator of integers that gives the same on every machine.
 */
import { pack4 } from "./packed.ts";

export type Words = Int32Array<ArrayBuffer>;

/** A small generator of 32-bit integers (xorshift). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** low to high, both included. */
  between(low: number, high: number): number {
    return low + (this.next() % (high - low + 1));
  }
}

type Pattern = (random: Random, low: number, high: number) => (index: number) => number;

/** Every magnitude from 1 bit to all of them is equally likely. */
const anyMagnitude: Pattern = (random, low, high) => () => {
  const value = random.between(low, high);
  const drop = random.between(0, 30);
  return value >= 0 ? Math.max(low, value >> drop) : Math.min(high, -(-value >>> drop));
};

const PATTERNS: readonly Pattern[] = [
  (_random, _low, high) => () => high,
  (_random, low) => () => low,
  (_random, low, high) => () => Math.max(low, Math.min(high, 0)),
  (_random, low, high) => (i) => (i % 2 === 0 ? low : high),
  (_random, low, high) => (i) => (i % 3 === 0 ? high : Math.max(low, Math.min(high, 0))),
  (random, low, high) => {
    const at = random.between(0, 99); // one spike per hundred values
    const rest = Math.max(low, Math.min(high, 0));
    return (i) => (i % 100 === at ? high : rest);
  },
  (random, low, high) => () => random.between(low, high),
  (random, low, high) => () => random.between(Math.max(low, -3), Math.min(high, 3)),
  (random, low, high) => {
    const value = random.between(low, high);
    return () => value;
  },
  anyMagnitude,
];

/** Patterns that all inputs of a round share, before they are mixed. */
export const PATTERN_COUNT = PATTERNS.length;

/** How an array is drawn: `count` values from `low` to `high`; int8 values are packed four to a word. */
export interface Field {
  readonly count: number;
  readonly low: number;
  readonly high: number;
  readonly isPacked: boolean;
}

/** Values of magnitude up to `limit`. */
export const values = (count: number, limit: number): Field => ({ count, low: -limit, high: limit, isPacked: false });

export const range = (count: number, low: number, high: number): Field => ({ count, low, high, isPacked: false });

/** int8 operands, ±127, packed. */
export const operands = (count: number): Field => ({ count, low: -127, high: 127, isPacked: true });

/** @param pattern one of PATTERN_COUNT */
export function draw(field: Field, pattern: number, random: Random): Words {
  const { count, low, high, isPacked } = field;
  const at = (PATTERNS[pattern] as Pattern)(random, low, high);
  const drawn = Int32Array.from({ length: count }, (_, i) => at(i));
  return isPacked ? pack4(drawn) : drawn;
}

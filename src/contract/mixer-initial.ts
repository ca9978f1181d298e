/** What a lane of the bit mixer holds before its first byte. */
import type { Histories } from "./histories.ts";
import {
  choicesOf,
  finalsOf,
  inputsOf,
  MATCH_LENGTH_CLASSES,
  REFINE_NODES,
  RUN_CLASSES,
  SQUASH_ZERO,
  setsOf,
} from "./mixer.ts";

/** Rows of the refining map. */
export const REFINE_ROWS = 65536;
/** Weight of a context's log odds at first, Q14, all contexts together: 2.4. */
const WEIGHT_SUM = 39322;
/** It is shared by no fewer. */
const SHARERS_MIN = 6;

/** [context][256 states]: probabilities in Q22 above a count of 10 bits, and their log odds (Q8); state 0 has none. */
export function initialMaps(contexts: number, states: Histories, stretch: Int16Array) {
  const cells = new Int32Array(256 * contexts);
  const inputs = new Int16Array(256 * contexts);
  for (let i = 0; i < contexts; i++) {
    for (let s = 1; s < states.count; s++) {
      const p = states.initial[s] as number;
      cells[256 * i + s] = (p << 10) | 1;
      inputs[256 * i + s] = stretch[p >> 10] as number;
    }
  }
  return { cells, inputs };
}

/** 16 bits, [context][length of a run, from 1]: that the run goes on. */
export function initialRunMap(contexts: number): Uint16Array {
  return Uint16Array.from(
    { length: RUN_CLASSES * contexts },
    (_, i) => 65536 - Math.floor(65536 / (2 * (i % RUN_CLASSES) + 3)),
  );
}

/** Writes the row at the array's beginning over all of it, by copies that double. */
function repeatRow<T extends Int16Array | Uint16Array | Int32Array>(array: T, row: ArrayLike<number>): T {
  array.set(row);
  for (let done = row.length; done < array.length; done *= 2) array.copyWithin(done, 0, done);
  return array;
}

/** Q14, [input]: the same in every set. @param counters contexts that have them */
export function weightRow(contexts: number, counters = 0): Int16Array {
  const weight = Math.floor(WEIGHT_SUM / Math.max(SHARERS_MIN, contexts));
  const inputs = inputsOf(contexts, counters);
  return Int16Array.from({ length: inputs }, (_, i) => (i < 2 * contexts && i % 2 === 0 ? weight : 0));
}

/** Q14, [set][input]. @param counters contexts that have them */
export function initialWeights(contexts: number, counters = 0): Int16Array {
  const row = weightRow(contexts, counters);
  return repeatRow(new Int16Array(choicesOf(setsOf(counters)) * row.length), row);
}

/** Q28, [choice][set]: the mean. @param counters contexts that have them */
export function initialFinals(counters = 0): Int32Array {
  const sets = setsOf(counters).length;
  return new Int32Array(choicesOf(finalsOf(counters)) * sets).fill(Math.floor((1 << 28) / sets));
}

/** 16 bits, by the class of a match's length: that it goes on. */
export function initialMatchMap(): Uint16Array {
  return Uint16Array.from({ length: MATCH_LENGTH_CLASSES }, (_, l) => 65536 - Math.floor(32768 / (l + 2)));
}

/** [node]: the identity. */
export function refineRow(squash: Int32Array): Uint16Array {
  return Uint16Array.from({ length: REFINE_NODES }, (_, i) => squash[SQUASH_ZERO + (i - 16) * 128] as number);
}

/** [row][node]: the identity in all rows. */
export function initialRefine(squash: Int32Array): Uint16Array {
  return repeatRow(new Uint16Array(REFINE_ROWS * REFINE_NODES), [...refineRow(squash)]);
}

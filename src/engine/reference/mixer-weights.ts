/**
 * The two layers of the bit mixer's mix, written to be read: weight sets that inputs go through, and the weights that
 * mix what these give. docs/MIXER.md has the same in words.
 */
import { clamp, roundShift } from "../../contract/fixed.ts";
import {
  choicesOf,
  FINAL_RATE,
  finalsOf,
  rateOf,
  SQUASH_MAX,
  SQUASH_ZERO,
  STRETCH_MAX,
  setsOf,
} from "../../contract/mixer.ts";
import { initialFinals, initialWeights } from "../../contract/mixer-initial.ts";
import { FINAL_MAX, WEIGHT_MAX } from "../../contract/mixer-numbers.ts";

/** One choice of weights: its number over all, and its log odds (Q12) and probability. */
interface Mixed {
  readonly number: number;
  readonly odds: number;
  readonly p: number;
}

/** What both layers have made of a bit's inputs. */
export interface Mix {
  readonly sets: readonly Mixed[];
  readonly finals: readonly Mixed[];
  /** Log odds of a 1, Q12. */
  readonly odds: number;
}

const at = (array: { readonly [index: number]: number }, index: number) => array[index] as number;

/** Choices of a list's entries as numbers over all entries. */
function numbered(choices: readonly number[], counts: readonly number[]): number[] {
  return choices.map((choice, j) => choice + choicesOf(counts.slice(0, j)));
}

export class Weights {
  readonly ofSets: Int16Array;
  readonly ofFinals: Int32Array;
  readonly #squash: Int32Array;
  readonly #sets: readonly number[];
  readonly #finals: readonly number[];
  readonly #rate: number;

  /** @param counters contexts that have them */
  constructor(contexts: number, counters: number, squash: Int32Array) {
    this.ofSets = initialWeights(contexts, counters);
    this.ofFinals = initialFinals(counters);
    this.#squash = squash;
    this.#sets = setsOf(counters);
    this.#finals = finalsOf(counters);
    this.#rate = rateOf(counters);
  }

  /** @param chosen a choice of every set @param chosenFinals and of every kind of the weights that mix them */
  mix(inputs: readonly number[], chosen: readonly number[], chosenFinals: readonly number[]): Mix {
    const sets = numbered(chosen, this.#sets).map((number) => this.#mixSet(number, inputs));
    const finals = numbered(chosenFinals, this.#finals).map((number) => this.#mixFinal(number, sets));
    const sum = finals.reduce((all, final) => all + final.odds, 0);
    // The mean of two, or of four.
    return { sets, finals, odds: sum >> (finals.length >> 1) };
  }

  #mixSet(number: number, inputs: readonly number[]): Mixed {
    const dot = inputs.reduce((sum, x, i) => (sum + Math.imul(at(this.ofSets, number * inputs.length + i), x)) | 0, 0);
    return this.#mixed(number, clamp(dot >> 10, STRETCH_MAX << 4));
  }

  #mixFinal(number: number, sets: readonly Mixed[]): Mixed {
    const first = sets.length * number;
    const sum = sets.reduce(
      (all, { odds }, j) => (all + Math.imul(at(this.ofFinals, first + j) >> 14, odds >> 2)) | 0,
      0,
    );
    return this.#mixed(number, clamp(sum >> 12, SQUASH_MAX));
  }

  #mixed(number: number, odds: number): Mixed {
    return { number, odds, p: at(this.#squash, (odds >> 4) + SQUASH_ZERO) };
  }

  /** Every choice learns by its own error. */
  learn(
    { sets, finals }: Mix,
    inputs: readonly number[],
    bit: number,
    rate = this.#rate,
    finalRate = FINAL_RATE,
  ): void {
    for (const { number, p } of sets) {
      const step = roundShift(((bit << 16) - p) * rate, 16);
      for (const [i, x] of inputs.entries()) {
        const k = number * inputs.length + i;
        const moved = at(this.ofSets, k) + roundShift(x * step, 15);
        this.ofSets[k] = Math.min(Math.max(moved, -WEIGHT_MAX - 1), WEIGHT_MAX);
      }
    }
    for (const { number, p } of finals) {
      const step = roundShift(((bit << 16) - p) * finalRate, 16);
      for (const [j, { odds }] of sets.entries()) {
        const k = sets.length * number + j;
        this.ofFinals[k] = Math.min(Math.max(at(this.ofFinals, k) + step * (odds >> 4), -FINAL_MAX), FINAL_MAX - 1);
      }
    }
  }
}

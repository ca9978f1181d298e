/**
 * Numbers as adaptive bits: how many binary digits a number has, then the digits. The length and the digits that
 * carry meaning are adaptive: all of them in short numbers; in long ones the first few, and the last few, since files
 * are made of records and sectors. What lies between is coded plainly.
 */
import { type BitCoder, BitModels } from "./bits.ts";

/** Digits behind the leading 1 that are always adaptive. */
const SHORT_DIGITS = 6;
/** In longer numbers: adaptive digits in front, and at the end. */
const FIRST_DIGITS = 3;
const LAST_DIGITS = 4;
const LENGTH_DIGITS = 5;
const LENGTHS = 2 ** LENGTH_DIGITS;
const TREE = 2 ** (SHORT_DIGITS + 1);

/** One kind of number, 0 to 2^32 - 2, in one of several contexts. */
export class NumberModel {
  readonly #lengths: BitModels;
  readonly #digits: BitModels;
  readonly #lastDigits: BitModels;

  constructor(contexts: number) {
    this.#lengths = new BitModels(contexts * LENGTHS);
    this.#digits = new BitModels(contexts * LENGTHS * TREE);
    this.#lastDigits = new BitModels(contexts * 2 ** LAST_DIGITS);
  }

  /** Codes `value`, or finds it. @throws the coder's errors */
  code(coder: BitCoder, context: number, value: number): number {
    // From 1, so that there is a leading 1, which needs no coding.
    const number = value + 1;
    const digits = codeTree(coder, this.#lengths, context * LENGTHS, LENGTH_DIGITS, 31 - Math.clz32(number));
    const tree = (context * LENGTHS + digits) * TREE;
    if (digits <= SHORT_DIGITS) {
      const rest = codeTree(coder, this.#digits, tree, digits, number - 2 ** digits);
      return 2 ** digits + rest - 1;
    }
    const middleDigits = Math.max(0, digits - FIRST_DIGITS - LAST_DIGITS);
    const lastDigits = digits - FIRST_DIGITS - middleDigits;
    const low = number - 2 ** digits;
    const first = codeTree(coder, this.#digits, tree, FIRST_DIGITS, Math.floor(low / 2 ** (digits - FIRST_DIGITS)));
    const middle = coder.plain(middleDigits, Math.floor(low / 2 ** lastDigits) % 2 ** middleDigits);
    const last = codeTree(coder, this.#lastDigits, context * 2 ** LAST_DIGITS, lastDigits, low % 2 ** lastDigits);
    return 2 ** digits + (first * 2 ** middleDigits + middle) * 2 ** lastDigits + last - 1;
  }
}

/** A number of `digits` digits, most significant first; each digit's model follows from those before it. */
export function codeTree(coder: BitCoder, models: BitModels, base: number, digits: number, value: number): number {
  let node = 1;
  for (let shift = digits - 1; shift >= 0; shift -= 1) {
    node = 2 * node + coder.bit(models, base + node, (value >>> shift) & 1);
  }
  return node - 2 ** digits;
}

/** What numbers take by a small model, as their bytes or as what a predictor leaves of them: how numbers.ts judges. */
import { filmFrameBytes, type Numbers, numberBytes, type Stretch, type Table } from "../predict/list.ts";
import { transformSlowly } from "../predict/transform.ts";
import type { Pacer } from "./pacer.ts";
import { StrideTrial } from "./stride-trial.ts";

/** Short runs all over a sample, whose planes may lie one behind the other. */
const TRIAL_RUNS = 12;

/** So many bytes from the middle, from a whole unit on. */
export function middleOf(bytes: Uint8Array, count: number, unit: number): Uint8Array {
  const skip = Math.floor(Math.max(0, bytes.length - count) / 2 / unit) * unit;
  return bytes.slice(skip, skip + count);
}

/** What the small model takes for bytes, with one of some strides if that is less. */
export function costOf(bytes: Uint8Array, ...strides: readonly number[]): number {
  const trial = new StrideTrial(bytes, TRIAL_RUNS);
  return Math.min(trial.bitsAlone, ...strides.filter((stride) => stride > 1).map((stride) => trial.bitsWith(stride)));
}

/** A number, and all columns of numbers. */
export function stridesOf({ format, columns }: Table): number[] {
  const width = numberBytes(format);
  return columns > 1 ? [width, width * columns] : [width];
}

/**
 * And for what a predictor leaves of them, which takes their place.
 *
 * @param stride of what is left, where the kind of numbers does not tell it
 */
export async function costAs(bytes: Uint8Array, numbers: Numbers, pacer: Pacer, stride = 0): Promise<number> {
  await transform(bytes, [{ gapBytes: 0, lengthBytes: bytes.length, numbers }], pacer);
  if (numbers.kind === "table") return costOf(bytes, ...stridesOf(numbers));
  if (numbers.kind === "differences") return costOf(bytes, stride);
  // What is behind the numbers of colours are zeros.
  if (numbers.kind === "colours") return costOf(bytes.subarray(0, bytes.length / numbers.channels), stride);
  return costOf(bytes, numbers.kind === "sound" ? 0 : numbers.width);
}

/** Replaces numbers by what predictors leave of them. @throws the abort reason */
export async function transform(bytes: Uint8Array, stretches: readonly Stretch[], pacer: Pacer, isForeseen = false) {
  for (const _ of transformSlowly(bytes, stretches, false, isForeseen)) await pacer.turn(() => {});
}

/** Bytes after which the same thing comes again. */
export function unitOf(numbers: Numbers): number {
  if (numbers.kind === "film") return filmFrameBytes(numbers);
  if (numbers.kind === "table") return numbers.columns * numberBytes(numbers.format);
  if (numbers.kind === "differences") return 1;
  return numbers.channels * (numbers.kind === "sound" ? numbers.width : 1);
}

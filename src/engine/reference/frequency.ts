/**
 * From logits to integer frequencies that the range coder divides, and back to the gradient of the cross-entropy.
 *
 * Every byte keeps a frequency of at least 1 in 2^22; the total of a table is at most 2^22, and what is missing
 * (at most 1.23 parts in 10,000) belongs to no byte.
 */
import { GRADIENT_BITS } from "../../contract/formats.ts";
import { expNegative, type Luts } from "../../contract/luts.ts";

/**
 * 256 frequencies from 256 logits (Q10). With S the sum of the exponentials and k chosen so that S >> k has 16 bits:
 * frequency = 1 + (e * floor((2^31 - 2^17) / ((S >> k) + 1)) >> (9 + k)), whose sum cannot exceed 2^22.
 */
export function frequencies(
  lut: Luts,
  logits: Int32Array,
  start: number,
  into: Int32Array | Uint32Array,
  intoStart: number,
): void {
  let top = logits[start] as number;
  for (let v = 1; v < 256; v++) top = Math.max(top, logits[start + v] as number);
  let sum = 0;
  for (let v = 0; v < 256; v++) {
    const e = expNegative(lut, top - (logits[start + v] as number));
    into[intoStart + v] = e;
    sum += e;
  }
  // 65535 <= sum < 2^24, since the largest logit's own exponential is in it: k is 0 to 8
  const k = 16 - Math.clz32(sum);
  const normal = sum >>> k;
  const inverse = Math.floor((2 ** 31 - 2 ** 17) / (normal + 1));
  for (let v = 0; v < 256; v++) {
    // e * inverse is below 2^32; the double product is exact
    into[intoStart + v] = 1 + Math.floor(((into[intoStart + v] as number) * inverse) / 2 ** (9 + k));
  }
}

/** Gradient of the cross-entropy with respect to one logit in Q22: probability - (1 if it came). */
export function logitDifference(frequency: number, came: boolean): number {
  return frequency - (came ? 1 << GRADIENT_BITS : 0);
}

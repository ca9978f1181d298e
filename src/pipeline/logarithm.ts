/**
 * Logarithms for what an encoder decides, of integers alone: `Math.log` and its like differ between runtimes in the
 * last bits, and an archive would differ with them.
 */

/** Fraction bits of integer logarithms. */
export const LOG_BITS = 16;

/** The binary logarithm of an integer from 1 to 2^31 - 1, in 2^-LOG_BITS, rounded down. */
export function integerLog2(x: number): number {
  const whole = 31 - Math.clz32(x);
  // Squaring doubles the logarithm: each doubling that passes 2 is a digit. 26 bits, so that squares are exact.
  let mantissa = Math.floor(x * 2 ** (25 - whole));
  let digits = whole;
  for (let bit = 0; bit < LOG_BITS; bit += 1) {
    mantissa = Math.floor((mantissa * mantissa) / 2 ** 25);
    const isAbove = mantissa >= 2 ** 26;
    if (isAbove) mantissa = Math.floor(mantissa / 2);
    digits = 2 * digits + (isAbove ? 1 : 0);
  }
  return digits;
}

/**
 * Logarithms for what an encoder decides, of nothing but sums, products and quotients, whose every bit is fixed:
 * `Math.log` and its like differ between runtimes in the last bits, and an archive would differ with them.
 */

const LOG_TERMS = 16;
const EXP_TERMS = 64;
/** Fraction bits of integer logarithms. */
export const LOG_BITS = 16;

/** The natural logarithm of a number above 0, to about 1e-15. */
export function naturalLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa > 1.5; exponent += 1) mantissa /= 2;
  for (; mantissa < 0.75; exponent -= 1) mantissa *= 2;
  return exponent * LN_2 + logNearOne(mantissa);
}

/** 2 artanh((x - 1) / (x + 1)): few terms for x near 1. */
function logNearOne(x: number): number {
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let term = LOG_TERMS - 1; term >= 0; term -= 1) sum = sum * z * z + 1 / (2 * term + 1);
  return 2 * z * sum;
}

export const LN_2 = 2 * logNearOne(4 / 3) - logNearOne(8 / 9);

/** e to the power of x, for -20 to 20, to about 1e-14 of it. */
export function exponential(x: number): number {
  if (x < 0) return 1 / exponential(-x);
  let sum = 1;
  for (let term = EXP_TERMS; term >= 1; term -= 1) sum = 1 + (sum * x) / term;
  return sum;
}

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

/** The network's functions in plain floating point, which the float twin and the tests of the tables share. */

/** erf by its series of positive terms: accurate to a few units of 1e-16 where the result is not yet 1. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const geluFloat = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
export const sigmoidFloat = (x: number): number => 1 / (1 + Math.exp(-x));

/** Mean 0 and variance 1. */
export function normaliseFloat(row: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(row);
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance));
}

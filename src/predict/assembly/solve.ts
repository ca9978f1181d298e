/**
 * Least squares: the weights w for which R w = b, where R is a symmetric matrix of sums of products and b holds the
 * sums of products with what is predicted.
 */

/**
 * Gaussian elimination without pivots, on the upper triangle; R and b are used up. Each element is worked on for
 * itself, so vectors change nothing.
 *
 * @param n even @param rows bytes between two rows of R
 * @returns false, and w as it was, if a pivot is not above 0
 */
export function solve(n: usize, r: usize, rows: usize, b: usize, w: usize): bool {
  for (let k: usize = 0; k < n; k += 1) {
    const from = r + k * rows;
    const pivot = load<f64>(from + k * 8);
    if (!(pivot > 1e-9)) return false;
    const inverse = 1.0 / pivot;
    const bk = load<f64>(b + k * 8);
    for (let i = k + 1; i < n; i += 1) {
      const factor = load<f64>(from + i * 8) * inverse;
      const to = r + i * rows;
      const factors = f64x2.splat(factor);
      // From an even column on: what lies below the diagonal is never read.
      for (let j = i & ~1; j < n; j += 2) {
        v128.store(to + j * 8, f64x2.sub(v128.load(to + j * 8), f64x2.mul(factors, v128.load(from + j * 8))));
      }
      store<f64>(b + i * 8, load<f64>(b + i * 8) - factor * bk);
    }
  }
  for (let i = n; i > 0; ) {
    i -= 1;
    const weight = load<f64>(b + i * 8) / load<f64>(r + i * rows + i * 8);
    store<f64>(w + i * 8, weight);
    for (let j: usize = 0; j < i; j += 1) {
      store<f64>(b + j * 8, load<f64>(b + j * 8) - load<f64>(r + j * rows + i * 8) * weight);
    }
  }
  return true;
}

/** Sum of products of n values, n even: even places in one sum, odd ones in the other, then both added. */
export function dot(n: usize, a: usize, b: usize): f64 {
  let sum = f64x2.splat(0);
  for (let i: usize = 0; i < n * 8; i += 16) sum = f64x2.add(sum, f64x2.mul(v128.load(a + i), v128.load(b + i)));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

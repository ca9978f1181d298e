/**
 * Least squares that are weighed: sums of products of n taps, each moment with a weight of its own, which forget at
 * their own pace, and the weights of the taps that follow from them.
 */
import { solve } from "./solve";

/** Where the parts of n taps' squares lie: sums with what is predicted, weights, sums of products (upper triangle). */
export function squaresBytes(n: usize): usize {
  return (2 * n + n * n) * 8;
}

// @ts-ignore: decorator
@inline
export function weightsOf(squares: usize, n: usize): usize {
  return squares + n * 8;
}

/**
 * A moment is known.
 *
 * @param n even @param taps n values @param weight of the moment @param forgetting what is left of the sums before
 */
export function addSquares(squares: usize, n: usize, taps: usize, target: f64, weight: f64, forgetting: f64): void {
  const keep = f64x2.splat(forgetting);
  let row = squares + 2 * n * 8;
  for (let i: usize = 0; i < n; i += 1) {
    const value = weight * load<f64>(taps + i * 8);
    const factor = f64x2.splat(value);
    for (let j = (i & ~1) * 8; j < n * 8; j += 16) {
      v128.store(row + j, f64x2.add(f64x2.mul(keep, v128.load(row + j)), f64x2.mul(factor, v128.load(taps + j))));
    }
    const sum = squares + i * 8;
    store<f64>(sum, forgetting * load<f64>(sum) + value * target);
    row += n * 8;
  }
}

/**
 * The weights that follow. @param scratch room for n * n + n values @param ridge added to the diagonal
 * @param share of the diagonal's own that is added
 */
export function solveSquares(squares: usize, n: usize, scratch: usize, ridge: f64, share: f64): void {
  const b = scratch + n * n * 8;
  memory.copy(scratch, squares + 2 * n * 8, n * n * 8);
  memory.copy(b, squares, n * 8);
  for (let i: usize = 0; i < n; i += 1) {
    const at = scratch + i * (n + 1) * 8;
    store<f64>(at, load<f64>(at) + (ridge + load<f64>(at) * share));
  }
  solve(n, scratch, n * 8, b, weightsOf(squares, n));
}

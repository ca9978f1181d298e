/**
 * Sums for least squares, kept by place: a cell holds R and b of the columns that share it, rows of `taps` values, b
 * behind them. What a cell learned fades when the walk comes again, and those beside it count, too. `taps` is even, and
 * each element is worked on for itself, so vectors change nothing.
 */
import { solve } from "./solve";

/** What the cells beside one count. */
const BESIDE: f64 = 0.5;

// @ts-ignore: decorator
@inline
export function cellBytes(taps: usize): usize {
  return (taps * taps + taps) * 8;
}

/**
 * The weights for what comes next, from the sums of a cell and those beside it; as they were if there are none.
 *
 * @param kept what is left of the cell's sums from here on
 * @param ridge, relativeRidge what is added to the diagonal: so much, and so much of its mean
 * @param r where R and b are made, and used up
 */
export function solveCell(
  cell: usize,
  taps: usize,
  kept: f64,
  ridge: f64,
  relativeRidge: f64,
  r: usize,
  weights: usize,
): void {
  const bytes = cellBytes(taps);
  const fading = f64x2.splat(kept);
  const beside = f64x2.splat(BESIDE);
  for (let i: usize = 0; i < bytes; i += 16) {
    const own = f64x2.mul(v128.load(cell + i), fading);
    v128.store(cell + i, own);
    const sides = f64x2.add(v128.load(cell - bytes + i), v128.load(cell + bytes + i));
    v128.store(r + i, f64x2.add(own, f64x2.mul(beside, sides)));
  }
  let trace: f64 = 0;
  for (let i: usize = 0; i < taps; i += 1) trace += load<f64>(r + i * (taps + 1) * 8);
  const added = ridge + relativeRidge * (trace / <f64>taps);
  for (let i: usize = 0; i < taps; i += 1) {
    const at = r + i * (taps + 1) * 8;
    store<f64>(at, load<f64>(at) + added);
  }
  solve(taps, r, taps * 8, r + taps * taps * 8, weights);
}

/**
 * Sums of products: of pairs of values, from an even column on, and of each with what the mean missed.
 *
 * @param weight how much this moment counts: its products are multiplied by that
 */
export function learnCell(cell: usize, values: usize, taps: usize, target: f64, weight: f64): void {
  for (let i: usize = 0; i < taps; i += 1) {
    const value = f64x2.splat(weight * load<f64>(values + i * 8));
    const row = cell + i * taps * 8;
    for (let j = (i & ~1) * 8; j < taps * 8; j += 16) {
      v128.store(row + j, f64x2.add(v128.load(row + j), f64x2.mul(value, v128.load(values + j))));
    }
  }
  const b = cell + taps * taps * 8;
  const targets = f64x2.splat(weight * target);
  for (let i: usize = 0; i < taps * 8; i += 16) {
    v128.store(b + i, f64x2.add(v128.load(b + i), f64x2.mul(targets, v128.load(values + i))));
  }
}

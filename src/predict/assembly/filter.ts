/**
 * An adaptive filter (normalised least mean squares) in 32-bit floats: weights follow the gradient of the squared
 * error, in steps that shrink with the energy of what the filter sees. Its history lies newest first, and grows towards
 * lower addresses; when it reaches the start of its room, it moves to the end.
 */

/** Values between two moves of a history. */
export const HISTORY: usize = 1024;
/** Beyond this a filter has gone astray, and starts anew. */
const PREDICTION_MAX: f64 = 67108864;

/** Bytes of a filter of n taps, n a multiple of 16: position, energy, weights, history. */
export function filterBytes(n: usize): usize {
  return 16 + n * 4 + (HISTORY + n) * 4;
}

export function startFilter(f: usize, n: usize): void {
  memory.fill(f, 0, filterBytes(n));
  store<u32>(f, <u32>(HISTORY * 4));
}

// @ts-ignore: decorator
@inline
function historyOf(f: usize, n: usize): usize {
  return f + 16 + n * 4 + load<u32>(f);
}

/**
 * What the filter says of the next value. Sums run in sixteen lanes, term i in lane i mod 16; then lanes 0 to 3 are
 * ((0..3 + 4..7) + (8..11 + 12..15)), and the result is (lane 0 + lane 1) + (lane 2 + lane 3).
 */
export function askFilter(f: usize, n: usize): f64 {
  const weights = f + 16;
  const history = historyOf(f, n);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let i: usize = 0; i < n * 4; i += 64) {
    a = f32x4.add(a, f32x4.mul(v128.load(weights + i), v128.load(history + i)));
    b = f32x4.add(b, f32x4.mul(v128.load(weights + i, 16), v128.load(history + i, 16)));
    c = f32x4.add(c, f32x4.mul(v128.load(weights + i, 32), v128.load(history + i, 32)));
    d = f32x4.add(d, f32x4.mul(v128.load(weights + i, 48), v128.load(history + i, 48)));
  }
  const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const low = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1);
  const prediction = <f64>(low + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)));
  if (prediction > -PREDICTION_MAX && prediction < PREDICTION_MAX) return prediction;
  startFilter(f, n);
  return 0;
}

/** @param value that has come @param error of the filter's prediction @param rate of the steps */
export function teachFilter(f: usize, n: usize, value: f64, error: f64, rate: f64): void {
  const weights = f + 16;
  let history = historyOf(f, n);
  const energy = load<f64>(f + 8);
  const step = f32x4.splat(<f32>((rate * error) / (energy + 1.0 + <f64>n * 0.5)));
  for (let i: usize = 0; i < n * 4; i += 16) {
    v128.store(weights + i, f32x4.add(v128.load(weights + i), f32x4.mul(step, v128.load(history + i))));
  }
  const oldest = <f64>load<f32>(history + (n - 1) * 4);
  const newest = <f32>value;
  const left = energy + <f64>newest * <f64>newest - oldest * oldest;
  store<f64>(f + 8, left > 0 ? left : 0);
  if (load<u32>(f) === 0) {
    memory.copy(weights + n * 4 + HISTORY * 4, weights + n * 4, n * 4);
    store<u32>(f, <u32>(HISTORY * 4));
    history = historyOf(f, n);
  }
  store<u32>(f, load<u32>(f) - 4);
  store<f32>(history - 4, newest);
}

/**
 * The predictor of sound in plain TypeScript, as docs/NUMERICS.md section 13 has it: no vectors, no circular memory,
 * all sums kept. What the kernels do is held against it.
 */
import type { Sound } from "../../src/predict/list.ts";

const TAPS = 32;
const OTHER_TAPS = 12;
const FILTERS = [
  { taps: 256, rate: 0.002 },
  { taps: 32, rate: 0.004 },
  { taps: 16, rate: 0.008 },
];
const ASTRAY = 2 ** 26;

export const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

/** w of R w = b; undefined if a pivot is not above 1e-9. Only the upper triangle of R is read. */
export function solve(r: number[][], b: number[]): number[] | undefined {
  const n = b.length;
  const at = (i: number, j: number) => (r[i] as number[])[j] as number;
  for (let k = 0; k < n; k += 1) {
    if (!(at(k, k) > 1e-9)) return undefined;
    const inverse = 1 / at(k, k);
    for (let i = k + 1; i < n; i += 1) {
      const factor = at(k, i) * inverse;
      for (let j = i; j < n; j += 1) (r[i] as number[])[j] = at(i, j) - factor * at(k, j);
      b[i] = (b[i] as number) - factor * (b[k] as number);
    }
  }
  const w = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i -= 1) {
    w[i] = (b[i] as number) / at(i, i);
    for (let j = 0; j < i; j += 1) b[j] = (b[j] as number) - at(j, i) * (w[i] as number);
  }
  return w;
}

/** Products of the even places and of the odd ones, summed apart. */
export function dot(w: ArrayLike<number>, x: ArrayLike<number>): number {
  const sums = [0, 0];
  for (let i = 0; i < w.length; i += 1) sums[i % 2] = (sums[i % 2] as number) + (w[i] as number) * (x[i] ?? 0);
  return (sums[0] as number) + (sums[1] as number);
}

class Filter {
  readonly #taps: number;
  readonly #rate: number;
  #weights: Float32Array;
  /** Newest first. */
  #past: number[] = [];
  #energy = 0;

  constructor(taps: number, rate: number) {
    this.#taps = taps;
    this.#rate = rate;
    this.#weights = new Float32Array(taps);
  }

  ask(): number {
    const lanes = new Float32Array(16);
    for (let i = 0; i < this.#taps; i += 1) {
      const product = Math.fround((this.#weights[i] as number) * (this.#past[i] ?? 0));
      lanes[i % 16] = (lanes[i % 16] as number) + product;
    }
    const add = (a: number, b: number) => Math.fround(a + b);
    const lane = (i: number) => lanes[i] as number;
    const four = [0, 1, 2, 3].map((i) => add(add(lane(i), lane(i + 4)), add(lane(i + 8), lane(i + 12)))) as number[];
    const [a = 0, b = 0, c = 0, d = 0] = four;
    const prediction = add(add(a, b), add(c, d));
    if (prediction > -ASTRAY && prediction < ASTRAY) return prediction;
    this.#weights = new Float32Array(this.#taps);
    this.#past = [];
    this.#energy = 0;
    return 0;
  }

  teach(value: number, error: number): void {
    const step = Math.fround((this.#rate * error) / (this.#energy + 1 + this.#taps * 0.5));
    for (let i = 0; i < this.#taps; i += 1) {
      this.#weights[i] = (this.#weights[i] as number) + Math.fround(step * (this.#past[i] ?? 0));
    }
    const oldest = this.#past[this.#taps - 1] ?? 0;
    const newest = Math.fround(value);
    this.#energy = Math.max(0, this.#energy + newest * newest - oldest * oldest);
    this.#past = [newest, ...this.#past.slice(0, this.#taps - 1)];
  }
}

export class Squares {
  readonly #products: Float64Array[];
  readonly #sums: Float64Array;
  weights: number[];

  constructor(n: number, firstWeight = 0) {
    this.#products = Array.from({ length: n }, () => new Float64Array(n));
    this.#sums = new Float64Array(n);
    this.weights = new Array<number>(n).fill(firstWeight);
  }

  add(taps: readonly number[], target: number, weight: number, forgetting: number): void {
    for (const [i, row] of this.#products.entries()) {
      const value = weight * at(taps, i);
      for (let j = i; j < taps.length; j += 1) row[j] = forgetting * at(row, j) + value * at(taps, j);
      this.#sums[i] = forgetting * at(this.#sums, i) + value * target;
    }
  }

  solve(ridge: number, share: number): void {
    const r = this.#products.map((row, i) => {
      const copy = [...row];
      copy[i] = at(copy, i) + (ridge + at(copy, i) * share);
      return copy;
    });
    this.weights = solve(r, [...this.#sums]) ?? this.weights;
  }
}

export const newFilters = () => FILTERS.map(({ taps, rate }) => new Filter(taps, rate));

/** Each filter is taught what those before it left. */
export function teachFilters(filters: readonly Filter[], said: readonly number[], target: number): void {
  let input = target;
  for (const [i, filter] of filters.entries()) {
    const left = input - at(said, i);
    filter.teach(input, left);
    input = left;
  }
}

class Channel {
  /** By time; the other channel's are those that are known when the sample after this one is predicted. */
  readonly own: number[] = [];
  readonly others: number[] = [];
  readonly #filters = newFilters();
  /** By time and lag. */
  readonly #sums: Record<"oo" | "op" | "po" | "pp", number[][]> = { oo: [], op: [], po: [], pp: [] };
  #weights = new Array<number>(TAPS).fill(0);
  readonly #trust = new Squares(3, 1);
  #error = 200;
  #values: number[] = [];

  constructor(readonly otherTaps: number) {}

  predict(limit: number): number {
    this.#addSums();
    const back = (values: number[], count: number) => values.slice(-count).reverse();
    const ownTaps = TAPS - this.otherTaps;
    const own = dot(this.#weights.slice(0, ownTaps), back(this.own, ownTaps));
    const others = dot(this.#weights.slice(ownTaps), this.otherTaps > 0 ? back(this.others, this.otherTaps) : []);
    let first = own + others;
    if (!(first > -ASTRAY && first < ASTRAY)) first = 0;
    this.#values = [first, ...this.#filters.map((filter) => filter.ask())];
    let sum = first;
    this.#trust.weights.forEach((trust, i) => {
      sum += trust * (this.#values[i + 1] as number);
    });
    if (!(sum > -limit)) return -limit;
    if (!(sum < limit - 1)) return limit - 1;
    return Math.floor(sum + 0.5);
  }

  learn(sample: number, left: number): void {
    const [first = 0, ...said] = this.#values;
    const target = sample - first;
    this.#learnMixture(said, target);
    this.#error += (Math.abs(left) - this.#error) * 0.05;
    teachFilters(this.#filters, said, target);
    this.own.push(sample);
  }

  #addSums(): void {
    const time = this.own.length - 1;
    const at = (values: number[], lag: number) => values[time - lag] ?? 0;
    const add = (sums: number[][], a: number[], b: number[]) => {
      const before = sums.at(-1);
      sums.push(Array.from({ length: TAPS + 1 }, (_, lag) => 0.993 * (before?.[lag] ?? 0) + at(a, 0) * at(b, lag)));
    };
    add(this.#sums.oo, this.own, this.own);
    add(this.#sums.pp, this.others, this.others);
    add(this.#sums.op, this.own, this.others);
    add(this.#sums.po, this.others, this.own);
    // The kernels count from the moment before the first sample.
    if ((time + 1) % 8 === 0 && time + 1 > TAPS) this.#weights = this.#solve() ?? this.#weights;
  }

  #solve(): number[] | undefined {
    const own = TAPS - this.otherTaps;
    const lagOf = (i: number) => (i < own ? i + 1 : i - own + 1);
    const last = this.#sums.oo.length - 1;
    const sumOf = (i: number, j: number): number => {
      const [a, b] = [i < own ? "o" : "p", j < own ? "o" : "p"] as const;
      const [early, late] = [lagOf(i), lagOf(j)];
      const sums = late >= early ? this.#sums[`${a}${b}`] : this.#sums[`${b}${a}`];
      return sums[last - Math.min(early, late)]?.[Math.abs(late - early)] ?? 0;
    };
    const r = Array.from({ length: TAPS }, (_, i) =>
      Array.from({ length: TAPS }, (_, j) => (j < i ? 0 : sumOf(i, j) + (i === j ? 30 : 0))),
    );
    const b = Array.from({ length: TAPS }, (_, i) => this.#sums[i < own ? "oo" : "op"][last]?.[lagOf(i)] ?? 0);
    return solve(r, b);
  }

  #learnMixture(said: readonly number[], target: number): void {
    this.#trust.add(said, target, 1 / (1 + this.#error * this.#error), 0.998);
    const count = this.own.length + 1;
    if (count % 2 === 0 && count >= 100) this.#trust.solve(1, 1e-6);
  }
}

export class SoundTwin {
  readonly #sound: Sound;
  readonly #channels: Channel[];

  constructor(sound: Sound) {
    this.#sound = sound;
    this.#channels = Array.from({ length: sound.channels }, () => new Channel(sound.channels > 1 ? OTHER_TAPS : 0));
  }

  /** What is left of whole samples. */
  code(plain: Uint8Array): Uint8Array {
    const { channels, width, isBig, isUnsigned } = this.#sound;
    const limit = 2 ** (8 * width - 1);
    const wrap = (value: number) => ((((value + limit) % (2 * limit)) + 2 * limit) % (2 * limit)) - limit;
    const result = plain.slice();
    for (let i = 0; i < Math.floor(plain.length / width); i += 1) {
      const bytes = [...plain.subarray(i * width, (i + 1) * width)];
      const value = (isBig ? bytes : bytes.reverse()).reduce((sum, byte) => 256 * sum + byte, 0);
      const sample = wrap(value - (isUnsigned ? limit : 0));
      const c = i % channels;
      const channel = this.#channels[c] as Channel;
      if (channels > 1) {
        const other = this.#channels[c === 0 ? channels - 1 : c - 1] as Channel;
        if (channel.own.length > 0 || c > 0) channel.others[channel.own.length - 1] = other.own.at(-1) ?? 0;
      }
      const prediction = channel.predict(limit);
      const left = wrap(sample - prediction);
      const zigzag = left < 0 ? -2 * left - 1 : 2 * left;
      for (let k = 0; k < width; k += 1) result[i * width + k] = Math.floor(zigzag / 256 ** (width - 1 - k)) % 256;
      channel.learn(sample, sample - prediction);
    }
    return result;
  }
}

/** The kernels that look at samples: the same numbers, bit for bit, as what is written here to be read. */
import { describe, expect, test } from "bun:test";
import { StrideTrial } from "../../src/pipeline/stride-trial.ts";
import { BURST_BYTES, TRIAL_BYTES_MAX, trialKernels } from "../../src/pipeline/trial-kernels.ts";
import { noise } from "../support/bytes.ts";
import { Random } from "../support/gpu-values.ts";
import { rowsOf } from "../support/rows.ts";
import { trainingBytes } from "../support/text.ts";

const { fround } = Math;
const LOG_TERMS = 16;
const EXP_TERMS = 64;

/** The natural logarithm, by the same sums as in the kernels: every bit of a table of costs counts. */
function naturalLog(x: number): number {
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

const LN_2 = 2 * logNearOne(4 / 3) - logNearOne(8 / 9);

function exponential(x: number): number {
  if (x < 0) return 1 / exponential(-x);
  let sum = 1;
  for (let term = EXP_TERMS; term >= 1; term -= 1) sum = 1 + (sum * x) / term;
  return sum;
}

const LINES = 2 ** 13;

/** The mixture of assembly/mixture.ts, over one run. */
class Mixture {
  readonly #stretch = Float32Array.from({ length: 4096 }, (_, p) =>
    Math.max(-7.99, naturalLog((p + 0.5) / (4096 - p - 0.5))),
  );
  readonly #squash = Float32Array.from({ length: 4096 }, (_, i) => 1 / (1 + exponential(8 - i / 256)));
  readonly #cost = Float32Array.from({ length: 4096 }, (_, p) => -naturalLog((p + 0.5) / 4096) / LN_2);
  readonly guesses: number[] = [];

  code(bytes: Uint8Array, contexts: readonly (readonly number[])[], isFirst: boolean): number {
    const all = isFirst ? [...contexts, ...Array<number[]>(6 - contexts.length).fill([])] : contexts;
    const counts = all.map(() => new Uint16Array(16 * LINES).fill(2 ** 15));
    const weights = Array.from({ length: 256 }, () => Float32Array.of(0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 1));
    let bits = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const hashes = all.map((offsets, i) => this.#hash(bytes, at, i, offsets));
      for (let half = 0; half < 2; half += 1) {
        let taken = 0;
        for (let digit = 4 * half; digit < 4 * half + 4; digit += 1) {
          const node = (1 << digit) | (bytes[at]! >> (8 - digit));
          const start = half === 0 ? 1 : 16 | (bytes[at]! >> 4);
          const inHalf = (1 << (digit % 4)) | (node & ((1 << (digit % 4)) - 1));
          const slots = hashes.map((hash) => 16 * lineOf(hash, start) + inHalf);
          const guess = 8 * at + digit;
          const bit = (bytes[at]! >> (7 - digit)) & 1;
          taken = fround(taken + this.#digit(counts, slots, weights[node]!, bit, guess, isFirst));
        }
        bits += taken;
      }
    }
    return bits;
  }

  #digit(counts: Uint16Array[], slots: number[], weights: Float32Array, bit: number, guess: number, isFirst: boolean) {
    const inputs = new Float32Array(8);
    for (const [i, slot] of slots.entries()) inputs[i] = this.#stretch[counts[i]![slot]! >> 4]!;
    if (!isFirst) inputs[7] = this.guesses[guess]!;
    const lanes = Array.from({ length: 4 }, (_, i) =>
      fround(fround(weights[i]! * inputs[i]!) + fround(weights[4 + i]! * inputs[4 + i]!)),
    ) as [number, number, number, number];
    const mixed = fround(fround(lanes[0] + lanes[2]) + fround(lanes[1] + lanes[3]));
    const sum = Math.max(fround(-7.99), Math.min(fround(7.99), mixed));
    if (isFirst) this.guesses.push(sum);
    const probability = this.#squash[Math.floor(fround(fround(sum + 8) * 256))]!;
    const step = fround(fround(0.02) * fround(bit - probability));
    for (let i = 0; i < 8; i += 1) weights[i] = fround(weights[i]! + fround(step * inputs[i]!));
    for (const [i, slot] of slots.entries()) counts[i]![slot]! += (bit * 0xffff - counts[i]![slot]!) >> 4;
    return this.#cost[Math.floor(fround((bit === 1 ? probability : fround(1 - probability)) * 4096))]!;
  }

  #hash(bytes: Uint8Array, at: number, i: number, offsets: readonly number[]): number {
    let hash = i + 1;
    for (const offset of offsets) {
      hash = Math.imul(hash ^ ((bytes[at - offset] ?? 0) + 0x100), 0x2c1b3c6d);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}

function lineOf(hash: number, start: number): number {
  const mixed = Math.imul((hash + start) | 0, 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) & (LINES - 1);
}

describe("the mixture", () => {
  const before = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 1], [4, 2]];
  const above = [[50], [50, 1], [50, 1, 100], [50, 51, 1]];

  test.each([
    ["text", trainingBytes(1500, 1)],
    ["chance", noise(1500, 1)],
    ["rows", rowsOf(50, 30)],
    ["zeros", new Uint8Array(1500)],
  ])("of %s", (_, bytes) => {
    const kernels = trialKernels();
    const twin = new Mixture();
    kernels.beginMixture(before, true);
    expect(kernels.codeRun(bytes, 0, bytes.length, 4)).toBe(twin.code(bytes, before, true));
    kernels.beginMixture(above, false);
    expect(kernels.codeRun(bytes, 0, bytes.length, 100)).toBe(twin.code(bytes, above, false));
  });

  test("goes on from run to run, with what lies before each", () => {
    const bytes = trainingBytes(3000, 2);
    const kernels = trialKernels();
    kernels.beginMixture(before, true);
    const whole = kernels.codeRun(bytes, 0, 3000, 4);
    kernels.beginMixture(before, true);
    let bits = 0;
    for (const [start, count] of [
      [0, 1000],
      [1000, 1],
      [1001, 1999],
    ] as const) {
      bits = kernels.codeRun(bytes, start, count, 4);
    }
    expect(bits).toBe(whole);
    expect(() => kernels.beginMixture(Array<number[]>(7).fill([1]), true)).toThrow(RangeError);
  });

  test("a trial asks for less where rows are, stops early where they are not, and only one is open", () => {
    const rows = rowsOf(150, 400);
    const trial = new StrideTrial(rows);
    const without = trial.bitsWithout(77);
    expect(without).toBeLessThanOrEqual(trial.bitsAlone);
    expect(trial.bitsIfSaving(150, 44)).toBe(trial.bitsWith(150));
    expect(trial.bitsWith(150)).toBeLessThan(0.8 * without);
    expect(trial.bitsIfSaving(91, 44)).toBeUndefined();
    const other = new StrideTrial(noise(2 * TRIAL_BYTES_MAX, 2));
    expect(() => trial.bitsWith(150)).toThrow("another trial");
    expect(other.bitsAlone / TRIAL_BYTES_MAX).toBeGreaterThan(7.9);
  });
});

describe("distances", () => {
  test.each([0, 1, 15, 16, 17, 1000])("up to %d", (most) => {
    const bytes = noise(3000, most + 3);
    const random = new Random(most);
    const places = Int32Array.from({ length: 257 }, () => random.between(most, 2999));
    const found = trialKernels().distances(bytes, places, most);
    const naive = Array.from({ length: most + 1 }, (_, back) =>
      places.reduce((sum, place) => sum + Math.abs(bytes[place]! - bytes[place - back]!), 0),
    );
    expect([...found]).toEqual(naive);
  });

  test("as large as they can be", () => {
    const bytes = Uint8Array.from({ length: 600 }, (_, i) => (i < 300 ? 0 : 255));
    const found = trialKernels().distances(bytes, new Int32Array(257).fill(300), 300);
    expect(found[0]).toBe(0);
    expect(found[1]).toBe(257 * 255);
  });
});

test("bursts, at every distance", () => {
  const bytes = noise(5000, 9).map((byte, i) => (i % 3 === 0 ? 7 : byte));
  const starts = [600, 601, 4952];
  const { apart, equal } = trialKernels().compareBursts(bytes, starts, 600);
  for (const distance of [1, 2, 47, 48, 49, 599, 600]) {
    let [sum, same] = [0, 0];
    for (const start of starts) {
      for (let at = start; at < start + BURST_BYTES; at += 1) {
        const difference = ((bytes[at]! - bytes[at - distance]!) << 24) >> 24;
        sum += Math.abs(difference);
        if (difference === 0) same += 1;
      }
    }
    expect([apart[distance], equal[distance]]).toEqual([sum, same]);
  }
});

test("second differences of samples, in every reading", () => {
  const window = noise(8192, 10);
  for (const width of [1, 2, 3]) {
    for (const [channels, isBig, skip] of [
      [1, false, 0],
      [2, true, 1],
      [2, false, 2],
    ] as const) {
      const found = trialKernels().measureSound(window, skip, width, channels, isBig);
      expect(found).toEqual(secondDifferences(window, { skip, width, channels, isBig }));
    }
  }
});

interface Reading {
  readonly skip: number;
  readonly width: number;
  readonly channels: number;
  readonly isBig: boolean;
}

function secondDifferences(window: Uint8Array, { skip, width, channels, isBig }: Reading): [number, number] {
  const unit = width * channels;
  const stride = Math.floor((window.length - (33 + 2 * channels) * width - skip) / 7);
  const sample = (at: number) => {
    const bytes = [...window.subarray(at, at + width)];
    return (isBig ? bytes : bytes.reverse()).reduce((value, byte) => 256 * value + byte, 0);
  };
  const sums: [number, number] = [0, 0];
  for (let burst = 0; burst < 8; burst += 1) {
    const from = skip + Math.floor((stride * burst) / unit) * unit;
    for (let i = 2 * channels; i < 32 + 2 * channels; i += 1) {
      const at = from + i * width;
      const wide = sample(at) - 2 * sample(at - unit) + sample(at - 2 * unit);
      const difference = (wide << (32 - 8 * width)) >> (32 - 8 * width);
      const size = 2 * Math.abs(difference) + 1;
      const bits = 31 - Math.clz32(size);
      sums[i % channels]! += 4 * bits + (bits >= 2 ? (size >> (bits - 2)) & 3 : 0) + 2;
    }
  }
  return sums;
}

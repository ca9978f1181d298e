/**
 * Kernels of the CPU engine against the contract's functions, with random values and with those at which formulas
 * saturate, wrap or change their branch. Whole models seldom reach these.
 */
import { describe, expect, test } from "bun:test";
import { clamp, clampActivation, clampGradient, mix32, mulRound, roundShift } from "../../src/contract/fixed.ts";
import { WEIGHT_LIMIT } from "../../src/contract/formats.ts";
import { DIFFERENCES, expNegative, luts } from "../../src/contract/luts.ts";
import { instantiateKernels, readKernels } from "../../src/engine/cpu/kernels.ts";
import { frequencies } from "../../src/engine/reference/frequency.ts";
import { multiplyBackward, multiplyForward, rowsOf } from "../../src/engine/reference/linear.ts";
import { alignGradient, momentRatio, moveMoment, moveSquare } from "../../src/engine/reference/optimizer.ts";

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const kernels = instantiateKernels(readKernels(), memory);
const words = new Int32Array(memory.buffer);
const halves = new Int16Array(memory.buffer);
/** Scratch of the products, and five places for arrays, half a megabyte each. */
const SCRATCH = 1 << 16;
const [A, B, C, D, E] = [1, 2, 3, 4, 5].map((n) => n << 19) as [number, number, number, number, number];

let drawn = 0;
/** An integer in [-limit, limit]: often an end, often small. */
function draw(limit: number): number {
  const word = mix32(drawn++);
  const kind = word & 7;
  if (kind === 0) return limit;
  if (kind === 1) return -limit;
  if (kind === 2) return (word >>> 8) % 3;
  const magnitude = kind < 5 ? limit : Math.max(1, limit >> ((word >>> 4) & 15));
  return ((word >>> 8) % (2 * magnitude + 1)) - magnitude;
}

const list = (count: number, limit: number) => Int32Array.from({ length: count }, () => draw(limit));

describe("products", () => {
  const [rows, outputs, inputs] = [8, 16, 24];

  /** The pair panels of outputs x inputs weights: K along `columns` of the row-major matrix, or along its rows. */
  function writePanels(at: number, weight: Int8Array, alongInputs: boolean): void {
    for (let n = 0; n < outputs; n++) {
      for (let k = 0; k < inputs; k++) {
        const [inner, column, depth] = alongInputs ? [k, n, inputs] : [n, k, outputs];
        const index = (column >> 3) * depth * 8 + (inner >> 1) * 16 + (column & 7) * 2 + (inner & 1);
        halves[at / 2 + index] = weight[n * inputs + k] as number;
      }
    }
  }

  for (const shift of [0, 1, 9, 24, -1, -8]) {
    test(`forward, shift ${shift}`, () => {
      const x = Int8Array.from(list(rows * inputs, 127));
      const weight = Int8Array.from(list(outputs * inputs, 127));
      const bias = list(outputs, WEIGHT_LIMIT);
      halves.set(x, A / 2);
      writePanels(B, weight, true);
      words.set(bias, C / 4);
      const sums = new Int32Array(rows * outputs);
      multiplyForward(rowsOf(x, rows, inputs), weight, 0, outputs, inputs, sums);
      const total = sums.map((sum, i) => roundShift(sum, shift) + roundShift(bias[i % outputs] as number, 14));
      kernels.multiplyForward(A, inputs * 2, 0, rows, B, inputs, outputs, C, 14, shift, 0, D, SCRATCH);
      expect(Int32Array.from(halves.subarray(D / 2, D / 2 + total.length))).toEqual(total.map(clampActivation));
      kernels.multiplyForward(A, inputs * 2, 0, rows, B, inputs, outputs, C, 14, shift, 1, D, SCRATCH);
      expect(words.slice(D / 4, D / 4 + total.length)).toEqual(total.map((value) => clamp(value, 1 << 20)));
    });

    test(`backward, shift ${shift}, sums that wrap`, () => {
      const g = Int16Array.from(list(rows * outputs, 32639));
      const weight = Int8Array.from(list(outputs * inputs, 127));
      halves.set(g, A / 2);
      writePanels(B, weight, false);
      const sums = new Int32Array(rows * inputs);
      multiplyBackward(rowsOf(g, rows, outputs), weight, 0, outputs, inputs, sums);
      const wanted = sums.map((sum) => clampGradient(roundShift(sum, shift)));
      kernels.multiplyBackward(A, 0, rows, B, outputs, 0, inputs / 8, shift, D, SCRATCH);
      expect(words.slice(D / 4, D / 4 + wanted.length)).toEqual(wanted);
    });
  }
});

describe("quantisers", () => {
  for (let shift = 0; shift <= 8; shift++) {
    test(`activations by ${shift}`, () => {
      const x = list(4096, 32767);
      halves.set(x, A / 2);
      const largest = kernels.quantiseActivation(A, x.length, shift, B);
      expect(largest).toBe(x.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
      const wanted = x.map((value) => clamp(roundShift(value, shift), 127));
      expect(Int32Array.from(halves.subarray(B / 2, B / 2 + x.length))).toEqual(wanted);
    });
  }

  for (const [shift, limit] of [
    [0, 32639],
    [13, 32639],
    [19, 511],
  ] as const) {
    test(`gradients by ${shift} to ${limit}`, () => {
      const x = list(4096, 2 ** 27);
      words.set(x, A / 4);
      expect(kernels.quantiseGradient(A, x.length, shift, limit, B)).toBe(2 ** 27);
      const wanted = x.map((value) => clamp(roundShift(value, shift), limit));
      expect(Int32Array.from(halves.subarray(B / 2, B / 2 + x.length))).toEqual(wanted);
    });
  }
});

describe("frequencies", () => {
  const table = luts();
  const exponentials = new Uint16Array(memory.buffer, E, DIFFERENCES);
  for (let i = 0; i < DIFFERENCES; i++) exponentials[i] = expNegative(table, i);

  test("no exponential is left out", () => {
    expect(exponentials[0]).toBe(65535);
    expect(exponentials[DIFFERENCES - 1]).toBe(0);
    expect(expNegative(table, DIFFERENCES)).toBe(0);
    expect(expNegative(table, 65534)).toBe(0);
  });

  const rows: Record<string, (v: number) => number> = {
    "all alike": () => -32767,
    "one above all others": (v) => (v === 200 ? 32767 : -32767),
    "two alike at the top": (v) => (v % 255 === 0 ? 3000 : -9000),
    "every difference that counts": (v) => 32767 - 48 * v,
    random: () => draw(32767),
    "random and close": () => draw(900),
  };
  for (const [name, logit] of Object.entries(rows)) {
    test(name, () => {
      const x = Int32Array.from({ length: 1024 }, (_, i) => logit(i & 255));
      halves.set(x, A / 2);
      kernels.frequencies(E, A, 1, 4, B);
      const wanted = new Int32Array(1024);
      for (let row = 1; row < 4; row++) frequencies(table, x, row * 256, wanted, row * 256);
      expect(words.slice(B / 4 + 256, B / 4 + 1024)).toEqual(wanted.subarray(256));
    });
  }
});

test("mulRound: slopes of any i32 gradient", () => {
  const d = list(4096, 2 ** 31 - 1);
  const slope = list(4096, 32767);
  words.set(d, A / 4);
  halves.set(slope, B / 2);
  kernels.throughSlope(A, B, d.length, C);
  expect(words.slice(C / 4, C / 4 + d.length)).toEqual(d.map((value, i) => mulRound(value, slope[i] as number, 14)));
});

describe("optimizer", () => {
  /** Runs one update of masters, moments and squares, and compares with the contract's formulas. */
  function expectUpdate(given: {
    gradient: Int32Array;
    moment: Int32Array;
    square: Int32Array;
    left: number;
    moved: number;
    rate: number;
    dither: number;
  }): void {
    const { gradient, left, moved, rate, dither } = given;
    const count = gradient.length;
    const master = list(count, WEIGHT_LIMIT);
    words.set(gradient, A / 4);
    words.set(master, B / 4);
    words.set(given.moment, C / 4);
    words.set(given.square, D / 4);
    kernels.beginTensor(E, left, moved, rate, 17, 32767, dither);
    kernels.trainVector(E, A, 1, 0, count, B, C - B, 0, SCRATCH);
    let largest = 0;
    let bits = 0;
    for (let i = 0; i < count; i++) {
      const g = alignGradient(gradient[i] as number, left);
      const m = moveMoment(given.moment[i] as number, moved);
      const v = moveSquare(given.square[i] as number, moved);
      const top = roundShift(g, 8);
      const newMoment = m + roundShift(g - m, 3);
      const newSquare = v + ((((top * top) << 2) - v + dither) >> 9);
      const step = roundShift(momentRatio(newMoment, newSquare) * rate, 12);
      const newMaster = clamp((master[i] as number) - step, WEIGHT_LIMIT);
      largest = Math.max(largest, Math.abs(newMaster));
      bits |= Math.abs(gradient[i] as number);
      if (words[C / 4 + i] !== newMoment || words[D / 4 + i] !== newSquare || words[B / 4 + i] !== newMaster) {
        const got = [words[C / 4 + i], words[D / 4 + i], words[B / 4 + i]].join(", ");
        throw new Error(`element ${i}: got ${got}, wanted ${newMoment}, ${newSquare}, ${newMaster}`);
      }
    }
    expect(kernels.seenWeight(E)).toBe(largest);
    expect(Math.clz32(kernels.seenGradient(E))).toBe(Math.clz32(bits));
  }

  const LIMIT = (1 << 22) - 1;
  const squares = (count: number) => list(count, 1 << 30).map(Math.abs);

  for (const left of [0, -1, -7, -31, -40, 1, 5, 22, 31, 40]) {
    for (const moved of [0, 1, 3, 16, 40, -1]) {
      test(`aligned by ${left}, moments moved by ${moved}`, () => {
        const gradient = list(512, 2 ** 31 - 1);
        expectUpdate({ gradient, moment: list(512, LIMIT), square: squares(512), left, moved, rate: 16384, dither: 5 });
      });
    }
  }

  for (const left of [-8, -7, -6, -3, -1, 0, 1, 5, 20]) {
    for (const rate of [1, 27_000, 32_767, 32_768]) {
      test(`gradients that just fit, aligned by ${left}, rate ${rate}`, () => {
        const gradient = list(512, 2 ** (21 - left) - 1);
        expectUpdate({ gradient, moment: list(512, LIMIT), square: squares(512), left, moved: 0, rate, dither: 77 });
      });
    }
  }

  test("ratios where the inverse root's eight bits change", () => {
    const moments: number[] = [];
    const found: number[] = [];
    for (let exponent = 0; exponent <= 30; exponent++) {
      for (let mantissa = 128; mantissa < 256; mantissa++) {
        const edge = Math.floor((mantissa * 2 ** exponent) / 128);
        // No gradient: a square falls by a 512th, so what lies beside the edge comes from slightly above it.
        for (const beside of [-1, 0, 1]) {
          const target = edge + beside;
          const from = Math.floor((target * 512) / 511);
          for (const square of [from - 1, from, from + 1]) {
            if (square < 0 || square > 1 << 30) continue;
            found.push(square);
            moments.push([LIMIT, -LIMIT, 1000, -31, 64, -96][found.length % 6] as number);
          }
        }
      }
    }
    const count = found.length - (found.length % 8);
    const moment = Int32Array.from(moments.slice(0, count));
    const square = Int32Array.from(found.slice(0, count));
    const gradient = new Int32Array(count);
    for (const rate of [1, 65535]) {
      expectUpdate({ gradient, moment, square, left: 0, moved: 0, rate, dither: 256 });
    }
  });
});

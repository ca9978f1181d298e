/** The reference model as a whole: both directions agree, it learns, and its numbers are pinned. */
import { describe, expect, test } from "bun:test";
import { FREQUENCY_TOTAL } from "../../src/coder/frequency.ts";
import { HyperParameterError, type HyperParameters } from "../../src/model/hyper.ts";
import { ReferenceModel } from "../../src/model/reference/engine.ts";
import { hashOf } from "./hash.ts";
import { historyOf, noiseBytes, TINY, textBytes } from "./tiny.ts";

type Source = (step: number, streams: number) => Uint8Array;

/** Everything that outlives a step. */
function stateHash({ state }: ReferenceModel): string {
  const { master, moment, square, copy, embedding, exponents, gradientScales, cache } = state;
  const { shift, copyShift, held } = exponents;
  const { scale, moved, window } = gradientScales;
  return hashOf(
    master,
    moment,
    square,
    copy,
    embedding,
    shift,
    copyShift,
    held,
    scale,
    moved,
    window,
    cache,
    historyOf(state),
  );
}

function concatenated(source: Source, stepCount: number, streams: number): Uint8Array {
  const bytes = new Uint8Array(stepCount * streams);
  for (let step = 0; step < stepCount; step++) bytes.set(source(step, streams), step * streams);
  return bytes;
}

/** Trains on `source` and returns the model with the ideal code length of each step in bits. */
async function trained(hyper: HyperParameters, source: Source, stepCount: number) {
  const { streams } = hyper;
  const model = new ReferenceModel(hyper);
  const intervals = new Uint32Array(2 * stepCount * streams);
  await model.encodeSteps(concatenated(source, stepCount, streams), stepCount, intervals);
  const bits = Array.from({ length: stepCount }, (_, step) => {
    let sum = 0;
    for (let b = 0; b < streams; b++) {
      sum -= Math.log2((intervals[2 * (step * streams + b) + 1] as number) / FREQUENCY_TOTAL);
    }
    return sum / streams;
  });
  return { model, intervals, bits };
}

const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("compression and decompression", () => {
  for (const streams of [1, 3, 4]) {
    test(`see the same frequencies and end in the same state, ${streams} streams`, async () => {
      const hyper = { ...TINY, streams };
      const stepCount = 20;
      const { model: encoder, intervals } = await trained(hyper, textBytes, stepCount);
      const decoder = new ReferenceModel(hyper);
      const ends = new Uint32Array(streams * 256);
      for (let step = 0; step < stepCount; step++) {
        await decoder.predict(ends);
        const bytes = textBytes(step, streams);
        bytes.forEach((byte, b) => {
          const start = byte === 0 ? 0 : (ends[b * 256 + byte - 1] as number);
          const at = 2 * (step * streams + b);
          expect([start, (ends[b * 256 + byte] as number) - start]).toEqual([intervals[at]!, intervals[at + 1]!]);
        });
        await decoder.learn(bytes);
      }
      expect(stateHash(decoder)).toBe(stateHash(encoder));
    });
  }

  test("chunks do not matter", async () => {
    const whole = (await trained(TINY, noiseBytes, 12)).model;
    const parts = new ReferenceModel(TINY);
    const bytes = concatenated(noiseBytes, 12, TINY.streams);
    for (const [from, to] of [
      [0, 5],
      [5, 6],
      [6, 12],
    ] as const) {
      const steps = to - from;
      const chunk = bytes.subarray(from * TINY.streams, to * TINY.streams);
      await parts.encodeSteps(chunk, steps, new Uint32Array(2 * steps * TINY.streams));
    }
    expect(stateHash(parts)).toBe(stateHash(whole));
  });
});

describe("learning", () => {
  test("a repeated text is soon predicted", async () => {
    const { bits } = await trained({ ...TINY, learningRate: 1 << 15 }, textBytes, 500);
    expect(Math.abs(average(bits.slice(0, 4)) - 8)).toBeLessThan(0.1); // no update has happened
    expect(average(bits.slice(-50))).toBeLessThan(3);
  });

  test("one repeated byte costs next to nothing", async () => {
    const { bits } = await trained(TINY, (_, streams) => new Uint8Array(streams).fill(65), 150);
    expect(average(bits.slice(-10))).toBeLessThan(0.15);
  });

  test("noise costs no more than its eight bits by much", async () => {
    const { bits } = await trained(TINY, noiseBytes, 150);
    expect(average(bits)).toBeLessThan(8.6);
  });
});

describe("the contract", () => {
  /**
   * All weights after training. These hashes change only when the numeric contract changes, and then every archive
   * written before becomes unreadable: raise the format's version, say why in docs/NUMERICS.md, and only then put the
   * received value here. If you did not mean to change the contract, your change is wrong. Last reason: contract
   * changed before the first release: Q10 activations, finer second moments.
   */
  const GOLDEN = {
    "text, 40 steps": [TINY, textBytes, 40, "2dbbc11a0e57029c"],
    "noise, 40 steps": [TINY, noiseBytes, 40, "da77c59b71469392"],
    "three streams, one cache slot, 20 steps": [
      { ...TINY, streams: 3, globalHidden: 32, slot: 32 },
      textBytes,
      20,
      "daf5038dac176c6e",
    ],
    "wide history, 20 steps": [{ ...TINY, history: 64, streams: 2 }, textBytes, 20, "c172f25d526587c5"],
    "past two falls of the gradient scales, 140 steps": [TINY, textBytes, 140, "a378f19e2322505d"],
  } as const;

  for (const [name, [hyper, source, stepCount, hash]] of Object.entries(GOLDEN)) {
    test(`has not changed: ${name}`, async () => {
      const { model } = await trained(hyper, source, stepCount);
      expect(hashOf(model.state.master)).toBe(hash);
    });
  }

  test("every state array holds what its type says: nothing rests on doubles", async () => {
    const { model } = await trained({ ...TINY, learningRate: 65535 }, noiseBytes, 60);
    const { master, moment, square } = model.state;
    expect(master.every((value) => Math.abs(value) <= 2 ** 30)).toBe(true);
    expect(moment.every((value) => Math.abs(value) < 2 ** 22)).toBe(true);
    expect(square.every((value) => value >= 0 && value <= 2 ** 30)).toBe(true);
    expect(model.state.copy.every((value) => value >= -127)).toBe(true);
  });

  test("hyper-parameters outside the contract are refused by name", () => {
    const refused = (hyper: HyperParameters) => {
      try {
        new ReferenceModel(hyper);
      } catch (error) {
        return error instanceof HyperParameterError ? error.field : error;
      }
      return undefined;
    };
    expect(refused({ ...TINY, history: 6 })).toBe("history");
    expect(refused({ ...TINY, history: 64, embedding: 32 })).toBe("embedding");
    expect(refused({ ...TINY, slot: 6 })).toBe("slot");
    expect(refused({ ...TINY, globalHidden: 48 })).toBe("globalHidden");
    expect(refused({ ...TINY, fineHidden: 16384 })).toBe("fineHidden");
    expect(refused({ ...TINY, coarseHidden: 8 })).toBe("coarseHidden");
    expect(refused({ ...TINY, streams: 16385 })).toBe("streams");
    for (const learningRate of [63, 64.5, 65536]) expect(refused({ ...TINY, learningRate })).toBe("learningRate");
  });
});

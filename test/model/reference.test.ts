/** The reference model as a whole: both directions agree, it learns, and its numbers are pinned. */
import { describe, expect, test } from "bun:test";
import { FREQUENCY_TOTAL } from "../../src/contract/frequency.ts";
import { HyperParameterError, type HyperParameters } from "../../src/contract/hyper.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { hashOf, inPinnedOrder } from "./hash.ts";
import { noiseBytes, TINY, TINY_RECALL, textBytes } from "./tiny.ts";

type Source = (step: number, streams: number) => Uint8Array;

/** Everything that outlives a step. */
function stateHash({ state }: ReferenceModel): string {
  const { master, moment, square, copy, embedding, exponents, gradientScales, cache, recall } = state;
  const { shift, copyShift, held } = exponents;
  const { slots, tables, boosts, word, previousWord, past } = recall;
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
    slots,
    ...tables,
    boosts,
    word,
    previousWord,
    past,
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
  await model.fillIntervals(concatenated(source, stepCount, streams), stepCount, intervals);
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
  const models: readonly (readonly [hyper: HyperParameters, stepCount: number])[] = [
    [{ ...TINY, streams: 1 }, 20],
    [{ ...TINY, streams: 3 }, 20],
    [{ ...TINY, streams: 4 }, 20],
    [{ ...TINY_RECALL, trainEvery: 2 }, 60],
  ];
  for (const [hyper, stepCount] of models) {
    const { streams, contexts } = hyper;
    test(`see the same frequencies and end in the same state, ${streams} streams, ${contexts} contexts`, async () => {
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
      await parts.fillIntervals(chunk, steps, new Uint32Array(2 * steps * TINY.streams));
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

describe("recall", () => {
  /** Noise, then the same again: farther back than the history and the cache reach. */
  const DISTANCE = 200;
  const twice: Source = (step, streams) => noiseBytes(step % DISTANCE, streams);

  test("a repeat beyond the history is predicted by a model with contexts, and by no other", async () => {
    const cost = async (hyper: HyperParameters) => {
      const { bits } = await trained(hyper, twice, 2 * DISTANCE);
      return { first: average(bits.slice(0, DISTANCE)), again: average(bits.slice(DISTANCE)) };
    };
    const without = await cost(TINY);
    const remembering = await cost(TINY_RECALL);
    for (const { first } of [without, remembering]) expect(Math.abs(first - 8)).toBeLessThan(0.1);
    expect(without.again).toBeGreaterThan(7);
    expect(remembering.again).toBeLessThan(3);
  });

  test("what one stream has read serves the others", async () => {
    // Stream 0 reads the noise first; the others read what never came before, and then the same.
    const source: Source = (step, streams) => {
      const own = noiseBytes(step, streams);
      return step < DISTANCE ? own : own.fill(noiseBytes(step - DISTANCE, 1)[0] as number, 1);
    };
    const cost = async (hyper: HyperParameters) => {
      const { intervals } = await trained(hyper, source, 2 * DISTANCE);
      let bits = 0;
      for (let step = DISTANCE; step < 2 * DISTANCE; step++) {
        bits -= Math.log2((intervals[2 * (step * hyper.streams + 1) + 1] as number) / FREQUENCY_TOTAL);
      }
      return bits / DISTANCE;
    };
    expect(await cost(TINY)).toBeGreaterThan(7);
    expect(await cost(TINY_RECALL)).toBeLessThan(3);
  });
});

describe("the contract", () => {
  /**
   * All weights after training. These hashes change only when the numeric contract changes, and then every archive
   * written before becomes unreadable: raise the format's version, say why in docs/NUMERICS.md, and only then put the
   * received value here. If you did not mean to change the contract, your change is wrong. Last reason: contract 2.
   * The learning rate falls like 1 / sqrt(1 + update / 4096), which moved all hashes that stood here before (with the
   * old rates they are the old ones); the recall stream and GeGLU's limit of 16 have runs of their own.
   */
  const GOLDEN = {
    "text, 40 steps": [TINY, textBytes, 40, "4809c5d326a7bb15"],
    "noise, 40 steps": [TINY, noiseBytes, 40, "24dd9dc7df7c53e1"],
    "three streams, one cache slot, 20 steps": [
      { ...TINY, streams: 3, globalHidden: 32, cacheStep: 32 },
      textBytes,
      20,
      "6b0b706aeee5bfc6",
    ],
    "wide history, 20 steps": [{ ...TINY, history: 64, streams: 2 }, textBytes, 20, "8bc18311ed632a9c"],
    "past two falls of the gradient scales, 140 steps": [TINY, textBytes, 140, "26f2751dd557165c"],
    "recall, 140 steps": [TINY_RECALL, textBytes, 140, "6be3bfd209174129"],
    "GeGLUs that saturate, 400 steps": [{ ...TINY, learningRate: 65535 }, textBytes, 400, "6cceadd80a55cc09"],
  } as const;

  for (const [name, [hyper, source, stepCount, hash]] of Object.entries(GOLDEN)) {
    test(`has not changed: ${name}`, async () => {
      const { model } = await trained(hyper, source, stepCount);
      const { layout, master } = model.state;
      expect(hashOf(inPinnedOrder(layout, master))).toBe(hash);
    });
  }

  test("has not changed: what recall keeps after 140 steps", async () => {
    const { model } = await trained(TINY_RECALL, textBytes, 140);
    const { slots, tables, boosts, word, previousWord } = model.state.recall;
    expect(hashOf(slots, ...tables, boosts, word, previousWord)).toBe("5d1d9c571222759a");
  });

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
    expect(refused({ ...TINY, cacheStep: 6 })).toBe("cacheStep");
    expect(refused({ ...TINY, globalHidden: 48 })).toBe("globalHidden");
    expect(refused({ ...TINY, fineHidden: 16384 })).toBe("fineHidden");
    expect(refused({ ...TINY, coarseHidden: 8 })).toBe("coarseHidden");
    expect(refused({ ...TINY, streams: 16385 })).toBe("streams");
    for (const learningRate of [63, 64.5, 65536]) expect(refused({ ...TINY, learningRate })).toBe("learningRate");
  });
});

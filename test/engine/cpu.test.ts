/**
 * The CPU engine against the reference: the same frequencies, weights, moments and exponents after every step, for
 * any number of threads and streams, compressing and decompressing.
 */
import { describe, expect, test } from "bun:test";
import { SEQUENCE } from "../../src/contract/contexts.ts";
import { type HyperParameters, TRAIN_ALWAYS_STEPS } from "../../src/contract/hyper.ts";
import { CpuModel as Cpu, createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { CpuLayout } from "../../src/engine/cpu/layout.ts";
import { EngineLimitError } from "../../src/engine/engine.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { networkShape, PAPER } from "../../src/model/levels.ts";
import { textBytes as plainBytes, TINY, TINY_RECALL } from "../model/tiny.ts";
import { expectSameCpuState, expectSameMemory } from "../support/same-cpu-state.ts";

/** Text, then a stretch of noise: magnitudes rise and fall, so exponents move both ways. */
function bytesAt(step: number, streams: number): Uint8Array {
  const text = plainBytes(step, streams);
  return step % 50 < 40 ? text : text.map((byte, stream) => (byte * 167 + step * 31 + stream * 89) & 255);
}

interface Comparison {
  /** The whole state is compared in every so many steps. */
  readonly every?: number;
  /** The same from this step on. */
  readonly from?: number;
  /** What the data is like from a step on. */
  readonly strides?: Readonly<Record<number, number>>;
}

/** Trains both for `steps` and compares intervals, and the whole state in some steps and after the last. */
async function compareModels(
  hyper: HyperParameters,
  threads: number,
  steps: number,
  { every = 1, from = 0, strides = {} }: Comparison = {},
): Promise<void> {
  const cpu = await Cpu.open(hyper, threads);
  const reference = new ReferenceModel(hyper);
  const mine = new Uint32Array(2 * hyper.streams);
  const wanted = new Uint32Array(2 * hyper.streams);
  for (let step = 0; step < steps; step++) {
    const bytes = bytesAt(step, hyper.streams);
    const stride = strides[step];
    if (stride !== undefined) for (const model of [cpu, reference]) await model.describe({ stride });
    await cpu.fillIntervals(bytes, 1, mine);
    await reference.fillIntervals(bytes, 1, wanted);
    expect(mine, `intervals of step ${step}`).toEqual(wanted);
    if ((step % every === 0 && step >= from) || step === steps - 1)
      expectSameCpuState(cpu.inspect(), reference, `after step ${step}: `);
  }
  await cpu.close();
}

describe("CPU engine equals the reference", () => {
  test("whole state, 300 steps, 2 threads", () => compareModels({ ...TINY, streams: 8 }, 2, 300, { every: 3 }));

  for (const streams of [1, 3, 65]) {
    test(`${streams} streams`, () => compareModels({ ...TINY, streams }, 3, 12));
  }

  const shapes: Record<string, Partial<HyperParameters>> = {
    "the default level": { ...networkShape(5), streams: 5 },
    "many short embeddings": { history: 64, embedding: 8, streams: 2 },
    "few long embeddings": { history: 4, embedding: 64, cacheStep: 4, streams: 3 },
    "one slot for the whole cache": { globalHidden: 256, cacheStep: 256, streams: 2 },
    "products in more than one chunk": { globalHidden: 2080, cacheStep: 4, fineHidden: 1088, streams: 2 },
    "the widest coarse refiner": { coarseHidden: 128, streams: 2 },
    "the highest learning rate": { learningRate: 65535, streams: 4 },
    "the lowest learning rate": { learningRate: 64, streams: 4 },
  };
  for (const [name, change] of Object.entries(shapes)) {
    test(name, () => compareModels({ ...TINY, ...change }, 2, 8));
  }

  test("many streams: narrower gradient operands, rows in more than one chunk", async () => {
    await compareModels({ ...TINY, streams: 1100 }, 2, 6);
  });
});

describe("the recall stream equals the reference's", () => {
  /** From words to long contexts, to strides and back, in the middle of the stream. */
  const strides = { 5: SEQUENCE, 9: 3, 18: 64, 27: 4095, 36: 0 };
  const SMALL = { ...TINY_RECALL, slotBits: 8 };

  const shapes: Record<string, Partial<HyperParameters>> = {
    "4 contexts without tables": { contexts: 4, tables: 0, streams: 5 },
    "12 contexts, one table": { contexts: 12, tables: 1, streams: 9 },
    "20 contexts, all tables": { contexts: 20, tables: 6, streams: 8 },
    "five tables": { contexts: 4, tables: 5, streams: 6 },
    "tables without contexts": { contexts: 0, tables: 3, streams: 6 },
    "a long history": { contexts: 8, tables: 2, history: 32, streams: 3 },
    "tables of more rows": { contexts: 16, tables: 4, tableBits: 11, slotBits: 12, streams: 7 },
  };
  for (const [name, change] of Object.entries(shapes)) {
    for (const threads of [1, 2, 3]) {
      const hyper = { ...SMALL, ...change };
      test(`${name}, ${threads} threads`, () => compareModels(hyper, threads, 45, { every: 4, strides }));
    }
  }

  test("slots that many streams want at once", async () => {
    const hyper = { ...SMALL, contexts: 12, tables: 3, streams: 300 };
    await compareModels(hyper, 3, 24, { every: 3, strides: { 12: 3 } });
  });

  test("slots that differ but have the same owner", async () => {
    // Hundreds of streams in 2^18 slots of which 2^16 have owners: some pairs in each context and step.
    await compareModels({ ...SMALL, contexts: 4, slotBits: 18, streams: 900 }, 2, 5, { every: 2 });
  });

  test("so many streams that tables and boosts learn more slowly", async () => {
    await compareModels({ ...SMALL, contexts: 4, tables: 4, streams: 1100 }, 2, 6, { every: 2 });
  });

  test("the default level", () => compareModels({ ...networkShape(5), streams: 5 }, 2, 12, { every: 4 }));

  for (const trainEvery of [2, 5]) {
    test(`training in every step, then in one of ${trainEvery}`, async () => {
      const smallest = { globalHidden: 32, cacheStep: 4, coarseHidden: 16, streams: 4 };
      const from = TRAIN_ALWAYS_STEPS - 4;
      await compareModels({ ...SMALL, ...smallest, trainEvery }, 2, TRAIN_ALWAYS_STEPS + 30, { from });
    });
  }
});

describe("CPU engine", () => {
  test("threads do not matter", async () => {
    // More steps than one command takes, and more threads than cores: waits of all kinds, and late wake-ups.
    const hyper = { ...TINY_RECALL, contexts: 8, streams: 21 };
    const steps = 300;
    const bytes = new Uint8Array(steps * hyper.streams);
    for (let step = 0; step < steps; step++) bytes.set(bytesAt(step, hyper.streams), step * hyper.streams);
    const results = [];
    for (const threads of [1, 2, 3, 5]) {
      const model = await Cpu.open(hyper, threads);
      const intervals = new Uint32Array(bytes.length * 2);
      await model.fillIntervals(bytes, steps, intervals);
      const { master, moment, square, slots, tables, boosts } = model.inspect();
      results.push({ intervals, master, moment, square, slots, tables, boosts });
      await model.close();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(results[3]).toEqual(results[0]);
  });

  test("decoding sees the tables that encoding used", async () => {
    const hyper = { ...TINY_RECALL, streams: 9 };
    const encoder = await Cpu.open(hyper, 2);
    const decoder = await Cpu.open(hyper, 2);
    const intervals = new Uint32Array(2 * hyper.streams);
    const ends = new Uint32Array(256 * hyper.streams);
    for (let step = 0; step < 40; step++) {
      const bytes = bytesAt(step, hyper.streams);
      if (step === 20) for (const model of [encoder, decoder]) await model.describe({ stride: 5 });
      await encoder.fillIntervals(bytes, 1, intervals);
      await decoder.predict(ends);
      await decoder.learn(bytes);
      for (let stream = 0; stream < hyper.streams; stream++) {
        const byte = bytes[stream] as number;
        const end = ends[stream * 256 + byte] as number;
        const start = byte === 0 ? 0 : (ends[stream * 256 + byte - 1] as number);
        expect([start, end - start]).toEqual([...intervals.subarray(2 * stream, 2 * stream + 2)]);
      }
    }
    const [decoded, encoded] = [decoder.inspect(), encoder.inspect()];
    expect(decoded.master).toEqual(encoded.master);
    expectSameMemory(decoded, encoded, "after decoding: ");
    await encoder.close();
    await decoder.close();
  });

  test("the paper's model opens and runs", async () => {
    const model = await Cpu.open({ ...PAPER, streams: 12 }, 2);
    const intervals = new Uint32Array(24);
    await model.fillIntervals(bytesAt(0, 12), 1, intervals);
    for (let stream = 0; stream < 12; stream++) expect(intervals[2 * stream + 1]).toBeGreaterThan(0);
    await model.close();
  });

  test("a model beyond 4 GiB is refused before anything is allocated", async () => {
    const engine = await createCpuEngine({ threads: 1 });
    const hyper = { ...PAPER, coarseHidden: 128, streams: 16384 };
    await expect(engine.openModel(hyper)).rejects.toBeInstanceOf(EngineLimitError);
  });

  test("slots and tables count when a model is too large", () => {
    const hyper = { ...PAPER, streams: 4096 };
    expect(new CpuLayout(hyper, 1).pages).toBeLessThan(65536);
    const memory = { contexts: 20, slotBits: 24, tables: 4, tableBits: 18 };
    expect(() => new CpuLayout({ ...hyper, ...memory }, 1)).toThrow(EngineLimitError);
  });

  test("memory that no step touches costs nothing", async () => {
    const before = process.memoryUsage.rss();
    const model = await Cpu.open({ ...TINY, contexts: 20, slotBits: 24, tables: 4, tableBits: 17, streams: 4 }, 2);
    await model.fillIntervals(bytesAt(0, 4), 1, new Uint32Array(8));
    // 1.3 GiB of slots and half a GiB of tables.
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
    await model.close();
  });

  test("a stride out of reach is refused, and nothing changes", async () => {
    const model = await Cpu.open({ ...TINY_RECALL, streams: 3 }, 1);
    const plan = () => Array.from(new Int32Array(model.inspect().buffer, model.inspect().at.recall.plan, 60));
    const before = plan();
    await expect(model.describe({ stride: 4096 })).rejects.toBeInstanceOf(RangeError);
    expect(plan()).toEqual(before);
    await model.describe({ stride: 4095 });
    expect(plan()).not.toEqual(before);
    await model.close();
  });
});

/**
 * The CPU engine against the reference: the same frequencies, weights, moments and exponents after every step, for
 * any number of threads and streams, compressing and decompressing.
 */
import { describe, expect, test } from "bun:test";
import { buildAssembly } from "../../src/engine/cpu/assembly/build.ts";
import type { CpuModel } from "../../src/engine/cpu/engine.ts";
import { EngineLimitError } from "../../src/engine/engine.ts";
import { type HyperParameters, PAPER, shapeOfLevel } from "../../src/model/hyper.ts";
import { ReferenceModel } from "../../src/model/reference/engine.ts";
import { textBytes as plainBytes, TINY } from "../model/tiny.ts";

await buildAssembly();
const { CpuModel: Cpu, createCpuEngine } = await import("../../src/engine/cpu/engine.ts");

/** Text, then a stretch of noise: magnitudes rise and fall, so exponents move both ways. */
function bytesAt(step: number, streams: number): Uint8Array {
  const text = plainBytes(step, streams);
  return step % 50 < 40 ? text : text.map((byte, stream) => (byte * 167 + step * 31 + stream * 89) & 255);
}

/** Everything that outlives a step. */
function expectSameState(cpu: CpuModel, { state }: ReferenceModel, step: number): void {
  const seen = cpu.inspect();
  const { at, buffer } = seen;
  const where = `after step ${step}`;
  expect(seen.exponents.held, where).toEqual(state.exponents.held);
  expect(seen.exponents.shift, where).toEqual(state.exponents.shift);
  expect(seen.exponents.copyShift, where).toEqual(state.exponents.copyShift);
  expect(seen.gradientScales.scale, where).toEqual(state.gradientScales.scale);
  expect(seen.gradientScales.moved, where).toEqual(state.gradientScales.moved);
  expect(seen.gradientScales.window, where).toEqual(state.gradientScales.window);
  for (const { name, offset, size } of at.layout.tensors) {
    for (const kind of ["master", "moment", "square"] as const) {
      const mine = seen[kind].subarray(offset, offset + size);
      const wanted = state[kind].subarray(offset, offset + size);
      if (mine.some((value, i) => value !== wanted[i])) throw new Error(`${kind} of ${name} differs ${where}`);
    }
  }
  const { streams, history, globalHidden } = at.hyper;
  const histories = new Uint8Array(buffer, at.history, streams * history);
  expect(Uint8Array.from(histories), where).toEqual(Uint8Array.from(state.history));
  const ring = new Int16Array(buffer, at.activations.ring, streams * globalHidden);
  expect(Int32Array.from(ring), where).toEqual(Int32Array.from(state.cache));
}

/** Trains both for `steps` and compares intervals and, every `every` steps, the whole state. */
async function compareModels(hyper: HyperParameters, threads: number, steps: number, every = 1): Promise<void> {
  const cpu = await Cpu.open(hyper, threads);
  const reference = new ReferenceModel(hyper);
  const mine = new Uint32Array(2 * hyper.streams);
  const wanted = new Uint32Array(2 * hyper.streams);
  for (let step = 0; step < steps; step++) {
    const bytes = bytesAt(step, hyper.streams);
    await cpu.encodeSteps(bytes, 1, mine);
    await reference.encodeSteps(bytes, 1, wanted);
    expect(mine, `intervals of step ${step}`).toEqual(wanted);
    if (step % every === 0 || step === steps - 1) expectSameState(cpu, reference, step);
  }
  await cpu.close();
}

describe("CPU engine equals the reference", () => {
  test("whole state, 300 steps, 2 threads", () => compareModels({ ...TINY, streams: 8 }, 2, 300, 3), 60_000);

  for (const streams of [1, 3, 65]) {
    test(`${streams} streams`, () => compareModels({ ...TINY, streams }, 3, 12), 30_000);
  }

  const shapes: Record<string, Partial<HyperParameters>> = {
    "the default level": { ...shapeOfLevel(5), streams: 5 },
    "many short embeddings": { history: 64, embedding: 8, streams: 2 },
    "few long embeddings": { history: 4, embedding: 64, slot: 4, streams: 3 },
    "one slot for the whole cache": { globalHidden: 256, slot: 256, streams: 2 },
    "products in more than one chunk": { globalHidden: 2080, slot: 4, fineHidden: 1088, streams: 2 },
    "the widest coarse refiner": { coarseHidden: 128, streams: 2 },
    "the highest learning rate": { learningRate: 65535, streams: 4 },
    "the lowest learning rate": { learningRate: 64, streams: 4 },
  };
  for (const [name, change] of Object.entries(shapes)) {
    test(name, () => compareModels({ ...TINY, ...change }, 2, 8), 60_000);
  }

  test("many streams: narrower gradient operands, rows in more than one chunk", async () => {
    await compareModels({ ...TINY, streams: 1100 }, 2, 6);
  }, 60_000);
});

describe("CPU engine", () => {
  test("threads do not matter", async () => {
    // More steps than one command takes, and more threads than cores: waits of all kinds, and late wake-ups.
    const hyper = { ...TINY, streams: 21 };
    const steps = 300;
    const bytes = new Uint8Array(steps * hyper.streams);
    for (let step = 0; step < steps; step++) bytes.set(bytesAt(step, hyper.streams), step * hyper.streams);
    const results = [];
    for (const threads of [1, 2, 3, 5]) {
      const model = await Cpu.open(hyper, threads);
      const intervals = new Uint32Array(bytes.length * 2);
      await model.encodeSteps(bytes, steps, intervals);
      const { master, moment, square } = model.inspect();
      results.push({ intervals, master, moment, square });
      await model.close();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(results[3]).toEqual(results[0]);
  }, 30_000);

  test("decoding sees the tables that encoding used", async () => {
    const hyper = { ...TINY, streams: 9 };
    const encoder = await Cpu.open(hyper, 2);
    const decoder = await Cpu.open(hyper, 2);
    const intervals = new Uint32Array(2 * hyper.streams);
    const ends = new Uint32Array(256 * hyper.streams);
    for (let step = 0; step < 40; step++) {
      const bytes = bytesAt(step, hyper.streams);
      await encoder.encodeSteps(bytes, 1, intervals);
      await decoder.predict(ends);
      await decoder.learn(bytes);
      for (let stream = 0; stream < hyper.streams; stream++) {
        const byte = bytes[stream] as number;
        const end = ends[stream * 256 + byte] as number;
        const start = byte === 0 ? 0 : (ends[stream * 256 + byte - 1] as number);
        expect([start, end - start]).toEqual([...intervals.subarray(2 * stream, 2 * stream + 2)]);
      }
    }
    expect(decoder.inspect().master).toEqual(encoder.inspect().master);
    await encoder.close();
    await decoder.close();
  }, 30_000);

  test("the paper's model opens and runs", async () => {
    const model = await Cpu.open({ ...PAPER, streams: 12 }, 2);
    const intervals = new Uint32Array(24);
    await model.encodeSteps(bytesAt(0, 12), 1, intervals);
    for (let stream = 0; stream < 12; stream++) expect(intervals[2 * stream + 1]).toBeGreaterThan(0);
    await model.close();
  }, 60_000);

  test("a model beyond 4 GiB is refused before anything is allocated", async () => {
    const engine = await createCpuEngine({ threads: 1 });
    const hyper = { ...PAPER, coarseHidden: 128, streams: 16384 };
    expect(engine.openModel(hyper)).rejects.toBeInstanceOf(EngineLimitError);
  });
});

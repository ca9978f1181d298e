/**
 * Models of the CPU engine one after another: whatever came before in a room, a model there is the same, bit for bit,
 * as the first one in a process; nothing piles up; and what fails is not used again.
 */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { SEQUENCE } from "../../src/contract/contexts.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { DIFFERENCES, expNegative, gelu, geluSlope, luts, sigmoid } from "../../src/contract/luts.ts";
import type { CpuModel } from "../../src/engine/cpu/engine.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { reusableHyper } from "../../src/engine/cpu/room.ts";
import { wideTables } from "../../src/engine/cpu/weights.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { networkShape, PAPER } from "../../src/model/levels.ts";
import { noiseBytes, TINY, TINY_RECALL, textBytes } from "../model/tiny.ts";

/** Says that much comes, so that all threads work. */
const open = async (engine: Engine, hyper: HyperParameters) => (await engine.openModel(hyper, 2 ** 40)) as CpuModel;

/** Trains for some steps, with a stride in the middle. @returns all intervals */
async function train(model: CpuModel, steps: number, bytesAt: typeof textBytes): Promise<number[]> {
  const { streams } = model.hyper;
  const intervals = new Uint32Array(2 * streams);
  const all: number[] = [];
  for (let step = 0; step < steps; step++) {
    if (step === 5) await model.describe({ stride: SEQUENCE });
    await model.fillIntervals(bytesAt(step, streams), 1, intervals);
    all.push(...intervals);
  }
  return all;
}

/** Everything in the memory but the words by which threads meet. */
function memoryOf(model: CpuModel): Uint8Array {
  const { at, buffer } = model.inspect();
  return new Uint8Array(buffer).subarray(at.seen);
}

/** What a thread keeps outside the memory. */
function exponentsOf(model: CpuModel): unknown {
  const { exponents, gradientScales } = model.inspect();
  return structuredClone({ ...exponents, ...gradientScales });
}

/** Models of one shape, small and larger, that differ in what may differ in a room. */
const SIZES = [
  { slotBits: 10, tableBits: 8 },
  { slotBits: 13, tableBits: 9 },
  { slotBits: 8, tableBits: 8 },
  { slotBits: 10, tableBits: 8 },
];

for (const threads of [1, 2, 3]) {
  test(`a model in a used room is a new one, ${threads} threads`, async () => {
    const engine = await createCpuEngine({ threads });
    const streams = 9;
    for (const [turn, sizes] of SIZES.entries()) {
      const hyper = { ...TINY_RECALL, streams, ...sizes };
      const fresh = await createCpuEngine({ threads });
      const [used, wanted] = [await open(engine, hyper), await open(fresh, hyper)];
      expect(used.inspect().buffer === wanted.inspect().buffer).toBe(false);
      // Bytes before the first step and after the last: nothing of the models before is left anywhere.
      expect(Bun.hash(memoryOf(used)), `turn ${turn}`).toBe(Bun.hash(memoryOf(wanted)));
      expect(exponentsOf(used)).toEqual(exponentsOf(wanted));
      const bytesAt = turn % 2 === 0 ? textBytes : noiseBytes;
      const steps = 20 + 7 * turn;
      expect(await train(used, steps, bytesAt)).toEqual(await train(wanted, steps, bytesAt));
      expect(Bun.hash(memoryOf(used)), `turn ${turn}, trained`).toBe(Bun.hash(memoryOf(wanted)));
      expect(exponentsOf(used)).toEqual(exponentsOf(wanted));
      await used.close();
      await wanted.close();
      await fresh.close();
    }
    await engine.close();
  });
}

test("a room serves all models of its shape; another shape, or a second model at a time, gets another", async () => {
  const engine = await createCpuEngine({ threads: 2 });
  const roomOf = (model: CpuModel) => model.inspect().buffer;
  const first = await open(engine, TINY_RECALL);
  const room = roomOf(first);
  await first.close();
  const second = await open(engine, { ...TINY_RECALL, slotBits: 16 });
  expect(roomOf(second)).toBe(room);
  const beside = await open(engine, TINY_RECALL);
  expect(roomOf(beside)).not.toBe(room);
  await beside.close();
  await second.close();
  const other = await open(engine, { ...TINY_RECALL, learningRate: 1 << 15 });
  expect([room, roomOf(beside)]).not.toContain(roomOf(other));
  await other.close();
  await engine.close();
});

test("rooms are kept of small models only", () => {
  const small = { ...networkShape(5), streams: 8 };
  expect(reusableHyper(small)).toEqual({ ...small, slotBits: 16, tableBits: 12 });
  expect(reusableHyper({ ...small, slotBits: 17 })).toBeUndefined();
  expect(reusableHyper({ ...PAPER, streams: 8 })).toBeUndefined();
});

test("a room whose thread has died is not used again", async () => {
  const engine = await createCpuEngine({ threads: 2 });
  const first = await open(engine, { ...TINY, streams: 8 });
  const wanted = await train(first, 3, textBytes);
  const room = first.inspect().buffer;
  // A thread that fails leaves this word.
  const { at } = first.inspect();
  Atomics.store(new Int32Array(room, at.control, 64), 48, 1);
  await expect(train(first, 1000, textBytes)).rejects.toThrow("failed");
  await first.close();
  const next = await open(engine, { ...TINY, streams: 8 });
  expect(next.inspect().buffer).not.toBe(room);
  expect(await train(next, 3, textBytes)).toEqual(wanted);
  await next.close();
  await engine.close();
});

test("the first small inputs start no threads, and when much has come, they are there", async () => {
  const engine = await createCpuEngine({ threads: 3 });
  const hyper = { ...TINY, streams: 12 };
  const threadsFor = async (expectedBytes: number) => {
    const model = (await engine.openModel(hyper, expectedBytes)) as CpuModel;
    const count = model.inspect().at.threads.length;
    await model.close();
    return count;
  };
  expect(await threadsFor(100)).toBe(1);
  expect(await threadsFor(100)).toBe(1);
  expect(await threadsFor(1e6)).toBe(3);
  expect(await threadsFor(100)).toBe(3);
  await engine.close();
});

const countIn = (folder: string) => readdirSync(folder).length;

test("2,000 models leave no memory, descriptors or threads behind", async () => {
  const engine = await createCpuEngine({ threads: 2 });
  const one = async (i: number) => {
    const model = await open(engine, { ...TINY_RECALL, streams: 8, slotBits: 8 + (i % 5) });
    await model.fillIntervals(textBytes(i, 8), 1, new Uint32Array(16));
    await model.close();
  };
  const state = () => ({ threads: countIn("/proc/self/task"), files: countIn("/proc/self/fd") });
  for (let i = 0; i < 500; i++) await one(i);
  const [before, rss] = [state(), process.memoryUsage.rss()];
  for (let i = 0; i < 1500; i++) await one(i);
  expect(state().files).toBe(before.files);
  // The runtime's own come and go.
  expect(Math.abs(state().threads - before.threads)).toBeLessThan(8);
  expect(process.memoryUsage.rss() - rss).toBeLessThan(2 ** 25);
  await engine.close();
});

test("the engine's tables of functions are the contract's, for every argument", () => {
  const contract = luts();
  const wide = wideTables();
  const wrong = { gelu: 0, geluSlope: 0, sigmoid: 0, exponentials: 0 };
  for (let x = -32768; x < 32768; x++) {
    if (wide.gelu[x + 32768] !== gelu(contract, x)) wrong.gelu++;
    if (wide.geluSlope[x + 32768] !== geluSlope(contract, x)) wrong.geluSlope++;
    if (wide.sigmoid[x + 32768] !== sigmoid(contract, x)) wrong.sigmoid++;
  }
  for (let i = 0; i < DIFFERENCES; i++) if (wide.exponentials[i] !== expNegative(contract, i)) wrong.exponentials++;
  expect(wrong).toEqual({ gelu: 0, geluSlope: 0, sigmoid: 0, exponentials: 0 });
});

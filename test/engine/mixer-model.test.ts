/** Models without a network, in every engine: the same payloads whatever the threads and chunks, and back. */
import { afterAll, describe, expect, test } from "bun:test";
import { CorruptDataError } from "../../src/coder/errors.ts";
import { SEQUENCE } from "../../src/contract/contexts.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openMixer } from "../../src/engine/mixer/model.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { BlockCompressor } from "../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../src/pipeline/decompress.ts";
import { tinyMixer } from "../support/fake-engine.ts";
import { compressBlock, decompressBlock } from "../support/in-memory.ts";
import { rowsOf } from "../support/rows.ts";
import { trainingBytes } from "../support/text.ts";

const engines: Engine[] = [];
const cpuEngine = async (threads: number) => {
  const engine = await createCpuEngine({ threads });
  engines.push(engine);
  return engine;
};
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const ALONE = { workers: 1 };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
/** Long enough for threads. */
const LONG = trainingBytes(40_000, 5);

describe("payloads do not depend on who makes them", () => {
  test.each([
    [1, 0],
    [2, 0],
    [5, 0],
    [3, 2],
  ])("%d lanes, %d contexts with counters", async (lanes, mixerCounters) => {
    const hyper = { ...tinyMixer(lanes), mixerCounters };
    const { groups } = await compressBlock(await cpuEngine(1), hyper, LONG, ALONE);
    expect(groups.length).toBe(lanes);
    for (const threads of [2, 3, 8]) {
      const engine = await cpuEngine(threads);
      const other = await compressBlock(engine, hyper, LONG, ALONE);
      expect(other.groups.map(hex)).toEqual(groups.map(hex));
      expect(hex(await decompressBlock(engine, hyper, LONG.length, groups, ALONE))).toBe(hex(LONG));
    }
  });

  test("the reference makes the same and decodes it", async () => {
    for (const mixerCounters of [0, 4]) await sameAsReference({ ...tinyMixer(3), mixerContexts: 10, mixerCounters });
  });

  async function sameAsReference(hyper: HyperParameters): Promise<void> {
    const some = LONG.subarray(0, 3001);
    const { groups } = await compressBlock(await cpuEngine(2), hyper, some, ALONE);
    const reference = createReferenceEngine();
    expect((await compressBlock(reference, hyper, some, ALONE)).groups.map(hex)).toEqual(groups.map(hex));
    expect(hex(await decompressBlock(reference, hyper, some.length, groups, ALONE))).toBe(hex(some));
  }

  test.each([1, 7, 999])("chunks of %d steps", async (steps) => {
    const hyper = tinyMixer(2);
    const bytes = LONG.subarray(0, 2000);
    const whole = await compressBlock(await cpuEngine(1), hyper, bytes, ALONE);
    const model = openMixer(hyper, { engine: "cpu", threads: 1 });
    await model.beginPayloads(2, ALONE);
    const rows = new Uint8Array(2000);
    for (let t = 0; t < 1000; t++) rows.set([bytes[t] as number, bytes[1000 + t] as number], 2 * t);
    let codedBytes = 0;
    for (let t = 0; t < 1000; t += steps) {
      const count = Math.min(steps, 1000 - t);
      codedBytes = await model.encodeSteps(rows.subarray(2 * t, 2 * (t + count)), count, 2);
    }
    const payloads = await model.takePayloads();
    expect(payloads.map(hex)).toEqual(whole.groups.map(hex));
    expect(payloads.reduce((sum, { length }) => sum + length, 0) - codedBytes).toBeWithin(0, 3);
    await model.close();
  });
});

test.each([0, 5])("blocks of several kinds, one after the other, some learned only, %d counters", async (counters) => {
  const hyper = { ...tinyMixer(3), mixerContexts: 8, mixerCounters: counters };
  const engine = await cpuEngine(2);
  const blocks = [
    { bytes: LONG.subarray(0, 4000), stride: 0 },
    { bytes: rowsOf(120, 40), stride: 120 },
    { bytes: LONG.subarray(3000, 3001), stride: 0 },
    { bytes: trainingBytes(2000, 9), stride: SEQUENCE },
    { bytes: LONG.subarray(0, 4000), stride: 0 },
  ];
  const options = { ...ALONE, expectedBytes: 1e6 };
  const compressor = await BlockCompressor.open(engine, hyper, options);
  const coded = [];
  for (const { bytes, stride } of blocks) coded.push((await compressor.compress(bytes, { stride })).groups);
  await compressor.close();
  const decompressor = await BlockDecompressor.open(engine, hyper, options);
  for (const [i, { bytes, stride }] of blocks.entries()) {
    if (i === 1) await decompressor.learn(bytes, { stride });
    else {
      const back = await decompressor.decompress(bytes.length, coded[i] as Uint8Array[], { stride });
      expect(hex(back)).toBe(hex(bytes));
    }
  }
  await decompressor.close();
  const total = (groups: Uint8Array[] = []) => groups.reduce((sum, { length }) => sum + length, 0);
  // What the first block taught is there in the last.
  expect(total(coded[4])).toBeLessThan(total(coded[0]));
});

describe("payloads that nobody wrote", () => {
  const hyper = tinyMixer(2);
  const bytes = LONG.subarray(0, 1500);
  const decode = async (groups: readonly Uint8Array[]) =>
    await decompressBlock(await cpuEngine(1), hyper, bytes.length, groups, ALONE).catch((error: unknown) => error);

  test("too long, too short, empty", async () => {
    const { groups } = await compressBlock(await cpuEngine(1), hyper, bytes, ALONE);
    const [first, second] = groups as [Uint8Array, Uint8Array];
    const longer = await decode([first, new Uint8Array([...second, 1])]);
    expect(longer).toMatchObject({ name: "CorruptDataError", reason: "data-too-long", group: 1 });
    expect(await decode([first.subarray(0, -9), second])).toBeInstanceOf(CorruptDataError);
    expect(await decode([new Uint8Array(0), second])).toBeInstanceOf(CorruptDataError);
    expect(hex((await decode([first, second])) as Uint8Array)).toBe(hex(bytes));
  });

  test("of another number", async () => {
    const { groups } = await compressBlock(await cpuEngine(1), hyper, bytes, ALONE);
    expect(await decode(groups.slice(0, 1))).toMatchObject({ message: "1 payloads for 2 lanes" });
  });
});

/** The way of bytes through the pipeline: all lengths, all numbers of streams, groups and workers. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CorruptDataError } from "../../src/coder/errors.ts";
import { BlockCompressor } from "../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../src/pipeline/decompress.ts";
import type { BlockProgress } from "../../src/pipeline/options.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { compressBlock, decompressBlock } from "../support/in-memory.ts";

const ALONE = { workers: 1 };

/** Bytes that order-0 counts can compress, and that differ from stream to stream. */
function sample(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => 97 + ((i * i + (i >> 4)) % 7) + (i % 97 === 0 ? 100 : 0));
}

/** Decoded on the host; by a model that decodes itself, the same. */
async function roundTrip(data: Uint8Array, streams: number, groups: number, chunkSteps = 5): Promise<Uint8Array> {
  const engine = new FakeEngine({ chunkSteps });
  const hyper = tinyHyper(streams);
  const coded = await compressBlock(engine, hyper, data, { ...ALONE, groups });
  expect(coded.groups.length).toBe(groups);
  const restored = await decompressBlock(engine, hyper, data.length, coded.groups, ALONE);
  const decoding = new FakeEngine({ chunkSteps, decodes: true });
  expect(await decompressBlock(decoding, hyper, data.length, coded.groups, ALONE)).toEqual(restored);
  expect(engine.openModels + decoding.openModels).toBe(0);
  return restored;
}

describe("one block", () => {
  for (const streams of [1, 2, 8, 13]) {
    test(`every length from 0 to 4 steps and one byte round-trips through ${streams} streams`, async () => {
      for (let size = 0; size <= streams * 4 + 1; size += 1) {
        const data = sample(size);
        expect(await roundTrip(data, streams, Math.min(3, streams))).toEqual(data);
      }
    });
  }

  test("any bytes, streams, groups and chunks round-trip", async () => {
    const streams = fc.integer({ min: 1, max: 40 });
    const setting = streams.chain((b) => fc.tuple(fc.constant(b), fc.integer({ min: 1, max: Math.min(b, 16) })));
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 600 }),
        setting,
        fc.integer({ min: 1, max: 50 }),
        async (data, s, c) => {
          expect(await roundTrip(data, s[0], s[1], c)).toEqual(data);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("an engine that answers late gives the same bytes as one that answers at once", async () => {
    const data = sample(2000);
    const hyper = tinyHyper(8);
    const soon = await compressBlock(new FakeEngine({ chunkSteps: 16 }), hyper, data, ALONE);
    const late = await compressBlock(new FakeEngine({ chunkSteps: 7, delayMs: 1 }), hyper, data, ALONE);
    expect(late).toEqual(soon);
    for (const decodes of [false, true]) {
      const engine = new FakeEngine({ delayMs: 0, decodes });
      expect(await decompressBlock(engine, hyper, data.length, soon.groups, ALONE)).toEqual(data);
    }
  });

  test("the coded size is that of the model, so compressible bytes shrink", async () => {
    const { groups } = await compressBlock(new FakeEngine(), tinyHyper(4), sample(40_000), ALONE);
    expect(groups.reduce((sum, group) => sum + group.length, 0)).toBeLessThan(18_000);
  });
});

describe("workers", () => {
  test("1 to 4 workers give the same bytes and restore them", async () => {
    const data = sample(30_011);
    const hyper = tinyHyper(37);
    const engine = new FakeEngine({ chunkSteps: 64 });
    const { groups } = await compressBlock(engine, hyper, data, { workers: 1, groups: 5 });
    for (const workers of [2, 3, 4]) {
      expect((await compressBlock(engine, hyper, data, { workers, groups: 5 })).groups).toEqual(groups);
      expect(await decompressBlock(engine, hyper, data.length, groups, { workers, streamsPerThread: 1 })).toEqual(data);
    }
  });

  test("a failing engine fails the call, closes the model and leaves no worker", async () => {
    for (const failAtCall of [0, 1, 5]) {
      const engine = new FakeEngine({ chunkSteps: 4, failAtCall });
      const options = { workers: 3, groups: 4, streamsPerThread: 1 };
      await expect(compressBlock(engine, tinyHyper(8), sample(500), options)).rejects.toThrow("told to fail");
      const payloads = Array.from({ length: 4 }, () => new Uint8Array(200));
      await expect(decompressBlock(engine, tinyHyper(8), 500, payloads, options)).rejects.toThrow("told to fail");
      const decoding = new FakeEngine({ chunkSteps: 4, failAtCall, delayMs: 0, decodes: true });
      await expect(decompressBlock(decoding, tinyHyper(8), 500, payloads, options)).rejects.toThrow("told to fail");
      expect(engine.openModels + decoding.openModels).toBe(0);
    }
  });
});

describe("blocks that share a model", () => {
  test("round-trip in order, and the later ones profit from what was learned", async () => {
    const hyper = tinyHyper(8);
    const blocks = [sample(3000), sample(0), sample(3000), sample(11)];
    for (const [workers, decodes] of [
      [1, false],
      [3, false],
      [1, true],
    ] as const) {
      const engine = new FakeEngine({ decodes });
      const compressor = await BlockCompressor.open(engine, hyper, { workers, groups: 3 });
      const decompressor = await BlockDecompressor.open(engine, hyper, { workers, streamsPerThread: 1 });
      const sizes: number[] = [];
      for (const block of blocks) {
        const { groups } = await compressor.compress(block);
        sizes.push(groups.reduce((sum, group) => sum + group.length, 0));
        expect(await decompressor.decompress(block.length, groups)).toEqual(block);
      }
      await compressor.close();
      await decompressor.close();
      expect(sizes[2]!).toBeLessThan(sizes[0]!);
      expect(engine.openModels).toBe(0);
    }
  });
});

describe("progress and abort", () => {
  test("the last report says that all is done", async () => {
    const data = sample(5003);
    const hyper = tinyHyper(8);
    const reports: BlockProgress[] = [];
    const options = { workers: 1, onProgress: (progress: BlockProgress) => void reports.push(progress) };
    const { groups } = await compressBlock(new FakeEngine({ chunkSteps: 8, delayMs: 2 }), hyper, data, options);
    const codedBytes = groups.reduce((sum, group) => sum + group.length, 0);
    const done = { stepsDone: 626, steps: 626, bytesDone: 5003, codedBytes };
    expect(reports.at(-1)).toEqual(done);
    expect(reports.length).toBeGreaterThan(1);
    for (const decodes of [false, true]) {
      reports.length = 0;
      await decompressBlock(new FakeEngine({ decodes }), hyper, data.length, groups, options);
      expect(reports.at(-1)).toEqual(done);
    }
  });

  test("an abort ends both directions with its reason", async () => {
    const data = sample(200_000);
    const engine = new FakeEngine({ chunkSteps: 16 });
    const hyper = tinyHyper(8);
    const { groups } = await compressBlock(engine, hyper, data, { ...ALONE, groups: 4 });
    const aborting = (workers: number) => {
      const controller = new AbortController();
      const onProgress = () => controller.abort(new Error("enough"));
      return { workers, streamsPerThread: 1, groups: 4, signal: controller.signal, onProgress };
    };
    for (const workers of [1, 3]) {
      await expect(compressBlock(engine, hyper, data, aborting(workers))).rejects.toThrow("enough");
      await expect(decompressBlock(engine, hyper, data.length, groups, aborting(workers))).rejects.toThrow("enough");
    }
    const decoding = new FakeEngine({ chunkSteps: 16, delayMs: 1, decodes: true });
    await expect(decompressBlock(decoding, hyper, data.length, groups, aborting(1))).rejects.toThrow("enough");
    expect(engine.openModels + decoding.openModels).toBe(0);
  });
});

describe("damaged payloads", () => {
  /** Decoding must end: in an error that says corrupt, or in bytes for the checksum to reject. */
  async function decodeDamaged(groups: Uint8Array[], size: number, workers: number): Promise<Uint8Array | undefined> {
    try {
      return await decompressBlock(new FakeEngine(), tinyHyper(9), size, groups, { workers });
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptDataError);
      return undefined;
    }
  }

  test("flipped bits, cuts and additions end in an error that says corrupt, or in bytes for the checksum", async () => {
    const data = sample(600);
    const { groups } = await compressBlock(new FakeEngine(), tinyHyper(9), data, { workers: 1, groups: 3 });
    const damage = fc.record({
      group: fc.nat(2),
      at: fc.nat(),
      how: fc.constantFrom("flip", "cut", "add"),
      bit: fc.nat(7),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ group, at, how, bit }) => {
        const bad = groups.map((payload) => payload.slice());
        const payload = bad[group]!;
        const i = at % payload.length;
        if (how === "flip") payload[i] = payload[i]! ^ (1 << bit);
        else if (how === "cut") bad[group] = payload.slice(0, i);
        else bad[group] = Uint8Array.of(...payload, 1 + bit, 0, 0, 0, 0, 0, 0);
        // The bytes may even be right: the last bits of a payload are often free.
        const restored = await decodeDamaged(bad, data.length, 1);
        if (restored !== undefined) expect(restored.length).toBe(data.length);
      }),
      { numRuns: 300 },
    );
  });

  test("damage that a worker or a model meets is reported with its group", async () => {
    const data = sample(6000);
    const engine = new FakeEngine();
    const { groups } = await compressBlock(engine, tinyHyper(9), data, { workers: 1, groups: 3 });
    for (const group of [0, 1, 2]) {
      const bad = groups.map((payload, i) => (i === group ? payload.slice(0, 20) : payload));
      const result = decompressBlock(engine, tinyHyper(9), data.length, bad, { workers: 3, streamsPerThread: 1 });
      await expect(result).rejects.toMatchObject({ name: "CorruptDataError", reason: "data-too-short", group });
      const byModel = decompressBlock(new FakeEngine({ decodes: true }), tinyHyper(9), data.length, bad, ALONE);
      await expect(byModel).rejects.toMatchObject({ name: "CorruptDataError", reason: "data-too-short", group });
    }
  });

  test("an impossible number of groups is refused before anything is decoded", async () => {
    const engine = new FakeEngine();
    await expect(decompressBlock(engine, tinyHyper(2), 10, [], ALONE)).rejects.toThrow(RangeError);
    const three = [0, 0, 0].map(() => new Uint8Array(1));
    await expect(decompressBlock(engine, tinyHyper(2), 10, three, ALONE)).rejects.toThrow(RangeError);
    expect(engine.openModels).toBe(0);
  });
});

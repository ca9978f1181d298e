/** Blocks that threads prepare while the model is at the one before: the same archives, and blocks are read early. */
import { describe, expect, test } from "bun:test";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { levelOf } from "../../src/model/levels.ts";
import { PreparerError } from "../../src/pipeline/errors.ts";
import { type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { type Order, prepare } from "../../src/pipeline/prepare.ts";
import { Preparers, preparerCount, preparerMemoryBytes } from "../../src/pipeline/preparers.ts";
import { release } from "../../src/platform/release.ts";
import { SearchMemory } from "../../src/repeats/kernels.ts";
import { MIXER_POLICY } from "../../src/repeats/policy.ts";
import { joined } from "../support/bytes.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";

const BLOCK_BYTES = 2 ** 17;
const MEMORY_BYTES = 2 ** 31;
const hyper = { ...levelOf(1).shape, mixerContexts: 4, streams: 1, mixerBits: 12 };

/** So much, from a generator that begins with `seed`. */
function bytesOf(count: number, seed: number, next: (random: Random, i: number) => number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: count }, (_, i) => next(random, i));
}

const letters = (seed: number) =>
  bytesOf(BLOCK_BYTES, seed, (random) => 97 + random.between(0, 3) * random.between(0, 3));
const noise = bytesOf(BLOCK_BYTES, 7, (random) => random.between(0, 255));
/** Sound of 16 bits: a slow wave, and a little noise. */
const random = new Random(3);
const wave = (_: unknown, i: number) => 9000 * Math.sin(i / 40) + random.between(-20, 20);
const sound = new Uint8Array(Int16Array.from({ length: BLOCK_BYTES / 2 }, wave).buffer);

function compress(source: PlainSource, workers: number, engine: Engine = new FakeEngine(), own = tinyHyper(4)) {
  const options = { workers, memoryBytesMax: MEMORY_BYTES, blockBytes: BLOCK_BYTES, repeats: MIXER_POLICY };
  return archiveOf(source, { ...options, hyperFor: () => own }, engine);
}

/** An engine whose models make nothing smaller, but perhaps the first block. */
function refusing(isFirstRefused: boolean): Engine {
  const engine = new FakeEngine();
  const openModel = engine.openModel.bind(engine);
  engine.openModel = async (...all: Parameters<typeof openModel>) => {
    const model = await openModel(...all);
    const takePayloads = model.takePayloads.bind(model);
    let count = 0;
    model.takePayloads = async () => {
      const payloads = await takePayloads();
      count += 1;
      return count > 1 || isFirstRefused ? payloads.map(() => new Uint8Array(BLOCK_BYTES)) : payloads;
    };
    return model;
  };
  return engine;
}

describe("a frame whose blocks are prepared ahead", () => {
  /** Repeats of the block before, chance in the middle of a block, numbers, holes, and an end that is not full. */
  const first = letters(1);
  const plain = new Uint8Array(
    Buffer.concat([
      first,
      sound,
      noise,
      letters(2).subarray(0, BLOCK_BYTES / 2),
      new Uint8Array(BLOCK_BYTES),
      first,
      first.subarray(1000),
      letters(4).subarray(0, 1000),
    ]),
  );

  for (const isSizeKnown of [true, false]) {
    test(`is the same, ${isSizeKnown ? "of a file" : "of a pipe"}, and comes back`, async () => {
      const [alone, two, five] = await Promise.all(
        [1, 2, 5].map((workers) => compress(sourceOf(plain, isSizeKnown), workers)),
      );
      expect(Buffer.compare(alone as Uint8Array, two as Uint8Array)).toBe(0);
      expect(Buffer.compare(alone as Uint8Array, five as Uint8Array)).toBe(0);
      const blocks = (await readArchive(alone as Uint8Array))[0]?.blocks ?? [];
      expect(blocks.length).toBeGreaterThan(5);
      expect(blocks.some(({ stretches }) => stretches !== undefined)).toBe(true);
      expect(blocks.some(({ copies }) => copies !== undefined)).toBe(true);
      const back = await plainOf(alone as Uint8Array, { memoryBytesMax: MEMORY_BYTES }, undefined, 1 << 16);
      expect(Buffer.compare(back, plain)).toBe(0);
    });
  }

  test("is the same where blocks themselves go to the threads, which then are with nobody else", async () => {
    const inner = sourceOf(plain);
    const taken: Uint8Array[] = [];
    const read = async (count: number) => {
      const block = (await inner.read(count)).slice();
      taken.push(block);
      return block;
    };
    const [alone, given] = await Promise.all([
      compress(sourceOf(plain), 1),
      compress({ ...inner, read, free: (bytes) => void release(bytes) }, 3),
    ]);
    expect(Buffer.compare(alone, given)).toBe(0);
    expect(taken.map(({ length }) => length)).toEqual(taken.map(() => 0));
  });

  for (const [name, isGivenAway] of [
    ["lent", false],
    ["given", true],
  ] as const) {
    test(`has numbers as they were where the model saves nothing, in blocks ${name} to threads`, async () => {
      // Of four blocks the first is learned from; what comes behind it is refused.
      const some = joined(letters(1), sound, letters(2), sound);
      const lent = () => sourceOf(some);
      const given = (inner = lent()) => {
        const read = async (count: number) => (await inner.read(count)).slice();
        return { ...inner, read, free: (bytes: Uint8Array) => void release(bytes) };
      };
      for (const isFirstRefused of [false, true]) {
        const archives = [
          await compress(lent(), 1, refusing(isFirstRefused)),
          await compress(isGivenAway ? given() : lent(), 2, refusing(isFirstRefused)),
        ];
        expect(Buffer.compare(archives[0] as Uint8Array, archives[1] as Uint8Array)).toBe(0);
        const kinds = (await readArchive(archives[0] as Uint8Array))[0]?.blocks.map(({ kind }) => kind);
        expect(kinds).toEqual(isFirstRefused ? ["stored", "stored"] : ["coded", "learned", "learned", "stored"]);
        expect(Buffer.compare(await plainOf(archives[0] as Uint8Array), some)).toBe(0);
      }
    });
  }

  test("is the same with the mixer", async () => {
    const engine = await createCpuEngine({ threads: 1 });
    const some = plain.subarray(0, 2.5 * BLOCK_BYTES);
    const [alone, three] = await Promise.all([1, 3].map((workers) => compress(sourceOf(some), workers, engine, hyper)));
    await engine.close();
    expect(Buffer.compare(alone as Uint8Array, three as Uint8Array)).toBe(0);
  });

  test("reads on while the model is at work, and only then", async () => {
    const seen = async (workers: number) => {
      const log: string[] = [];
      const inner = sourceOf(plain.subarray(0, 4 * BLOCK_BYTES));
      const read = (count: number) => {
        log.push("read");
        return inner.read(count);
      };
      const engine = new FakeEngine();
      const openModel = engine.openModel.bind(engine);
      engine.openModel = (...all: Parameters<typeof openModel>) => {
        log.push("model");
        return openModel(...all);
      };
      await compress({ ...inner, read }, workers, engine);
      return log.slice(0, 1 + log.indexOf("model")).join(" ");
    };
    expect(await seen(1)).toBe("read model");
    expect(await seen(3)).toMatch(/^read read( read)* model$/);
  });

  test("hands out what the source throws when the blocks before have gone out", async () => {
    const inner = sourceOf(plain.subarray(0, 4 * BLOCK_BYTES));
    let reads = 0;
    const read = async (count: number) => {
      reads += 1;
      if (reads === 3) throw new Error("the disk is gone");
      return inner.read(count);
    };
    await expect(compress({ ...inner, read }, 4)).rejects.toThrow("the disk is gone");
  });
});

describe("a thread that has had the blocks before", () => {
  const view = { hyper, priorBytes: 0, hasStrides: true, blockBytes: BLOCK_BYTES, memoryBytesMax: MEMORY_BYTES };
  const start = letters(1);
  /** Too short for a search; a repeat of it and what is before it; longer than all before; of the block before. */
  const blocks = [
    letters(2).subarray(0, 60),
    joined(start.subarray(BLOCK_BYTES - 40_000), letters(2).subarray(0, 60), letters(3).subarray(0, 10_000)),
    joined(letters(4), letters(3).subarray(0, 9000), letters(4)),
    letters(4).subarray(105_000),
  ];

  /** By length alone, and by what the bytes before have taught. */
  const policies = { length: { timeUnits: 0, minLength: 100 }, cost: { timeUnits: 0 }, levels: MIXER_POLICY };
  const cases = Object.entries(policies).flatMap(([name, policy]) =>
    [BLOCK_BYTES, 30_000].map((reachBytes) => ({ name, policy, reachBytes })),
  );
  for (const { name, policy, reachBytes } of cases) {
    test(`finds by ${name} the copies that it finds in a window of ${reachBytes} bytes that it is given`, async () => {
      const kept = new SearchMemory();
      let before: Uint8Array = start;
      for (const [i, plain] of blocks.entries()) {
        const window = before.slice(-reachBytes);
        const order = { plain, isChance: false, view };
        const all = { policy, reachBytes, window };
        const given = await prepare({ ...order, plain: plain.slice(), cutting: all }, new SearchMemory());
        const cutting = i === 0 ? { ...all, window: window.slice() } : { policy, reachBytes };
        const had = await prepare({ ...order, plain: plain.slice(), cutting }, kept);
        expect(had.prepared.cut).toEqual(given.prepared.cut);
        expect(had.prepared.cut === undefined).toBe(i === 0);
        expect(Buffer.compare(had.plain, plain)).toBe(0);
        before = joined(before, plain);
      }
    });
  }
});

describe("threads that prepare", () => {
  test("are as many as work and memory allow", () => {
    const room = preparerMemoryBytes(2 ** 23);
    expect(preparerCount(1, 2 ** 23, 100 * room)).toBe(0);
    expect(preparerCount(2, 2 ** 23, 100 * room)).toBe(1);
    expect(preparerCount(16, 2 ** 23, 100 * room)).toBe(3);
    expect(preparerCount(16, 2 ** 23, 2.5 * room)).toBe(2);
    expect(preparerCount(16, 2 ** 23, room - 1)).toBe(0);
    expect(preparerCount(16, 2 ** 23, -1)).toBe(0);
    expect(preparerCount(16, 2 ** 10, 100 * room)).toBe(0);
  });

  test("say so when they fail", async () => {
    const preparers = new Preparers(1);
    const order = { plain: letters(1), isChance: false, view: undefined } as unknown as Order;
    await expect(
      preparers.prepare({
        ...order,
        cutting: { window: new Uint8Array(0), reachBytes: 0, policy: { timeUnits: 0, minLength: 1 } },
      }),
    ).rejects.toThrow(PreparerError);
    await preparers.close();
  });
});

/** Many blocks: what becomes of each, that they come back, and that none waits for the next. */
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { CorruptError } from "../../src/archive/errors.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { looksIncompressible } from "../../src/pipeline/content.ts";
import { InputSizeError } from "../../src/pipeline/errors.ts";
import { compressStream, type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import { BlockError, restore } from "../../src/pipeline/restore.ts";
import { joined, noise, soft } from "../support/bytes.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { archiveOf, type Frame, LIMITS, plainOf, readArchive } from "../support/in-memory.ts";

const compress = (source: PlainSource, blockBytes: number, engine?: Engine) =>
  archiveOf(source, { blockBytes, hyperFor: (bytes) => tinyHyper(Math.min(4, bytes)) }, engine);

/** For what must be stored without asking a model. */
const noEngine: Engine = Object.assign(new FakeEngine(), {
  openModel: () => Promise.reject(new Error("a model was opened")),
});

const kindsOf = ({ blocks }: Frame) => blocks.map(({ kind }) => kind).join(" ");

describe("a frame of many blocks", () => {
  test("comes back, whatever its blocks, whether or not its length was known", async () => {
    const part = fc.tuple(fc.boolean(), fc.nat(400)).map(([isHard, count]) => (isHard ? noise(count) : soft(count)));
    const input = fc.array(part, { maxLength: 5 }).map((parts) => joined(...parts));
    await fc.assert(
      fc.asyncProperty(
        input,
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        async (plain, blockBytes, isSizeKnown) => {
          const engine = new FakeEngine();
          const archive = await compress(sourceOf(plain, isSizeKnown), blockBytes, engine);
          const [frame] = await readArchive(archive);
          const blocks = frame?.blocks.length ?? 0;
          expect(archive.length).toBeLessThanOrEqual(plain.length + 56 + 21 * blocks);
          expect(Buffer.compare(await plainOf(archive, {}, engine, 50), plain)).toBe(0);
          expect(engine.openModels).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("learns from what the model could not shrink, so that what follows decodes", async () => {
    const plain = joined(soft(500), noise(500), soft(500), noise(500));
    for (const engine of [new FakeEngine(), await createCpuEngine({ threads: 1 })]) {
      const archive = await compress(sourceOf(plain, false), 500, engine);
      expect(kindsOf((await readArchive(archive))[0]!)).toStartWith("coded learned coded");
      expect(Buffer.compare(await plainOf(archive, {}, engine), plain)).toBe(0);
      await engine.close();
    }
  });

  test("starts the model anew after a first block that it could not shrink", async () => {
    const plain = joined(noise(500), soft(500));
    const engine = new FakeEngine();
    const archive = await compress(sourceOf(plain), 500, engine);
    expect(kindsOf((await readArchive(archive))[0]!)).toBe("stored coded");
    expect(Buffer.compare(await plainOf(archive, {}, engine), plain)).toBe(0);
  });

  test("asks no engine about chance", async () => {
    const plain = noise(20_000);
    const archive = await compress(sourceOf(plain), 5000, noEngine);
    // The first goes out at once; those behind it share a head.
    expect((await readArchive(archive))[0]!.blocks.map(({ plainBytes }) => plainBytes)).toEqual([5000, 15_000]);
    expect(kindsOf((await readArchive(archive))[0]!)).toBe("stored stored");
    expect(Buffer.compare(await plainOf(archive, {}, noEngine), plain)).toBe(0);
  });

  test.each([
    [1, 44],
    [1e7, 44],
    [4e7, 54],
    [1e8, 64],
  ])("grows by few bytes where nothing can shrink: %p", async (sizeBytes, growthMax) => {
    const plain = new Uint8Array(randomBytes(sizeBytes));
    const known = await compress(sourceOf(plain), 2 ** 24, noEngine);
    expect(known.length - plain.length).toBeLessThanOrEqual(growthMax);
    const piped = await compress(sourceOf(plain, false), 2 ** 24, noEngine);
    expect(piped.length - plain.length).toBeLessThanOrEqual(growthMax + 8);
    expect(Buffer.compare(await plainOf(piped, {}, noEngine, 1 << 20), plain)).toBe(0);
  });

  test("hands on the first stored block at once, and the others in runs", async () => {
    const blockBytes = 5000;
    const sizes: string[] = [];
    let read = 0;
    const source: PlainSource = {
      read: async () => {
        sizes.push("read");
        return read++ < 4 ? noise(blockBytes) : new Uint8Array(0);
      },
    };
    const sink = async ({ length }: Uint8Array) => void (length === blockBytes && sizes.push("wrote"));
    const options = { ...LIMITS, blockBytes, runBytes: 2 * blockBytes, hyperFor: () => tinyHyper(4) };
    await compressStream(source, sink, async () => noEngine, options);
    expect(sizes.join(" ")).toBe("read wrote read read wrote wrote read read wrote");
  });

  test("that a file has shrunk is noticed", async () => {
    const source = { ...sourceOf(soft(900)), sizeBytes: 1000 };
    await expect(compress(source, 300)).rejects.toBeInstanceOf(InputSizeError);
  });

  test("damage is told by block, and nothing behind it comes out", async () => {
    const archive = await compress(sourceOf(soft(1500)), 500);
    const { blocks } = (await readArchive(archive))[0]!;
    const third = blocks[2]?.kind === "coded" ? blocks[2].groups[0]! : new Uint8Array(0);
    const at = Buffer.from(archive).indexOf(third);
    const error = await plainOf(archive.with(at, (archive[at] as number) ^ 1)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BlockError);
    expect(error).toMatchObject({ block: 3, soundBytes: 1000 });
    expect((error as BlockError).cause).toBeInstanceOf(CorruptError);
  });

  test("damage behind the last block names no block", async () => {
    const archive = await compress(sourceOf(soft(1500)), 500);
    const index = archive.subarray(-12);
    index[0] = (index[0] ?? 0) ^ 1;
    const inIndex = await plainOf(archive).catch((thrown: unknown) => thrown);
    expect(inIndex).toMatchObject({ name: "CorruptError", message: expect.stringMatching("index") });
    index[0] = (index[0] ?? 0) ^ 1;
    const trailing = Buffer.concat([archive, Buffer.from("more")]);
    const behind = await plainOf(trailing).catch((thrown: unknown) => thrown);
    expect(behind).toMatchObject({
      name: "TrailingBytesError",
      message: expect.stringMatching("something else follows the archive"),
    });
  });

  test("a stored block that needs more memory than allowed is refused before it has come", async () => {
    const archive = await compress(sourceOf(noise(100_000)), 100_000, noEngine);
    const restored = plainOf(archive.subarray(0, 100), { memoryBytesMax: 150_000 }, noEngine);
    await expect(restored).rejects.toBeInstanceOf(MemoryLimitError);
  });
});

describe("streams", () => {
  test("give a block as soon as it is there, in both directions", async () => {
    const blocks = [soft(400), soft(401).subarray(1), soft(400)];
    const events: string[] = [];
    let given = 0;
    const source: PlainSource = {
      read: async () => {
        events.push(`read ${given}`);
        return blocks[given++] ?? new Uint8Array(0);
      },
    };
    let written = 0;
    const pieces: Uint8Array[] = [];
    const sink = async (bytes: Uint8Array) => {
      pieces.push(bytes);
      if (bytes.length > 60) events.push(`wrote ${written++}`);
    };
    const engine = new FakeEngine();
    const options = { ...LIMITS, blockBytes: 400, hyperFor: () => tinyHyper(4) };
    await compressStream(source, sink, async () => engine, options);
    expect(events.slice(0, 4)).toEqual(["read 0", "wrote 0", "read 1", "wrote 1"]);
    // Back: the header and one block are enough for that block.
    let pulled = 0;
    const seen: string[] = [];
    const pull = async () => {
      seen.push(`pull ${pulled}`);
      return pieces[pulled++] ?? new Uint8Array(0);
    };
    await restore(
      pull,
      async (bytes) => void seen.push(`block of ${bytes.length}`),
      async () => engine,
      LIMITS,
    );
    expect(seen.slice(0, 5)).toEqual(["pull 0", "pull 1", "block of 400", "pull 2", "block of 400"]);
  });
});

describe("what looks like chance", () => {
  test("is what neither counts nor repeats could shrink", () => {
    for (const count of [5000, 70_000, 1 << 20]) expect(looksIncompressible(noise(count))).toBe(true);
    expect(looksIncompressible(noise(1000))).toBe(false);
    expect(looksIncompressible(soft(70_000))).toBe(false);
    const twice = joined(noise(50_000), noise(50_000));
    expect(looksIncompressible(twice)).toBe(false);
    const skewed = noise(70_000).map((byte, i) => (i % 20 === 0 ? 65 : byte));
    expect(looksIncompressible(skewed)).toBe(false);
  });

  test("is what is encrypted or compressed, and not what only looks even", () => {
    for (let seed = 4096; seed < 4296; seed += 1) expect(looksIncompressible(noise(seed))).toBe(true);
    const letters = Buffer.from(Buffer.from(noise(60_000)).toString("base64"));
    expect(looksIncompressible(gzipSync(letters, { level: 6 }))).toBe(true);
    expect(looksIncompressible(letters)).toBe(false);
    let level = 0;
    const steps = noise(100_000).map((byte) => {
      level += byte & 15;
      return level;
    });
    expect(looksIncompressible(steps)).toBe(false);
    const halves = noise(200_000).map((byte, i) => (i < 100_000 ? byte & 127 : byte | 128));
    expect(looksIncompressible(halves)).toBe(false);
    // Headers of eight bytes between chance: they save more than a model costs.
    const records = Array.from({ length: 500 }, (_, i) => Buffer.concat([Buffer.from("HEADER01"), noise(600, i)]));
    expect(looksIncompressible(Buffer.concat(records))).toBe(false);
  });
});

/** Many blocks: what becomes of each, that they come back, and that none waits for the next. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CorruptError } from "../../src/archive/errors.ts";
import type { Frame } from "../../src/archive/format.ts";
import { readArchive } from "../../src/archive/read.ts";
import { type PullBytes, pullFrom } from "../../src/archive/stream.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { looksIncompressible } from "../../src/pipeline/content.ts";
import { compressStream, InputSizeError, type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { BlockError, restore } from "../../src/pipeline/restore.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";

const LIMITS = { workers: 1, memoryBytesMax: 2 ** 30 };

function noise(count: number): Uint8Array {
  const random = new Random(count);
  return Uint8Array.from({ length: count }, () => random.between(0, 255));
}

const soft = (count: number) => Uint8Array.from({ length: count }, (_, i) => 97 + ((i * i + (i >> 4)) % 5));

async function compress(source: PlainSource, blockBytes: number, engine: Engine = new FakeEngine()): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array) => void parts.push(bytes);
  const hyperFor = (bytes: number) => tinyHyper(Math.min(4, bytes));
  await compressStream(source, sink, async () => engine, { ...LIMITS, blockBytes, hyperFor });
  return Buffer.concat(parts);
}

async function decompress(pull: PullBytes, engine: Engine = new FakeEngine()): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array) => void parts.push(bytes);
  await restore(pull, sink, async () => engine, LIMITS);
  return Buffer.concat(parts);
}

const kindsOf = ({ blocks }: Frame) => blocks.map(({ kind }) => kind).join(" ");

describe("a frame of many blocks", () => {
  test("comes back, whatever its blocks, whether or not its length was known", async () => {
    const part = fc.tuple(fc.boolean(), fc.nat(400)).map(([isHard, count]) => (isHard ? noise(count) : soft(count)));
    const input = fc.array(part, { maxLength: 5 }).map((parts) => new Uint8Array(Buffer.concat(parts)));
    await fc.assert(
      fc.asyncProperty(
        input,
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        async (plain, blockBytes, isSizeKnown) => {
          const engine = new FakeEngine();
          const archive = await compress(sourceOf(plain, isSizeKnown), blockBytes, engine);
          const [frame] = readArchive(archive);
          const blocks = frame?.blocks.length ?? 0;
          expect(archive.length).toBeLessThanOrEqual(plain.length + 72 + 28 * blocks);
          expect(Buffer.compare(await decompress(pullFrom(archive, 50), engine), plain)).toBe(0);
          expect(engine.openModels).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("learns from what the model could not shrink, so that what follows decodes", async () => {
    const plain = new Uint8Array(Buffer.concat([soft(500), noise(500), soft(500), noise(500)]));
    for (const engine of [new FakeEngine(), await createCpuEngine({ threads: 1 })]) {
      const archive = await compress(sourceOf(plain, false), 500, engine);
      expect(kindsOf(readArchive(archive)[0]!)).toStartWith("coded learned coded");
      expect(Buffer.compare(await decompress(pullFrom(archive), engine), plain)).toBe(0);
      await engine.close();
    }
  });

  test("starts the model anew after a first block that it could not shrink", async () => {
    const plain = new Uint8Array(Buffer.concat([noise(500), soft(500)]));
    const engine = new FakeEngine();
    const archive = await compress(sourceOf(plain), 500, engine);
    expect(kindsOf(readArchive(archive)[0]!)).toBe("stored coded");
    expect(Buffer.compare(await decompress(pullFrom(archive), engine), plain)).toBe(0);
  });

  test("asks no engine about chance", async () => {
    const plain = noise(20_000);
    const openModel = () => Promise.reject(new Error("a model was opened"));
    const none: Engine = Object.assign(new FakeEngine(), { openModel });
    const archive = await compress(sourceOf(plain), 5000, none);
    expect(kindsOf(readArchive(archive)[0]!)).toBe("stored stored stored stored");
    expect(Buffer.compare(await decompress(pullFrom(archive), none), plain)).toBe(0);
  });

  test("that a file has shrunk is noticed", async () => {
    const source = { ...sourceOf(soft(900)), sizeBytes: 1000 };
    await expect(compress(source, 300)).rejects.toBeInstanceOf(InputSizeError);
  });

  test("damage is told by block, and nothing behind it comes out", async () => {
    const archive = await compress(sourceOf(soft(1500)), 500);
    const { blocks } = readArchive(archive)[0]!;
    const third = blocks[2]?.kind === "coded" ? blocks[2].groups[0]! : new Uint8Array(0);
    third[0] = (third[0] ?? 0) ^ 1; // a view of the archive
    const error = await decompress(pullFrom(archive)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BlockError);
    expect(error).toMatchObject({ block: 3, soundBytes: 1000 });
    expect((error as BlockError).cause).toBeInstanceOf(CorruptError);
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
    const twice = new Uint8Array(Buffer.concat([noise(50_000), noise(50_000)]));
    expect(looksIncompressible(twice)).toBe(false);
    const skewed = noise(70_000).map((byte, i) => (i % 20 === 0 ? 65 : byte));
    expect(looksIncompressible(skewed)).toBe(false);
  });
});

/** Strides: which blocks have one, and that a decoder's model is told what the encoder's was, block by block. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SEQUENCE, STRIDE_MAX } from "../../src/contract/contexts.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { findStride } from "../../src/pipeline/stride.ts";
import type { CutPolicy } from "../../src/repeats/policy.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";
import { rowsOf } from "../support/rows.ts";

const networkStride = (bytes: Uint8Array, streams: number) => findStride(bytes, { streams, history: 8 });

const BLOCK_BYTES = 20_000;
const rows = (rowBytes: number, bytes = BLOCK_BYTES) =>
  rowsOf(rowBytes, Math.ceil(bytes / rowBytes)).subarray(0, bytes);
const prose = readFileSync(join(import.meta.dir, "../../docs/NUMERICS.md"));

/** Bytes of which nothing can be said but that they are no chance to look at. */
function hopeless(count: number): Uint8Array {
  const random = new Random(count);
  return Uint8Array.from({ length: count }, (_, i) => (i % 64 === 0 ? 0 : random.between(0, 255)));
}

const compress = (plain: Uint8Array, engine: Engine, repeats?: CutPolicy) =>
  archiveOf(plain, { blockBytes: BLOCK_BYTES, ...(repeats && { repeats }) }, engine);
const decompress = (archive: Uint8Array, engine: Engine) => plainOf(archive, {}, engine);

const stridesOf = async (archive: Uint8Array) =>
  (await readArchive(archive)).flatMap(({ blocks }) => blocks.map(({ kind, stride = 0 }) => `${kind} ${stride}`));

describe("blocks with strides", () => {
  test("come back, each with its own", async () => {
    const text = prose.subarray(0, BLOCK_BYTES);
    const plain = Buffer.concat([rows(150), text, rows(150), rows(150), rows(40), text]);
    for (const engine of [new FakeEngine(), new FakeEngine({ chunkSteps: 7 })]) {
      const archive = await compress(plain, engine);
      expect(await stridesOf(archive)).toEqual([
        "coded 150",
        "coded 0",
        "coded 150",
        "coded 150",
        "coded 40",
        "coded 0",
      ]);
      expect(Buffer.compare(await decompress(archive, engine), plain)).toBe(0);
    }
  });

  test("come back through the network, too", async () => {
    const plain = Buffer.concat([rows(150), prose.subarray(0, BLOCK_BYTES), rows(99, 17_000)]);
    const engine = await createCpuEngine({ threads: 1 });
    const archive = await compress(plain, engine);
    expect(await stridesOf(archive)).toEqual(["coded 150", "coded 0", "coded 99"]);
    expect(Buffer.compare(await decompress(archive, engine), plain)).toBe(0);
    await engine.close();
  });

  test("are judged by what is left when repeats are cut out", async () => {
    const text = prose.subarray(0, BLOCK_BYTES - 1000);
    const plain = Buffer.concat([text, prose.subarray(60_000, 61_000), text.subarray(0, 3000), rows(150, 17_000)]);
    const engine = new FakeEngine();
    const archive = await compress(plain, engine, { timeUnits: 0, minLength: 500 });
    expect(await stridesOf(archive)).toEqual(["coded 0", "coded 150"]);
    expect(Buffer.compare(await decompress(archive, engine), plain)).toBe(0);
  });
});

describe("the search", () => {
  const streams = 8;
  test.each([9, 40, 352, 1000, 2304])("finds rows of %p bytes", (rowBytes) => {
    expect(networkStride(rows(rowBytes, 100_000), streams)).toBe(rowBytes);
  });

  test.each([4, 6, 9])("finds records of %p bytes for a mixer", (rowBytes) => {
    expect(findStride(rows(rowBytes, 100_000), { streams: 1, history: 0 })).toBe(rowBytes);
    if (rowBytes < 8) expect(networkStride(rows(rowBytes, 100_000), 1)).not.toBe(rowBytes);
  });

  test("finds none in prose, in chance, and where nothing changes", () => {
    expect(networkStride(prose, 1)).toBe(0);
    expect(networkStride(prose, streams)).toBe(0);
    expect(networkStride(hopeless(50_000), streams)).toBe(0);
    expect(networkStride(new Uint8Array(50_000), streams)).toBe(0);
  });

  test("tells sequences of few letters by another name", () => {
    const random = new Random(1);
    const genome = Uint8Array.from({ length: 50_000 }, () => "acgt".charCodeAt(random.between(0, 3)));
    for (const count of [1, streams, 4096]) expect(networkStride(genome, count)).toBe(SEQUENCE);
    expect(networkStride(genome.subarray(0, 1000), 1)).toBe(0);
  });

  test("wants rows that are much shorter than a stream, and in reach", () => {
    expect(networkStride(rows(1000, 100_000), 33)).toBe(1000);
    expect(networkStride(rows(1000, 100_000), 34)).not.toBe(1000);
    expect(networkStride(rows(STRIDE_MAX, 100_000), 2)).toBe(STRIDE_MAX);
    expect(networkStride(rows(STRIDE_MAX + 1, 100_000), 2)).toBe(0);
  });

  test("takes blocks of any length", () => {
    for (const bytes of [0, 1, 100, 5000, 16_384, 16_385, 20_011]) {
      for (const count of [1, 3, 4096]) expect(networkStride(rows(64, bytes), count)).toBeWithin(0, STRIDE_MAX + 1);
    }
  });
});

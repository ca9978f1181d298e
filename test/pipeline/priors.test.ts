/**
 * Frames behind a prior: small ones and large ones, restored from the same prior, the same from both engines; and what
 * is said where the prior is missing or another.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptError, MissingPriorError } from "../../src/archive/errors.ts";
import { FORMAT_VERSION } from "../../src/archive/format.ts";
import { pullFrom } from "../../src/archive/stream.ts";
import { mix32 } from "../../src/contract/fixed.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { hyperForSize, levelOf } from "../../src/model/levels.ts";
import { type CompressOptions, type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import { fitting } from "../../src/pipeline/priors.ts";
import { type RestoreOptions, restore } from "../../src/pipeline/restore.ts";
import { decodePrior, encodePrior, type Prior, rawPrior } from "../../src/prior/file.ts";
import { trainValues } from "../../src/prior/train.ts";
import { joined } from "../support/bytes.ts";
import { archiveOf, LIMITS, plainOf, readArchive } from "../support/in-memory.ts";
import { rowsOf } from "../support/rows.ts";

const GOLDEN = join(import.meta.dir, "..", "golden");
const TEXT = new Uint8Array(readFileSync(join(GOLDEN, "text.bin")));
const NOISE = Uint8Array.from({ length: 9000 }, (_, i) => mix32(i));
const engines = { cpu: await createCpuEngine({ threads: 2 }), reference: createReferenceEngine() };

function priorFrom(stride: number, contexts: number, content: Uint8Array = TEXT.slice(0, 1400)): Prior {
  const samples = [content.slice(0, 300), content.slice(300, 500)];
  const trained = trainValues([{ content, samples }], { contexts, stride, passes: 1 });
  return decodePrior(encodePrior({ name: "test", contexts, stride, content, trained }));
}

const PRIOR = priorFrom(0, 8);

type Name = keyof typeof engines;

function compress(plain: Uint8Array | PlainSource, options: Partial<CompressOptions> = {}, name: Name = "cpu") {
  const hyperFor = (bytes: number) => hyperForSize(levelOf(1), bytes);
  const blockBytes = plain instanceof Uint8Array ? Math.max(1, plain.length) : 2 ** 20;
  const own = { blockBytes, hyperFor, prior: PRIOR };
  return archiveOf(plain, { ...own, ...options }, engines[name]);
}

const decompress = (archive: Uint8Array, options: Partial<RestoreOptions> = {}, name: Name = "cpu") =>
  plainOf(archive, { priors: [PRIOR], ...options }, engines[name]);

describe("small frames behind a prior", () => {
  test.each([
    ["text", TEXT.slice(1500, 2000), PRIOR],
    ["some bytes", TEXT.slice(1500, 1520), PRIOR],
    ["repeats", joined(TEXT.slice(0, 900), TEXT.slice(0, 900)), PRIOR],
    ["records behind a prior of records", new Uint8Array(rowsOf(12, 60)), priorFrom(12, 8, rowsOf(12, 90))],
    ["text behind a prior of sound", TEXT.slice(0, 400), priorFrom(2, 8)],
    ["bytes alone", TEXT.slice(1200, 1900), rawPrior(TEXT.slice(0, 1300))],
  ])("%s", async (_, plain: Uint8Array, prior: Prior) => {
    const [archive, judged] = [await compress(plain, { prior }), await compress(plain, { prior }, "reference")];
    expect(archive).toEqual(judged);
    const [frame] = await readArchive(archive);
    expect(frame?.header).toMatchObject({ version: FORMAT_VERSION, prior: { isLow: true } });
    expect(archive.length).toBeLessThan((await compress(plain, { prior: undefined as never })).length);
    for (const name of ["cpu", "reference"] as const) {
      expect(await decompress(archive, { priors: [rawPrior(NOISE), prior] }, name)).toEqual(plain.slice());
    }
  });

  test("longer ones state their stride", async () => {
    const rows = new Uint8Array(rowsOf(12, 2000));
    const archive = await compress(rows);
    expect((await readArchive(archive))[0]?.blocks).toMatchObject([{ kind: "coded", stride: 12 }]);
    expect(await decompress(archive)).toEqual(rows);
  });

  test("what no model makes smaller is stored, and names no prior", async () => {
    for (const plain of [new Uint8Array(0), Uint8Array.of(7), NOISE.slice(0, 3000), new Uint8Array(5000)]) {
      const archive = await compress(plain);
      expect(archive).toEqual(await compress(plain, { prior: undefined as never }));
      expect(await decompress(archive, { priors: [] })).toEqual(plain);
    }
  });

  test("one file after another has what it has alone", async () => {
    const files = [0, 1, 2, 3].map((i) => TEXT.slice(200 * i, 200 * i + 900));
    for (const plain of [...files, ...files]) {
      const archive = await compress(plain);
      expect(archive).toEqual(await compress(plain, {}, "reference"));
      expect(await decompress(archive)).toEqual(plain);
    }
  });
});

describe("frames with an index behind a prior", () => {
  const long = joined(...Array.from({ length: 30 }, (_, i) => TEXT.slice(i, 2990)));

  test.each([
    ["one lane", 1, 1 << 20],
    ["three lanes", 3, 1 << 20],
    ["lanes and blocks", 2, 20_000],
  ])("%s", async (_, lanes, blockBytes) => {
    const hyperFor = (bytes: number) => hyperForSize(levelOf(1), bytes, lanes);
    const archive = await compress(long, { hyperFor, blockBytes });
    const [frame] = await readArchive(archive);
    expect(frame?.header).toMatchObject({ prior: { hash: PRIOR.hash, isLow: false } });
    expect(frame?.header.model?.hyper).toMatchObject({ streams: lanes, mixerContexts: 8 });
    expect(await decompress(archive)).toEqual(long);
    await expect(decompress(archive, { priors: [] })).rejects.toThrow(MissingPriorError);
  });

  test("no model has counters behind a prior, and one that claims some is refused", async () => {
    const hyperFor = (bytes: number) => ({ ...hyperForSize(levelOf(1), bytes), mixerCounters: 4 });
    const [frame] = await readArchive(await compress(long, { hyperFor }));
    const hyper = frame?.header.model?.hyper as HyperParameters;
    expect(hyper.mixerCounters).toBe(0);
    expect(fitting(PRIOR, hyper, 7)).toBe(PRIOR);
    expect(() => fitting(PRIOR, { ...hyper, mixerCounters: 1 }, 7)).toThrow(CorruptError);
  });

  test("both engines make the same of them, a model behind a stored block among them", async () => {
    const plain = joined(NOISE, TEXT.slice(0, 1200), NOISE.slice(0, 100));
    const options = { blockBytes: 4500, hyperFor: (bytes: number) => hyperForSize(levelOf(1), bytes, 2) };
    const made = (name: Name) => compress(sourceOf(plain, false), options, name);
    const archive = await made("cpu");
    expect(archive).toEqual(await made("reference"));
    expect(await decompress(archive, {}, "reference")).toEqual(plain);
    expect(await decompress(archive)).toEqual(plain);
  });
});

describe("a prior that is not there", () => {
  test("is named by its hash, with those that are there", async () => {
    const archive = await compress(TEXT.slice(1500, 2000));
    const low = PRIOR.hash.toString(16).padStart(16, "0").slice(8);
    await expect(decompress(archive, { priors: [] })).rejects.toThrow(`needs prior ${low}, which was not given`);
    const other = rawPrior(NOISE);
    const text = other.hash.toString(16).padStart(16, "0").slice(8);
    await expect(decompress(archive, { priors: [other] })).rejects.toThrow(`needs prior ${low}, and not ${text}`);
  });

  test("what came before is there, and nothing of what needs it", async () => {
    const [first, second] = [await compress(NOISE.slice(0, 500)), await compress(TEXT.slice(1500, 2000))];
    const out: Uint8Array[] = [];
    const sink = async (bytes: Uint8Array) => void out.push(bytes.slice());
    const both = joined(first, second);
    const work = restore(pullFrom(both), sink, async () => engines.cpu, LIMITS);
    await expect(work).rejects.toThrow("which was not given (in block 2, behind 500 sound bytes)");
    expect(joined(...out)).toEqual(NOISE.slice(0, 500));
  });

  test("of other contexts than the model is corrupt; a number that nobody knows is missing", async () => {
    const archive = await compress(TEXT, { blockBytes: 1500 });
    const twin = { ...PRIOR, contexts: 9 };
    await expect(decompress(archive, { priors: [twin] })).rejects.toThrow(CorruptError);
    const small = await compress(TEXT.slice(0, 700), { prior: { ...PRIOR, number: 250 } });
    await expect(decompress(small, { priors: [] })).rejects.toThrow("needs prior 250, which was not given");
  });
});

test("memory counts the content, in each lane", async () => {
  const prior = rawPrior(joined(...Array.from({ length: 100 }, () => TEXT)));
  const archive = await compress(TEXT.slice(0, 900), { prior });
  expect(await decompress(archive, { priors: [prior] })).toEqual(TEXT.slice(0, 900));
  const tight = { priors: [prior], memoryBytesMax: 100_000_000 };
  await expect(decompress(archive, tight)).rejects.toThrow(MemoryLimitError);
});

/**
 * The built-in priors: that they are what archives that name them were made with, that inputs get the one of their kind
 * or none, and that archives come back, the same from every engine.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptError } from "../../src/archive/errors.ts";
import { mix32 } from "../../src/contract/fixed.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { hyperForSize, levelOf, PRIOR_CONTEXTS } from "../../src/model/levels.ts";
import type { CompressOptions } from "../../src/pipeline/frames.ts";
import { fitting } from "../../src/pipeline/priors.ts";
import { BUILT_IN_COUNT, builtInPrior, PRESENT_FIRST } from "../../src/prior/built-in.ts";
import { builtInStrings, chooseBuiltIn, STRINGS_BYTES } from "../../src/prior/choose.ts";
import type { Prior } from "../../src/prior/file.ts";
import { joined, utf8 } from "../support/bytes.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";

const engines: Record<"cpu" | "reference", Engine> = {
  cpu: await createCpuEngine({ threads: 2 }),
  reference: createReferenceEngine(),
};
const noise = (count: number) => Uint8Array.from({ length: count }, (_, i) => mix32(i));
const PACKAGE = new Uint8Array(readFileSync(join(import.meta.dir, "../../package.json")));
const PROSE = utf8(
  "The house on the hill has been there for a long time, and most of the people who live in it know why.\n",
);

/** More than a short input has. */
const LONG = sources().slice(0, 180_000);
/** Records of 20 bytes that are no numbers. */
const TABLE = Uint8Array.from({ length: 180_000 }, (_, i) => {
  const [row, column] = [Math.floor(i / 20), i % 20];
  return column < 12 ? mix32(column * 97 + (row >> 5)) & 255 : mix32(i) & 7;
});

/** This program's own. */
function sources(): Uint8Array {
  const root = join(import.meta.dir, "../..");
  const paths = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })].sort();
  return joined(...paths.map((path) => readFileSync(join(root, path))));
}

/** Number, name, xxHash64. Made anew before the first release with each change of the mixer; after it, never. */
const HASHES = [
  "1 prose bb0f8b3483373ba8",
  "2 markup a7d5218e28f30fae",
  "3 source 5d5f4c0ce6bdc4bc",
  "4 structured 967fe9b22b4b2506",
  "5 logs 224b994987efd43e",
  "6 executables f216390f3bdf63af",
  "7 prose eb951ad97d680312",
  "8 markup d2a38976e169a246",
  "9 source 1536c5a8432b106e",
  "10 structured 42bc7cf06e6de62a",
  "11 logs d3dc6a3ced1be97b",
  "12 executables 11a70340ce53777d",
];

function compress(plain: Uint8Array, level = 5, options: Partial<CompressOptions> = {}, engine = engines.cpu) {
  const hyperFor = (size: number) => hyperForSize(levelOf(level), size);
  return archiveOf(plain, { blockBytes: 2 ** 20, hyperFor, hasBuiltInPriors: true, ...options }, engine);
}

const decompress = (archive: Uint8Array) => plainOf(archive, {}, engines.cpu);

const priorOf = async (archive: Uint8Array) => (await readArchive(archive))[0]?.header.prior;

test("each is what it was when archives began to name it", () => {
  const found = Array.from({ length: BUILT_IN_COUNT }, (_, i) => builtInPrior(i + 1));
  expect(found.map((prior) => `${prior?.number} ${prior?.name} ${prior?.hash.toString(16)}`)).toEqual(HASHES);
  for (const prior of found) expect(prior).toMatchObject({ contexts: PRIOR_CONTEXTS, stride: 0 });
  expect([0, BUILT_IN_COUNT + 1, 255].map(builtInPrior)).toEqual([undefined, undefined, undefined]);
});

test("the strings that the choice looks at are those that they have", () => {
  const strings = builtInStrings();
  expect(strings.length).toBe((BUILT_IN_COUNT + 1 - PRESENT_FIRST) * STRINGS_BYTES);
  for (let number = PRESENT_FIRST; number <= BUILT_IN_COUNT; number++) {
    const from = (number - PRESENT_FIRST) * STRINGS_BYTES;
    expect(builtInPrior(number)?.content).toEqual(strings.slice(from, from + STRINGS_BYTES));
  }
});

describe("the choice", () => {
  test.each([
    ["prose", PROSE, 7],
    ["a web page", utf8('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>'), 8],
    ["JavaScript", utf8('"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n'), 9],
    ["package.json", PACKAGE, 10],
    ["chance", noise(5000), undefined],
    ["one byte", new Uint8Array(3000).fill(32), undefined],
    ["a genome", Uint8Array.from({ length: 4000 }, (_, i) => "ACGT".charCodeAt(mix32(i) & 3)), undefined],
    ["nothing", new Uint8Array(0), undefined],
    ["four bytes", utf8("the "), undefined],
  ])("%s", (_, plain, number) => expect(chooseBuiltIn(plain)).toBe(number as number));
});

describe("archives", () => {
  const plain = PACKAGE.slice(0, 700);

  test.each([1, 5, 9])("level %d: smaller, and restored", async (level) => {
    const archive = await compress(plain, level);
    expect(await priorOf(archive)).toEqual({ number: 10 });
    expect(archive.length).toBeLessThan(0.8 * (await compress(plain, level, { hasBuiltInPriors: false })).length);
    expect(await decompress(archive)).toEqual(plain);
  });

  test("the reference makes the same archive", async () => {
    expect(await compress(plain, 5, {}, engines.reference)).toEqual(await compress(plain));
  });

  test("what is too short, chance, of many short lanes, or of too little memory has none", async () => {
    for (const plain of [PROSE.slice(0, 12), noise(5000)]) {
      const archive = await compress(plain);
      expect(await priorOf(archive)).toBeUndefined();
      expect(await decompress(archive)).toEqual(plain);
    }
    expect(await priorOf(await compress(PROSE, 5, { memoryBytesMax: 2 ** 24 }))).toBeUndefined();
    expect(await priorOf(await compress(PROSE))).toEqual({ number: 7 });
    const long = await compress(LONG, 1, { hyperFor: (size) => hyperForSize(levelOf(1), size, 64) });
    expect(await priorOf(long)).toBeUndefined();
  });

  test.each([1, 4, 6, 9])("level %d: long ones begin behind a prior for its contexts and counters", async (level) => {
    const archive = await compress(LONG, level);
    const { prior, model } = (await readArchive(archive))[0]?.header ?? {};
    expect(prior).toEqual({ number: 9 });
    expect(model?.hyper).toEqual(hyperForSize(levelOf(level), LONG.length));
    expect(archive.length + 700).toBeLessThan((await compress(LONG, level, { hasBuiltInPriors: false })).length);
    expect(await decompress(archive)).toEqual(LONG);
  });

  test("several lanes begin behind one, and several blocks behind none", async () => {
    const hyperFor = (size: number) => hyperForSize(levelOf(1), size, 3);
    const archive = await compress(LONG, 1, { hyperFor });
    expect(await priorOf(archive)).toEqual({ number: 9 });
    expect(await decompress(archive)).toEqual(LONG);
    expect(await priorOf(await compress(LONG, 1, { hyperFor, blockBytes: LONG.length - 1 }))).toBeUndefined();
  });

  test("a long input of records begins behind none", async () => {
    const plain = joined(TABLE, LONG.slice(0, 90_000));
    expect(chooseBuiltIn(plain)).toBeDefined();
    expect(await priorOf(await compress(plain))).toBeUndefined();
    expect(await priorOf(await compress(plain.slice(-120_000)))).toBeDefined();
  });

  test("an archive of few bytes is a small frame that names it", async () => {
    const plain = joined(...Array.from({ length: 1000 }, (_, i) => PROSE.slice((mix32(i) >>> 0) % 50)));
    const archive = await compress(plain, 9);
    const { prior, small } = (await readArchive(archive))[0]?.header ?? {};
    expect(prior).toEqual({ number: 7 });
    expect(small).toBeDefined();
    expect(await decompress(archive)).toEqual(plain);
  });

  test("those of before are for their own contexts alone", () => {
    const hyper = hyperForSize(levelOf(1), 70_000);
    expect(() => fitting(builtInPrior(1) as Prior, hyper, 0)).toThrow(CorruptError);
    expect(fitting(builtInPrior(7) as Prior, hyper, 0).contexts).toBe(hyper.mixerContexts);
  });

  test("fitted ones are kept while they are used, and few of them: strangers may ask for thousands", () => {
    const hyper = hyperForSize(levelOf(5), 70_000);
    const fit = (mixerContexts: number) => fitting(builtInPrior(7) as Prior, { ...hyper, mixerContexts }, 0);
    const [first, second] = [fit(6), fit(8)];
    for (const contexts of [10, 12, 14]) {
      fit(contexts);
      expect(fit(6)).toBe(first);
    }
    expect(fit(8)).not.toBe(second);
    expect(fit(8)).toEqual(second);
    expect(fit(20)).toBe(builtInPrior(7) as Prior);
  });

  test("a large frame names its prior, too", async () => {
    const plain = joined(PACKAGE, noise(70_000));
    const archive = await compress(plain, 5);
    expect(await decompress(archive)).toEqual(plain);
  });
});

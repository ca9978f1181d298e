/** Trained values and the files of priors: near what they were made of; what is read is a state that lanes can have. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ArchiveError } from "../../src/archive/errors.ts";
import { mix32 } from "../../src/contract/fixed.ts";
import { lessonWords, TRAINED_NAMES, trainedAreas } from "../../src/contract/prior.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { host } from "../../src/platform/host.ts";
import { decodePrior, encodePrior, isPriorFile, rawPrior } from "../../src/prior/file.ts";
import { type Coarseness, decodeTrained, encodeTrained, FINE } from "../../src/prior/state.ts";
import { codedBytesWith, trainValues } from "../../src/prior/train.ts";
import { stateOf } from "../support/lane-state.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin")));
const CONTEXTS = 8;

function trained(contexts = CONTEXTS, bytes = TEXT) {
  const lane = new MixerLane({ contexts, lineBits: 10 });
  lane.begin();
  lane.study(bytes);
  return lane.trained();
}

const parts = (values: Uint8Array) => ({ name: "Text", contexts: CONTEXTS, stride: 0, content: TEXT, trained: values });

/** With a check that is right. */
function sealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const check = host.xxHash64(copy.subarray(0, copy.length - 8), 0n);
  new DataView(copy.buffer).setBigUint64(copy.length - 8, check, true);
  return copy;
}

describe("trained values", () => {
  test.each([4, 20, 28])("come back near what they were, %d contexts", (contexts) => {
    const values = trained(contexts);
    const back = decodeTrained(encodeTrained(values, contexts, FINE), contexts);
    const first = new MixerLane({ contexts, lineBits: 10 }).trained();
    for (const { name, kind, rowLength } of trainedAreas(contexts)) {
      if (kind !== "weights") continue;
      const [was, is, before] = [values, back, first].map((state) => [...state[name].values]);
      const rowOf = (all: number[] | undefined, i: number) => all?.slice(i, i + rowLength) ?? [];
      for (let i = 0; i < (was as number[]).length; i += rowLength) {
        if (`${rowOf(was, i)}` === `${rowOf(before, i)}`) continue;
        const far = rowOf(was, i).map((value, j) => Math.abs(value - (rowOf(is, i)[j] as number)));
        expect(Math.max(...far)).toBeLessThanOrEqual(2 ** FINE[name]);
      }
    }
    expect(back.refine.rows?.length ?? 0).toBeGreaterThan(50);
  });

  test("what was never trained takes a few bytes and comes back as it was", () => {
    const values = new MixerLane({ contexts: 12, lineBits: 10 }).trained();
    const bytes = encodeTrained(values, 12);
    expect(bytes.length).toBeLessThan(400);
    const back = decodeTrained(bytes, 12);
    for (const name of TRAINED_NAMES) expect(back[name].values).toEqual(values[name].values);
  });

  test("damaged ones are refused", () => {
    const bytes = encodeTrained(trained(), CONTEXTS);
    for (let i = 0; i < 12; i++) {
      const other = i < 8 ? bytes.slice() : Uint8Array.from({ length: 300 + 99 * i }, (_, j) => mix32(i * 5000 + j));
      if (i < 8) other[mix32(i) % bytes.length] = mix32(i + 50);
      expect(() => decodeTrained(other, CONTEXTS)).toThrow(ArchiveError);
    }
  });

  test.each([0, 9, 31])("of any numbers give a state that both engines take alike, units of 2^%d", (unit) => {
    const values = trained();
    const wild = Object.fromEntries(
      TRAINED_NAMES.map((name) => {
        const all = values[name].values.map((value, i) => (value === 0 && name === "maps" ? 0 : mix32(i + unit) | 0));
        return [name, { ...values[name], values: all }];
      }),
    ) as typeof values;
    const how = Object.fromEntries(TRAINED_NAMES.map((name) => [name, unit])) as unknown as Coarseness;
    const back = decodeTrained(encodeTrained(wild, CONTEXTS, how), CONTEXTS);
    const shape = { contexts: CONTEXTS, lineBits: 6 };
    const [lane, reference] = [new MixerLane(shape), new ReferenceLane(shape)];
    const payloads = [lane, reference].map((any) => {
      any.seed({ contexts: CONTEXTS, stride: 0, content: TEXT.slice(0, 50), trained: back });
      any.begin();
      any.encode(TEXT.slice(100, 250));
      return any.finishEncoding();
    });
    expect(payloads[0]).toEqual(payloads[1] as Uint8Array);
    expect(stateOf(lane)).toEqual(stateOf(reference));
  });
});

describe("a prior's file", () => {
  const file = encodePrior(parts(encodeTrained(trained(), CONTEXTS)));

  test("says what it holds", () => {
    const prior = decodePrior(file);
    expect(isPriorFile(file)).toBe(true);
    expect(prior).toMatchObject({ name: "Text", contexts: CONTEXTS, stride: 0, sizeBytes: file.length });
    expect(prior.content).toEqual(TEXT);
    expect(prior.hash).toBe(host.xxHash64(file.subarray(0, -8), 0n));
    expect(decodePrior(encodePrior(parts(new Uint8Array(0)))).trained).toBeUndefined();
  });

  test("says which contexts learn what", () => {
    const skimmedBytes = 30;
    const lessons = Uint32Array.from({ length: lessonWords(CONTEXTS, TEXT.length - skimmedBytes) }, (_, i) => mix32(i));
    const whole = { ...parts(new Uint8Array(0)), skimmedBytes, lessons };
    expect(decodePrior(encodePrior(whole))).toMatchObject({ skimmedBytes, lessons, content: TEXT });
    expect(() => encodePrior({ ...whole, lessons: lessons.subarray(1) })).toThrow(RangeError);
    expect(decodePrior(file).lessons).toBeUndefined();
  });

  test("is refused where any byte has changed, or some are missing or too many", () => {
    for (let i = 0; i < 200; i++) {
      const other = file.slice();
      other[mix32(i) % file.length] = ((other[mix32(i) % file.length] as number) ^ (1 + (i & 127))) & 255;
      expect(() => decodePrior(other)).toThrow(ArchiveError);
      expect(() => decodePrior(file.subarray(0, mix32(i) % file.length))).toThrow(ArchiveError);
    }
    expect(() => decodePrior(new Uint8Array([...file, 0]))).toThrow(ArchiveError);
  });

  test("of another contract says so", () => {
    const other = file.slice();
    other[5] = 77;
    expect(() => decodePrior(sealed(other))).toThrow("model contract is 77");
    const newer = file.slice();
    newer[4] = 9;
    expect(() => decodePrior(newer)).toThrow("needs another version of fade");
  });

  test("bytes that are none are content, the last ones of many", () => {
    expect(rawPrior(TEXT)).toMatchObject({ contexts: 20, hash: host.xxHash64(TEXT, 0n), content: TEXT });
    const many = new Uint8Array(5_000_000).fill(7);
    many[many.length - 1] = 8;
    const { content } = rawPrior(many);
    expect([content.length, content.at(-1)]).toEqual([1 << 22, 8]);
  });
});

test("training gains beside content, and content beside nothing", () => {
  const record = (i: number) =>
    new TextEncoder().encode(`{"id": ${mix32(i) % 10000}, "name": "n${mix32(i + 7) % 100}", "tags": ["a${i % 7}"]}\n`);
  const samples = Array.from({ length: 60 }, (_, i) => record(i));
  const others = Array.from({ length: 20 }, (_, i) => record(1000 + i));
  const content = host.concatenate(samples.slice(0, 10));
  const fold = { content, samples: samples.slice(10) };
  const values = trainValues([fold], { contexts: CONTEXTS, stride: 0 });
  const prior = { contexts: CONTEXTS, stride: 0, content };
  const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
  const nothing = sum(codedBytesWith({ ...prior, content: new Uint8Array(0) }, others));
  const alone = sum(codedBytesWith(prior, others));
  const all = sum(codedBytesWith({ ...prior, trained: decodeTrained(values, CONTEXTS) }, others));
  expect(alone).toBeLessThan(0.6 * nothing);
  expect(all).toBeLessThan(0.9 * alone);
});

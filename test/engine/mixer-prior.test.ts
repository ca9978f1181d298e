/**
 * Lanes that begin with a prior: the WebAssembly lane against the reference, whole states and payloads by ==; and a
 * lane that is made again from a copy against one that was seeded anew.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mix32 } from "../../src/contract/fixed.ts";
import { type LanePrior, LESSONS_BYTES, TRAINED_NAMES } from "../../src/contract/prior.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { stateOf } from "../support/lane-state.ts";

const golden = (name: string, from: number, bytes: number) =>
  new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", name))).slice(from, from + bytes);
const TEXT = golden("text.bin", 0, 5000);
const NESTED = new TextEncoder().encode('{"a": [(1, <b x="Y">), {"c": 2}], "words and Words": [3]}\n'.repeat(6));
const SOUND = Uint8Array.from({ length: 900 }, (_, i) => (i % 2 === 0 ? mix32(i) & 31 : 100 + ((i >> 3) % 40)));
const ROWS = Uint8Array.from({ length: 900 }, (_, i) => (i % 12 < 4 ? i / 12 : i % 12 < 6 ? mix32(i) & 3 : i % 12));
const MIXED = Uint8Array.from(
  [0, 1, 2, 3].flatMap((i) => [...TEXT.slice(601 * i, 601 * i + 601), ...SOUND.slice(9, 99)]),
);

/** Name, content, stride of the prior, stride of the block behind it, contexts, line bits. */
const CASES: readonly (readonly [string, Uint8Array, number, number, number, number])[] = [
  ["text", TEXT.slice(0, 1500), 0, 0, 28, 9],
  ["text, few lines", TEXT.slice(0, 1500), 0, 0, 20, 4],
  ["brackets", NESTED, 0, 0, 28, 8],
  ["a genome", TEXT.slice(0, 700), 1, 1, 28, 7],
  ["sound", SOUND, 2, 2, 28, 7],
  ["sound of two channels, an odd length", SOUND.slice(0, 701), 3, 3, 20, 7],
  ["records", ROWS, 12, 12, 28, 7],
  ["records before text", ROWS, 12, 0, 20, 7],
  ["text before sound", TEXT.slice(0, 501), 0, 2, 28, 7],
  ["text before rows", TEXT.slice(0, 500), 0, 90, 28, 7],
  ["text and what is binary, in turns", MIXED, 0, 0, 28, 9],
  ["the same before rows", MIXED.slice(0, 1403), 0, 90, 20, 9],
  ["nothing", new Uint8Array(0), 0, 0, 8, 6],
  ["one byte", Uint8Array.of(10), 0, 0, 8, 6],
];

const SHAPE = { contexts: 12, lineBits: 9 };

/** What some bytes teach a lane. */
function trainedBy(bytes: Uint8Array, stride: number, contexts: number) {
  const lane = new MixerLane({ contexts, lineBits: 8 });
  lane.describe(stride);
  lane.begin();
  lane.study(bytes);
  return lane.trained();
}

function encode(lane: InstanceType<typeof MixerLane> | ReferenceLane, bytes: Uint8Array): Uint8Array {
  lane.begin();
  lane.encode(bytes);
  return lane.finishEncoding();
}

describe("a lane with a prior and the reference", () => {
  test.each(CASES)("%s", (_, content, stride, strideOfBlock, contexts, lineBits) => {
    const [block, later] = [TEXT.slice(2000, 2600), ROWS.slice(0, 300)];
    const trained = trainedBy(content.slice(0, 800), stride, contexts);
    const prior: LanePrior = { contexts, stride, content, trained };
    const [lane, reference] = [new MixerLane({ contexts, lineBits }), new ReferenceLane({ contexts, lineBits })];
    for (const any of [lane, reference]) any.seed(prior);
    expect(stateOf(lane)).toEqual(stateOf(reference));
    for (const any of [lane, reference]) any.describe(strideOfBlock);
    const payload = encode(lane, block);
    expect(payload).toEqual(encode(reference, block));
    expect(stateOf(lane)).toEqual(stateOf(reference));
    expect(encode(lane, later)).toEqual(encode(reference, later));
    expect(stateOf(lane)).toEqual(stateOf(reference));
    const [back, decoded] = [new MixerLane({ contexts, lineBits }), new Uint8Array(block.length)];
    back.seed(prior);
    back.describe(strideOfBlock);
    back.beginDecoding(payload);
    back.decode(decoded);
    expect(back.finishDecoding()).toBe(0);
    expect(decoded).toEqual(block);
  });

  test.each([0, 12])("contexts learn what they are told, of stride %d", (stride) => {
    const content = Uint8Array.from(
      { length: LESSONS_BYTES + 1700 },
      (_, t) => MIXED[t % (MIXED.length - 7)] as number,
    );
    const lessons = Uint32Array.from({ length: 2 * 12 }, (_, i) => (i % 5 === 0 ? 0 : mix32(i + stride)));
    const prior: LanePrior = { contexts: 12, stride, content, skimmedBytes: 300, lessons };
    const [lane, reference] = [new MixerLane(SHAPE), new ReferenceLane(SHAPE)];
    for (const any of [lane, reference]) any.seed(prior);
    expect(stateOf(lane)).toEqual(stateOf(reference));
    expect(encode(lane, NESTED)).toEqual(encode(reference, NESTED));
    const all = new MixerLane(SHAPE);
    all.seed({ ...prior, lessons: new Uint32Array(2 * 12).fill(2 ** 32 - 1) });
    const without = new MixerLane(SHAPE);
    without.seed({ contexts: 12, stride, content, skimmedBytes: 300 });
    expect(stateOf(all)).toEqual(stateOf(without));
  });

  test("replay leaves the lines, runs, followers and places that learning leaves, and touches nothing else", () => {
    const shape = { contexts: 28, lineBits: 9 };
    const [replaying, studying, fresh] = [new MixerLane(shape), new MixerLane(shape), new MixerLane(shape)];
    const content = new Uint8Array([...TEXT.slice(0, 2500), ...NESTED, ...SOUND]);
    replaying.begin();
    replaying.replay(content);
    studying.begin();
    studying.study(content);
    const [replayed, studied, before] = [stateOf(replaying), stateOf(studying), stateOf(fresh)];
    for (const name of ["lines", "runs", "followers1", "followers2", "places"] as const) {
      expect(replayed[name]).toBe(studied[name] as string);
    }
    for (const name of [...TRAINED_NAMES, "mapInputs"] as const) expect(replayed[name]).toBe(before[name] as string);
  });

  test("content of another number of contexts is refused", () => {
    const prior = { contexts: 9, stride: 0, content: TEXT };
    expect(() => new MixerLane({ contexts: 8, lineBits: 8 }).seed(prior)).toThrow("a prior of 9 contexts");
    expect(() => new ReferenceLane({ contexts: 8, lineBits: 8 }).seed(prior)).toThrow(RangeError);
  });
});

describe("a copy of a seeded lane", () => {
  const shape = { contexts: 28, lineBits: 8 };
  const content = new Uint8Array([...TEXT.slice(0, 1200), ...NESTED.slice(0, 200)]);
  const seeded = (stride: number) => {
    const lane = new MixerLane(shape);
    lane.seed({ contexts: 28, stride, content, trained: trainedBy(TEXT.slice(0, 600), stride, 28) });
    return lane;
  };

  test.each([0, 2, 12])("makes the lane again what it was, stride %d", (stride) => {
    const [lane, anew] = [seeded(stride), seeded(stride)];
    const kept = lane.keep();
    for (const block of [NESTED, SOUND, TEXT.slice(2200, 2900)]) {
      lane.describe(12);
      encode(lane, block);
      lane.recall(kept);
      expect(stateOf(lane)).toEqual(stateOf(anew));
    }
    expect(encode(lane, NESTED)).toEqual(encode(anew, NESTED));
    expect(stateOf(lane)).toEqual(stateOf(anew));
  });

  test("or leaves what was trained", () => {
    const [lane, other] = [seeded(0), seeded(0)];
    const kept = lane.keep();
    lane.begin();
    lane.study(TEXT.slice(2200, 2900));
    const trained = stateOf(lane);
    lane.recall(kept, true);
    const [now, before] = [stateOf(lane), stateOf(other)];
    for (const name of [...TRAINED_NAMES, "mapInputs"] as const) expect(now[name]).toBe(trained[name] as string);
    for (const name of ["lines", "runs", "followers1", "followers2", "places"] as const) {
      expect(now[name]).toBe(before[name] as string);
    }
    expect(now.weights).not.toBe(before.weights as string);
  });
});

test("a lane that is given what another was taught has learnt the same", () => {
  const shape = { contexts: 20, lineBits: 8 };
  const lane = new MixerLane(shape);
  lane.begin();
  lane.study(TEXT.slice(0, 2000));
  const trained = lane.trained();
  const other = new MixerLane(shape);
  other.seed({ contexts: 20, stride: 0, content: new Uint8Array(0), trained });
  const [from, to] = [stateOf(lane), stateOf(other)];
  for (const name of [...TRAINED_NAMES, "mapInputs"] as const) expect(to[name]).toBe(from[name] as string);
  expect(trained.refine.rows?.length ?? 0).toBeGreaterThan(100);
});

/**
 * Lanes that foresee pixels: the WebAssembly lane against the reference, payloads and whole states by ==, on pictures
 * and films of every shape, between bytes that are not foreseen.
 */
import { describe, expect, test } from "bun:test";
import { CuedLane } from "../../src/engine/mixer/cued-lane.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { laneRange } from "../../src/engine/mixer/model.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { foreseenWithin } from "../../src/predict/foresight.ts";
import { type Film, filmFrameBytes, type Pixels, type Sound, type Stretch } from "../../src/predict/list.ts";
import { transformSlowly } from "../../src/predict/transform.ts";
import { hashOf as hash, stateOf } from "../support/lane-state.ts";
import { filmOf, pixelsOf, soundOf } from "../support/numbers.ts";

type AnyLane = InstanceType<typeof MixerLane> | ReferenceLane;

const PLAIN: Pixels = { kind: "pixels", channels: 1, width: 50, frameBytes: 0, isRanked: false };
const RANKED: Pixels = { ...PLAIN, channels: 3, isRanked: true };
const FILM: Film = { kind: "film", width: 16, height: 12 };

const text = (bytes: number) => new TextEncoder().encode("pixels, and what is not. ".repeat(999)).subarray(0, bytes);

const SOUND: Sound = { kind: "sound", channels: 1, width: 2, isBig: false, isUnsigned: false, isByPanel: true };

function plainOf(numbers: Pixels | Film | Sound, rows: number): Uint8Array {
  if (numbers.kind === "sound") return soundOf(1500, numbers);
  return numbers.kind === "film" ? filmOf(6, numbers) : pixelsOf(rows, numbers);
}

/** What the model sees of a picture, film or sound between texts, and its list. */
function seenOf(numbers: Pixels | Film | Sound, odd = 0, rows = 24): { bytes: Uint8Array; stretches: Stretch[] } {
  const picture = plainOf(numbers, rows);
  const bytes = new Uint8Array(Buffer.concat([text(300), picture, text(200)]));
  const stretches = [{ gapBytes: 300, lengthBytes: picture.length - odd, numbers }];
  for (const _ of transformSlowly(bytes, stretches, false, true));
  return { bytes, stretches };
}

function encode(lane: AnyLane, { bytes, stretches }: ReturnType<typeof seenOf>, stride = 0): Uint8Array {
  lane.describe(stride, foreseenWithin(stretches, 0, bytes.length));
  lane.begin();
  lane.encode(bytes);
  return lane.finishEncoding();
}

const CASES: readonly [name: string, numbers: Pixels | Film | Sound, contexts: number, stride: number, odd: number][] =
  [
    ["grey", PLAIN, 8, 0, 0],
    ["grey, a film of pixels", { ...PLAIN, frameBytes: 50 * 8 }, 20, 50, 0],
    ["two channels", { ...PLAIN, channels: 2 }, 10, 12, 1],
    ["colours", RANKED, 20, 50, 2],
    ["colours, all contexts", RANKED, 28, 2, 0],
    ["colours that are not counted", { ...RANKED, isRanked: false }, 4, 1, 0],
    ["colours with alpha", { ...RANKED, channels: 4 }, 20, 0, 3],
    ["colours with alpha in frames", { ...RANKED, channels: 4, frameBytes: 50 * 4 * 6 }, 12, 0, 0],
    ["a film", FILM, 20, 16, 0],
    ["a film, part of a frame", FILM, 28, 0, 5],
    ["sound", SOUND, 28, 2, 0],
    ["sound of two channels", { ...SOUND, channels: 2 }, 28, 3, 1],
    ["sound of bytes", { ...SOUND, width: 1, isUnsigned: true }, 8, 0, 0],
    [
      "sound of three bytes, highest first, of three channels",
      { ...SOUND, width: 3, channels: 3, isBig: true },
      12,
      0,
      4,
    ],
  ];

describe("the lane and the reference", () => {
  test.each(CASES)("%s", (_, numbers, contexts, stride, odd) => {
    const shape = { contexts, lineBits: 9 };
    const seen = seenOf(numbers, odd);
    const [lane, reference, back] = [new MixerLane(shape), new ReferenceLane(shape), new MixerLane(shape)];
    const payload = encode(lane, seen, stride);
    expect(hash(payload)).toBe(hash(encode(reference, seen, stride)));
    expect(stateOf(lane)).toEqual(stateOf(reference));
    const bytes = new Uint8Array(seen.bytes.length);
    back.describe(stride, foreseenWithin(seen.stretches, 0, bytes.length));
    back.beginDecoding(payload);
    // In pieces that end anywhere.
    for (let at = 0; at < bytes.length; at += 701) back.decode(bytes.subarray(at, at + 701));
    expect([hash(bytes), back.finishDecoding()]).toEqual([hash(seen.bytes), 0]);
    expect(stateOf(back)).toEqual(stateOf(lane));
  });

  test.each([RANKED, FILM, SOUND])("counters beside histories, %p", (numbers) => {
    const shape = { contexts: 12, lineBits: 9, counters: 7 };
    const seen = seenOf(numbers);
    const [lane, reference] = [new MixerLane(shape), new ReferenceLane(shape)];
    expect(hash(encode(lane, seen))).toBe(hash(encode(reference, seen)));
    expect(stateOf(lane)).toEqual(stateOf(reference));
  });

  test("what lanes are reminded of before pixels and behind them is not foreseen", () => {
    const shape = { contexts: 8, lineBits: 9 };
    const { bytes, stretches } = seenOf(RANKED);
    const cues = [0, 17, 300, bytes.length - 200, bytes.length - 5].map((at) => ({ at, bytes: text(40) }));
    const [lane, reference, back] = [new MixerLane(shape), new ReferenceLane(shape), new MixerLane(shape)];
    const pixels = foreseenWithin(stretches, 0, bytes.length);
    const payloads = [lane, reference].map((each) => {
      const cued = new CuedLane(each);
      cued.describe(0, pixels);
      cued.begin();
      cued.cue(cues);
      cued.encode(bytes);
      return cued.finishEncoding();
    });
    expect(hash(payloads[0] as Uint8Array)).toBe(hash(payloads[1] as Uint8Array));
    expect(stateOf(lane)).toEqual(stateOf(reference));
    const restored = new Uint8Array(bytes.length);
    const cued = new CuedLane(back);
    cued.describe(0, pixels);
    cued.beginDecoding(payloads[0] as Uint8Array);
    cued.cue(cues);
    cued.decode(restored);
    expect([hash(restored), cued.finishDecoding()]).toEqual([hash(bytes), 0]);
  });

  test("blocks with foresight and without follow each other, coded or studied", () => {
    const shape = { contexts: 12, lineBits: 8 };
    const [lane, reference, studying] = [new MixerLane(shape), new ReferenceLane(shape), new MixerLane(shape)];
    const blocks = [seenOf(RANKED), { bytes: text(500), stretches: [] }, seenOf(FILM), seenOf(RANKED)];
    for (const block of blocks) {
      expect(hash(encode(lane, block))).toBe(hash(encode(reference, block)));
      studying.describe(0, foreseenWithin(block.stretches, 0, block.bytes.length));
      studying.begin();
      studying.study(block.bytes);
    }
    expect(stateOf(lane)).toEqual(stateOf(reference));
    expect(stateOf(studying)).toEqual(stateOf(lane));
  });

  test("behind a prior, pixels lie where they lie in the block", () => {
    const shape = { contexts: 8, lineBits: 9 };
    const prior = { contexts: 8, stride: 0, content: text(777) };
    const [lane, reference] = [new MixerLane(shape), new ReferenceLane(shape)];
    const seen = seenOf(RANKED);
    const payloads = [lane, reference].map((each) => {
      each.seed(prior);
      return hash(encode(each, seen));
    });
    expect(payloads[0]).toBe(payloads[1] as string);
  });
});

test("foresight makes pixels smaller", () => {
  const seen = seenOf({ ...RANKED, width: 80 }, 0, 200);
  const shape = { contexts: 20, lineBits: 14 };
  const foreseen = encode(new MixerLane(shape), seen).length;
  expect(foreseen).toBeLessThan(encode(new MixerLane(shape), { ...seen, stretches: [] }, 80).length);
});

test("a lane foresees what lies wholly among its bytes", () => {
  const stretch = (gapBytes: number, lengthBytes: number, numbers: Stretch["numbers"]) => ({
    gapBytes,
    lengthBytes,
    numbers,
  });
  const sound = { kind: "sound", channels: 1, width: 2, isBig: false, isUnsigned: false } as const;
  const list = [stretch(10, 90, PLAIN), stretch(0, 100, sound), stretch(5, 100, FILM), stretch(0, 50, RANKED)];
  expect(foreseenWithin(list, 0, 355)).toEqual([
    { start: 10, lengthBytes: 90, numbers: PLAIN },
    { start: 205, lengthBytes: 100, numbers: FILM },
    { start: 305, lengthBytes: 50, numbers: RANKED },
  ]);
  expect(foreseenWithin(list, 11, 305)).toEqual([{ start: 194, lengthBytes: 100, numbers: FILM }]);
  expect(filmFrameBytes(FILM)).toBe(288);
});

test("lanes have the bytes that streams have", () => {
  expect([0, 1, 2].map((lane) => laneRange(11, 3, lane))).toEqual([
    [0, 4],
    [4, 8],
    [8, 11],
  ]);
});

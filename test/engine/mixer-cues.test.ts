/**
 * Lanes that are reminded in the middle of a block: the WebAssembly lane against the reference, payloads and whole
 * states by ==; however callers cut the block, and in all three ways to go through it.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mix32 } from "../../src/contract/fixed.ts";
import type { Cue } from "../../src/engine/engine.ts";
import { CuedLane } from "../../src/engine/mixer/cued-lane.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { stateOf } from "../support/lane-state.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin"))).slice(0, 3000);
const CODE = Uint8Array.from({ length: 400 }, (_, i) => [0x48, 0x8b, 0x0f, mix32(i) & 255, 0xe8, 3][i % 6] as number);
const SHAPE = { contexts: 20, lineBits: 8 };

/** Name, bytes, stride, contexts with counters. */
const BLOCKS: readonly (readonly [string, Uint8Array, number, number])[] = [
  ["text", TEXT.slice(1000, 1700), 0, 0],
  ["text with counters", TEXT.slice(1000, 1700), 0, 6],
  ["code", CODE, 0, 0],
  ["rows", Uint8Array.from({ length: 500 }, (_, i) => (i % 20 < 5 ? i / 20 : mix32(i) & 3)), 20, 0],
  ["sound", Uint8Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? mix32(i) & 31 : 100 + ((i >> 3) % 40))), 2, 0],
];

/** Before the first byte, two before one and the same, one that is longer than a chunk, and one behind the last. */
const cuesFor = (block: Uint8Array): Cue[] => [
  { at: 0, bytes: TEXT.slice(0, 50) },
  { at: 17, bytes: block.slice(30, 80) },
  { at: 17, bytes: TEXT.slice(100, 101) },
  { at: 200, bytes: new Uint8Array([...TEXT, ...TEXT]) },
  { at: block.length, bytes: TEXT.slice(5, 9) },
];

function lanes(stride: number, counters = 0) {
  const shape = { ...SHAPE, counters };
  const pair = [new MixerLane(shape), new ReferenceLane(shape)] as const;
  for (const lane of pair) lane.describe(stride);
  return pair;
}

function encode(lane: CuedLane, block: Uint8Array, pieces: readonly number[], cues = cuesFor(block)): Uint8Array {
  lane.begin();
  lane.cue(cues);
  let from = 0;
  for (const length of pieces) {
    lane.encode(block.subarray(from, from + length));
    from += length;
  }
  lane.encode(block.subarray(from));
  return lane.finishEncoding();
}

describe("a lane that is reminded and the reference", () => {
  test.each(BLOCKS)("%s", (_, block, stride, counters) => {
    const [lane, reference] = lanes(stride, counters);
    const [cued, cuedReference] = [new CuedLane(lane), new CuedLane(reference)];
    const payload = encode(cued, block, []);
    expect(payload).toEqual(encode(cuedReference, block, [17, 0, 183]));
    expect(stateOf(lane)).toEqual(stateOf(reference));
    // What is behind it has no cues left over.
    expect(encode(cued, TEXT.slice(0, 300), [], [])).toEqual(encode(cuedReference, TEXT.slice(0, 300), [9], []));
    expect(stateOf(lane)).toEqual(stateOf(reference));
  });

  test.each(BLOCKS)("%s: decoded and studied, in pieces of any length", (_, block, stride, counters) => {
    const payload = encode(new CuedLane(lanes(stride, counters)[0]), block, [1, 100]);
    const [[decoding], [studying], [encoding]] = [
      lanes(stride, counters),
      lanes(stride, counters),
      lanes(stride, counters),
    ];
    const [decoder, student] = [new CuedLane(decoding), new CuedLane(studying)];
    decoder.beginDecoding(payload);
    student.begin();
    for (const lane of [decoder, student]) lane.cue(cuesFor(block));
    const back: Uint8Array = new Uint8Array(block.length);
    for (let from = 0; from < block.length; from += 37) {
      decoder.decode(back.subarray(from, from + 37));
      student.study(block.subarray(from, from + 37));
    }
    expect(back).toEqual(block);
    expect(decoder.finishDecoding()).toBe(0);
    encode(new CuedLane(encoding), block, [], cuesFor(block).slice(0, 4));
    for (const lane of [decoding, studying]) expect(stateOf(lane)).toEqual(stateOf(encoding));
  });

  test("cues help", () => {
    const block = TEXT.slice(0, 600);
    const reminded = encode(new CuedLane(lanes(0)[0]), block, [], [{ at: 0, bytes: TEXT.slice(0, 800) }]);
    expect(reminded.length).toBeLessThan(encode(new CuedLane(lanes(0)[0]), block, [], []).length / 3);
  });
});

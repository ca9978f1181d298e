/**
 * The bit mixer's WebAssembly lane against the reference: payloads and whole states by ==, on data that reaches the
 * limits of every table, so that a number that one of them has and the other has not shows.
 */
import { describe, expect, test } from "bun:test";
import { mix32 } from "../../src/contract/fixed.ts";
import { histories } from "../../src/contract/histories.ts";
import { instructionTable } from "../../src/contract/instructions.ts";
import {
  type Family,
  familyOf,
  MIXER_CONTEXTS_MAX,
  mixerContexts,
  OFFSETS_MAX,
  ORDER_MAX,
  PARTS,
  squashTable,
  stretchTable,
} from "../../src/contract/mixer.ts";
import type { LaneShape } from "../../src/engine/mixer/lane.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { hashOf as hash, stateOf } from "../support/lane-state.ts";
import { CASES, COUNTED_CASES, dataOf, file, made } from "../support/mixer-cases.ts";

const ALL_CASES = [...CASES.map((row) => [...row, 0] as const), ...COUNTED_CASES];

type AnyLane = InstanceType<typeof MixerLane> | ReferenceLane;

function encode(lane: AnyLane, stride: number, ...pieces: Uint8Array[]): Uint8Array {
  lane.describe(stride);
  lane.begin();
  for (const piece of pieces) lane.encode(piece);
  return lane.finishEncoding();
}

function decode(lane: AnyLane, stride: number, payload: Uint8Array, length: number): [Uint8Array, number] {
  const bytes = new Uint8Array(length);
  lane.describe(stride);
  lane.beginDecoding(payload);
  lane.decode(bytes);
  return [bytes, lane.finishDecoding()];
}

describe("the lane and the reference", () => {
  test.each(ALL_CASES)(
    "%s with stride %d, %d contexts, 2^%d lines, %d with counters",
    (name, stride, contexts, lineBits, counters) => {
      const shape = { contexts, lineBits, counters };
      const [lane, reference, back] = [new MixerLane(shape), new ReferenceLane(shape), new MixerLane(shape)];
      const payload = encode(lane, stride, dataOf(name));
      expect(hash(payload)).toBe(hash(encode(reference, stride, dataOf(name))));
      expect(stateOf(lane)).toEqual(stateOf(reference));
      const [bytes, rest] = decode(back, stride, payload, dataOf(name).length);
      expect([hash(bytes), rest]).toEqual([hash(dataOf(name)), 0]);
      expect(stateOf(back)).toEqual(stateOf(lane));
    },
  );

  test("what one block taught is there in the next, of whatever kind", () => {
    for (const counters of [0, 6]) blocksOfKinds({ contexts: 10, lineBits: 7, counters });
  });

  function blocksOfKinds(shape: LaneShape): void {
    const [lane, reference, back] = [new MixerLane(shape), new ReferenceLane(shape), new MixerLane(shape)];
    const blocks: [Uint8Array, number][] = [
      [dataOf("text").slice(0, 500), 0],
      [dataOf("rows").slice(0, 300), 12],
      [new Uint8Array(0), 0],
      [Uint8Array.of(7), 2],
      [dataOf("text").slice(0, 500), 0],
    ];
    const sizes = blocks.map(([bytes, stride]) => {
      const payload = encode(lane, stride, bytes);
      expect(hash(payload)).toBe(hash(encode(reference, stride, bytes)));
      const [decoded, rest] = decode(back, stride, payload, bytes.length);
      expect([hash(decoded), rest]).toEqual([hash(bytes), 0]);
      return payload.length;
    });
    expect(stateOf(lane)).toEqual(stateOf(reference));
    expect(stateOf(back)).toEqual(stateOf(lane));
    expect(sizes[4] as number).toBeLessThan(0.75 * (sizes[0] as number));
  }

  test("the reference decodes, and says what is missing or too much of a payload as the lane does", () => {
    const shape = { contexts: 6, lineBits: 6 };
    const data = dataOf("mixed").slice(0, 300);
    const payload = encode(new MixerLane(shape), 0, data);
    expect(hash(decode(new ReferenceLane(shape), 0, payload, 300)[0])).toBe(hash(data));
    for (const other of [payload, new Uint8Array(0), payload.slice(0, 40), new Uint8Array([...payload, 1, 2])]) {
      const [bytes, rest] = decode(new MixerLane(shape), 0, other, 300);
      const [judged, judgedRest] = decode(new ReferenceLane(shape), 0, other, 300);
      expect([hash(bytes), rest]).toEqual([hash(judged), judgedRest]);
    }
  });

  test("study leaves the state that encode leaves, in both", () => {
    const shape = { contexts: 12, lineBits: 6, counters: 4 };
    const [coding, studying, judge] = [new MixerLane(shape), new MixerLane(shape), new ReferenceLane(shape)];
    encode(coding, 90, dataOf("picture"));
    for (const lane of [studying, judge]) {
      lane.describe(90);
      lane.begin();
      lane.study(dataOf("picture"));
    }
    expect(stateOf(studying)).toEqual(stateOf(coding));
    expect(stateOf(judge)).toEqual(stateOf(coding));
  });
});

describe("a lane", () => {
  test("encodes in pieces what it encodes at once, and decodes in others", () => {
    const shape = { contexts: 10, lineBits: 10 };
    const data = new Uint8Array([...file("text.bin", 5000), ...file("mixed.bin", 5000)]);
    const atOnce = encode(new MixerLane(shape), 0, data);
    const cuts = [0, 0, 1, 4097, 4098, 9999, data.length];
    const pieces = cuts.slice(1).map((cut, i) => data.subarray(cuts[i] as number, cut));
    expect(hash(encode(new MixerLane(shape), 0, ...pieces))).toBe(hash(atOnce));
    const lane = new MixerLane(shape);
    lane.beginDecoding(atOnce);
    for (const piece of pieces) {
      const bytes = new Uint8Array(piece.length);
      lane.decode(bytes);
      expect(hash(bytes)).toBe(hash(piece));
    }
    expect(lane.finishDecoding()).toBe(0);
  });

  test("decodes damaged payloads to other bytes, or says that their length is wrong", () => {
    const shape = { contexts: 6, lineBits: 6 };
    const data = dataOf("text");
    const payload = encode(new MixerLane(shape), 0, data);
    for (let i = 0; i < 20; i++) {
      const damaged = i % 2 === 0 ? payload.slice() : payload.slice(0, mix32(i) % payload.length);
      if (i % 2 === 0) (damaged[mix32(i + 99) % damaged.length] as number) ^= 1 + (i & 127);
      const [bytes, rest] = decode(new MixerLane(shape), 0, damaged, data.length);
      expect(hash(bytes) !== hash(data) || rest !== 0).toBe(true);
    }
  });

  test("makes chance no more than 0.5 % longer, and has room for what costs most", () => {
    const shape = { contexts: 4, lineBits: 8 };
    const data = made(40_000, mix32);
    expect(encode(new MixerLane(shape), 0, data).length).toBeLessThan(40_200);
    const lane = new MixerLane(shape);
    encode(lane, 0, new Uint8Array(20_000));
    const [payload, back] = [encode(lane, 0, data), new MixerLane(shape)];
    decode(back, 0, encode(new MixerLane(shape), 0, new Uint8Array(20_000)), 20_000);
    expect(hash(decode(back, 0, payload, data.length)[0])).toBe(hash(data));
  });
});

/** Pins the numbers that both engines share: these payloads change with any constant, table or list of contexts. */
test.each([
  ["text", 0, "0cd7202737658edd"],
  ["letters", 1, "883ac291c3033f61"],
  ["mono", 2, "96ff5529dcdb917c"],
  ["picture", 90, "c4602a7d892ac684"],
] as const)("the payload of %s with stride %d is the one that archives have", (name, stride, known) => {
  const lane = new MixerLane({ contexts: 28, lineBits: 8 });
  expect(hash(encode(lane, stride, dataOf(name))).slice(0, 16)).toBe(known);
});

test("the payload with counters is the one that archives have", () => {
  const lane = new MixerLane({ contexts: 28, lineBits: 8, counters: 8 });
  expect(hash(encode(lane, 0, dataOf("text"))).slice(0, 16)).toBe("646f2c9ff784446d");
});

test("a lane with counters begins behind no prior, in both", () => {
  const prior = { contexts: 8, stride: 0, content: dataOf("text") };
  for (const Lane of [MixerLane, ReferenceLane]) {
    new Lane({ contexts: 8, lineBits: 6 }).seed(prior);
    expect(() => new Lane({ contexts: 8, lineBits: 6, counters: 1 }).seed(prior)).toThrow(RangeError);
  }
});

test("families: every list is long enough, no context comes twice, and each fits into its record", () => {
  const seen = new Set<string>();
  for (const [stride, family] of [0, 1, 2, 3, 4, 4095].map((s): [number, Family] => [s, familyOf(s)])) {
    const contexts = mixerContexts(family, MIXER_CONTEXTS_MAX, stride);
    const binary = mixerContexts(family, MIXER_CONTEXTS_MAX, stride, true);
    for (const list of [contexts, binary]) {
      expect(new Set(list.map((context) => JSON.stringify(context))).size).toBe(MIXER_CONTEXTS_MAX);
    }
    for (const { order, parts, offsets } of [...contexts, ...binary]) {
      expect(order <= ORDER_MAX && offsets.length <= OFFSETS_MAX && offsets.every((o) => o > 0)).toBe(true);
      for (const part of parts) seen.add(part);
    }
    expect(() => mixerContexts(family, MIXER_CONTEXTS_MAX + 1, stride)).toThrow(RangeError);
  }
  expect(PARTS.filter((part) => !seen.has(part))).toEqual([]);
});

test("tables: log odds and probabilities belong together, states stay within a byte", () => {
  const squash = squashTable();
  const stretch = stretchTable();
  expect([squash[4096], squash[4096 + 256], squash[4096 - 256], squash[8192], squash[0]]).toEqual([
    32768, 47911, 17625, 65535, 1,
  ]);
  for (const [k, x] of stretch.entries()) {
    const least = 16 * k + 8;
    const isLeast = (squash[4096 + x] as number) >= least && (squash[4095 + x] as number) < least;
    expect(isLeast || Math.abs(x) === 2047).toBe(true);
  }
  const { count, next, total } = histories();
  expect([count, next.length, Math.max(...next), total[0]]).toEqual([123, 246, 122, 0]);
});

test("instructions: what follows an opcode, as the manuals have it", () => {
  const table = instructionTable();
  const entry = (at: number) => table[at] as number;
  expect(table.length).toBe(768);
  // push; mov r/m; mov with an immediate; call; jump if above; test, which alone of its group has an immediate
  expect([0x55, 0x89, 0xc7, 0xe8, 0x77, 0xf7].map(entry)).toEqual([0, 128, 132, 4, 1, 148]);
  // prefixes; the escape; behind it: syscall, jump if equal, movzx, bit test with an immediate
  expect([0x48, 0x66, 0x0f].map(entry)).toEqual([64, 64, 32]);
  expect([0x05, 0x84, 0xb6, 0xba].map((op) => entry(256 + op))).toEqual([0, 4, 128, 129]);
  // WebAssembly: i32.add, local.get, i32.load, call_indirect
  expect([0x6a, 0x20, 0x28, 0x11].map((op) => entry(512 + op))).toEqual([0, 1, 2, 2]);
});

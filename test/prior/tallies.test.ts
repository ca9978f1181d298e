/**
 * Tallies: that they are what samples have in common, that bytes of them are sound or refused, and that lines which
 * begin with them are the same in both engines, whatever lanes do.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ArchiveError } from "../../src/archive/errors.ts";
import { histories } from "../../src/contract/histories.ts";
import { LEVELS_AT, TALLY_LEVELS, tallyCounts, tallyRoomBytes, tallyStates } from "../../src/contract/tally.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { chooseTallies } from "../../src/prior/tallies.ts";
import { checkTallies, encodeTallies } from "../../src/prior/tally-bytes.ts";
import { stateOf } from "../support/lane-state.ts";
import { wildTallies } from "../support/tallies.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin")));
const CONTEXTS = 6;

describe("states that stand for counts", () => {
  const { ones, total, last } = histories();
  const stateFor = (zeros: number, other: number) =>
    tallyStates()[TALLY_LEVELS.length * TALLY_LEVELS.indexOf(zeros as 0) + TALLY_LEVELS.indexOf(other as 0)] as number;
  const told = (state: number) => [(total[state] as number) - (ones[state] as number), ones[state], last[state]];

  test.each([
    [0, 0, [0, 0, 0]],
    [1, 0, [1, 0, 0]],
    [0, 5, [0, 5, 1]],
    [96, 0, [96, 0, 0]],
    [1, 1, [1, 1, 1]],
    [10, 5, [6, 3, 0]],
    [1, 96, [1, 64, 1]],
  ])("%d zeros and %d ones", (zeros, other, expected) => expect(told(stateFor(zeros, other))).toEqual(expected));

  test("levels are the largest that are no more", () => {
    for (let n = 0; n < 128; n++) {
      const level = TALLY_LEVELS[tallyStates()[LEVELS_AT + n] as number] as number;
      expect(level).toBeLessThanOrEqual(n);
      expect(TALLY_LEVELS.some((other) => other > level && other <= n)).toBe(false);
    }
  });
});

describe("lines", () => {
  const tallies = encodeTallies(wildTallies(TEXT.subarray(0, 900), CONTEXTS));
  const prior = { contexts: CONTEXTS, stride: 0, content: TEXT.slice(0, 300), skimmedBytes: 200, tallies };

  test.each([4, 10])("both engines begin them alike, tables of 2^%d lines", (lineBits) => {
    const lanes = [MixerLane, ReferenceLane].map((Lane) => new Lane({ contexts: CONTEXTS, lineBits }));
    const payloads = lanes.map((lane) => {
      lane.seed(prior);
      lane.begin();
      lane.encode(TEXT.subarray(300, 700));
      lane.rehearse(TEXT.subarray(700, 760));
      lane.encode(TEXT.subarray(760, 1200));
      return lane.finishEncoding();
    });
    expect(payloads[0]).toEqual(payloads[1] as Uint8Array);
    expect(stateOf(lanes[0] as ReferenceLane)).toEqual(stateOf(lanes[1] as ReferenceLane));
    const back = new Uint8Array(400);
    const decoder = new MixerLane({ contexts: CONTEXTS, lineBits });
    decoder.seed(prior);
    decoder.beginDecoding(payloads[0] as Uint8Array);
    decoder.decode(back);
    expect(back).toEqual(TEXT.slice(300, 700));
  });

  test("a lane that is recalled codes as before, without them otherwise", () => {
    const lane = new MixerLane({ contexts: CONTEXTS, lineBits: 10 });
    lane.seed(prior);
    const kept = lane.keep();
    const code = (any: InstanceType<typeof MixerLane>) => {
      any.begin();
      any.encode(TEXT.subarray(300, 900));
      return any.finishEncoding();
    };
    const first = code(lane);
    lane.recall(kept);
    expect(code(lane)).toEqual(first);
    const other = new MixerLane({ contexts: CONTEXTS, lineBits: 10 });
    const { tallies: _, ...without } = prior;
    other.seed(without);
    expect(code(other)).not.toEqual(first);
  });

  test("what is skimmed is seen by matches, not by lines", () => {
    const shape = { contexts: CONTEXTS, lineBits: 10 };
    const [skimmed, empty] = [new MixerLane(shape), new MixerLane(shape)];
    skimmed.seed({ contexts: CONTEXTS, stride: 0, content: TEXT, skimmedBytes: TEXT.length });
    empty.seed({ contexts: CONTEXTS, stride: 0, content: new Uint8Array(0) });
    expect(skimmed.area("lines")).toEqual(empty.area("lines"));
    const codedBytes = [skimmed, empty].map((lane) => {
      lane.begin();
      lane.encode(TEXT.subarray(0, 2000));
      return lane.finishEncoding().length;
    });
    expect(codedBytes[0]).toBeLessThan(0.2 * (codedBytes[1] as number));
  });
});

describe("bytes", () => {
  const bytes = encodeTallies(wildTallies(TEXT.subarray(0, 300), CONTEXTS));

  test("say how many there are, and what a lane takes for them", () => {
    expect(() => checkTallies(bytes, CONTEXTS, 0)).not.toThrow();
    expect(tallyCounts(bytes, CONTEXTS)[2]).toBe(0);
    expect(tallyRoomBytes(bytes, CONTEXTS)).toBeGreaterThan(bytes.length);
  });

  test("that do not fit each other are refused", () => {
    const changed = (at: number, by: number) => bytes.map((byte, i) => (i === at ? (byte + by) & 255 : byte));
    for (const other of [changed(0, 1), changed(3, 255), changed(4 * CONTEXTS, 1), bytes.subarray(1)]) {
      expect(() => checkTallies(other, CONTEXTS, 0)).toThrow(ArchiveError);
    }
    for (let length = 0; length < bytes.length; length += 331) {
      expect(() => checkTallies(bytes.subarray(0, length), CONTEXTS, 0)).toThrow(ArchiveError);
    }
  });
});

describe("the choice", () => {
  const sampleOf = (text: string, source: number) => ({ bytes: new TextEncoder().encode(text), source });
  const choice = { contexts: 4, tallies: [256, 0, 100, 3], sourcesMin: 3 };

  test("takes what enough sources have in common", () => {
    const samples = [1, 2, 3].map((source) => sampleOf(`abcd${source}abcd`, source));
    const [first, second, third, fourth] = chooseTallies([...samples, sampleOf("abxabx", 3)], choice);
    expect(second).toEqual([]);
    // Behind "a" comes "b" in all of them, "x" behind "b" in one source alone.
    expect(first?.map(({ followers }) => `${followers}`).sort()).toEqual(["97,4", "98,8", "99,6", "100,6"].sort());
    expect(third?.every(({ followers }) => followers.length === 1)).toBe(true);
    expect(fourth?.length).toBeLessThanOrEqual(3);
  });

  test("is the same again, and nothing where sources are too few", () => {
    const samples = [0, 1].map((source) => ({ bytes: TEXT.subarray(1000 * source, 1000 * source + 900), source }));
    const twice = [1, 2].map(() => encodeTallies(chooseTallies(samples, { ...choice, sourcesMin: 2 })));
    expect(twice[0]).toEqual(twice[1] as Uint8Array);
    expect(chooseTallies(samples, choice).flat()).toEqual([]);
  });
});

/**
 * Priors for lanes of other shapes than they were trained for: what both have in common goes along, both engines make
 * the same of it, and what is not there any more is gone.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { choicesOf, inputsOf, setsOf } from "../../src/contract/mixer.ts";
import { initialWeights, weightRow } from "../../src/contract/mixer-initial.ts";
import type { LanePrior, TrainedState } from "../../src/contract/prior.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { builtInPrior } from "../../src/prior/built-in.ts";
import { fitPrior, fitTallies } from "../../src/prior/fit.ts";
import { encodeTallies } from "../../src/prior/tally-bytes.ts";
import { stateOf } from "../support/lane-state.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin")));
const PROSE = builtInPrior(7) as LanePrior;

describe("both engines behind a built-in prior", () => {
  test.each([
    [4, 0],
    [6, 0],
    [20, 0],
    [20, 3],
    [28, 0],
    [28, 8],
  ])("%d contexts, %d with counters", (contexts, counters) => {
    const prior = fitPrior(PROSE, { contexts, counters });
    const lanes = [MixerLane, ReferenceLane].map((Lane) => new Lane({ contexts, lineBits: 10, counters }));
    const payloads = lanes.map((lane) => {
      lane.seed(prior);
      lane.begin();
      lane.encode(TEXT.subarray(0, 700));
      return lane.finishEncoding();
    });
    expect(payloads[0]).toEqual(payloads[1] as Uint8Array);
    expect(stateOf(lanes[0] as ReferenceLane)).toEqual(stateOf(lanes[1] as ReferenceLane));
    const decoder = new MixerLane({ contexts, lineBits: 10, counters });
    decoder.seed(prior);
    decoder.beginDecoding(payloads[0] as Uint8Array);
    const back = new Uint8Array(700);
    decoder.decode(back);
    expect(back).toEqual(TEXT.slice(0, 700));
  });

  test("a lane of another shape takes none", () => {
    const prior = fitPrior(PROSE, { contexts: 28, counters: 8 });
    for (const shape of [
      { contexts: 28, counters: 7 },
      { contexts: 28, counters: 0 },
      { contexts: 26, counters: 8 },
    ]) {
      for (const Lane of [MixerLane, ReferenceLane]) {
        expect(() => new Lane({ ...shape, lineBits: 10 }).seed(prior)).toThrow(RangeError);
      }
    }
  });
});

test("a prior for its own lanes stays as it is, and one with lessons is for no others", () => {
  expect(fitPrior(PROSE, { contexts: 20, counters: 0 })).toBe(PROSE);
  const lessons = new Uint32Array(20);
  expect(() => fitPrior({ ...PROSE, lessons }, { contexts: 8, counters: 0 })).toThrow(RangeError);
});

test("weights: those of contexts, order 0, the match and the constant that both have; else a new lane's", () => {
  const { trained } = PROSE as { trained: TrainedState };
  const had = inputsOf(20);
  for (const [contexts, counters] of [
    [6, 0],
    [28, 8],
  ] as const) {
    const fitted = fitPrior(PROSE, { contexts, counters }).trained?.weights.values as Int16Array;
    const has = inputsOf(contexts, counters);
    const first = weightRow(contexts, counters);
    expect(fitted.length).toBe(initialWeights(contexts, counters).length);
    for (const row of [0, 300, 7000, choicesOf(setsOf(0)) - 1]) {
      const shared = 2 * Math.min(20, contexts);
      const old = [...trained.weights.values.slice(row * had, (row + 1) * had)];
      const expected = [...old.slice(0, shared), ...first.slice(shared, 2 * contexts), ...old.slice(40, 44)];
      expect([...fitted.slice(row * has, row * has + 2 * contexts + 4)]).toEqual(expected);
    }
    expect([...fitted.slice(choicesOf(setsOf(0)) * has)].every((weight, i) => weight === first[i % has])).toBe(true);
  }
});

describe("tallies", () => {
  const tally = (hash: number, ...bytes: number[]) => ({
    hash,
    followers: bytes.map((byte) => [byte, 3] as const),
  });
  const all = [
    [tally(5, 1, 2, 3), tally(2 ** 31, 7)],
    [],
    Array.from({ length: 20 }, (_, i) => tally(i * 0x0c00_0000, i)),
    [tally(9, 4, 200)],
  ];

  test.each([1, 2, 3, 4, 7])("of the first %d contexts", (count) => {
    const wanted = Array.from({ length: count }, (_, i) => all[i] ?? []);
    expect(fitTallies(encodeTallies(all), all.length, count)).toEqual(encodeTallies(wanted));
  });
});

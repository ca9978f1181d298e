/**
 * The plans of contexts: they are in no archive and in every archive, so the lists are pinned, and what follows from
 * them (positions, packed words, rates for many streams) is compared with what stands here, written by hand.
 */
import { describe, expect, test } from "bun:test";
import {
  CONTEXT_OFFSETS_MAX,
  CONTEXT_RECORD_WORDS,
  CONTEXTS_MAX,
  type ContextPlan,
  isDirect,
  ORDER_MAX,
  PLAIN_DATA,
  packPlan,
  planFor,
  REACH,
  SEQUENCE,
  STRIDE_MAX,
  TABLES_MAX,
} from "../../src/contract/contexts.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { crowdShift } from "../../src/contract/recall.ts";
import { hashOf } from "./hash.ts";
import { TINY_RECALL } from "./tiny.ts";

const FULL: HyperParameters = { ...TINY_RECALL, history: 16, contexts: CONTEXTS_MAX, tables: TABLES_MAX };
const STRIDES = [0, SEQUENCE, 2, 3, 64, STRIDE_MAX];

const planOf = (stride: number, hyper = FULL): ContextPlan => planFor(hyper, { stride });

test("limits: twice the longest stride, and a byte more, is within reach, a power of two", () => {
  expect([REACH, STRIDE_MAX, SEQUENCE, CONTEXTS_MAX, TABLES_MAX]).toEqual([8192, 4095, 1, 20, 6]);
  expect(2 * STRIDE_MAX + 1).toBeLessThan(REACH);
});

describe("planFor", () => {
  test("plain data: the last bytes, words, and bytes with gaps", () => {
    const { contexts, tables } = planOf(0);
    expect(contexts.slice(0, 5)).toEqual([
      { words: 0, order: 2, offsets: [] },
      { words: 0, order: 3, offsets: [] },
      { words: 0, order: 4, offsets: [] },
      { words: 0, order: 6, offsets: [] },
      { words: 1, order: 0, offsets: [] },
    ]);
    expect(contexts[10]).toEqual({ words: 0, order: 0, offsets: [2, 3] });
    expect(contexts[19]).toEqual({ words: 2, order: 1, offsets: [] });
    expect(tables.map(({ words, order }) => [words, order])).toEqual([
      [0, 2],
      [0, 1],
      [0, 3],
      [1, 1],
      [0, 4],
      [0, 6],
    ]);
    expect(planFor(FULL, PLAIN_DATA)).toEqual(planOf(0));
  });

  test("a stride: bytes above, beside and between", () => {
    const { contexts, tables } = planOf(64);
    expect(contexts[0]).toEqual({ words: 0, order: 1, offsets: [64] });
    expect(contexts[3]).toEqual({ words: 0, order: 0, offsets: [64, 128] });
    expect(contexts[6]).toEqual({ words: 0, order: 0, offsets: [64, 65] });
    expect(contexts[9]).toEqual({ words: 0, order: 0, offsets: [64, 63] });
    expect(tables.map(({ order, offsets }) => [order, ...offsets])).toEqual([
      [1, 64],
      [1],
      [0, 64],
      [2],
      [0, 64, 128],
      [3],
    ]);
  });

  test("few letters: no words, and contexts of up to 32 bytes", () => {
    const { contexts, tables } = planOf(SEQUENCE);
    expect(contexts.every(({ words }) => words === 0)).toBe(true);
    expect(Math.max(...contexts.map(({ order }) => order))).toBe(32);
    expect(tables.map(({ order }) => order)).toEqual([6, 3, 8, 11, 4, 12]);
  });

  test("has as many as the model, the first of its list", () => {
    for (const stride of STRIDES) {
      const full = planOf(stride);
      expect([full.contexts.length, full.tables.length, full.positions.length]).toEqual([20, 6, 16]);
      const small = planOf(stride, { ...FULL, contexts: 8, tables: 1 });
      expect(small).toEqual({ ...full, contexts: full.contexts.slice(0, 8), tables: full.tables.slice(0, 1) });
      const none = planOf(stride, { ...FULL, contexts: 0, tables: 0 });
      expect([none.contexts, none.tables]).toEqual([[], []]);
    }
  });

  test("no context twice, unless the stride is so short that what is above is beside", () => {
    for (const stride of [0, SEQUENCE, 9, 64, STRIDE_MAX]) {
      const { contexts, tables } = planOf(stride);
      for (const list of [contexts, tables]) {
        const kinds = list.map(({ words, order, offsets }) => JSON.stringify([words, order, offsets]));
        expect(new Set(kinds).size).toBe(list.length);
      }
    }
  });

  test("no context reaches too far or asks for more than engines hold", () => {
    for (const stride of STRIDES) {
      const { contexts, tables, positions } = planOf(stride);
      for (const { order, offsets } of [...contexts, ...tables]) {
        expect(offsets.length).toBeLessThanOrEqual(CONTEXT_OFFSETS_MAX);
        expect(order).toBeLessThanOrEqual(ORDER_MAX);
        for (const offset of [order, ...offsets]) expect(offset).toBeLessThan(REACH);
        for (const offset of offsets) expect(offset).toBeGreaterThan(0);
      }
      for (const offset of positions) expect(offset > 0 && offset < REACH).toBe(true);
    }
  });

  test("positions: the newest bytes; far strides take the oldest places, as many as there is room for", () => {
    const positions = (history: number, stride: number) => planOf(stride, { ...FULL, history }).positions;
    const near = (history: number) => Array.from({ length: history }, (_, i) => history - i);
    for (const history of [4, 8, 16, 64]) {
      for (const stride of [0, SEQUENCE]) expect(positions(history, stride)).toEqual(near(history));
    }
    expect(positions(16, 12)).toEqual(near(16));
    expect(positions(16, 13)).toEqual([26, 14, 13, 12, ...near(12)]);
    expect(positions(8, 4)).toEqual(near(8));
    expect(positions(8, 5)).toEqual([6, 5, ...near(6)]);
    expect(positions(8, 64)).toEqual([65, 64, ...near(6)]);
    expect(positions(4, 2)).toEqual([2, 3, 2, 1]);
    expect(positions(4, 64)).toEqual([64, 3, 2, 1]);
    expect(positions(16, 4095)).toEqual([8190, 4096, 4095, 4094, ...near(12)]);
  });

  test("refuses strides that are none", () => {
    for (const stride of [-1, 0.5, 63.5, STRIDE_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => planOf(stride)).toThrow(RangeError);
    }
  });
});

test("a table is direct if one byte chooses its row", () => {
  expect(isDirect({ words: 0, order: 1, offsets: [] })).toBe(true);
  expect(isDirect({ words: 0, order: 0, offsets: [64] })).toBe(true);
  expect(isDirect({ words: 0, order: 1, offsets: [64] })).toBe(false);
  expect(isDirect({ words: 0, order: 2, offsets: [] })).toBe(false);
  expect(isDirect({ words: 1, order: 1, offsets: [] })).toBe(false);
});

test("rates fall by half with each doubling of the streams beyond a crowd", () => {
  const streams = [1, 1024, 1025, 2048, 2049, 4096, 16384];
  expect(streams.map((count) => crowdShift(count, 10))).toEqual([0, 0, 1, 1, 2, 2, 4]);
  expect(streams.map((count) => crowdShift(count, 12))).toEqual([0, 0, 0, 0, 0, 0, 2]);
});

describe("packPlan", () => {
  test("words, order, offsets, whether direct, rate and shift; then the positions", () => {
    const packed = packPlan(planFor({ ...TINY_RECALL, contexts: 4, tables: 3 }, { stride: 64 }), 2048);
    const rows = Array.from({ length: 7 }, (_, i) => [
      ...packed.subarray(i * CONTEXT_RECORD_WORDS, (i + 1) * CONTEXT_RECORD_WORDS),
    ]);
    expect(rows).toEqual([
      [0, 1, 1, 64, 0, 0, 0, 0, 0, 0],
      [0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 2, 64, 128, 0, 0, 0, 0, 0],
      [0, 1, 1, 64, 0, 0, 0, 0, 38, 0],
      [0, 1, 0, 0, 0, 0, 0, 1, 10, 1],
      [0, 0, 1, 64, 0, 0, 0, 1, 10, 1],
    ]);
    expect([...packed.subarray(70)]).toEqual([64, 3, 2, 1]);
  });

  test("refuses what engines have no room for", () => {
    const plan = planOf(0);
    const of = (order: number, count: number) => {
      const offsets = Array.from({ length: count }, (_, i) => i + 1);
      return packPlan({ ...plan, contexts: [{ words: 0, order, offsets }] }, 1);
    };
    expect(of(ORDER_MAX, CONTEXT_OFFSETS_MAX)[1]).toBe(ORDER_MAX);
    expect(() => of(ORDER_MAX + 1, 0)).toThrow(RangeError);
    expect(() => of(0, CONTEXT_OFFSETS_MAX + 1)).toThrow(RangeError);
  });

  /** All contexts, tables and rates: change one, and every archive of its kind of data becomes unreadable. */
  const GOLDEN: readonly (readonly [stride: number, hash: string])[] = [
    [0, "12041a7b3f6e2692"],
    [SEQUENCE, "aaf1185fa665f3e0"],
    [2, "1f4f79d4bb81b28d"],
    [64, "342324f8f7475fa8"],
    [STRIDE_MAX, "722853c9c860dd62"],
  ];
  for (const [stride, hash] of GOLDEN) {
    test(`the lists have not changed, stride ${stride}`, () => {
      expect(hashOf(packPlan(planOf(stride), 1), packPlan(planOf(stride), 16384))).toBe(hash);
    });
  }
});

/**
 * The recall stream's arithmetic on single numbers, against cases that were worked out by hand: what a slot does with
 * the byte that comes, which bucket it is in, what a boost is at first, and hashes that may never change.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mix32 } from "../../src/contract/fixed.ts";
import { ENTRY_BITS } from "../../src/contract/formats.ts";
import {
  BOOST_CROWD_LOG2,
  BOOST_RATE_SHIFT,
  BUCKETS,
  bucketOf,
  COUNT_MAX,
  EFFECT_LOW_BITS,
  FEATURE_UNIT,
  finishHash,
  INITIAL_BOOSTS,
  mixInto,
  OTHER_MAX,
  OWNER_BITS,
  packSlot,
  RUN_MAX,
  type Slot,
  slotHits,
  TABLE_DIFFERENCE_SHIFT,
  TABLE_LOGIT_LIMIT,
  TABLE_RATE_BITS,
  TABLE_RATE_GATED_BITS,
  TABLE_RIGHT_SHIFT,
  unpackSlot,
  updatedSlot,
  wordAfter,
} from "../../src/contract/recall.ts";
import { RecallState } from "../../src/contract/recall-state.ts";
import { forAll } from "../support/for-all.ts";
import { TINY_RECALL } from "./tiny.ts";

const CHECK = 0xa5;
const A = 65;
const B = 66;
const NEW = 90;

const byte = fc.integer({ min: 0, max: 255 });
const slots = fc.record({
  check: byte,
  a: byte,
  b: byte,
  count: fc.integer({ min: 1, max: COUNT_MAX }),
  other: fc.integer({ min: 0, max: OTHER_MAX }),
});

test("the contract's constants", () => {
  expect([COUNT_MAX, OTHER_MAX, RUN_MAX, BUCKETS, FEATURE_UNIT]).toEqual([31, 7, 30, 33, 15]);
  expect([ENTRY_BITS, BOOST_RATE_SHIFT, BOOST_CROWD_LOG2, TABLE_RATE_BITS]).toEqual([20, 7, 10, 8]);
  expect([TABLE_LOGIT_LIMIT, TABLE_RATE_GATED_BITS, TABLE_DIFFERENCE_SHIFT, TABLE_RIGHT_SHIFT]).toEqual([
    16383, 12, 4, 10,
  ]);
  expect([EFFECT_LOW_BITS, OWNER_BITS]).toEqual([7, 16]);
});

describe("a slot's word", () => {
  test("holds check, a, b, count and other from its low bits up", () => {
    expect(packSlot({ check: 0x12, a: 0x34, b: 0x56, count: 0, other: 0 })).toBe(0x563412);
    expect(packSlot({ check: 0, a: 0, b: 0, count: 31, other: 0 })).toBe(0x1f000000);
    expect(packSlot({ check: 0, a: 0, b: 0, count: 0, other: 7 })).toBe(0xe0000000);
  });

  test("gives back what was put into it", () => {
    forAll([slots], (slot) => expect(unpackSlot(packSlot(slot))).toEqual(slot));
  });

  test("hits if the check agrees and something was counted", () => {
    const word = packSlot({ check: CHECK, a: A, b: 0, count: 1, other: 0 });
    expect(slotHits(word, CHECK)).toBe(true);
    expect(slotHits(word, CHECK ^ 1)).toBe(false);
    expect(slotHits(0, 0)).toBe(false);
  });
});

describe("a slot after a byte", () => {
  /** [count, other] before; the byte; [a, b, count, other] after. */
  type Case = readonly [before: readonly [number, number], y: number, after: readonly [number, number, number, number]];

  const after = (count: number, other: number, y: number) => {
    const slot: Slot = { check: CHECK, a: A, b: B, count, other };
    const { check, ...rest } = unpackSlot(updatedSlot(packSlot(slot), CHECK, y));
    expect(check).toBe(CHECK);
    return [rest.a, rest.b, rest.count, rest.other];
  };
  const check = (cases: readonly Case[]) => {
    for (const [[count, other], y, wanted] of cases) {
      expect([count, other, ...after(count, other, y)]).toEqual([count, other, ...wanted]);
    }
  };

  test("a miss begins anew with the context's check", () => {
    const begun = unpackSlot(updatedSlot(0, CHECK, NEW));
    expect(begun).toEqual({ check: CHECK, a: NEW, b: 0, count: 1, other: 0 });
  });

  test("a came: its count rises to 30, and b stays", () => {
    check([
      [[1, 0], A, [A, B, 2, 0]],
      [[29, 3], A, [A, B, 30, 3]],
      [[30, 7], A, [A, B, 30, 7]],
      [[31, 1], A, [A, B, 31, 1]],
    ]);
  });

  test("b came: it gains one and a loses a quarter, and they change places once b has as much", () => {
    check([
      [[8, 1], B, [A, B, 6, 2]],
      [[30, 6], B, [A, B, 23, 7]],
      [[30, 7], B, [A, B, 23, 7]],
      [[3, 1], B, [A, B, 3, 2]],
      [[4, 2], B, [B, A, 3, 3]],
      [[2, 1], B, [B, A, 2, 2]],
      [[1, 1], B, [B, A, 2, 1]],
      [[10, 7], B, [B, A, 8, 7]],
    ]);
  });

  test("another byte came: it takes b's place, and a's count falls to half and one", () => {
    check([
      [[30, 5], NEW, [A, NEW, 16, 1]],
      [[8, 0], NEW, [A, NEW, 5, 1]],
      [[4, 7], NEW, [A, NEW, 3, 1]],
      [[3, 0], NEW, [A, NEW, 2, 1]],
    ]);
  });

  test("another byte came and little is known: it takes a's place, and a goes to b", () => {
    check([
      [[2, 0], NEW, [NEW, A, 1, 1]],
      [[1, 1], NEW, [NEW, A, 1, 1]],
      [[1, 0], NEW, [NEW, A, 1, 1]],
      [[2, 2], NEW, [A, NEW, 1, 1]],
    ]);
  });

  test("a b without confidence is none: its byte counts as another", () => {
    check([[[8, 0], B, [A, B, 5, 1]]]);
  });

  test("always remembers the byte that came, and stays a hit", () => {
    forAll([slots, byte], (slot, y) => {
      const word = updatedSlot(packSlot(slot), slot.check, y);
      const { a, b, other } = unpackSlot(word);
      expect(slotHits(word, slot.check)).toBe(true);
      expect(y === a || (y === b && other > 0)).toBe(true);
    });
  });
});

describe("buckets", () => {
  const bucket = (count: number, other: number) => bucketOf(packSlot({ check: 7, a: 8, b: 9, count, other }));

  test("a miss is 0; then eight classes of count by four of other", () => {
    expect(bucketOf(0)).toBe(0);
    const counts = Array.from({ length: COUNT_MAX }, (_, i) => (bucket(i + 1, 0) - 1) / 4);
    const wanted = [0, 1, 2, 3, 3, ...Array(3).fill(4), ...Array(6).fill(5), ...Array(10).fill(6), ...Array(7).fill(7)];
    expect(counts).toEqual(wanted);
    expect(Array.from({ length: 8 }, (_, other) => bucket(1, other) - 1)).toEqual([0, 1, 2, 2, 3, 3, 3, 3]);
    expect(bucket(31, 7)).toBe(BUCKETS - 1);
  });
});

describe("first boosts", () => {
  test("are log2(1.5 n + 2) / 2 * (1 - m / 5), in Q10, for class n of count and m of other", () => {
    expect(INITIAL_BOOSTS.length).toBe(BUCKETS - 1);
    INITIAL_BOOSTS.forEach((boost, i) => {
      const exact = (Math.log2(1.5 * Math.floor(i / 4) + 2) / 2) * (1 - (i % 4) / 5);
      expect([i, boost]).toEqual([i, Math.round(exact * 1024)]);
    });
  });

  test("rise with the count and fall with the other byte's", () => {
    for (let i = 4; i < INITIAL_BOOSTS.length; i++) {
      expect(INITIAL_BOOSTS[i] as number).toBeGreaterThan(INITIAL_BOOSTS[i - 4] as number);
    }
    for (let i = 0; i < INITIAL_BOOSTS.length; i++) {
      if (i % 4 > 0) expect(INITIAL_BOOSTS[i] as number).toBeLessThan(INITIAL_BOOSTS[i - 1] as number);
    }
  });

  test("are a model's at the start, in Q20: those of a; none for b, and none for a miss", () => {
    const { boosts } = new RecallState(TINY_RECALL);
    expect(boosts.length).toBe(TINY_RECALL.contexts * BUCKETS * 2);
    boosts.forEach((boost, i) => {
      const bucketIndex = Math.floor(i / 2) % BUCKETS;
      const isNone = i % 2 === 1 || bucketIndex === 0;
      expect(boost).toBe(isNone ? 0 : (INITIAL_BOOSTS[bucketIndex - 1] as number) * 1024);
    });
  });
});

describe("hashes", () => {
  /** The same in BigInt, which cannot overflow. */
  const mixed = (hash: number, value: number): number => {
    const product = BigInt.asUintN(32, BigInt(hash + value + 1) * 0x9e3779b1n);
    return Number(product ^ (product >> 15n));
  };

  test("mixInto is a product modulo 2^32, folded by 15 bits", () => {
    const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    forAll([u32, u32], (hash, value) => expect(mixInto(hash, value)).toBe(mixed(hash, value)));
  });

  test("have not changed: where every slot is depends on them", () => {
    const hash = [..."Liberty"].reduce((running, letter) => mixInto(running, letter.charCodeAt(0)), 0);
    expect([mixInto(0, 0), hash, finishHash(hash)]).toEqual([2654356959, 1082242462, 1082278412]);
    expect(finishHash(12345)).toBe(mix32(12345));
  });

  test("see every byte's place: no two of 65,536 pairs of bytes share a hash", () => {
    const seen = new Set<number>();
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) seen.add(finishHash(mixInto(mixInto(0, first), second)));
    }
    // Some would by chance: 65,536 draws of 2^32 meet half a time.
    expect(seen.size).toBeGreaterThanOrEqual(65_534);
  });
});

describe("words", () => {
  const wordOf = (text: string, from = 0) => [...Buffer.from(text)].reduce((word, y) => wordAfter(word, y), from);

  test("are letters, whatever their case, and all bytes from 128 on", () => {
    expect(wordOf("WORD")).toBe(wordOf("word"));
    expect(wordOf("Zoë")).toBe(wordOf("zoë"));
    expect(wordOf("word")).not.toBe(wordOf("ward"));
    for (const y of [64, 91, 96, 123, 127, 0, 32, 48, 57]) expect(wordAfter(77, y)).toBe(0);
    for (const y of [65, 90, 97, 122, 128, 255]) expect(wordAfter(77, y)).toBe(mixInto(77, y < 91 ? y + 32 : y));
  });

  test("begin anew after what is no letter", () => {
    expect(wordOf("old new")).toBe(wordOf("new"));
    expect(wordOf("word.")).toBe(0);
  });

  test("a stream keeps the word before the one that it is in, over any number of spaces", () => {
    const state = new RecallState({ ...TINY_RECALL, streams: 1 });
    [...Buffer.from("one two,  three")].forEach((y, step) => {
      state.append(step, Uint8Array.of(y));
    });
    expect([state.word[0], state.previousWord[0]]).toEqual([wordOf("three"), wordOf("two")]);
  });
});

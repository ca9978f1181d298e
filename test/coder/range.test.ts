/** The range coder alone: exact on any table, close to the ideal code length, safe on any bytes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CorruptDataError, IntervalError } from "../../src/coder/errors.ts";
import { RangeDecoder, RangeEncoder } from "../../src/coder/range.ts";
import { FREQUENCY_TOTAL } from "../../src/contract/frequency.ts";

/** Turns weights into 256 cumulative frequencies: each byte has one count, the rest goes by weight, rounded down. */
function tableOf(weights: readonly number[]): Uint32Array {
  const sum = weights.reduce((a, b) => a + b, 0) || 1;
  let end = 0;
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    end += 1 + Math.floor(((weights[byte] ?? 0) * (FREQUENCY_TOTAL - 256)) / sum);
    return end;
  });
}

/** One byte owns everything but one count for each other byte. */
function nearlyAll(owner: number): Uint32Array {
  return tableOf(Array.from({ length: 256 }, (_, byte) => (byte === owner ? 1 : 0)));
}

const startOf = (table: Uint32Array, byte: number) => (byte === 0 ? 0 : table[byte - 1]!);

interface Coded {
  readonly payload: Uint8Array;
  readonly idealBits: number;
}

function encodeAll(tables: readonly Uint32Array[], bytes: readonly number[]): Coded {
  const encoder = new RangeEncoder();
  let idealBits = 0;
  bytes.forEach((byte, i) => {
    const table = tables[i % tables.length]!;
    const start = startOf(table, byte);
    const frequency = table[byte]! - start;
    encoder.encode(start, frequency);
    idealBits -= Math.log2(frequency / FREQUENCY_TOTAL);
  });
  return { payload: encoder.finish(), idealBits };
}

function decodeAll(tables: readonly Uint32Array[], payload: Uint8Array, count: number): number[] {
  const decoder = new RangeDecoder(payload);
  const bytes = Array.from({ length: count }, (_, i) => decoder.decode(tables[i % tables.length]!, 0));
  decoder.finish();
  return bytes;
}

/** A round trip that also holds the coder to its promised size. */
function expectRoundTrip(tables: readonly Uint32Array[], bytes: readonly number[]): Coded {
  const coded = encodeAll(tables, bytes);
  expect(decodeAll(tables, coded.payload, bytes.length)).toEqual([...bytes]);
  // At worst 2^-10 of the range is lost at a symbol: below 0.0015 bits; the tail is at most two bytes and a bit.
  expect(coded.payload.length * 8).toBeLessThanOrEqual(coded.idealBits + 0.0015 * bytes.length + 24);
  return coded;
}

const flat = tableOf(new Array(256).fill(1));

describe("round trip", () => {
  test("random tables and bytes", () => {
    const weights = fc.array(fc.oneof(fc.nat(3), fc.nat(1_000_000)), { maxLength: 256 });
    const tables = fc.array(weights.map(tableOf), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(tables, fc.array(fc.nat(255), { maxLength: 300 }), (t, bytes) => void expectRoundTrip(t, bytes)),
      { numRuns: 300 },
    );
  });

  test("the rarest byte, frequency 1 of 2^22, thousands of times in a row", () => {
    for (const [owner, byte] of [
      [0, 255],
      [255, 0],
      [128, 127],
      [128, 129],
    ] as const) {
      const { payload } = expectRoundTrip([nearlyAll(owner)], new Array(3000).fill(byte));
      expect(payload.length).toBeGreaterThan((3000 * 22) / 8 - 1);
    }
  });

  test("a byte that owns nearly all costs next to nothing", () => {
    for (const owner of [0, 1, 128, 255]) {
      const { payload } = expectRoundTrip([nearlyAll(owner)], new Array(100_000).fill(owner));
      expect(payload.length).toBeLessThan(20);
    }
  });

  test("a byte that owns the whole total costs nothing at all", () => {
    const all = new Uint32Array(256).fill(FREQUENCY_TOTAL);
    const { payload } = encodeAll([all], new Array(1000).fill(0));
    expect(payload.length).toBe(0);
    expect(decodeAll([all], payload, 1000)).toEqual(new Array(1000).fill(0));
  });

  test("a table whose top belongs to no byte", () => {
    const half = Uint32Array.from({ length: 256 }, (_, byte) => (byte + 1) << 13);
    expectRoundTrip(
      [half],
      Array.from({ length: 2000 }, (_, i) => (i * 89) % 256),
    );
  });

  test("no symbols give no bytes", () => {
    expect(new RangeEncoder().finish().length).toBe(0);
    new RangeDecoder(new Uint8Array(0)).finish();
  });

  test("encodeRun equals one encode per pair", () => {
    const pairs = Uint32Array.from([9, 9, 0, 5, 77, 1000, 4_000_000, 1, 3, 4_000_000, 1, 1]);
    const run = new RangeEncoder();
    run.encodeRun(pairs, 1, 4);
    const single = new RangeEncoder();
    for (let i = 2; i < 10; i += 2) single.encode(pairs[i]!, pairs[i + 1]!);
    expect(run.finish()).toEqual(single.finish());
  });
});

describe("carries", () => {
  test("at every distance from the symbol that decides", () => {
    // The upper end of the range, again and again, keeps low at 0.111..., until a symbol decides.
    const table = nearlyAll(254);
    for (let length = 1; length < 60; length += 1) {
      for (const last of [0, 254, 255]) {
        const bytes = [...new Array(length).fill(255), last, 254, 0];
        expectRoundTrip([table, flat], bytes);
      }
    }
  });

  test("a carry passes through a long row of 0xffff words", () => {
    // The symbols of the code 0x7fffff... keep low just below 0x800000..., where written words are all 0xffff. The
    // table is uneven, since interval borders that are powers of two would never be crossed.
    const table = tableOf(Array.from({ length: 256 }, (_, byte) => 1 + ((byte * 37) % 101)));
    const target = new Uint8Array(1200);
    target.fill(255, 0, 1001);
    target[0] = 0x7f;
    const decoder = new RangeDecoder(target);
    const below = Array.from({ length: 1100 }, () => decoder.decode(table, 0));
    const { payload } = expectRoundTrip([table], below);
    expect([...payload.subarray(0, 1000)]).toEqual([0x7f, ...new Array(999).fill(0xff)]);
    // The last place where the next higher byte crosses 0x800000...: the carry goes all the way back.
    const crossing = below.findLastIndex((byte, i) => {
      return byte < 255 && encodeAll([table], [...below.slice(0, i), byte + 1]).payload[0] === 0x80;
    });
    const above = expectRoundTrip([table], [...below.slice(0, crossing), below[crossing]! + 1, ...below]).payload;
    expect([...above.subarray(0, 990)]).toEqual([0x80, ...new Array(989).fill(0)]);
  });
});

describe("bad input", () => {
  test("an interval that cannot be coded is the engine's error", () => {
    const encoder = new RangeEncoder();
    expect(() => encoder.encode(5, 0)).toThrow(IntervalError);
    expect(() => encoder.encode(FREQUENCY_TOTAL, 1)).toThrow(IntervalError);
    expect(() => encoder.encode(1, FREQUENCY_TOTAL)).toThrow(IntervalError);
  });

  test("random bytes and random tables end in bytes or in a CorruptDataError", () => {
    const wild = fc.uint32Array({ minLength: 256, maxLength: 256 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), wild, fc.boolean(), (payload, values, sorted) => {
        const table = sorted ? values.map((v) => v % (FREQUENCY_TOTAL + 9)).sort() : values;
        const decoder = new RangeDecoder(payload, 3);
        try {
          for (let i = 0; i < 200; i += 1) expect(decoder.decode(table, 0)).toBeLessThan(256);
        } catch (error) {
          if (!(error instanceof CorruptDataError)) throw error;
          expect(error.group).toBe(3);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a payload with a missing or a spare end is told from a whole one", () => {
    const bytes = Array.from({ length: 500 }, (_, i) => (i * 31) % 256);
    const { payload } = encodeAll([flat], bytes);
    for (let length = 0; length < payload.length - 6; length += 1) {
      expect(() => decodeAll([flat], payload.slice(0, length), 500)).toThrow(CorruptDataError);
    }
    const longer = new Uint8Array(payload.length + 7);
    longer.set(payload);
    expect(() => decodeAll([flat], longer, 500)).toThrow("left over");
  });

  test("decoding goes no further than the data: its end is an error, not endless zeros", () => {
    const decoder = new RangeDecoder(new Uint8Array(100));
    let steps = 0;
    expect(() => {
      for (; steps < 1_000_000; steps += 1) decoder.decode(flat, 0);
    }).toThrow("end too early");
    expect(steps).toBeLessThan(110);
  });
});

/** The binary range coder of the copies: exact, close to the ideal code length, safe on any bytes. */
import { describe, expect, test } from "bun:test";
import { CorruptError } from "../../src/archive/errors.ts";
import { BitDecoder, BitEncoder, BitModels } from "../../src/repeats/bits.ts";
import { NumberModel } from "../../src/repeats/numbers.ts";
import { Random } from "../support/gpu-values.ts";

const CONTEXTS = 5;

/** Bits of which one in `odds` is 0, in several contexts, and a plain number after every eighth. */
function code(bits: readonly number[]): Uint8Array {
  const encoder = new BitEncoder();
  const models = new BitModels(CONTEXTS);
  bits.forEach((bit, i) => {
    encoder.bit(models, i % CONTEXTS, bit);
    if (i % 8 === 7) encoder.plain(i % 33, Math.imul(i, 0x9e3779b1) >>> 0);
  });
  return encoder.finish();
}

function decode(bytes: Uint8Array, count: number): { bits: number[]; plains: number[] } {
  const decoder = new BitDecoder(bytes);
  const models = new BitModels(CONTEXTS);
  const plains: number[] = [];
  const bits = Array.from({ length: count }, (_, i) => {
    const bit = decoder.bit(models, i % CONTEXTS);
    if (i % 8 === 7) plains.push(decoder.plain(i % 33));
    return bit;
  });
  decoder.finish();
  return { bits, plains };
}

describe("bits", () => {
  test.each([1, 2, 3, 20, 1000, 1_000_000])("one 0 in %d comes back, in lists of every length", (odds) => {
    const random = new Random(odds);
    for (let count = 0; count < 400; count += 1) {
      const bits = Array.from({ length: count }, () => (random.between(1, odds) === 1 ? 0 : 1));
      const { bits: back, plains } = decode(code(bits), count);
      expect(back).toEqual(bits);
      plains.forEach((plain, n) => {
        const i = 8 * n + 7;
        expect(plain).toBe((Math.imul(i, 0x9e3779b1) >>> 0) % 2 ** (i % 33));
      });
    }
  });

  test("carries run through bytes of 255", () => {
    // Near-certain bits that come and surprising ones at the end leave low just below a carry, over and over.
    const random = new Random(3);
    let carried = 0;
    for (let trial = 0; trial < 3000; trial += 1) {
      const bits = Array.from({ length: 60 }, () => (random.between(0, 9) === 0 ? 0 : 1));
      const encoder = new BitEncoder();
      const models = new BitModels(1);
      for (const bit of bits) encoder.bit(models, 0, bit);
      for (let i = 0; i < 3; i += 1) encoder.plain(8, 255);
      for (const bit of bits) encoder.bit(models, 0, 1 - bit);
      const bytes = encoder.finish();
      const decoder = new BitDecoder(bytes);
      const again = new BitModels(1);
      expect(bits.map(() => decoder.bit(again, 0))).toEqual(bits);
      for (let i = 0; i < 3; i += 1) if (decoder.plain(8) !== 255) throw new Error("a plain number changed");
      expect(bits.map(() => decoder.bit(again, 0))).toEqual(bits.map((bit) => 1 - bit));
      if (bytes.includes(0)) carried += 1;
    }
    expect(carried).toBeGreaterThan(10);
  });

  test("a bit that is mostly 1 costs what its entropy says, and a few per cent", () => {
    const random = new Random(9);
    const count = 40_000;
    const bits = Array.from({ length: count }, () => (random.between(1, 20) === 1 ? 0 : 1));
    const encoder = new BitEncoder();
    const models = new BitModels(1);
    for (const bit of bits) encoder.bit(models, 0, bit);
    const zeros = bits.filter((bit) => bit === 0).length / count;
    const idealBytes = (-count * (zeros * Math.log2(zeros) + (1 - zeros) * Math.log2(1 - zeros))) / 8;
    const { length } = encoder.finish();
    expect(length).toBeLessThan(1.04 * idealBytes);
    expect(length).toBeGreaterThan(0.97 * idealBytes);
  });

  test("bytes that are missing or too many are noticed", () => {
    const random = new Random(5);
    const bits = Array.from({ length: 300 }, () => random.between(0, 1));
    const bytes = code(bits);
    // The decoder takes four bytes in advance, so it cannot tell up to four zeros from those that were left out.
    expect(() => decode(Uint8Array.of(...bytes, 0, 0, 0, 0, 0), 300)).toThrow(CorruptError);
    expect(() => decode(bytes.subarray(0, bytes.length - 5), 300)).toThrow(CorruptError);
    expect(() => new BitDecoder(Uint8Array.of(255, 255, 255, 255))).toThrow(CorruptError);
  });
});

test("numbers of every size come back, in any order and context", () => {
  const random = new Random(11);
  const numbers = [0, 2 ** 32 - 2];
  for (let digits = 1; digits < 32; digits += 1) numbers.push(2 ** digits - 2, 2 ** digits - 1, 2 ** digits);
  for (let i = 0; i < 2000; i += 1) numbers.push(random.next() >>> random.between(1, 31));
  const encoder = new BitEncoder();
  const model = new NumberModel(3);
  for (const [i, value] of numbers.entries()) model.code(encoder, i % 3, value);
  const decoder = new BitDecoder(encoder.finish());
  const again = new NumberModel(3);
  expect(numbers.map((_, i) => again.code(decoder, i % 3, 0))).toEqual(numbers);
  decoder.finish();
});

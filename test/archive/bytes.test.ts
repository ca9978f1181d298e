/** Varints at the ends of their lengths: what is counted is what is written, and 64 bits are the most. */
import { expect, test } from "bun:test";
import { ByteReader, ByteWriter, varintBytes } from "../../src/archive/bytes.ts";
import { CorruptError } from "../../src/archive/errors.ts";

test("the length that is counted is the length that is written", () => {
  const ends = [1, 2, 3, 4, 5, 6, 7].flatMap((bytes) => [2 ** (7 * bytes) - 1, 2 ** (7 * bytes)]);
  for (const value of [0, 1, ...ends, Number.MAX_SAFE_INTEGER]) {
    expect([value, varintBytes(value)]).toEqual([value, new ByteWriter().varint(value).finish().length]);
  }
  expect([varintBytes(127), varintBytes(128)]).toEqual([1, 2]);
});

test("64 bits are read, a 65th is refused", () => {
  const read = (last: number) => new ByteReader(Uint8Array.of(...Array<number>(9).fill(0xff), last)).varint("x");
  expect(read(1)).toBe(2n ** 64n - 1n);
  expect(() => read(2)).toThrow(CorruptError);
  expect(() => read(3)).toThrow(CorruptError);
});

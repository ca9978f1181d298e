/** Colours and differences there and back, by hand and at random; what is left is as docs/NUMERICS.md says. */
import { expect, test } from "bun:test";
import { PALETTE_MAX } from "../../src/predict/list.ts";
import { joined, noise } from "../support/bytes.ts";
import { Random } from "../support/gpu-values.ts";
import { drawingOf, gradientOf } from "../support/numbers.ts";
import { expectBothWays, transformed } from "../support/transformed.ts";

const colours = (channels: number, isRelative = false) => ({ kind: "colours", channels, isRelative }) as const;
const differences = (...distances: number[]) => ({ kind: "differences", distances }) as const;

test("colours become their numbers, behind which the palette stands as differences", () => {
  const [a, b, c] = [
    [200, 1, 2],
    [7, 8, 9],
    [7, 9, 4],
  ] as const;
  const plain = Uint8Array.of(...[a, a, b, b, c, b, a].flat(), 77, 78);
  const palette = [...b, 0, 1, 251, 193, 248, 254];
  const left = [2, 2, 0, 0, 1, 0, 2, ...palette, 0, 0, 0, 0, 0, 77, 78];
  expect([...transformed(plain, colours(3))]).toEqual(left);
  expect([...transformed(Uint8Array.from(left), colours(3), true)]).toEqual([...plain]);
  const relative = [2, 0, 1, 0, 1, 1, 2, ...left.slice(7)];
  expect([...transformed(plain, colours(3, true))]).toEqual(relative);
  expect([...transformed(Uint8Array.from(relative), colours(3, true), true)]).toEqual([...plain]);
});

test("differences are taken one distance after the other, of bytes as they are before the first", () => {
  const plain = Uint8Array.of(5, 6, 9, 10, 250, 3);
  expect([...transformed(plain, differences(2))]).toEqual([5, 6, 4, 4, 241, 249]);
  expect([...transformed(plain, differences(2, 1))]).toEqual([5, 1, 254, 0, 237, 8]);
  expect([...transformed(plain, differences(6))]).toEqual([...plain]);
});

test.each([2, 3, 4])("drawings of pixels of %i bytes come back", (channels) => {
  for (const count of [1, 2, 17, PALETTE_MAX]) {
    const plain = joined(drawingOf(60, 100, count, channels), Uint8Array.of(9).subarray(channels % 2));
    for (const isRelative of [false, true]) {
      const left = transformed(plain, colours(channels, isRelative));
      expect(Buffer.compare(transformed(left, colours(channels, isRelative), true), plain)).toBe(0);
      const pixels = Math.floor(plain.length / channels);
      expect(left.subarray(pixels + count * channels, pixels * channels).every((byte) => byte === 0)).toBe(true);
    }
  }
});

test("more colours than a palette has are refused, and so are few pixels of many", () => {
  const pixelsOf = (count: number) => Uint8Array.from({ length: 4 * count }, (_, i) => (i >> 2) >> (8 * (i & 1)));
  expect(() => transformed(pixelsOf(PALETTE_MAX), colours(4))).toThrow(RangeError);
  expect(() => transformed(joined(pixelsOf(PALETTE_MAX), new Uint8Array(400)), colours(4))).not.toThrow();
  expect(() => transformed(joined(pixelsOf(PALETTE_MAX + 1), new Uint8Array(400)), colours(4))).toThrow(RangeError);
  expect(() => transformed(noise(99), colours(3))).toThrow(RangeError);
});

test("any numbers and palette are some picture, and the same one every time", () => {
  for (const channels of [2, 3, 4]) {
    for (const left of [noise(5001), new Uint8Array(4096).fill(255), noise(7), new Uint8Array(1)]) {
      const plain = transformed(left, colours(channels, true), true);
      expect(plain.length).toBe(left.length);
      expect(Buffer.compare(plain, transformed(left, colours(channels, true), true))).toBe(0);
    }
  }
});

test("differences of anything come back from both directions", () => {
  const random = new Random(4);
  for (const plain of [noise(5000), gradientOf(50, 100, 3, 2), new Uint8Array(4096).fill(200)]) {
    for (let i = 0; i < 20; i += 1) {
      const distances = Array.from({ length: random.between(1, 4) }, () => random.between(1, 6000));
      expectBothWays(plain, differences(...distances));
    }
  }
});

test("of a gradient, next to nothing is left", () => {
  const left = transformed(gradientOf(100, 300, 1, 1), differences(1, 300));
  expect(left.subarray(300).filter((byte) => byte > 0).length).toBeLessThan(2);
});

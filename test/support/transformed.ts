/** Stretches of numbers through the predictors and back, and bytes of the worst kinds to try them with. */
import { expect } from "bun:test";
import { type Numbers, STRETCH_BYTES_MIN } from "../../src/predict/list.ts";
import { transformSlowly } from "../../src/predict/transform.ts";
import { joined, noise } from "./bytes.ts";

/** What predictors leave of bytes that are one stretch, or back. */
export function transformed(bytes: Uint8Array, numbers: Numbers, isBack = false, isForeseen = false): Uint8Array {
  const result = bytes.slice();
  const stretches = [{ gapBytes: 0, lengthBytes: bytes.length, numbers }];
  for (const _ of transformSlowly(result, stretches, isBack, isForeseen));
  return result;
}

/** Expects bytes to come back from both directions, and each time the same. */
export function expectBothWays(plain: Uint8Array, numbers: Numbers, isForeseen = false): void {
  const through = (bytes: Uint8Array, isBack: boolean) => transformed(bytes, numbers, isBack, isForeseen);
  const left = through(plain, false);
  expect(Buffer.compare(left, through(plain, false))).toBe(0);
  expect(Buffer.compare(through(left, true), plain)).toBe(0);
  expect(Buffer.compare(through(through(plain, true), false), plain)).toBe(0);
}

/** Bytes about as long as `size` that are no sound, or one that nobody would record. */
export function strangeSounds(size: number): [name: string, bytes: Uint8Array][] {
  const chance = noise(size + 1);
  const quarter = size >> 2;
  const square = (step: number) =>
    Uint8Array.from({ length: 2 * (size >> 2) }, (_, i) => (Math.floor(i / step) % 2 ? 0x7f : 0x80));
  const floats = Float32Array.from({ length: size >> 3 }, (_, i) => [Number.NaN, Infinity, 1e-42, -i][i % 4] as number);
  return [
    ["chance, and half a sample", chance],
    ["silence", new Uint8Array(STRETCH_BYTES_MIN)],
    ["silence behind noise", joined(chance.subarray(0, quarter), new Uint8Array(2 * quarter), chance)],
    ["the loudest square", square(200)],
    ["the loudest and highest square", square(1)],
    ["the loudest of all", new Uint8Array(size >> 1).fill(0x7f)],
    ["floats with NaN, infinity and denormals", new Uint8Array(floats.buffer)],
  ];
}

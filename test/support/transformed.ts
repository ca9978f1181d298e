/** Stretches of numbers through the predictors and back, and bytes of the worst kinds to try them with. */
import { expect } from "bun:test";
import { type Numbers, type Sound, STRETCH_BYTES_MIN } from "../../src/predict/list.ts";
import { transformSlowly } from "../../src/predict/transform.ts";
import { joined, noise } from "./bytes.ts";
import { Random } from "./gpu-values.ts";

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

/** What is left is what a twin in plain TypeScript leaves, and comes back. */
export function expectAsTwin(
  twin: { code(plain: Uint8Array): Uint8Array },
  plain: Uint8Array,
  numbers: Numbers,
  isForeseen = false,
): void {
  const left = transformed(plain, numbers, false, isForeseen);
  expect(Buffer.compare(left, twin.code(plain))).toBe(0);
  expect(Buffer.compare(transformed(left, numbers, true, isForeseen), plain)).toBe(0);
}

/** Stretches of chance, some partly of one value, taken for sound of random kinds. */
export function expectRandomSounds(count: number, own: Partial<Sound>, isForeseen = false): void {
  const random = new Random(3);
  const chance = noise(30_001);
  for (let i = 0; i < count; i += 1) {
    const channels = 1 + (random.next() % 8);
    const [width, isBig, isUnsigned] = [1 + (random.next() % 3), random.next() % 2 === 0, random.next() % 2 === 0];
    const start = random.next() % 20_000;
    const plain = chance.slice(start, start + STRETCH_BYTES_MIN + (random.next() % 500));
    if (i % 3 === 0) plain.fill(i, 500, 2500);
    expectBothWays(plain, { kind: "sound", channels, width, isBig, isUnsigned, ...own }, isForeseen);
  }
}

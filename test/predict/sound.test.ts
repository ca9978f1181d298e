/** The predictor of sound against the same in plain TypeScript, there and back, and on bytes that are no sound. */
import { describe, expect, test } from "bun:test";
import { type Sound, STRETCH_BYTES_MIN } from "../../src/predict/list.ts";
import { transformSlowly } from "../../src/predict/transform.ts";
import { noise } from "../support/bytes.ts";
import { Random } from "../support/gpu-values.ts";
import { soundOf } from "../support/numbers.ts";
import { expectBothWays, strangeSounds, transformed } from "../support/transformed.ts";
import { SoundTwin } from "./sound-twin.ts";

const SHAPES = [1, 2, 3].flatMap((width) =>
  [1, 2, 5].flatMap((channels) =>
    [false, true].map((isBig): Sound => ({ kind: "sound", channels, width, isBig, isUnsigned: isBig !== width > 1 })),
  ),
);
const nameOf = (sound: Sound) =>
  `${8 * sound.width} bits, ${sound.channels} channels${sound.isBig ? ", high byte first" : ""}`;

describe.each(SHAPES.map((shape) => [nameOf(shape), shape] as const))("%s", (_, shape) => {
  const plain = soundOf(1500, shape);

  test("what is left is what the twin leaves, and comes back", () => {
    const left = transformed(plain, shape);
    expect(Buffer.compare(left, new SoundTwin(shape).code(plain))).toBe(0);
    expect(Buffer.compare(transformed(left, shape, true), plain)).toBe(0);
  });

  test("what is left is small", () => {
    const long = transformed(soundOf(3000, shape), shape);
    const high = long.filter((_, i) => i > long.length / 2 && i % shape.width === 0);
    expect(high.reduce((sum, byte) => sum + byte, 0) / high.length).toBeLessThan(shape.width > 1 ? 4 : 8);
  });
});

const stereo: Sound = { kind: "sound", channels: 2, width: 2, isBig: false, isUnsigned: false };
const random = new Random(3);
const CHANCE = noise(30_001);

test.each(strangeSounds(30_000))("%s comes back", (_, plain) => {
  for (const shape of [stereo, { ...stereo, channels: 1, width: 3 }, { ...stereo, channels: 8, width: 1 }]) {
    expectBothWays(plain, shape);
  }
});

test("random stretches of random kinds come back", () => {
  for (let i = 0; i < 150; i += 1) {
    const channels = 1 + (random.next() % 8);
    const [width, isBig, isUnsigned] = [1 + (random.next() % 3), random.next() % 2 === 0, random.next() % 2 === 0];
    const shape: Sound = { kind: "sound", channels, width, isBig, isUnsigned };
    const start = random.next() % 20_000;
    const plain = CHANCE.slice(start, start + STRETCH_BYTES_MIN + (random.next() % 500));
    if (i % 3 === 0) plain.fill(i, 500, 2500);
    expectBothWays(plain, shape);
  }
});

test("only stretches change", () => {
  const plain = soundOf(20_000, stereo);
  const bytes = plain.slice();
  const lengths = [5000, 6000];
  const stretches = lengths.map((lengthBytes) => ({ gapBytes: 100, lengthBytes, numbers: stereo }));
  for (const _ of transformSlowly(bytes, stretches, false));
  expect(Buffer.compare(bytes.subarray(0, 100), plain.subarray(0, 100))).toBe(0);
  expect(Buffer.compare(bytes.subarray(5100, 5200), plain.subarray(5100, 5200))).toBe(0);
  expect(Buffer.compare(bytes.subarray(11_200), plain.subarray(11_200))).toBe(0);
  // Each stands alone.
  expect(Buffer.compare(bytes.subarray(5200, 11_200), transformed(plain.subarray(5200, 11_200), stereo))).toBe(0);
});

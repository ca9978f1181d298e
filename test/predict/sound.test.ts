/** The predictor of sound against the same in plain TypeScript, there and back, and on bytes that are no sound. */
import { describe, expect, test } from "bun:test";
import type { Sound } from "../../src/predict/list.ts";
import { transformSlowly } from "../../src/predict/transform.ts";
import { soundOf } from "../support/numbers.ts";
import {
  expectAsTwin,
  expectBothWays,
  expectRandomSounds,
  strangeSounds,
  transformed,
} from "../support/transformed.ts";
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
    expectAsTwin(new SoundTwin(shape), plain, shape);
  });

  test("what is left is small", () => {
    const long = transformed(soundOf(3000, shape), shape);
    const high = long.filter((_, i) => i > long.length / 2 && i % shape.width === 0);
    expect(high.reduce((sum, byte) => sum + byte, 0) / high.length).toBeLessThan(shape.width > 1 ? 4 : 8);
  });
});

const stereo: Sound = { kind: "sound", channels: 2, width: 2, isBig: false, isUnsigned: false };

test.each(strangeSounds(30_000))("%s comes back", (_, plain) => {
  for (const shape of [stereo, { ...stereo, channels: 1, width: 3 }, { ...stereo, channels: 8, width: 1 }]) {
    expectBothWays(plain, shape);
  }
});

test("random stretches of random kinds come back", () => expectRandomSounds(150, {}));

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

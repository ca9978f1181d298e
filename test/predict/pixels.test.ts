/** The predictor of pixels there and back: every number of channels, ranks, films, odd ends, and what is no picture. */
import { describe, expect, test } from "bun:test";
import { type Film, filmFrameBytes, type Pixels } from "../../src/predict/list.ts";
import { noise } from "../support/bytes.ts";
import { Random } from "../support/gpu-values.ts";
import { filmOf, pixelsOf } from "../support/numbers.ts";
import { expectBothWays, transformed } from "../support/transformed.ts";

const PLAIN: Pixels = { kind: "pixels", channels: 1, width: 60, frameBytes: 0, isRanked: false };
const KINDS: readonly Pixels[] = [1, 2, 3, 4].flatMap((channels) =>
  [false, true]
    .filter((isRanked) => !isRanked || channels >= 3)
    .flatMap((isRanked) => [0, 60 * 20 * channels].map((frameBytes) => ({ ...PLAIN, channels, isRanked, frameBytes }))),
);
const nameOf = ({ channels, isRanked, frameBytes }: Pixels) =>
  `${channels} channels${isRanked ? ", ranked" : ""}${frameBytes > 0 ? ", frames" : ""}`;

describe.each(KINDS.map((kind) => [nameOf(kind), kind] as const))("%s", (_, kind) => {
  const plain = pixelsOf(61, kind);

  test("comes back, and again the same", () => {
    const left = transformed(plain, kind);
    expect(Buffer.compare(left, transformed(plain, kind))).toBe(0);
    expect(Buffer.compare(transformed(left, kind, true), plain)).toBe(0);
  });

  test("what is left is small", () => {
    const left = transformed(plain, kind);
    expect(left.reduce((sum, byte) => sum + byte, 0) / left.length).toBeLessThan(12);
  });
});

test("ranks leave next to nothing of colours that follow from each other", () => {
  const kind: Pixels = { ...PLAIN, channels: 3, isRanked: true, width: 200 };
  const plain = pixelsOf(200, kind, 5);
  const meanOf = (left: Uint8Array) => left.subarray(left.length / 3).reduce((sum, byte) => sum + byte, 0);
  const ranked = meanOf(transformed(plain, kind));
  expect(ranked).toBeLessThan(meanOf(transformed(plain, { ...kind, isRanked: false })) / 2);
});

const random = new Random(3);
const CHANCE = noise(30_001);

test.each([
  ["chance, and part of a pixel", CHANCE],
  ["one colour", new Uint8Array(4096).fill(255)],
  ["black and white", CHANCE.map((byte) => (byte & 1) * 255)],
  ["half chance, half black", CHANCE.map((byte, i) => (i < 15_000 ? byte : 0))],
  [
    "NaN and infinity, if floats were read",
    new Uint8Array(Float32Array.from({ length: 5000 }, (_, i) => 1 / (i % 2)).buffer),
  ],
])("%s comes back", (_, plain) => {
  for (const kind of KINDS) {
    const left = transformed(plain, kind);
    expect(Buffer.compare(transformed(left, kind, true), plain)).toBe(0);
  }
});

test("random stretches of random kinds come back, and random leavings are of something", () => {
  for (let i = 0; i < 60; i += 1) {
    const channels = 1 + (random.next() % 4);
    const width = 4 + (random.next() % 90);
    const isRanked = channels >= 3 && random.next() % 2 === 0;
    const frameBytes = random.next() % 2 === 0 ? 0 : (width + 2 + (random.next() % 900)) * channels;
    const kind: Pixels = { kind: "pixels", channels, width, frameBytes, isRanked };
    const start = random.next() % 20_000;
    const plain = CHANCE.slice(start, start + 4096 + (random.next() % 500));
    if (i % 2 === 0) for (let at = 0; at < plain.length; at += 1) plain[at] = (plain[at] as number) >> (i % 8);
    if (isRanked) expect(Buffer.compare(transformed(transformed(plain, kind), kind, true), plain)).toBe(0);
    else expectBothWays(plain, kind);
  }
});

describe("films", () => {
  const film: Film = { kind: "film", width: 48, height: 40 };
  const plain = filmOf(4, film);

  test("come back, and with part of a frame, and without a whole one", () => {
    for (const bytes of [plain, plain.subarray(0, plain.length - 100), plain.subarray(0, 2000)]) {
      const left = transformed(bytes, film);
      expect(Buffer.compare(left, transformed(bytes, film))).toBe(0);
      expect(Buffer.compare(transformed(left, film, true), bytes)).toBe(0);
    }
  });

  test("are planes of light, then of colour, and the later frames follow from the first", () => {
    const left = transformed(plain, film);
    const size = film.width * film.height;
    const first = transformed(plain.slice(0, size), { ...PLAIN, width: 48, frameBytes: size });
    expect(Buffer.compare(left.subarray(0, size), first)).toBe(0);
    const sumOf = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0);
    expect(sumOf(left.subarray(size, 2 * size))).toBeLessThan(sumOf(first) / 1.5);
    expect(filmFrameBytes(film)).toBe(1.5 * size);
  });

  test("of chance come back", () => {
    expect(Buffer.compare(transformed(transformed(CHANCE, film), film, true), CHANCE)).toBe(0);
  });
});

/** The list of stretches: what is written comes back, and what nobody wrote is refused. */
import { describe, expect, test } from "bun:test";
import { CorruptError } from "../../src/archive/errors.ts";
import {
  DISTANCE_MAX,
  decodeStretches,
  encodeStretches,
  type Numbers,
  numberBytes,
  type Pixels,
  type Sound,
  STRETCH_BYTES_MAX,
  STRETCH_BYTES_MIN,
  type Stretch,
  TABLE_EXPONENT_MAX,
  TABLE_FORMATS,
  TABLE_FRAME_MAX,
  TABLE_ROW_MAX,
  type Table,
} from "../../src/predict/list.ts";
import { Random } from "../support/gpu-values.ts";

const sound: Sound = { kind: "sound", channels: 2, width: 2, isBig: false, isUnsigned: false };
const LIST: readonly Stretch[] = [
  { gapBytes: 44, lengthBytes: 10_000, numbers: sound },
  { gapBytes: 0, lengthBytes: 4096, numbers: { ...sound, channels: 8, width: 3, isBig: true } },
  {
    gapBytes: 1,
    lengthBytes: 5000,
    numbers: { kind: "pixels", channels: 1, width: 4, frameBytes: 0, isRanked: false },
  },
  {
    gapBytes: 0,
    lengthBytes: 5001,
    numbers: { kind: "pixels", channels: 4, width: 8192, frameBytes: 40_000, isRanked: true },
  },
  { gapBytes: 0, lengthBytes: 9000, numbers: { kind: "film", width: 8, height: 1000 } },
  { gapBytes: 300, lengthBytes: STRETCH_BYTES_MAX, numbers: { ...sound, channels: 1, width: 1, isUnsigned: true } },
];
const TABLES: readonly Stretch[] = TABLE_FORMATS.flatMap((format) =>
  [
    { columns: 1, row: 0, frame: 0, rawBits: 0, exponent: -TABLE_EXPONENT_MAX },
    { columns: 16, row: 128, frame: 512, rawBits: 8 * numberBytes(format) - 1, exponent: TABLE_EXPONENT_MAX },
    { columns: 1, row: TABLE_ROW_MAX, frame: TABLE_FRAME_MAX, rawBits: 3, exponent: 0 },
    { columns: 2, row: 0, frame: 0, rawBits: 8 * numberBytes(format) - 1, exponent: 8, isDamped: true },
  ].map((shape, i) => ({
    gapBytes: i,
    lengthBytes: STRETCH_BYTES_MIN,
    numbers: { kind: "table", format, isBig: i === 1, ...shape },
  })),
);
const EXACT: readonly Stretch[] = [
  { gapBytes: 5, lengthBytes: 5000, numbers: { kind: "colours", channels: 2, isRelative: true } },
  { gapBytes: 0, lengthBytes: 5001, numbers: { kind: "colours", channels: 4, isRelative: false } },
  { gapBytes: 1, lengthBytes: 4096, numbers: { kind: "differences", distances: [1] } },
  { gapBytes: 0, lengthBytes: 4096, numbers: { kind: "differences", distances: [DISTANCE_MAX, 64, 65, 1] } },
];
const ALL = LIST.reduce((sum, { gapBytes, lengthBytes }) => sum + gapBytes + lengthBytes, 0);

test("a list comes back", () => {
  const list = encodeStretches(LIST);
  expect(decodeStretches(list, ALL, false)).toEqual([...LIST]);
  expect(decodeStretches(list, ALL + 1, true)).toEqual([...LIST]);
  expect(decodeStretches(new Uint8Array(0), 0, false)).toEqual([]);
});

test("a list of colours and differences comes back", () => {
  expect(decodeStretches(encodeStretches(EXACT), 20_000, false)).toEqual([...EXACT]);
  // Gap, length, kind, distance.
  expect([...encodeStretches(EXACT.slice(2, 3))]).toEqual([1, 0x80, 0x20, 5, 0]);
});

test("a list of tables comes back", () => {
  expect(decodeStretches(encodeStretches(TABLES), 2 ** 20, false)).toEqual([...TABLES]);
});

test("sound by a panel comes back where there is foresight, and only there", () => {
  for (const shape of [
    sound,
    { ...sound, channels: 8, width: 3, isBig: true },
    { ...sound, width: 1, isUnsigned: true },
  ]) {
    const list: Stretch[] = [{ gapBytes: 3, lengthBytes: 5000, numbers: { ...shape, isByPanel: true } }];
    expect(decodeStretches(encodeStretches(list), 5003, true)).toEqual(list);
    expect(() => decodeStretches(encodeStretches(list), 5003, false)).toThrow("no panel");
  }
});

describe("refused", () => {
  const list = encodeStretches(LIST);
  test("stretches that do not fit", () => {
    expect(() => decodeStretches(list, ALL - 1, false)).toThrow(CorruptError);
    expect(() => decodeStretches(list, 0, false)).toThrow(CorruptError);
  });

  test("a list that is cut", () => {
    const ends = new Set<number>();
    for (let length = 1; length < list.length; length += 1) {
      try {
        ends.add(decodeStretches(list.subarray(0, length), ALL, false).length);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptError);
      }
    }
    expect([...ends]).toEqual([1, 2, 3, 4, 5]);
  });

  test.each([
    ["a kind that there is not", [0, 0x80, 0x20, 0xff, 0]],
    ["a short stretch", [0, 0xff, 0x1f, 0, 0]],
    ["a width that there is not", [0, 0x80, 0x20, 0, 0x18]],
    ["a panel without foresight", [0, 0x80, 0x20, 0, 0x80]],
    ["pixels in narrow rows", [0, 0x80, 0x20, 1, 0, 3, 0]],
    ["pixels in wide rows", [0, 0x80, 0x20, 1, 1, 0x81, 0x80, 1, 0]],
    ["ranks of two channels", [0, 0x80, 0x20, 1, 5, 8, 0]],
    ["a bit of pixels that there is not", [0, 0x80, 0x20, 1, 8, 8, 0]],
    ["frames of a row", [0, 0x80, 0x20, 1, 0, 8, 9]],
    ["a film without height", [0, 0x80, 0x20, 2, 8, 3]],
    ["a film of frames beyond the longest stretch", [0, 0x80, 0x20, 2, 0x80, 0x40, 0xac, 0x02]],
    ["a format of tables that there is not", [0, 0x80, 0x20, 3, 7, 0, 0, 0, 0]],
    ["a table of short rows", [0, 0x80, 0x20, 3, 1, 7, 0, 0, 0]],
    ["a table of rows that are too long", [0, 0x80, 0x20, 3, 0x11, 0x81, 0x40, 0, 0, 0]],
    ["a table of frames without rows", [0, 0x80, 0x20, 3, 1, 0, 4, 0, 0]],
    ["a table of short frames", [0, 0x80, 0x20, 3, 1, 8, 3, 0, 0]],
    ["a table of frames that are too long", [0, 0x80, 0x20, 3, 1, 0x80, 0x40, 33, 0, 0]],
    ["a table of raw bits alone", [0, 0x80, 0x20, 3, 0, 0, 0, 16, 0]],
    ["a table of too large a scale", [0, 0x80, 0x20, 3, 0, 0, 0, 0, 0xd1, 0x0f]],
    ["frames of half a pixel", [0, 0x80, 0x20, 1, 1, 8, 21]],
    ["colours of one channel", [0, 0x80, 0x20, 4, 0]],
    ["a bit of colours that there is not", [0, 0x80, 0x20, 4, 9]],
    ["differences at no distance", [0, 0x80, 0x20, 5]],
    ["differences that are too far", [0, 0x80, 0x20, 5, 0x80, 0x80, 4]],
    ["differences at five distances", [0, 0x80, 0x20, 5, 1, 1, 1, 1, 0]],
  ])("%s", (_, bytes) => {
    expect(() => decodeStretches(Uint8Array.from(bytes), 2 ** 20, false)).toThrow(CorruptError);
  });

  test("what no reader would accept is not written", () => {
    expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 4095, numbers: sound }])).toThrow(RangeError);
    expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 2 ** 23 + 1, numbers: sound }])).toThrow(RangeError);
    expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 5000, numbers: { ...sound, channels: 9 } }])).toThrow(
      RangeError,
    );
    const pixels: Pixels = { kind: "pixels", channels: 2, width: 8, frameBytes: 0, isRanked: false };
    const bad = [
      { isRanked: true },
      { width: 3 },
      { width: 16_385 },
      { frameBytes: 18 },
      { frameBytes: 21 },
      { channels: 5 },
    ];
    for (const change of bad) {
      const numbers = { ...pixels, ...change };
      expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 5000, numbers }])).toThrow(RangeError);
    }
    const exact: Numbers[] = [
      { kind: "colours", channels: 1, isRelative: false },
      { kind: "colours", channels: 5, isRelative: false },
      { kind: "differences", distances: [] },
      { kind: "differences", distances: [0] },
      { kind: "differences", distances: [1, DISTANCE_MAX + 1] },
      { kind: "differences", distances: [1, 2, 3, 4, 5] },
    ];
    for (const numbers of exact) {
      expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 5000, numbers }])).toThrow(RangeError);
    }
    const table: Table = {
      kind: "table",
      format: "int16",
      isBig: false,
      columns: 2,
      row: 32,
      frame: 128,
      rawBits: 0,
      exponent: 0,
    };
    const badTables = [
      { columns: 17 },
      { row: 33 },
      { row: 8, frame: 64 },
      { frame: 96 },
      { frame: 130 },
      { rawBits: 16 },
      { exponent: 1001 },
    ];
    for (const change of badTables) {
      const numbers = { ...table, ...change };
      expect(() => encodeStretches([{ gapBytes: 0, lengthBytes: 5000, numbers }])).toThrow(RangeError);
    }
  });
});

test("any bytes are a list that fits, or corrupt", () => {
  const random = new Random(5);
  for (let i = 0; i < 20_000; i += 1) {
    const bytes = Uint8Array.from({ length: 1 + (random.next() % 24) }, () => random.next() >>> 24);
    if (i % 2 === 0) bytes.set([0, 0x80, 0x20, (i / 2) % 6].slice(0, bytes.length));
    try {
      const stretches = decodeStretches(bytes, 100_000, i % 3 === 0);
      const sum = stretches.reduce((all, { gapBytes, lengthBytes }) => all + gapBytes + lengthBytes, 0);
      expect(sum).toBeLessThanOrEqual(100_000);
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptError);
    }
  }
});

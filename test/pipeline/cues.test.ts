/** What the lanes of a patch are reminded of: places in the old file, lanes, bounds. */
import { expect, test } from "bun:test";
import {
  CUE_BYTES_MAX,
  cuesOf,
  CUE_MARGIN_BYTES as MARGIN,
  CUE_PLACE_BYTES_MAX as PLACE_MAX,
  CUE_TAIL_BYTES as TAIL,
} from "../../src/pipeline/cues.ts";
import type { Stretch } from "../../src/predict/list.ts";
import type { Copies } from "../../src/repeats/copies.ts";

const OLD = Uint8Array.from({ length: 250 }, (_, i) => i);

/** Gaps, lengths, and where each copy begins in the window. */
function copiesFrom(windowBytes: number, ...rows: readonly (readonly [gap: number, length: number, from: number])[]) {
  let position = 0;
  const distances = rows.map(([gap, length, from]) => {
    const distance = windowBytes + position + gap - from;
    position += gap + length;
    return distance;
  });
  const gaps = Uint32Array.from(rows, ([gap]) => gap);
  const lengths = Uint32Array.from(rows, ([, length]) => length);
  return { count: rows.length, gaps, lengths, distances: Int32Array.from(distances) } satisfies Copies;
}

interface Facts {
  readonly copies: Copies;
  readonly restBytes: number;
  readonly windowBytes?: number;
  readonly stretches?: readonly Stretch[];
  readonly streams?: number;
}

const cues = ({ copies, restBytes, windowBytes = OLD.length, stretches = [], streams = 1 }: Facts) =>
  cuesOf({ copies, restBytes, stretches, windowBytes, old: OLD }, streams).map((lane) =>
    lane.map(({ at, bytes }) => [at, ...bytes.subarray(0, 1), bytes.length]),
  );

test("before a piece: its place in the old file, then the end of the copy before", () => {
  const copies = copiesFrom(OLD.length, [7, 60, 40], [5, 60, 100]);
  expect(cues({ copies, restBytes: 20 })).toEqual([
    [
      // Bytes 40 … 99 were copied; the five bytes behind them stand where bytes 100 … 104 stood.
      [7, 100 - MARGIN, 5 + 2 * MARGIN],
      [7, 100 - TAIL, TAIL],
      [12, 160 - MARGIN, 8 + 2 * MARGIN],
      [12, 160 - TAIL, TAIL],
    ],
  ]);
});

test("within the old file, and no more than a copy had", () => {
  expect(cues({ copies: copiesFrom(OLD.length, [0, 15, 0], [3, 20, 230], [6, 90, 0]), restBytes: 9 })).toEqual([
    [
      [0, 15 - MARGIN, 3 + 2 * MARGIN],
      [0, 0, 15],
      [3, 250 - MARGIN, MARGIN],
      [3, 250 - 20, 20],
    ],
  ]);
});

test("none behind a copy of something else than the old file, or a mirrored one, or where predictors work", () => {
  const windowBytes = OLD.length + 100;
  const behind = { copies: copiesFrom(windowBytes, [4, 30, OLD.length - 10]), restBytes: 8, windowBytes };
  expect(cues(behind)).toEqual([[]]);
  const copies = copiesFrom(OLD.length, [4, 60, 50]);
  expect(cues({ copies: { ...copies, distances: copies.distances.map((n) => -n) }, restBytes: 8 })).toEqual([[]]);
  const numbers = { kind: "sound" } as unknown as Stretch["numbers"];
  const at = (gapBytes: number, lengthBytes: number) => [{ gapBytes, lengthBytes, numbers }];
  expect(cues({ copies, restBytes: 8, stretches: at(5, 1) })).toEqual([[]]);
  for (const stretches of [at(0, 4), at(8, 9)]) expect(cues({ copies, restBytes: 8, stretches })[0]).toHaveLength(2);
});

test("a piece that lanes share is in all of them, each with its own part of the place", () => {
  expect(cues({ copies: copiesFrom(OLD.length, [2, 100, 0]), restBytes: 14, streams: 3 })).toEqual([
    [
      [2, 100 - MARGIN, 3 + 2 * MARGIN],
      [2, 100 - TAIL, TAIL],
    ],
    [[0, 103 - MARGIN, 5 + 2 * MARGIN]],
    [[0, 108 - MARGIN, 4 + 2 * MARGIN]],
  ]);
});

test("long pieces have the beginning of their place, and all cues together no more than the block's bytes", () => {
  const one = cues({ copies: copiesFrom(OLD.length, [0, 30, 50]), restBytes: 5000 });
  expect(one[0]?.[0]).toEqual([0, 80 - MARGIN, PLACE_MAX + 2 * MARGIN]);
  const rows = Array.from({ length: 20 }, (): [number, number, number] => [1, 30, 50]);
  const all = cues({ copies: copiesFrom(OLD.length, ...rows), restBytes: 20 })[0] ?? [];
  const sum = all.reduce((bytes, cue) => bytes + (cue.at(-1) as number), 0);
  expect(sum).toBeLessThanOrEqual(20 * 31);
  expect(sum).toBeGreaterThan(20 * 31 - CUE_BYTES_MAX);
});

/** Levels, presets and the choice of streams. */
import { expect, test } from "bun:test";
import { checkHyperParameters, contractOf, type HyperParameters } from "../../src/contract/hyper.ts";
import { layoutOf } from "../../src/contract/tensors.ts";
import {
  DEFAULT_LEVEL,
  hasShape,
  hyperForSize,
  isMixer,
  isOfLevel,
  type Level,
  levelOf,
  networkShape,
  PAPER,
  PAPER_LEVEL,
  PAPER_STREAMS,
  streamsForSize,
} from "../../src/model/levels.ts";

test("all levels and the paper's preset are legal for every number of streams that a size can lead to", () => {
  const shapes = [PAPER, ...Array.from({ length: 9 }, (_, i) => networkShape(i + 1))];
  for (const shape of shapes) {
    for (const streams of [1, 8, PAPER_STREAMS, 4096]) checkHyperParameters({ ...shape, streams });
  }
  expect(() => networkShape(0)).toThrow(RangeError);
  expect(() => networkShape(10)).toThrow(RangeError);
  expect(networkShape(DEFAULT_LEVEL).history).toBe(8);
});

test("a model is known as its level's and no other's, whatever size it was made for", () => {
  const levels = [PAPER_LEVEL, ...Array.from({ length: 9 }, (_, i) => levelOf(i + 1))];
  const isOf = (hyper: HyperParameters, level: Level) =>
    isMixer(level) ? isOfLevel(hyper, level) : hasShape(hyper, level.shape);
  for (const sizeBytes of [100, 10_000, 65_536, 65_537, 1e6, 1e9]) {
    levels.forEach((level, i) => {
      const hyper = hyperForSize(level, sizeBytes);
      expect(levels.findIndex((other) => isOf(hyper, other))).toBe(i);
      expect(levels.filter((other) => isOf(hyper, other))).toHaveLength(1);
    });
  }
});

test("contexts have counters at levels 6 to 9 from 64 KiB on, and the header's contract says so", () => {
  const counters = (level: number, sizeBytes: number) => hyperForSize(levelOf(level), sizeBytes).mixerCounters;
  for (const level of [5, 6, 7, 8, 9]) expect(counters(level, 2 ** 16)).toBe(0);
  const counted = [5, 6, 7, 8, 9].map((level) => [counters(level, 2 ** 16 + 1), counters(level, 1e9)]);
  expect(counted).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [4, 4],
    [8, 8],
  ]);
  const contracts = [5, 9].map((level) => contractOf(hyperForSize(levelOf(level), 1e6)));
  expect([...contracts, contractOf({ ...networkShape(5), streams: 8 })]).toEqual([4, 5, 4]);
});

test("the paper's model has the paper's size", () => {
  const layout = layoutOf({ ...PAPER, streams: PAPER_STREAMS });
  const perStream = layout.byName.memory.size + layout.byName.memoryBias.size;
  expect(perStream).toBe(PAPER_STREAMS * (64 * 64 + 512));
  expect(Math.abs((layout.parameterCount - perStream) / 15.5e6 - 1)).toBeLessThan(0.02);
});

test("every tensor lies where the one before it ends, and int8 copies start on words", () => {
  const layout = layoutOf({ ...networkShape(1), streams: 3 });
  let end = 0;
  layout.tensors.forEach((tensor, i) => {
    expect([tensor.index, tensor.offset, tensor.size]).toEqual([i, end, tensor.rows * tensor.columns]);
    if (tensor.kind === "matrix" || tensor.kind === "streamMatrix") expect(tensor.offset % 4).toBe(0);
    end += tensor.size;
  });
  expect(layout.parameterCount).toBe(end);
});

test("streams: size / bytes of a stream in groups of 8, 8 to 4096, never more than bytes", () => {
  const expected: [size: number, streams: number][] = [
    [0, 1],
    [1, 1],
    [7, 7],
    [8, 8],
    [100_000, 8],
    [16 * 8192 - 1, 8],
    [16 * 8192, 16],
    [1_000_000, 120],
    [2 ** 40, 4096],
  ];
  for (const [size, streams] of expected) expect(streamsForSize(size, 8192)).toBe(streams);
  expect(streamsForSize(1_000_000, 32768)).toBe(24);
});

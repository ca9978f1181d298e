/**
 * The report's numbers without a browser: what is read, which points are on the frontier, how time is added up, and
 * scales. report-browser.test.ts looks at the page.
 */
import { describe, expect, test } from "bun:test";
import { frontierOf } from "../../src/bench/report/frontier.ts";
import { timesByKernel } from "../../src/bench/report/kernels.ts";
import { reportPage } from "../../src/bench/report/page.ts";
import { ReportInputError, readResults } from "../../src/bench/report/read.ts";
import { linearScale, logScale } from "../../src/bench/report/svg.ts";
import { duration, fileName, power, short } from "../../src/bench/report/text.ts";
import { FILE_RESULTS, KERNEL_RESULTS, linesOf } from "../support/bench-fixture.ts";

describe("reading", () => {
  test("gives back what was written, without kinds of later versions", () => {
    const all = [...FILE_RESULTS, ...KERNEL_RESULTS];
    const text = `\n${linesOf(all)}{"kind":"of-tomorrow"}\n`;
    expect(readResults(text) as object[]).toEqual(JSON.parse(JSON.stringify(all)));
  });

  const result = FILE_RESULTS.find(({ kind }) => kind === "result");
  test.each([
    ["an object without a kind", "{}\n{", 1, "has no kind"],
    ["half an object", '{"kind":"absent","compressor":"x"}\n{"kind":', 2, "is not JSON"],
    ["a list", "\n\n[1]", 3, "has no kind"],
    ["a missing number", JSON.stringify({ ...result, ratio: undefined }), 1, "is a result without ratio"],
    ["null for a number", JSON.stringify({ ...result, ratio: null }), 1, "is a result without ratio"],
    ["no speed", JSON.stringify({ ...result, compress: {} }), 1, "is a result without the speed of compress"],
    ["half a result", JSON.stringify({ ...result, decompress: null }), 1, "is a result without decompress"],
    ["half a kernel", '{"kind":"kernel","engine":"gpu"}', 1, "is a kernel without device"],
  ])("refuses %s", (_, text, line, reason) => {
    expect(() => readResults(text)).toThrow(new ReportInputError(line, reason));
  });

  test("nothing to show is an error", () => {
    expect(() => reportPage([])).toThrow(RangeError);
  });
});

test("the frontier is what nobody beats in both, from slow to fast", () => {
  const point = (name: string, ratio: number, bytesPerSecond: number) => ({
    name,
    origin: "program",
    ratio,
    bytesPerSecond,
  });
  const points = [
    point("fast", 2, 100),
    point("beaten in both", 1.5, 50),
    point("small", 5, 1),
    point("beaten in speed", 5, 0.5),
    point("middle", 3, 10),
    point("beaten in ratio", 2.9, 10),
    point("twin of middle", 3, 10),
  ];
  const names = frontierOf(points).map(({ name }) => name);
  expect(names).toEqual(["small", "middle", "twin of middle", "fast"]);
});

test("time by kernel adds shapes up, and the share of the peak is that of the time", () => {
  const rows = KERNEL_RESULTS.filter((each) => each.kind === "kernel");
  const times = timesByKernel(rows);
  expect(times.map(({ kernel, microseconds, calls }) => ({ kernel, microseconds, calls }))).toEqual([
    { kernel: "linear", microseconds: 4 * 100 + 2 * 300, calls: 6 },
    { kernel: "linear_weights", microseconds: 1000, calls: 4 },
    { kernel: "fused_tomorrow", microseconds: 700, calls: 1 },
    { kernel: "norm", microseconds: 100, calls: 5 },
  ]);
  // 4e6 in 100 µs are a fifth of 2e11, 3e7 in 300 µs a half.
  expect(times[0]?.shareOfPeak).toBeCloseTo((400 * 0.2 + 600 * 0.5) / 1000);
  expect(times[2]?.shareOfPeak).toBeUndefined();
  const decoding = rows.map((row) => ({ ...row, isDecodingOnly: true as const }));
  expect(timesByKernel(decoding)).toEqual([]);
});

describe("scales", () => {
  test("a logarithmic one has powers of ten around the values", () => {
    const scale = logScale([20, 3000, 0], 100, 400, power);
    expect(scale.ticks.map(({ text }) => text)).toEqual(["10", "100", "1 k", "10 k"]);
    expect(scale.ticks.map(({ value }) => scale.at(value))).toEqual([100, 200, 300, 400]);
    expect(() => logScale([0], 0, 1, power)).toThrow(RangeError);
  });

  const ticks = (values: number[], options = {}) =>
    linearScale(values, 0, 100, { text: (value) => String(+value.toFixed(6)), ...options }).ticks.map(
      ({ text }) => text,
    );

  test("a linear one has round steps from zero", () => {
    expect(ticks([3, 7.2])).toEqual(["0", "2", "4", "6", "8"]);
    expect(ticks([3, 7.2], { endsAtLargest: true })).toEqual(["0", "2", "4", "6"]);
    expect(ticks([5.3, 5.9], { startsAtLeast: true })).toEqual(["5.2", "5.4", "5.6", "5.8", "6"]);
  });

  test("one value alone is no reason to fail", () => {
    for (const options of [{}, { startsAtLeast: true }, { endsAtLargest: true }]) {
      const scale = linearScale([4], 0, 100, { text: String, ...options });
      expect(scale.at(4)).toBeGreaterThanOrEqual(0);
      expect(scale.at(4)).toBeLessThanOrEqual(100);
    }
  });
});

test("figures", () => {
  expect([999.6, 0, 0.5, 12_345, 99_999_999].map((value) => short(value, "B"))).toEqual([
    ...["1.00 kB", "0 B", "0.500 B", "12.3 kB", "100 MB"],
  ]);
  expect([0.1, 1, 1000, 1e8].map((value) => power(value, "B/s"))).toEqual(["0.1 B/s", "1 B/s", "1 kB/s", "100 MB/s"]);
  expect([0, 2.5, 999, 1500, 2e6].map(duration)).toEqual(["0", "2.50 µs", "999 µs", "1.50 ms", "2.00 s"]);
  expect(["/a/b.txt", "c", "d/"].map(fileName)).toEqual(["b.txt", "c", "d"]);
});

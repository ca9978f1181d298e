/** Tables of benchmarks can be read by awk and by eye, however large or small the numbers are. */
import { expect, test } from "bun:test";
import type { FileResult, Side } from "../../src/bench/results.ts";
import { headText, resultText } from "../../src/cli/bench-text.ts";

const side = { milliseconds: 1, bytesPerSecond: 1e6, peakMemoryBytes: 123_456_789, memoryOf: "this process" };

test.each([1, 100_000, 12_345_678_901])("columns stay apart when one byte becomes %d", (codedBytes) => {
  const result = {
    compressor: "fade",
    origin: "fade",
    setting: "-5",
    engine: "cpu",
    codedBytes,
    ratio: 1 / codedBytes,
    bitsPerByte: 8 * codedBytes,
    compress: side as unknown as Side,
    decompress: side as unknown as Side,
  } as unknown as FileResult;
  const speed = "1.00 MB/s";
  const cells = ["fade -5 cpu", codedBytes, (1 / codedBytes).toFixed(3), (8 * codedBytes).toFixed(3), speed, speed];
  expect(resultText(result).trim().replace(/ +/g, " ")).toBe([...cells, "123 MB*"].join(" "));
});

test("the head stands over the columns", () => {
  expect(headText("x").split("\n")[1]).toBe(
    `${" ".repeat(28)}     bytes   ratio  bit/B   compress    restore   memory`,
  );
});

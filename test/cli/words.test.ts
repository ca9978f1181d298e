/** Numbers, names and the progress line as people read them. */
import { expect, test } from "bun:test";
import { compressedName, decompressedName } from "../../src/cli/names.ts";
import { ProgressLine, progressText } from "../../src/cli/progress.ts";
import { durationText, ratioText, sizeText } from "../../src/cli/words.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.00 kB"],
  [12_345, "12.3 kB"],
  [99_960, "100 kB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [999_999, "1.00 MB"],
  [2 ** 31, "2.15 GB"],
])("%p bytes are %p", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  [0.4, "0 s"],
  [119.4, "119 s"],
  [120, "2 min"],
  [7100, "118 min"],
  [9000, "2.5 h"],
  [400_000, "4.6 days"],
  [Number.POSITIVE_INFINITY, "?"],
])("%p seconds are %p", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test("ratios need something to compare", () => {
  expect([ratioText(0, 17), ratioText(300, 100), ratioText(123_456, 1000)]).toEqual(["-", "3.00", "123"]);
});

test("names go there and back, or say why not", () => {
  expect(decompressedName(compressedName("a"))).toBe("a");
  expect(decompressedName("x.tfade")).toBe("x.tar");
  for (const name of ["a", ".fade", "dir/.fade", ".tfade"]) expect(() => decompressedName(name)).toThrow();
});

test("the progress line tells percent, ratio, speed, time, and the time left after a second", () => {
  const facts = { doneBytes: 250_000, totalBytes: 1_000_000, codedBytes: 100_000 };
  const done = "a: 25.0% of 1.00 MB  250 kB / 100 kB = 2.50";
  expect(progressText("a", facts, 10_000)).toBe(`${done}  25.0 kB/s  10 s  30 s left`);
  expect(progressText("a", facts, 500)).toBe(`${done}  500 kB/s  0 s`);
  // While the first block is decoded, and of a pipe whose end nobody knows.
  expect(progressText("a", { ...facts, codedBytes: 0 }, 500)).toBe("a: 25.0% of 1.00 MB  250 kB  500 kB/s  0 s");
  expect(progressText("a", { doneBytes: 1, totalBytes: undefined, codedBytes: 0 }, 500)).toBe("a:  1 B  2 B/s  0 s");
  expect(progressText("a", { ...facts, doneBytes: 0 }, 0)).toBe("a: 0.0% of 1.00 MB  0 s");
});

test("the progress line fits the terminal and is cleared at the end", () => {
  let drawn = "";
  const stderr = {
    isTerminal: true,
    columns: 10,
    write: (text: string) => {
      drawn += text;
    },
  };
  const io = {
    cwd: "/",
    stdin: { isTerminal: false, read: async () => new Uint8Array(0), readAll: async () => new Uint8Array(0) },
    stdout: { isTerminal: false, write: async () => {} },
    stderr,
    nowMs: () => 0,
    temporaryFiles: new Set<string>(),
    uninterrupted: <T>(work: () => Promise<T>) => work(),
  };
  const line = new ProgressLine(io, "a-long-name", 100, true);
  line.finish();
  line.finish();
  expect(drawn).toBe("\r\x1b[Ka-long-na\r\x1b[K");
});

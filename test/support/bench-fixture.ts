/** Results of a benchmark that was never run, with round figures, for tests of the report. */
import { type KernelBenchResult, ratesOf } from "../../src/bench/kernel-results.ts";
import type { BenchResult, FileResult } from "../../src/bench/results.ts";

const PLAIN_BYTES = 1_000_000;
const MB = 1e6;

function result(
  file: string,
  compressor: string,
  setting: string,
  origin: FileResult["origin"],
  ratio: number,
  speeds: readonly [number, number],
): FileResult {
  const [compressSpeed, restoreSpeed] = speeds;
  const side = (bytesPerSecond: number) => ({
    elapsedMs: (PLAIN_BYTES / bytesPerSecond) * 1000,
    runs: 1,
    bytesPerSecond,
  });
  return {
    ...{ kind: "result", file, compressor, origin, setting, plainBytes: PLAIN_BYTES, isVerified: true },
    ...(origin === "fade" && { engine: "cpu", curve: curveOf(8 / ratio) }),
    codedBytes: Math.round(PLAIN_BYTES / ratio),
    ratio,
    bitsPerByte: 8 / ratio,
    compress: { ...side(compressSpeed), peakMemoryBytes: 12 * MB, memoryOf: "child" },
    decompress: side(restoreSpeed),
  };
}

/** Falls from 8 bits towards `bits`. */
function curveOf(bits: number) {
  const points = Array.from({ length: 50 }, (_, i) => i + 1);
  return points.map((i) => ({ bytesDone: (PLAIN_BYTES * i) / 50, bitsPerByte: bits + (8 - bits) / i }));
}

const FILES = ["/somewhere/text & <more>.txt", "/somewhere/table.csv"];

export const FILE_RESULTS: readonly BenchResult[] = [
  {
    ...{ kind: "machine", fadeVersion: "9.9.9", processor: "A processor", cores: 2, memoryBytes: 8e9, threads: 2 },
    ...{ platform: "linux-x64", runtime: "Bun 0", load: 0.5, startedAtSeconds: 0 },
  },
  { kind: "absent", compressor: "zpaq" },
  ...FILES.flatMap((file) => [
    result(file, "fade", "-1", "fade", 4, [0.05 * MB, 0.05 * MB]),
    result(file, "fade", "-5", "fade", 5, [0.02 * MB, 0.02 * MB]),
    result(file, "zstd", "-3", "program", 3, [200 * MB, 800 * MB]),
    result(file, "zstd", "-19", "program", 3.6, [3 * MB, 900 * MB]),
    result(file, "xz", "-9e", "program", 3.8, [2 * MB, 90 * MB]),
    result(file, "xz", "-6", "program", 3.79, [2.1 * MB, 91 * MB]),
    result(file, "bzip2", "-9", "program", 3.5, [12 * MB, 30 * MB]),
    result(file, "gzip", "-9", "runtime", 2.8, [30 * MB, 600 * MB]),
  ]),
  {
    ...{ kind: "failure", file: FILES[0] ?? "", compressor: "brotli", origin: "program", setting: "-q 5" },
    error: "it broke",
  },
];

const SUBJECT = { engine: "gpu", device: "A device" } as const;
const MODEL = { ...SUBJECT, setting: "-5", streams: 64 } as const;
const PEAKS = [
  { kind: "peak", ...SUBJECT, what: "multiply-adds", loop: "dots", perSecond: 2e11 },
  { kind: "peak", ...SUBJECT, what: "bytes", loop: "copy", perSecond: 4e10 },
] as const;

function kernel(name: string, calls: number, microseconds: number, work?: { multiplyAdds: number; bytes: number }) {
  const shape = `rows ${calls}`;
  return {
    kind: "kernel",
    ...MODEL,
    kernel: name,
    shape,
    calls,
    microseconds,
    ...ratesOf(microseconds, work, PEAKS),
  } as const;
}

export const KERNEL_RESULTS: readonly KernelBenchResult[] = [
  ...PEAKS,
  { kind: "overhead", ...SUBJECT, what: "a dispatch", microseconds: 2.5 },
  { kind: "check", ...MODEL, steps: 6 },
  kernel("linear", 4, 100, { multiplyAdds: 4e6, bytes: 4e5 }),
  kernel("linear", 2, 300, { multiplyAdds: 3e7, bytes: 1e6 }),
  kernel("linear_weights", 4, 250, { multiplyAdds: 4e6, bytes: 2e6 }),
  kernel("norm", 5, 20, { multiplyAdds: 0, bytes: 4e5 }),
  kernel("fused_tomorrow", 1, 700),
  { ...kernel("unused", 0, 0), shape: "" },
  {
    ...{ kind: "mixer", ...MODEL, setting: "-9", contexts: 28, counters: 8, lineBits: 18, openMs: 12 },
    ...{ microseconds: 5, restoreMicroseconds: 4, bytesPerSecond: 2e5, restoredPerSecond: 2.5e5 },
  },
  { kind: "step", ...MODEL, kernelsMicroseconds: 2800, wholeMicroseconds: 3000, calls: 16, clock: "a clock" },
];

export const linesOf = (results: readonly object[]): string =>
  `${results.map((each) => JSON.stringify(each)).join("\n")}\n`;

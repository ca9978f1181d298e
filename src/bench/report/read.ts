/**
 * Reads what `fade bench --json` and `fade bench kernels --json` wrote. Kinds of lines that are not known here are left
 * out, because later versions may add some; a line that is damaged is an error that names it.
 */
import type { KernelBenchResult } from "../kernel-results.ts";
import type { BenchResult } from "../results.ts";

export type AnyResult = BenchResult | KernelBenchResult;

/** A line that is not what fade bench writes. */
export class ReportInputError extends Error {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(`line ${line} ${reason}`);
    this.name = "ReportInputError";
  }
}

type Kind = AnyResult["kind"];

/** Fields without which a line cannot be drawn, by type. */
const FIELDS: Readonly<Record<Kind, Readonly<Record<string, "string" | "number" | "object">>>> = {
  machine: { processor: "string", cores: "number", threads: "number", fadeVersion: "string", runtime: "string" },
  absent: { compressor: "string" },
  result: {
    ...{ file: "string", compressor: "string", origin: "string", setting: "string", plainBytes: "number" },
    ...{ codedBytes: "number", ratio: "number", bitsPerByte: "number", compress: "object", decompress: "object" },
  },
  failure: { file: "string", compressor: "string", origin: "string", setting: "string", error: "string" },
  total: {
    ...{ compressor: "string", origin: "string", setting: "string", files: "number", plainBytes: "number" },
    ...{ codedBytes: "number", ratio: "number", bitsPerByte: "number" },
    ...{ compressBytesPerSecond: "number", decompressBytesPerSecond: "number" },
  },
  peak: { engine: "string", device: "string", what: "string", perSecond: "number" },
  overhead: { engine: "string", device: "string", what: "string", microseconds: "number" },
  check: { engine: "string", device: "string", setting: "string", streams: "number", steps: "number" },
  kernel: {
    ...{ engine: "string", device: "string", setting: "string", streams: "number", kernel: "string" },
    ...{ shape: "string", calls: "number", microseconds: "number" },
  },
  step: {
    ...{ engine: "string", device: "string", setting: "string", streams: "number" },
    ...{ kernelsMicroseconds: "number", wholeMicroseconds: "number", calls: "number" },
  },
  mixer: {
    ...{ engine: "string", device: "string", setting: "string", streams: "number", contexts: "number" },
    ...{ microseconds: "number", restoreMicroseconds: "number", bytesPerSecond: "number", restoredPerSecond: "number" },
  },
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** @throws ReportInputError */
export function readResults(text: string): AnyResult[] {
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : readLine(line, index + 1)));
}

function readLine(line: string, number: number): AnyResult[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ReportInputError(number, "is not JSON");
  }
  if (!isRecord(value) || typeof value.kind !== "string") throw new ReportInputError(number, "has no kind");
  if (!Object.hasOwn(FIELDS, value.kind)) return [];
  for (const [name, type] of Object.entries(FIELDS[value.kind as Kind])) {
    const field = value[name];
    if (typeof field === type && field !== null && (type !== "number" || Number.isFinite(field))) continue;
    throw new ReportInputError(number, `is a ${value.kind} without ${name}`);
  }
  if (value.kind === "result") checkSides(value, number);
  return [value as unknown as AnyResult];
}

function checkSides(value: Record<string, unknown>, number: number): void {
  for (const name of ["compress", "decompress"]) {
    const side = value[name];
    if (isRecord(side) && typeof side.bytesPerSecond === "number" && side.bytesPerSecond > 0) continue;
    // What takes no time, like an empty file, has no place on a logarithmic axis, and is left out of the chart.
    if (isRecord(side) && side.bytesPerSecond === 0) continue;
    throw new ReportInputError(number, `is a result without the speed of ${name}`);
  }
}

/** The lines of a benchmark for people: a table that grows while it runs, as `zstd -b` has it. */
import type {
  Contestant,
  CurvePoint,
  FileResult,
  MachineFacts,
  Side,
  TimeSplit,
  TotalResult,
} from "../bench/results.ts";
import { sizeText } from "./words.ts";

/** "fade -5 cpu", "zstd -19", "runtime gzip -9". */
export function contestantText({ compressor, origin, setting, engine }: Contestant, engineName?: string): string {
  const chosen = engineName !== undefined && engineName !== engine ? ` (${engineName})` : "";
  const owner = origin === "runtime" ? "runtime " : "";
  return `${owner}${compressor} ${setting}${engine === undefined ? "" : ` ${engine}${chosen}`}`;
}

export function machineText({ processor, cores, threads, platform, runtime, load }: MachineFacts): string {
  const what = `${processor}, ${cores} cores (${threads} threads used), ${platform}, ${runtime}`;
  return `${what}, load ${load.toFixed(1)}`;
}

const LABEL_WIDTH = 28;

/** Numbers of tiny files are wider than their column: the space in front of it stays. */
const columns = (cells: readonly string[]) =>
  [9, 7, 6, 10, 10, 8].map((width, i) => ` ${(cells[i] ?? "").padStart(width)}`).join("");

export function headText(title: string): string {
  const head = columns(["bytes", "ratio", "bit/B", "compress", "restore", "memory"]);
  return `${title}\n${" ".repeat(LABEL_WIDTH)}${head}`;
}

function row(label: string, cells: readonly string[]): string {
  // A long name takes a line of its own rather than moving the columns.
  const start = label.length < LABEL_WIDTH - 2 ? label : `${label}\n  `;
  return `  ${start.padEnd(start === label ? LABEL_WIDTH - 2 : start.length + LABEL_WIDTH - 4)}${columns(cells)}`;
}

const speedText = (bytesPerSecond: number) =>
  `${sizeText(bytesPerSecond < 1000 ? Math.round(bytesPerSecond) : bytesPerSecond)}/s`;

/** The larger of both directions; "-" where nobody knows. */
function memoryText(sides: readonly Side[]): string {
  const known = sides.flatMap(({ peakMemoryBytes }) => (peakMemoryBytes === undefined ? [] : [peakMemoryBytes]));
  if (known.length === 0) return "-";
  const mark = sides.some(({ memoryOf }) => memoryOf === "this process") ? "*" : "";
  return `${sizeText(Math.max(...known))}${mark}`;
}

export function resultText(result: FileResult): string {
  const { codedBytes, ratio, bitsPerByte, compress, decompress } = result;
  return row(contestantText(result, result.engineName), [
    String(codedBytes),
    ratio.toFixed(3),
    bitsPerByte.toFixed(3),
    speedText(compress.bytesPerSecond),
    speedText(decompress.bytesPerSecond),
    memoryText([compress, decompress]),
  ]);
}

/** Where the time went, as shares: of compression and of restoring. */
export function splitText({ compress, decompress }: FileResult): string | undefined {
  if (!compress.split || !decompress.split) return undefined;
  const shares = `compress: ${sharesText(compress.split)}; restore: ${sharesText(decompress.split)}`;
  return `${" ".repeat(4)}${shares}`;
}

function sharesText({ setUpMs, engineMs, coderMs, waitingMs }: TimeSplit): string {
  const sumMs = Math.max(setUpMs + engineMs + coderMs + waitingMs, Number.MIN_VALUE);
  const share = (name: string, partMs: number) => `${name} ${((100 * partMs) / sumMs).toFixed(0)}%`;
  return [
    share("engine", engineMs),
    share("coder", coderMs),
    share("waiting", waitingMs),
    share("set-up", setUpMs),
  ].join(" ");
}

export function totalText(total: TotalResult): string {
  const { codedBytes, ratio, bitsPerByte, compressBytesPerSecond, decompressBytesPerSecond } = total;
  const speeds = [speedText(compressBytesPerSecond), speedText(decompressBytesPerSecond)];
  return row(contestantText(total), [String(codedBytes), ratio.toFixed(3), bitsPerByte.toFixed(3), ...speeds]);
}

/** Lines of a curve that are printed; --json has all points. */
const CURVE_LINES = 16;
const BAR_WIDTH = 40;

/** A curve as bars. */
export function curveText(points: readonly CurvePoint[]): string {
  const every = Math.max(1, Math.ceil(points.length / CURVE_LINES));
  const lines = Array.from({ length: Math.ceil(points.length / every) }, (_, i) => {
    const stretch = points.slice(i * every, (i + 1) * every);
    const from = i === 0 ? 0 : (points[i * every - 1]?.bytesDone ?? 0);
    const to = stretch.at(-1)?.bytesDone ?? from;
    let before = from;
    let bits = 0;
    for (const { bytesDone, bitsPerByte } of stretch) {
      bits += bitsPerByte * (bytesDone - before);
      before = bytesDone;
    }
    const mean = bits / Math.max(1, to - from);
    const bar = "#".repeat(Math.round((Math.min(8, mean) / 8) * BAR_WIDTH));
    return `${" ".repeat(LABEL_WIDTH)}  ${sizeText(to).padStart(8)} ${mean.toFixed(3)} ${bar}`;
  });
  return lines.join("\n");
}

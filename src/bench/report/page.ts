/**
 * The report: one HTML file without scripts or anything to load, from the results of one or more benchmarks.
 */
import type {
  CheckResult,
  KernelResult,
  MixerResult,
  ModelSubject,
  OverheadResult,
  PeakResult,
  StepResult,
} from "../kernel-results.ts";
import type { Contestant, FileResult, MachineFacts, TotalResult } from "../results.ts";
import { curvesChart, LINE_COLOURS } from "./curves.ts";
import { frontierChart, type SpeedPoint } from "./frontier.ts";
import { rooflineChart, timesChart } from "./kernels.ts";
import type { AnyResult } from "./read.ts";
import { element, escaped } from "./svg.ts";
import { duration, fileName, short } from "./text.ts";

/** Colours of lines, chosen to differ for colour-blind eyes, too. */
const COLOURS = ["#d1495b", "#2e6f95", "#7a9e3a", "#8f5aa8", "#d98e04", "#4b4b4b"].slice(0, LINE_COLOURS);

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --quiet: #667; --paper: #fff; --grid: #e3e5e8; --fade: #d1495b;
  --program: #2e6f95; --runtime: #6aa0a6; --bar: #a9c4d6; --share: #2e6f95; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --quiet: #9aa; --paper: #17191c; --grid: #2c3035;
  --fade: #ff7a8a; --program: #7db8dc; --runtime: #8cc7bd; --bar: #3d5566; --share: #7db8dc; } }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper);
  max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
p.note { color: var(--quiet); margin: .2rem 0; } p.bad { color: var(--fade); font-weight: 600; }
.chart { width: 100%; height: auto; font-size: 12px; }
.chart text { fill: var(--ink); stroke: var(--paper); stroke-width: 3px; paint-order: stroke; }
.chart text.quiet, .chart text.axis { fill: var(--quiet); } .grid { stroke: var(--grid); }
.dot { stroke: var(--paper); stroke-width: 1; } .dot.fade { fill: var(--fade); } .dot.program { fill: var(--program); }
.dot.runtime { fill: var(--runtime); } .chart text.fade { fill: var(--fade); font-weight: 600; }
.frontier { fill: none; stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 1.8; } ${COLOURS.map((colour, i) => `.line-${i} { stroke: ${colour}; }`).join(" ")}
.bar { fill: var(--bar); } .bar-share { fill: var(--share); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } tr.fade td { color: var(--fade); font-weight: 600; }
.table { overflow-x: auto; }
`;

/** @throws RangeError if there is nothing to show */
export function reportPage(results: readonly AnyResult[]): string {
  const sections = [...filesSections(results), ...mixerSection(results), ...kernelSections(results)];
  if (sections.length === 0) throw new RangeError("there are no results to show");
  const machines = results.filter((result) => result.kind === "machine");
  const head = [
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>fade bench</title>`,
    `<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head><body>`,
    element("h1", {}, "fade bench"),
    ...machines.map(machineLine),
  ];
  return `${[...head, ...sections].join("\n")}\n</body></html>\n`;
}

const note = (text: string) => element("p", { class: "note" }, escaped(text));

function machineLine({ processor, cores, threads, runtime, fadeVersion, load }: MachineFacts): string {
  const loaded = typeof load === "number" ? `; load ${load.toFixed(1)} at the start` : "";
  return note(`fade ${fadeVersion}, ${processor}, ${cores} cores, ${threads} threads used, ${runtime}${loaded}`);
}

const nameOf = ({ compressor, setting, engine, origin }: Contestant) =>
  `${origin === "runtime" ? "runtime " : ""}${compressor} ${setting}${engine === undefined ? "" : ` ${engine}`}`;

function filesSections(results: readonly AnyResult[]): string[] {
  const rows = results.filter((result) => result.kind === "result");
  const totals = results.filter((result) => result.kind === "total");
  const files = [...new Set(rows.map(({ file }) => file))];
  const absent = results.flatMap((result) => (result.kind === "absent" ? [result.compressor] : []));
  const failures = results.filter((result) => result.kind === "failure");
  const notes = [
    ...(absent.length > 0 ? [note(`Not installed on this machine: ${[...new Set(absent)].join(", ")}.`)] : []),
    ...failures.map(({ file, error, ...contestant }) => {
      const text = `${fileName(file)}: ${nameOf(contestant)} failed: ${error}`;
      return element("p", { class: "bad" }, escaped(text));
    }),
  ];
  if (rows.length === 0) return notes;
  const together = totals.length > 0 ? [totalSection(totals)] : [];
  return [
    ...notes,
    ...together,
    ...files.map((file) =>
      fileSection(
        file,
        rows.filter((row) => row.file === file),
      ),
    ),
  ];
}

function totalSection(totals: readonly TotalResult[]): string {
  const points = (speed: (total: TotalResult) => number) =>
    totals.map((total) => ({ ...pointOf(total), bytesPerSecond: speed(total) }));
  const compressed = points(({ compressBytesPerSecond }) => compressBytesPerSecond);
  const restored = points(({ decompressBytesPerSecond }) => decompressBytesPerSecond);
  return comparison(`${totals[0]?.files} files together`, compressed, restored);
}

const pointOf = (row: FileResult | TotalResult) => ({ name: nameOf(row), origin: row.origin, ratio: row.ratio });

function fileSection(file: string, rows: readonly FileResult[]): string {
  const compressed = rows.map((row) => ({ ...pointOf(row), bytesPerSecond: row.compress.bytesPerSecond }));
  const restored = rows.map((row) => ({ ...pointOf(row), bytesPerSecond: row.decompress.bytesPerSecond }));
  const curves = curvesChart(
    rows.flatMap((row) => (row.curve ? [{ name: nameOf(row), points: row.curve }] : [])),
    fileName(file),
  );
  const title = `${fileName(file)}, ${short(rows[0]?.plainBytes ?? 0, "B")}`;
  const learned = curves === "" ? "" : `${element("h3", {}, "Bits per byte over the course of the file")}${curves}`;
  return comparison(title, compressed, restored) + learned + filesTable(rows);
}

function comparison(title: string, compressed: readonly SpeedPoint[], restored: readonly SpeedPoint[]): string {
  return [
    element("h2", {}, escaped(title)),
    element("h3", {}, "Ratio against speed of compression"),
    frontierChart(compressed, "compression"),
    element("h3", {}, "Ratio against speed of restoring"),
    frontierChart(restored, "restoring"),
    note("Higher is smaller, further right is faster. The dashed line joins those that nobody beats in both."),
  ].join("\n");
}

function table(head: readonly string[], rows: readonly { isFade?: boolean; cells: readonly string[] }[]): string {
  const line = (cells: readonly string[], tag: "th" | "td") =>
    cells.map((cell) => element(tag, {}, escaped(cell))).join("");
  const body = rows.map(({ isFade, cells }) =>
    element("tr", { class: isFade ? "fade" : undefined }, line(cells, "td")),
  );
  return element("div", { class: "table" }, element("table", {}, element("tr", {}, line(head, "th")), ...body));
}

function filesTable(rows: readonly FileResult[]): string {
  const sorted = [...rows].sort((a, b) => a.codedBytes - b.codedBytes);
  const peak = ({ compress, decompress }: FileResult) =>
    Math.max(compress.peakMemoryBytes ?? 0, decompress.peakMemoryBytes ?? 0);
  const cells = (row: FileResult) => [
    ...[nameOf(row), String(row.codedBytes), row.ratio.toFixed(3), row.bitsPerByte.toFixed(3)],
    ...[short(row.compress.bytesPerSecond, "B/s"), short(row.decompress.bytesPerSecond, "B/s")],
    peak(row) > 0 ? short(peak(row), "B") : "",
  ];
  return table(
    ["", "bytes", "ratio", "bits/byte", "compress", "restore", "memory"],
    sorted.map((row) => ({ isFade: row.origin === "fade", cells: cells(row) })),
  );
}

interface ModelResults {
  readonly step: StepResult;
  readonly rows: readonly KernelResult[];
  readonly peaks: readonly PeakResult[];
  readonly overheads: readonly OverheadResult[];
  readonly check?: CheckResult;
}

function kernelSections(results: readonly AnyResult[]): string[] {
  const of = <K extends AnyResult["kind"]>(kind: K) =>
    results.filter((result): result is Extract<AnyResult, { kind: K }> => result.kind === kind);
  return of("step").map((step) => {
    const isOfDevice = ({ engine, device }: PeakResult | OverheadResult) =>
      engine === step.engine && device === step.device;
    const isOfModel = (result: KernelResult | CheckResult) => isSameModel(result, step);
    const check = of("check").find(isOfModel);
    return kernelSection({
      step,
      rows: of("kernel").filter(isOfModel),
      peaks: of("peak").filter(isOfDevice),
      overheads: of("overhead").filter(isOfDevice),
      ...(check && { check }),
    });
  });
}

/** All mixers in one table: each is one number, however many parts it has. */
function mixerSection(results: readonly AnyResult[]): string[] {
  const mixers = results.filter((result) => result.kind === "mixer");
  if (mixers.length === 0) return [];
  const failed = (row: MixerResult) =>
    results.some((result) => result.kind === "check" && result.difference !== undefined && isSameModel(result, row));
  const cells = (row: MixerResult) => [
    ...[row.setting, row.device, String(row.streams), String(row.contexts)],
    ...[duration(row.microseconds), short(row.bytesPerSecond, "B/s")],
    ...[duration(row.restoreMicroseconds), short(row.restoredPerSecond, "B/s")],
    failed(row) ? "differs from the reference" : "equals the reference",
  ];
  const head = ["level", "on", "lanes", "contexts", "a byte", "compress", "a byte", "restore", "payloads"];
  return [
    [
      element("h2", {}, "Bit mixers"),
      note("What a byte of a lane takes, coder included, and what all lanes do together."),
      table(
        head,
        mixers.map((row) => ({ cells: cells(row) })),
      ),
    ].join("\n"),
  ];
}

const isSameModel = (a: ModelSubject, b: ModelSubject) =>
  a.engine === b.engine && a.device === b.device && a.setting === b.setting && a.streams === b.streams;

function kernelSection({ step, rows, peaks, overheads, check }: ModelResults): string {
  const { engine, device, setting, streams, wholeMicroseconds, kernelsMicroseconds, calls, clock } = step;
  const share =
    step.shareOfPeak === undefined ? "" : `, ${(100 * step.shareOfPeak).toFixed(0)} % of the peak of products`;
  const speed = `${short((streams * 1e6) / wholeMicroseconds, "B/s")}${share}`;
  const checked = check?.difference
    ? element("p", { class: "bad" }, escaped(`It differs from the reference: ${check.difference}`))
    : note(check ? `All numbers of ${check.steps} steps equal the reference.` : "It was not checked.");
  const whole = `A step of ${calls} calls takes ${duration(wholeMicroseconds)} (${speed}); its kernels sum to`;
  return [
    element("h2", {}, escaped(`Kernels of the ${engine} engine, level ${setting}, ${streams} streams`)),
    note(device),
    checked,
    note(`${whole} ${duration(kernelsMicroseconds)}. Clock: ${clock}.`),
    ...peaks.map(({ what, loop, perSecond }) => {
      return note(`At most ${short(perSecond, what === "bytes" ? "B/s" : "MAC/s")}: ${loop}.`);
    }),
    ...overheads.map(({ what, microseconds }) => note(`${duration(microseconds)}: ${what}.`)),
    element("h3", {}, "Time per step by kernel"),
    timesChart(rows, step),
    element("h3", {}, "Products against the roofline"),
    rooflineChart(rows, peaks),
    kernelsTable(rows),
  ].join("\n");
}

function kernelsTable(rows: readonly KernelResult[]): string {
  const cells = (row: KernelResult) => {
    if (row.calls === 0) return [row.kernel, "not in this step", "", "", "", "", ""];
    const { kernel, shape, calls, microseconds, work, multiplyAddsPerSecond = 0, bytesPerSecond = 0 } = row;
    const nearest = row.nearest === "bytes" ? " of bytes" : "";
    const share = row.shareOfPeak === undefined ? "" : `${(100 * row.shareOfPeak).toFixed(0)} %${nearest}`;
    return [
      ...[kernel, row.isDecodingOnly ? "decompression only" : shape, String(calls), duration(microseconds)],
      work ? (multiplyAddsPerSecond > 0 ? short(multiplyAddsPerSecond) : "") : "no case",
      ...[work ? short(bytesPerSecond) : "", share],
    ];
  };
  const head = ["kernel", "shape", "calls", "a call", "MAC/s", "B/s", "of the peak"];
  return table(
    head,
    rows.map((row) => ({ cells: cells(row) })),
  );
}

/**
 * Two views of a model's kernels on one device: where the time of a step goes, and how near each product comes to the
 * roof that the device's own peaks make.
 */
import { highestPeaks, type KernelResult, type PeakResult, type StepResult } from "../kernel-results.ts";
import { axes, chart, element, FRAME, LabelPlacer, label, linearScale, lineThrough, logScale } from "./svg.ts";
import { duration, power, short } from "./text.ts";

interface KernelTime {
  readonly kernel: string;
  readonly calls: number;
  readonly microseconds: number;
  /** Of the peak, weighted by time; undefined if some call has no case. */
  readonly shareOfPeak?: number;
}

/** Time in a step of compression by kernel, all its shapes together, longest first. */
export function timesByKernel(all: readonly KernelResult[]): KernelTime[] {
  const rows = all.filter(({ calls, isDecodingOnly }) => calls > 0 && !isDecodingOnly);
  const names = [...new Set(rows.map(({ kernel }) => kernel))];
  const times = names.map((kernel) => {
    const own = rows.filter((row) => row.kernel === kernel);
    const sum = (value: (row: KernelResult) => number) => own.reduce((total, row) => total + value(row), 0);
    const microseconds = sum(({ calls, microseconds }) => calls * microseconds);
    const reached = sum((row) => row.calls * row.microseconds * (row.shareOfPeak ?? 0));
    const isKnown = own.every(({ shareOfPeak }) => shareOfPeak !== undefined) && microseconds > 0;
    return {
      kernel,
      calls: sum(({ calls }) => calls),
      microseconds,
      ...(isKnown && { shareOfPeak: reached / microseconds }),
    };
  });
  return times.sort((a, b) => b.microseconds - a.microseconds);
}

const BARS_MAX = 14;
const BAR_HEIGHT = 24;

/** Bars, the longest first; the darker part is the share of the device's peak. */
export function timesChart(rows: readonly KernelResult[], step: StepResult): string {
  const all = timesByKernel(rows);
  if (all.length === 0) return "";
  const shown = all.slice(0, BARS_MAX);
  const rest = all.slice(BARS_MAX);
  const restMicroseconds = rest.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const others = { kernel: `${rest.length} others`, calls: 0, microseconds: restMicroseconds };
  const bars: KernelTime[] = rest.length > 0 ? [...shown, others] : shown;
  const frame = { ...FRAME, left: 170, right: 220, height: FRAME.top + FRAME.bottom + bars.length * BAR_HEIGHT };
  const longest = bars.map(({ microseconds }) => microseconds);
  const x = linearScale(longest, frame.left, frame.width - frame.right, { text: duration, endsAtLargest: true });
  const y = { at: () => 0, ticks: [] };
  const marks = bars.map((bar, index) => {
    const top = frame.top + index * BAR_HEIGHT;
    const { kernel, calls, microseconds, shareOfPeak } = bar;
    const wide = x.at(microseconds) - frame.left;
    const rect = { x: frame.left, y: top + 4, height: BAR_HEIGHT - 8 };
    const data = { "data-kernel": kernel, "data-microseconds": String(microseconds) };
    const inner = shareOfPeak === undefined ? 0 : wide * Math.min(1, shareOfPeak);
    const share = shareOfPeak === undefined ? "" : `, ${(100 * shareOfPeak).toFixed(0)} % of peak`;
    const times = calls > 1 ? ` in ${calls} calls` : "";
    return [
      label(frame.left - 8, top + 16, kernel, { "text-anchor": "end" }),
      element("rect", { class: "bar", width: wide, ...rect, ...data }, element("title", {}, `${kernel}${share}`)),
      element("rect", { class: "bar-share", width: inner, ...rect }),
      label(frame.left + wide + 6, top + 16, `${duration(microseconds)}${times}${share}`, { class: "quiet" }),
    ].join("");
  });
  const titles = { x: "time in a step; the dark part is the share of the peak", y: "" };
  const says = `Time per step by kernel; a whole step takes ${duration(step.wholeMicroseconds)}`;
  return chart(frame, "times", says, axes(frame, x, y, titles) + marks.join(""));
}

/** Products against the roofs: what memory lets through, up to what the arithmetic can do. */
export function rooflineChart(rows: readonly KernelResult[], peaks: readonly PeakResult[]): string {
  const products = rows.filter(({ calls, work }) => calls > 0 && work && work.multiplyAdds > 0 && work.bytes > 0);
  const roofs = highestPeaks(peaks);
  const arithmetic = roofs.find(({ what }) => what === "multiply-adds");
  const memory = roofs.find(({ what }) => what === "bytes");
  if (products.length === 0 || !arithmetic || !memory) return "";
  const placedRows = products.map((row) => {
    const { multiplyAdds = 0, bytes = 1 } = row.work ?? {};
    return { row, intensity: multiplyAdds / bytes, rate: row.multiplyAddsPerSecond ?? 0 };
  });
  const frame = FRAME;
  const ridge = arithmetic.perSecond / memory.perSecond;
  const intensities = [...placedRows.map(({ intensity }) => intensity), ridge];
  const x = logScale(intensities, frame.left, frame.width - frame.right, (value) => power(value));
  const rates = [...placedRows.map(({ rate }) => rate), arithmetic.perSecond];
  const y = logScale(rates, frame.height - frame.bottom, frame.top, (value) => power(value));
  const first = x.ticks[0]?.value ?? ridge;
  const last = x.ticks.at(-1)?.value ?? ridge;
  const low = y.ticks[0]?.value ?? 1;
  // The slope starts where it enters the chart.
  const enters = Math.max(first, low / memory.perSecond);
  const corners = [
    [enters, enters * memory.perSecond],
    [ridge, arithmetic.perSecond],
    [last, arithmetic.perSecond],
  ];
  const d = lineThrough(corners.map(([a = 1, b = 1]) => ({ x: x.at(a), y: y.at(b) })));
  const places = placedRows.map(({ intensity, rate }) => ({ x: x.at(intensity), y: y.at(rate) }));
  const placer = new LabelPlacer(frame, places);
  const marks = placedRows.map(({ row, intensity, rate }) => {
    const name = `${row.kernel} ${row.shape}`;
    const tip = element("title", {}, `${name}: ${short(rate, "MAC/s")}, ${intensity.toPrecision(3)} MAC/B`);
    const data = { "data-name": name, "data-intensity": String(intensity), "data-rate": String(rate) };
    const dot = { class: "dot fade", cx: x.at(intensity), cy: y.at(rate), r: 4 };
    return element("circle", { ...dot, ...data }, tip) + placer.place(x.at(intensity), y.at(rate), row.kernel);
  });
  const roof = element("path", { class: "frontier", "data-roof": "yes", d });
  // Above the slope no kernel can be.
  const told = label(frame.left + 10, frame.top + 18, arithmeticText(arithmetic), { class: "quiet" });
  const titles = { x: "multiply-adds per byte that a call must move", y: "multiply-adds per second" };
  return chart(
    frame,
    "roofline",
    "Kernels against their roofline",
    axes(frame, x, y, titles) + roof + told + marks.join(""),
  );
}

function arithmeticText({ perSecond, loop }: PeakResult): string {
  return `${short(perSecond, "MAC/s")}: ${loop}`;
}

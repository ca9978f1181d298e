/**
 * Ratio against speed: a point for every compressor, and the line of those that no other beats in both. Faster is
 * further right (the axis is logarithmic), smaller is higher.
 */
import { axes, chart, element, FRAME, LabelPlacer, linearScale, lineThrough, logScale } from "./svg.ts";
import { power, short } from "./text.ts";

export interface SpeedPoint {
  readonly name: string;
  readonly origin: string;
  readonly ratio: number;
  readonly bytesPerSecond: number;
}

/** Those that no other point reaches in both directions, from slow to fast. */
export function frontierOf(points: readonly SpeedPoint[]): SpeedPoint[] {
  const isBeaten = (point: SpeedPoint) =>
    points.some(
      (other) =>
        other.ratio >= point.ratio &&
        other.bytesPerSecond >= point.bytesPerSecond &&
        (other.ratio > point.ratio || other.bytesPerSecond > point.bytesPerSecond),
    );
  return points.filter((point) => !isBeaten(point)).sort((a, b) => a.bytesPerSecond - b.bytesPerSecond);
}

/** @param what "compression" or "restoring" */
export function frontierChart(all: readonly SpeedPoint[], what: string): string {
  const points = all.filter(({ bytesPerSecond, ratio }) => bytesPerSecond > 0 && ratio > 0);
  if (points.length === 0) return "";
  const frame = FRAME;
  const speeds = points.map(({ bytesPerSecond }) => bytesPerSecond);
  const x = logScale(speeds, frame.left, frame.width - frame.right, (value) => power(value, "B/s"));
  const ratios = points.map(({ ratio }) => ratio);
  const text = (value: number) => String(+value.toFixed(3));
  const y = linearScale(ratios, frame.height - frame.bottom, frame.top, { text, startsAtLeast: true });
  const placeOf = (point: SpeedPoint) => ({ ...point, x: x.at(point.bytesPerSecond), y: y.at(point.ratio) });
  const placed = points.map(placeOf);
  const best = new Set(frontierOf(points).map(({ name }) => name));
  const placer = new LabelPlacer(frame, placed);
  // fade and the frontier choose their places first.
  const rank = (point: SpeedPoint) => (point.origin === "fade" ? 0 : best.has(point.name) ? 1 : 2);
  const marks = [...placed]
    .sort((a, b) => rank(a) - rank(b))
    .map((point) => {
      const { name, origin, ratio, bytesPerSecond } = point;
      const data = {
        "data-name": name,
        "data-ratio": String(ratio),
        "data-speed": String(bytesPerSecond),
        "data-best": best.has(name) ? "yes" : undefined,
      };
      const tip = element("title", {}, `${name}: ratio ${ratio.toFixed(3)}, ${short(bytesPerSecond, "B/s")}`);
      const dot = { class: `dot ${origin}`, cx: point.x, cy: point.y, r: origin === "fade" ? 5.5 : 4 };
      return element("circle", { ...dot, ...data }, tip) + placer.place(point.x, point.y, name, { class: origin });
    });
  const line = element("path", { class: "frontier", d: lineThrough(frontierOf(points).map(placeOf)) });
  const titles = { x: `speed of ${what}, logarithmic`, y: "ratio" };
  const says = `Ratio against speed of ${what} for ${points.length} compressors`;
  return chart(frame, `frontier-${what}`, says, axes(frame, x, y, titles) + line + marks.join(""));
}

/** Bits per byte over the course of a file: a line for each way in which fade compressed it. */
import type { CurvePoint } from "../results.ts";
import { axes, chart, element, FRAME, label, linearScale, lineThrough } from "./svg.ts";
import { short } from "./text.ts";

interface Curve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

/** Colours of the page for lines; more lines than that repeat them. */
export const LINE_COLOURS = 6;

export function curvesChart(curves: readonly Curve[], file: string): string {
  const drawn = curves.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return "";
  const frame = FRAME;
  const all = drawn.flatMap(({ points }) => points);
  const sizes = all.map(({ bytesDone }) => bytesDone);
  const sizeText = (value: number) => short(value, "B");
  const x = linearScale(sizes, frame.left, frame.width - frame.right, { text: sizeText, endsAtLargest: true });
  const bits = all.map(({ bitsPerByte }) => bitsPerByte);
  const text = (value: number) => String(+value.toFixed(3));
  const y = linearScale(bits, frame.height - frame.bottom, frame.top, { text });
  const lines = drawn.map(({ name, points }, index) => {
    // A stretch is drawn where it ends.
    const d = lineThrough(points.map(({ bytesDone, bitsPerByte }) => ({ x: x.at(bytesDone), y: y.at(bitsPerByte) })));
    const colour = `line line-${index % LINE_COLOURS}`;
    const last = points.at(-1) as CurvePoint;
    const data = { "data-name": name, "data-points": String(points.length), "data-last": String(last.bitsPerByte) };
    const path = element("path", { class: colour, d, ...data }, element("title", {}, name));
    // Lines lie close together, so names stand in the corner where curves have long fallen.
    const [right, below] = [frame.width - frame.right - 12, frame.top + 18 + 18 * index];
    const sample = element("line", { class: colour, x1: right - 26, y1: below - 4, x2: right, y2: below - 4 });
    return path + sample + label(right - 34, below, name, { "text-anchor": "end" });
  });
  const titles = { x: "bytes that the model has seen", y: "bits per byte" };
  const says = `Bits per byte over the course of ${file}`;
  return chart(frame, "curves", says, axes(frame, x, y, titles) + lines.join(""));
}

/**
 * The little of SVG that the report's charts need: text that is escaped, scales with their ticks, axes. Charts are
 * strings; no script runs in the page, so it looks the same in ten years.
 */

/** Text for an element or an attribute. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; `content` is markup already. */
export function element(name: string, attributes: Attributes, ...content: string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(typeof value === "number" ? digits(value) : String(value))}"`)
    .join("");
  return `<${name}${written}>${content.join("")}</${name}>`;
}

export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escaped(text));
}

/** A line through points, as the `d` of a path. */
export function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`).join(" ");
}

/** Coordinates to a hundredth of a pixel; data keep their digits as strings. */
function digits(value: number): string {
  return String(Math.round(value * 100) / 100);
}

interface Tick {
  readonly value: number;
  readonly text: string;
}

interface Scale {
  /** From a value to a coordinate. */
  at(value: number): number;
  readonly ticks: readonly Tick[];
}

/** Powers of ten, with room at both ends. @param text of a tick @throws RangeError if there is nothing above zero */
export function logScale(values: readonly number[], from: number, to: number, text: (value: number) => string): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) throw new RangeError("a logarithmic axis needs a value above zero");
  const low = Math.floor(Math.log10(Math.min(...positive)) - 0.15);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive)) + 0.15));
  const at = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { at, ticks: ticks.map((value) => ({ value, text: text(value) })) };
}

const TICKS_WANTED = 6;

interface LinearOptions {
  readonly text: (value: number) => string;
  /** Start at the last tick below the least value rather than at zero. */
  readonly startsAtLeast?: boolean;
  /** End at the largest value rather than at a tick above it. */
  readonly endsAtLargest?: boolean;
}

/** Round steps. */
export function linearScale(values: readonly number[], from: number, to: number, options: LinearOptions): Scale {
  const largest = Math.max(1e-9, ...values);
  const least = options.startsAtLeast ? Math.min(largest, ...values) : 0;
  const rough = Math.max(largest - least, largest / 1000) / TICKS_WANTED;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.max(0, Math.floor(least / step - 0.1));
  const last = options.endsAtLargest ? Math.floor(largest / step) : Math.ceil(largest / step + 0.1);
  const low = first * step;
  const high = options.endsAtLargest ? largest : last * step;
  const at = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { at, ticks: ticks.map((value) => ({ value, text: options.text(value) })) };
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const FRAME: Frame = { width: 860, height: 440, left: 64, right: 24, top: 16, bottom: 52 };

/** Grid, ticks and titles of both axes. */
export function axes(frame: Frame, x: Scale, y: Scale, titles: { readonly x: string; readonly y: string }): string {
  const { width, height, left, right, top, bottom } = frame;
  const [end, floor] = [width - right, height - bottom];
  const line = (x1: number, y1: number, x2: number, y2: number) => element("line", { class: "grid", x1, y1, x2, y2 });
  const across = y.ticks.map(
    ({ value, text }) =>
      line(left, y.at(value), end, y.at(value)) + label(left - 8, y.at(value) + 4, text, { "text-anchor": "end" }),
  );
  const down = x.ticks.map(
    ({ value, text }) =>
      line(x.at(value), top, x.at(value), floor) + label(x.at(value), floor + 18, text, { "text-anchor": "middle" }),
  );
  const middle = (top + floor) / 2;
  const named = [
    label((left + end) / 2, height - 10, titles.x, { class: "axis", "text-anchor": "middle" }),
    label(0, 0, titles.y, { class: "axis", "text-anchor": "middle", transform: `translate(14 ${middle}) rotate(-90)` }),
  ];
  return [...across, ...down, ...named].join("");
}

/** A chart that scales with the page and says in words what it shows. */
export function chart(frame: Pick<Frame, "width" | "height">, name: string, says: string, content: string): string {
  const viewBox = `0 0 ${frame.width} ${frame.height}`;
  return element("svg", { class: "chart", "data-chart": name, viewBox, role: "img", "aria-label": says }, content);
}

/** About what a label is wide, in the page's font of 12 pixels. */
const CHARACTER_WIDTH = 6.6;
const LINE_HEIGHT = 14;

type Box = Omit<Frame, "width" | "height">;

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Puts labels beside points so that they cover neither points nor each other; what finds no place is left out. */
export class LabelPlacer {
  readonly #taken: Box[];
  readonly #frame: Frame;

  constructor(frame: Frame, points: readonly { readonly x: number; readonly y: number }[]) {
    this.#frame = frame;
    this.#taken = points.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  }

  /** The label's markup, or none; every point has its name as a tooltip, too. */
  place(x: number, y: number, text: string, attributes: Attributes = {}): string {
    const wide = text.length * CHARACTER_WIDTH;
    const candidates = [
      { anchor: "start", dx: 8, dy: 4 },
      { anchor: "end", dx: -8, dy: 4 },
      { anchor: "middle", dx: 0, dy: -9 },
      { anchor: "middle", dx: 0, dy: 18 },
      { anchor: "start", dx: 7, dy: -7 },
      { anchor: "start", dx: 7, dy: 15 },
      { anchor: "end", dx: -7, dy: -7 },
      { anchor: "end", dx: -7, dy: 15 },
    ];
    for (const { anchor, dx, dy } of candidates) {
      const left = x + dx - (anchor === "start" ? 0 : anchor === "end" ? wide : wide / 2);
      const box = { left, right: left + wide, top: y + dy - LINE_HEIGHT + 4, bottom: y + dy + 3 };
      const { width, height, right, top, bottom } = this.#frame;
      const isInside =
        box.left >= this.#frame.left && box.right <= width - right && box.top >= top && box.bottom <= height - bottom;
      if (!isInside || this.#taken.some((other) => overlap(box, other))) continue;
      this.#taken.push(box);
      return label(x + dx, y + dy, text, { "text-anchor": anchor, ...attributes });
    }
    return "";
  }
}

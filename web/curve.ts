/** The learning curve: how many per cent of the bytes so far their archive takes, drawn while the model learns. */

/** A moment of the work. */
interface Point {
  readonly plainBytes: number;
  readonly archiveBytes: number;
}

const [WIDTH, HEIGHT] = [640, 240];
const MARGIN = { left: 48, right: 16, top: 12, bottom: 28 };
const POINTS_MAX = 400;
const NAMESPACE = "http://www.w3.org/2000/svg";

function element(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  if (text !== undefined) made.textContent = text;
  return made;
}

export class Curve {
  readonly #svg: SVGElement;
  /** Says what the picture is; it stays. */
  readonly #title: readonly Element[];
  #points: Point[] = [];

  constructor(svg: SVGElement) {
    this.#svg = svg;
    this.#title = [...svg.querySelectorAll("title")];
  }

  clear(): void {
    this.#points = [];
    this.#svg.replaceChildren(...this.#title);
  }

  /** Of many points, every other one stays: the curve has room for so many. */
  add(point: Point): void {
    if (point.plainBytes <= (this.#points.at(-1)?.plainBytes ?? 0)) return;
    this.#points.push(point);
    if (this.#points.length > POINTS_MAX) this.#points = this.#points.filter((_, i) => i % 2 === 1);
  }

  /** @param totalBytes that the curve will end at */
  draw(totalBytes: number): void {
    const shares = this.#points.map(({ plainBytes, archiveBytes }) => (100 * archiveBytes) / plainBytes);
    const top = Math.max(10, Math.ceil(Math.max(0, ...shares) / 10) * 10);
    const x = (bytes: number) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * bytes) / Math.max(1, totalBytes);
    const y = (share: number) => HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * share) / top;
    const parts: SVGElement[] = [0, top / 2, top].flatMap((share) => [
      element("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(share), y2: y(share) }),
      element("text", { x: MARGIN.left - 6, y: y(share) + 4, "text-anchor": "end" }, `${share} %`),
    ]);
    const ends = [0, totalBytes / 2, totalBytes];
    for (const [i, bytes] of ends.entries()) {
      const anchor = ["start", "middle", "end"][i] as string;
      parts.push(element("text", { x: x(bytes), y: HEIGHT - 8, "text-anchor": anchor }, sizeText(bytes)));
    }
    const points = this.#points.map(
      ({ plainBytes }, i) => `${x(plainBytes).toFixed(1)},${y(shares[i] ?? 0).toFixed(1)}`,
    );
    parts.push(element("polyline", { class: "curve", points: points.join(" ") }));
    this.#svg.replaceChildren(...this.#title, ...parts);
  }
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Three significant digits. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} bytes`;
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** unit).toPrecision(3)} ${UNITS[unit]}`;
}

/**
 * The report as a browser draws it: points stand where their axes say, lines and bars have the lengths of their values,
 * nothing is covered or cut off, and the page loads nothing and runs nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportPage } from "../../src/bench/report/page.ts";
import { totalsOf } from "../../src/bench/results.ts";
import { TestPage, testBrowsers } from "../setup/browser.ts";
import { FILE_RESULTS, KERNEL_RESULTS } from "../support/bench-fixture.ts";

/** To be looked at; not committed. */
const SCREENSHOT = join(import.meta.dir, "../../.cache/report.png");
const PIXEL = 1;

/** Helpers in the page: the middle of an element on the screen, and a function from ticks to coordinates. */
const HELPERS = `
  const middle = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { x: (left + right) / 2, y: (top + bottom) / 2 };
  };
  const endOf = (path) => {
    const { x, y } = path.getPointAtLength(path.getTotalLength()).matrixTransform(path.getScreenCTM());
    return { x, y };
  };
  const texts = (chart) => [...chart.querySelectorAll("text")];
  const ticks = (chart, anchor) => texts(chart).filter((text) => text.getAttribute("text-anchor") === anchor
    && !text.hasAttribute("class")).map((text) => ({ text: text.textContent, ...middle(text) }));
`;

const UNITS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/** "10 MB/s" is 1e7. */
function tickValue(text: string): number {
  const [, number = "", prefix = ""] = /^([\d.]+) ?([kMG]?)/.exec(text) ?? [];
  return Number(number) * (UNITS[prefix] ?? 1);
}

interface Tick {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** From the ticks that were drawn: where a value should be. */
function axisOf(ticks: readonly Tick[], side: "x" | "y", isLogarithmic: boolean): (value: number) => number {
  const scale = (value: number) => (isLogarithmic ? Math.log10(value) : value);
  const known = ticks.map((tick) => ({ at: tick[side], value: scale(tickValue(tick.text)) }));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || first.value === last.value) throw new Error("an axis has no two ticks");
  const slope = (last.at - first.at) / (last.value - first.value);
  for (const { at, value } of known) expect(Math.abs(first.at + (value - first.value) * slope - at)).toBeLessThan(2);
  return (value) => first.at + (scale(value) - first.value) * slope;
}

describe.each(testBrowsers)("the report in %s", () => {
  let page: TestPage;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "fade-test-"));
    const path = join(folder, "report.html");
    writeFileSync(path, reportPage([...FILE_RESULTS, ...totalsOf(FILE_RESULTS, 2), ...KERNEL_RESULTS]));
    page = await TestPage.open();
    await page.show(path, 1000, 900);
  }, 120_000);

  afterAll(() => {
    page?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Evaluates in the page with the helpers at hand. */
  const inPage = <T>(expression: string) => page.evaluate<T>(`(() => { ${HELPERS} return ${expression}; })()`);

  /** The axis of a chart whose ticks' texts are like `form`. */
  const axisIn = async (chart: string, side: "x" | "y", form: RegExp, isLogarithmic: boolean) => {
    const ticks = await inPage<Tick[]>(`ticks(${chart}, "${side === "x" ? "middle" : "end"}")`);
    return axisOf(
      ticks.filter(({ text }) => form.test(text)),
      side,
      isLogarithmic,
    );
  };

  test("has a chart of each kind, loads nothing and runs nothing", async () => {
    const charts = await inPage<string[]>("[...document.querySelectorAll('svg')].map((svg) => svg.dataset.chart)");
    const perFile = ["frontier-compression", "frontier-restoring", "curves"];
    expect(charts).toEqual([...perFile.slice(0, 2), ...perFile, ...perFile, "times", "roofline"]);
    expect(await inPage<number>("performance.getEntriesByType('resource').length + document.scripts.length")).toBe(0);
  });

  test("names are text, whatever characters they have", async () => {
    const heads = await inPage<string[]>("[...document.querySelectorAll('h2')].map((head) => head.textContent)");
    expect(heads).toContain("text & <more>.txt, 1.00 MB");
    const notes = await inPage<string[]>("[...document.querySelectorAll('p')].map((p) => p.textContent)");
    expect(notes).toContain("Not installed on this machine: zpaq.");
    expect(notes).toContain("text & <more>.txt: brotli -q 5 failed: it broke");
    expect(notes).toContain("All numbers of 6 steps equal the reference.");
  });

  test.each(["compression", "restoring"])(
    "ratio against speed of %s: points stand where the axes say",
    async (what) => {
      const chart = `document.querySelectorAll("[data-chart=frontier-${what}]")[1]`;
      const x = await axisIn(chart, "x", /B\/s$/, true);
      const y = await axisIn(chart, "y", /^[\d.]+$/, false);
      const points = await inPage<
        { name: string; x: number; y: number; ratio: string; speed: string; best?: string }[]
      >(`[...${chart}.querySelectorAll("circle")].map((circle) => ({ ...circle.dataset, ...middle(circle) }))`);
      const rows = FILE_RESULTS.filter((each) => each.kind === "result").slice(0, 8);
      expect(points.length).toBe(rows.length);
      for (const row of rows) {
        const owner = row.origin === "runtime" ? "runtime " : "";
        const name = `${owner}${row.compressor} ${row.setting}${row.engine ? " cpu" : ""}`;
        const point = points.find((each) => each.name === name);
        const speed = (what === "compression" ? row.compress : row.decompress).bytesPerSecond;
        expect(Math.abs((point?.x ?? 0) - x(speed))).toBeLessThan(2 * PIXEL);
        expect(Math.abs((point?.y ?? 0) - y(row.ratio))).toBeLessThan(2 * PIXEL);
      }
      const best = points.filter(({ best }) => best === "yes").sort((a, b) => a.x - b.x);
      // The line's corners, on the screen.
      const corners = await inPage<{ x: number; y: number }[]>(`(() => {
      const path = ${chart}.querySelector(".frontier");
      const matrix = path.getScreenCTM();
      return [...path.getAttribute("d").matchAll(/[ML]([\\d.]+) ([\\d.]+)/g)]
        .map(([, x, y]) => new DOMPoint(Number(x), Number(y)).matrixTransform(matrix)).map(({ x, y }) => ({ x, y }));
    })()`);
      expect(corners.length).toBe(best.length);
      for (const [i, corner] of corners.entries()) {
        expect(Math.abs(corner.x - (best[i]?.x ?? 0))).toBeLessThan(PIXEL);
        expect(Math.abs(corner.y - (best[i]?.y ?? 0))).toBeLessThan(PIXEL);
      }
      const bestNames = best.map(({ name }) => name);
      const expected = {
        compression: ["fade -5 cpu", "fade -1 cpu", "xz -9e", "xz -6", "zstd -19", "bzip2 -9", "zstd -3"],
        restoring: ["fade -5 cpu", "fade -1 cpu", "xz -9e", "xz -6", "zstd -19"],
      };
      expect(bestNames).toEqual(expected[what as "compression" | "restoring"]);
    },
  );

  test("learning curves end where their last stretch says, and keep all points", async () => {
    const chart = `document.querySelector("[data-chart=curves]")`;
    const y = await axisIn(chart, "y", /^[\d.]+$/, false);
    const lines = await inPage<{ name: string; points: string; last: string; corners: number; end: { y: number } }[]>(
      `[...${chart}.querySelectorAll("path")].map((path) => ({ ...path.dataset,
        corners: path.getAttribute("d").match(/[ML]/g).length,
        end: endOf(path) }))`,
    );
    expect(lines.map(({ name }) => name)).toEqual(["fade -1 cpu", "fade -5 cpu"]);
    for (const { points, corners, last, end } of lines) {
      expect([Number(points), corners]).toEqual([50, 50]);
      expect(Math.abs(end.y - y(Number(last)))).toBeLessThan(2 * PIXEL);
    }
    expect(Number(lines[1]?.last)).toBeCloseTo(8 / 5 + (8 - 8 / 5) / 50);
  });

  test("bars are as long as their time, and dark as far as their share of the peak", async () => {
    const bars = await inPage<{ kernel: string; microseconds: string; width: number; dark: number }[]>(
      `[...document.querySelectorAll("rect.bar")].map((bar) => ({ ...bar.dataset,
        width: bar.getBoundingClientRect().width, dark: bar.nextElementSibling.getBoundingClientRect().width }))`,
    );
    expect(bars.map(({ kernel }) => kernel)).toEqual(["linear", "linear_weights", "fused_tomorrow", "norm"]);
    const perMicrosecond = (bars[0]?.width ?? 0) / 1000;
    expect(perMicrosecond).toBeGreaterThan(0.2);
    for (const bar of bars) {
      expect(Math.abs(bar.width - Number(bar.microseconds) * perMicrosecond)).toBeLessThan(PIXEL);
    }
    const shares = [0.38, 0.2, 0, 0.5];
    for (const [i, { width, dark }] of bars.entries()) {
      expect(Math.abs(dark - width * (shares[i] ?? Number.NaN))).toBeLessThan(PIXEL);
    }
  });

  test("products lie below the roof, at their intensity and rate", async () => {
    const chart = `document.querySelector("[data-chart=roofline]")`;
    const x = await axisIn(chart, "x", /^[\d.]+ ?[kMG]?$/, true);
    const y = await axisIn(chart, "y", /^[\d.]+ ?[kMG]?$/, true);
    const dots = await inPage<{ name: string; intensity: string; rate: string; x: number; y: number }[]>(
      `[...${chart}.querySelectorAll("circle")].map((circle) => ({ ...circle.dataset, ...middle(circle) }))`,
    );
    expect(dots.map(({ intensity, rate }) => [Number(intensity), Number(rate)])).toEqual([
      [10, 4e10],
      [30, 1e11],
      [2, 1.6e10],
    ]);
    for (const dot of dots) {
      expect(Math.abs(dot.x - x(Number(dot.intensity)))).toBeLessThan(2 * PIXEL);
      expect(Math.abs(dot.y - y(Number(dot.rate)))).toBeLessThan(2 * PIXEL);
    }
    // 2e11 multiply-adds and 4e10 bytes a second meet at 5.
    const ridge = await inPage<{ x: number; y: number }>(`(() => {
      const path = ${chart}.querySelector("[data-roof]");
      const [, , x, y] = path.getAttribute("d").match(/M([\\d.]+) [\\d.]+ L([\\d.]+) ([\\d.]+)/);
      const corner = new DOMPoint(Number(x), Number(y)).matrixTransform(path.getScreenCTM());
      return { x: corner.x, y: corner.y };
    })()`);
    expect(Math.abs(ridge.x - x(5))).toBeLessThan(2 * PIXEL);
    expect(Math.abs(ridge.y - y(2e11))).toBeLessThan(2 * PIXEL);
  });

  test("no label covers another or leaves its chart", async () => {
    const clashes = await inPage<string[]>(`[...document.querySelectorAll("svg")].flatMap((chart) => {
      const frame = chart.getBoundingClientRect();
      const boxes = texts(chart).map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
      const outside = boxes.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1
        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        .map(({ text }) => text + " leaves " + chart.dataset.chart);
      const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
      const covered = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => meet(a.box, b.box))
        .map((b) => a.text + " covers " + b.text + " in " + chart.dataset.chart));
      return [...outside, ...covered];
    })`);
    expect(clashes).toEqual([]);
  });

  test("fits a narrow window, and can be looked at", async () => {
    expect(await inPage<boolean>("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    const png = await page.screenshot();
    // A page of charts is not of one colour; an empty one of this size takes some 20 kB.
    expect(png.length).toBeGreaterThan(100_000);
    mkdirSync(join(SCREENSHOT, ".."), { recursive: true });
    writeFileSync(SCREENSHOT, png);
  });
});

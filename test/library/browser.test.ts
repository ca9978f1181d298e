/**
 * The library and the page in a browser: archives equal the program's, on threads that share memory and without; what
 * is fetched; and what people see, by mouse, by keyboard, in light and dark.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ISOLATION, makePage, servePage } from "../../scripts/web.ts";
import * as fade from "../../src/index.ts";
import { sizesOf } from "../../tools/library.ts";
import { TestPage, testBrowsers } from "../setup/browser.ts";
import { trainingBytes } from "../support/text.ts";

/** The browser's decoder with all that it fetches, after gzip; the built-in priors come only when they are named. */
const DECODER_GZIP_BYTES_MAX = 150_000;
const TEXT = trainingBytes(1200, 3);
/** A built-in prior suits it. */
const SMALL_JSON = new TextEncoder().encode('{"name": "fade", "version": "1.0.0", "main": "x"}\n');
/** Where screenshots are kept for somebody to look at, if that is asked for. */
const SHOTS = process.env.FADE_TEST_SHOTS;

let folder = "";
let page: TestPage;
const fetched: string[] = [];
const servers: { readonly url: string; stop(): void }[] = [];

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Functions for expressions in the page. */
const HELP = `
  globalThis.bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  globalThis.textOf = (bytes) => btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
  globalThis.choose = (text, name) => {
    const files = new DataTransfer();
    files.items.add(new File([bytesOf(text)], name));
    const input = document.getElementById("file");
    input.files = files.files;
    input.dispatchEvent(new Event("change"));
  };
  globalThis.until = async (state) => {
    while (document.body.dataset.state !== state) {
      if (document.body.dataset.state === "failed") throw new Error(document.getElementById("status").textContent);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const makeAddress = URL.createObjectURL;
  URL.createObjectURL = (blob) => { globalThis.shownBlob = blob; return makeAddress.call(URL, blob); };
  globalThis.resultText = async () => textOf(new Uint8Array(await shownBlob.arrayBuffer()));
`;

async function call(expression: string): Promise<Uint8Array> {
  const text = await page.evaluate<string>(
    `import("./fade/index.js").then(async (fade) => textOf(await fade.${expression}))`,
  );
  return Buffer.from(text, "base64");
}

/** All that was fetched, without priors; every decoder is counted with predictors, which pictures need. */
function codeGzipBytes(): number {
  const code = fetched.filter((path) => !/\.(prior|strings)$/.test(path));
  const paths = new Set([...code, "/fade/index.js", "/fade/predictors.wasm"]);
  return [...paths].reduce((sum, path) => sum + sizesOf(join(folder, path)).gzipBytes, 0);
}

const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).toBe(0);

async function open(isIsolated: boolean, scheme: "light" | "dark" = "light", width = 900): Promise<void> {
  await page.visit(servers[isIsolated ? 0 : 1]?.url ?? "", width, 1000, scheme);
  await page.evaluate(`{${HELP}}`);
}

describe.each(testBrowsers)("in %s", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "fade-test-"));
    await makePage(folder);
    for (const headers of [ISOLATION, {}]) servers.push(servePage(folder, 0, headers, (path) => fetched.push(path)));
    page = await TestPage.open();
  }, 60_000);

  afterAll(() => {
    page?.close();
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a page that is isolated, and one that is not: archives equal the program's, both ways", async () => {
    const options = [{ level: 1, threads: 2 }, { level: 5 }, { level: 9 }, { preset: "network-1", threads: 2 }];
    const archives = await Promise.all(options.map((each) => fade.compress(TEXT, each)));
    for (const isIsolated of [true, false]) {
      await open(isIsolated);
      expect(await page.evaluate<boolean>("crossOriginIsolated")).toBe(isIsolated);
      for (const [i, option] of options.entries()) {
        const archive = archives[i] as Uint8Array;
        same(await call(`compress(bytesOf("${base64(TEXT)}"), ${JSON.stringify(option)})`), archive);
        same(await call(`decompress(bytesOf("${base64(archive)}"), { threads: 2 })`), TEXT);
      }
    }
  });

  test("a long input, whose blocks threads prepare, is compressed as by the program", async () => {
    const plain = trainingBytes(150_000, 3);
    const options = { level: 1, threads: 2, blockBytes: 150_000 };
    await open(true);
    same(
      await call(`compress(bytesOf("${base64(plain)}"), ${JSON.stringify(options)})`),
      await fade.compress(plain, options),
    );
  });

  test("with WebGPU: the same archives, both ways; without, whoever wants it hears so", async () => {
    const refusal = `import("./fade/index.js").then((fade) => fade.compress(bytesOf("${base64(TEXT)}"), { engine: "gpu",
      builtInPrior: false }).catch((error) => error instanceof fade.EngineUnavailableError && error.message))`;
    await open(true);
    expect(await page.evaluate<string>(refusal)).toBe("WebGPU offers no GPU here");
    const inputs = [
      { plain: SMALL_JSON, options: {} },
      ...[1, 5, 9].map((level) => ({ plain: TEXT, options: { level, builtInPrior: false } })),
      { plain: TEXT.subarray(0, 600), options: { preset: "network-1" } },
    ];
    const cases = await Promise.all(
      inputs.map(async ({ plain, options }) => ({ plain, options, archive: await fade.compress(plain, options) })),
    );
    const withGpu = await TestPage.open(true);
    const other = page;
    page = withGpu;
    try {
      await open(true);
      fetched.length = 0;
      for (const { plain, archive } of cases) {
        same(await call(`decompress(bytesOf("${base64(archive)}"), { engine: "gpu" })`), plain);
      }
      // All decoders of a page together, with their WebAssembly and WGSL.
      expect(codeGzipBytes()).toBeLessThan(DECODER_GZIP_BYTES_MAX);
      for (const { plain, archive, options } of cases) {
        const sent = JSON.stringify({ ...options, engine: "gpu" });
        same(await call(`compress(bytesOf("${base64(plain)}"), ${sent})`), archive);
      }
    } finally {
      page = other;
      withGpu.close();
    }
  }, 240_000);

  test("errors are of their classes", async () => {
    await open(true);
    const isRight = `import("./fade/index.js").then((fade) => fade.decompress(new Uint8Array(9)).then(
      () => false, (error) => error instanceof fade.NotAnArchiveError))`;
    expect(await page.evaluate<boolean>(isRight)).toBe(true);
  });

  test("restoring fetches less than 150 kB after gzip, and a prior only if an archive names it", async () => {
    const lanes = await fade.compress(trainingBytes(20_000, 3), { level: 1, blockBytes: 30_000 });
    const small = await fade.compress(SMALL_JSON);
    expect((await fade.list(small)).frames[0]?.prior).toBeDefined();
    for (const [archive, priors] of [[lanes, 0] as const, [small, 1] as const]) {
      await open(true);
      fetched.length = 0;
      await call(`decompress(bytesOf("${base64(archive)}"))`);
      const files = [...new Set(fetched)];
      expect(files.filter((path) => path.endsWith(".prior")).length).toBe(priors);
      expect(files.filter((path) => /compress-from|trials|repeats\.wasm/.test(path))).toEqual([]);
      expect(codeGzipBytes()).toBeLessThan(DECODER_GZIP_BYTES_MAX);
    }
  });

  test("the page compresses a file and restores it, and says and draws what happens", async () => {
    const plain = trainingBytes(30_000, 3);
    await open(true);
    await page.evaluate(`choose("${base64(plain)}", "text.txt")`);
    await page.evaluate(`until("done")`);
    const archive = Buffer.from(await page.evaluate<string>("resultText()"), "base64");
    same(await fade.decompress(archive), plain);
    const seen = await page.evaluate<Record<string, string>>(`({
      status: document.getElementById("status").textContent,
      name: document.getElementById("result").download,
      ratio: document.querySelector("[data-fact=ratio]").textContent,
      points: document.querySelector(".curve").getAttribute("points"),
      bar: String(document.getElementById("progress").value),
      focus: document.activeElement.id,
    })`);
    expect(seen).toMatchObject({ name: "text.txt.fade", bar: "1", focus: "result" });
    expect(seen.status).toStartWith("text.txt was compressed: 90.0 kB became ");
    expect(seen.ratio).toBe((plain.length / archive.length).toFixed(3));
    // The curve ends on the right, at the archive's share of the bytes.
    const last = seen.points?.split(" ").at(-1)?.split(",").map(Number) ?? [];
    expect(last[0]).toBeCloseTo(624, 0);
    expect(seen.points?.split(" ").length).toBeGreaterThan(1);
    await keepShot("compressed-light");
    await page.evaluate(`choose("${base64(archive)}", "text.txt.fade")`);
    await page.evaluate(`until("working").then(() => until("done"))`);
    same(Buffer.from(await page.evaluate<string>("resultText()"), "base64"), plain);
    expect(await page.evaluate<string>(`document.getElementById("result").download`)).toBe("text.txt");
  });

  test("it is used by keyboard, in the dark, on a narrow screen; Escape cancels, and damage is said", async () => {
    await open(true, "dark", 400);
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("file");
    await page.press("Tab", 9);
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("level");
    await page.evaluate(`document.getElementById("level").value = "9"`);
    await page.evaluate(`choose("${base64(trainingBytes(200_000, 2))}", "long.txt")`);
    await page.evaluate(`until("working")`);
    await page.press("Escape", 27);
    await page.evaluate(`until("failed").catch(() => {})`);
    expect(await page.evaluate<string>(`document.getElementById("status").textContent`)).toBe("Cancelled");
    const damaged = (await fade.compress(TEXT)).slice(0, -3);
    await page.evaluate(`choose("${base64(damaged)}", "bad.fade")`);
    await page.evaluate(`until("done").catch(() => {})`);
    expect(await page.evaluate<string>(`document.getElementById("status").textContent`)).toContain("is truncated");
    await page.evaluate(`choose("${base64(TEXT)}", "text.txt")`);
    await page.evaluate(`until("working").then(() => until("done"))`);
    // A line where there was time for two points, or a dot.
    const drawn = await page.evaluate<number>(
      `document.querySelector(".curve").points.length - 1 + document.querySelectorAll(".dot").length`,
    );
    expect(drawn).toBeGreaterThan(0);
    await keepShot("dark");
    expect(await page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const [back, text] = await page.evaluate<string[]>(
      `["backgroundColor", "color"].map((name) => getComputedStyle(document.body)[name])`,
    );
    expect([back, text]).toEqual(["rgb(21, 24, 28)", "rgb(231, 233, 236)"]);
  });
});

async function keepShot(name: string): Promise<void> {
  const png = await page.screenshot();
  expect(png.length).toBeGreaterThan(5000);
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  writeFileSync(join(SHOTS, `${name}.png`), png);
}

/**
 * Shows that archives are the same wherever they are made, and restored wherever that is: every level, a network and a
 * short input with a built-in prior, made by this machine's program and by each of the others, and restored by all.
 *
 *     bun scripts/everywhere.ts [--packages DIR] [--program 'NAME=COMMAND …']… [--no-browser]
 *
 * Besides the program and the library in Node, Bun and Chromium (on WebAssembly, and on the GPU by SwiftShader), which
 * come from the packages of `bun scripts/packages.ts`, it tries the programs that are named: each is started as it is
 * written, with fade's options behind it, and files as standard input and output: a root or an emulator goes in front:
 *
 *     --program 'musl=chroot /tmp/alpine /fade'
 *     --program 'arm64=qemu-aarch64 -L /usr/aarch64-linux-gnu packages/fade-compressor-linux-arm64/bin/fade'
 *
 * Prints the SHA-256 of each archive, and who took how long. Exits with 1 if anything differs.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { CompressOptions } from "../src/index.ts";
import { TestPage } from "../test/setup/browser.ts";
import { MAIN } from "./packages.ts";
import { ROOT, run } from "./shared.ts";
import { ISOLATION, makePage, servePage } from "./web.ts";

interface Case {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: CompressOptions;
  readonly plain: Uint8Array;
}

/** Someone who makes and restores archives. */
interface Place {
  readonly name: string;
  compress(each: Case): Promise<Uint8Array>;
  restore(archive: Uint8Array, each: Case): Promise<Uint8Array>;
  close?(): void;
}

/** Text, a picture, sound and a table, so that predictors have something to foresee. */
function samples(): Uint8Array {
  const text = readFileSync(join(ROOT, "docs", "FORMAT.md")).subarray(0, 30_000);
  const [width, height] = [80, 60];
  const pixels = Buffer.alloc(3 * width * height);
  for (let i = 0; i < pixels.length; i += 1) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    pixels[i] = 128 + Math.round(60 * Math.sin(x / 9 + (i % 3)) + 50 * Math.cos(y / 7)) + ((x * y) % 5);
  }
  const sound = Buffer.alloc(24_000);
  for (let i = 0; i < sound.length / 2; i += 1) {
    sound.writeInt16LE(Math.round(9000 * Math.sin(i / 11) + 4000 * Math.sin(i / 3.7)) + ((i * i) % 17), 2 * i);
  }
  const rows = Array.from({ length: 700 }, (_, i) => `${1_700_000_000 + 60 * i},${(i * 37) % 101},sensor-${i % 4}\n`);
  return Buffer.concat([text, Buffer.from(`P6\n${width} ${height}\n255\n`), pixels, sound, Buffer.from(rows.join(""))]);
}

function casesOf(plain: Uint8Array): Case[] {
  const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => ({
    name: `level ${level}`,
    words: [`-${level}`, "--no-prior"],
    options: { level, builtInPrior: false },
    plain,
  }));
  const network = { name: "network-1", words: ["--preset", "network-1"], options: { preset: "network-1" } };
  return [
    ...levels,
    { name: "3 kB, with a prior", words: ["-5"], options: {}, plain: plain.subarray(0, 3000) },
    { ...network, plain: plain.subarray(0, 1500) },
  ];
}

const folder = mkdtempSync(join(tmpdir(), "fade-everywhere-"));
const pathOf = (name: string) => join(folder, name);

function program(name: string, command: readonly string[]): Place {
  const run = (words: readonly string[], input: Uint8Array): Uint8Array => {
    writeFileSync(pathOf("in"), input);
    const [from, to] = [openSync(pathOf("in"), "r"), openSync(pathOf("out"), "w")];
    const all = [...command, "-q", "-c", ...words];
    const { status, stderr, error } = spawnSync(all[0] as string, all.slice(1), { stdio: [from, to, "pipe"] });
    closeSync(from);
    closeSync(to);
    if (status !== 0) throw new Error(`${all.join(" ")} ended with ${status}: ${error?.message ?? stderr}`);
    return readFileSync(pathOf("out"));
  };
  return {
    name,
    compress: async ({ words, plain }) => run(words, plain),
    restore: async (archive) => run(["-d"], archive),
  };
}

const SCRIPT = `
import { readFileSync, writeFileSync } from "node:fs";
import { compress, decompress } from "${MAIN}";
const [action, options] = process.argv.slice(2);
const work = { compress, decompress }[action];
writeFileSync("out", await work(new Uint8Array(readFileSync("in")), JSON.parse(options)));
`;

function library(name: string, runtime: string): Place {
  const work = (action: string, options: object, input: Uint8Array): Uint8Array => {
    writeFileSync(pathOf("in"), input);
    const words = ["library.mjs", action, JSON.stringify(options)];
    run([runtime, ...words], { cwd: folder });
    return readFileSync(pathOf("out"));
  };
  return {
    name,
    compress: async ({ options, plain }) => work("compress", options, plain),
    restore: async (archive) => work("decompress", {}, archive),
  };
}

async function browser(name: string, url: string, engine: "cpu" | "gpu"): Promise<Place> {
  const page = await TestPage.open(engine === "gpu");
  await page.visit(url, 900, 900);
  const run = async (action: string, options: object, input: Uint8Array): Promise<Uint8Array> => {
    const bytes = `Uint8Array.from(atob("${Buffer.from(input).toString("base64")}"), (letter) => letter.charCodeAt(0))`;
    const call = `fade.${action}(${bytes}, ${JSON.stringify({ ...options, engine })})`;
    const text = "btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(''))";
    const expression = `import("./fade/index.js").then((fade) => ${call}).then((bytes) => ${text})`;
    return Buffer.from(await page.evaluate<string>(expression), "base64");
  };
  return {
    name,
    compress: ({ options, plain }) => run("compress", options, plain),
    restore: (archive) => run("decompress", {}, archive),
    close: () => page.close(),
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** @returns whether all that it made and restored is right */
async function tryPlace(place: Place, made: ReadonlyMap<Case, Uint8Array>): Promise<boolean> {
  const wrong: string[] = [];
  const startedAtMs = performance.now();
  for (const [each, archive] of made) {
    if (sha256(await place.compress(each)) !== sha256(archive)) wrong.push(`${each.name}: another archive`);
    const back = await place.restore(archive, each);
    if (Buffer.compare(back, each.plain) !== 0) wrong.push(`${each.name}: other bytes came back`);
  }
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
  console.log(`${place.name}: ${wrong.join("; ") || `all ${made.size} equal, and restored`}, ${seconds} s`);
  return wrong.length === 0;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      packages: { type: "string" },
      program: { type: "string", multiple: true },
      "no-browser": { type: "boolean" },
    },
  });
  const packages = resolve(values.packages ?? join(ROOT, "packages"));
  const archives = readdirSync(packages).filter((name) => /^fade-compressor-(linux-x64-)?[0-9].*\.tgz$/.test(name));
  writeFileSync(pathOf("package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(pathOf("library.mjs"), SCRIPT);
  const install = ["install", "--no-audit", "--no-fund", ...archives.map((name) => join(packages, name))];
  run(["npm", ...install], { cwd: folder });
  const own = program("program", [join(folder, "node_modules", `${MAIN}-linux-x64`, "bin", "fade")]);
  const plain = samples();
  const made = new Map<Case, Uint8Array>();
  for (const each of casesOf(plain)) {
    const archive = await own.compress(each);
    made.set(each, archive);
    console.log(`${each.name}: ${each.plain.length} -> ${archive.length} bytes, SHA-256 ${sha256(archive)}`);
  }
  const others = (values.program ?? []).map((text) => {
    const at = text.indexOf("=");
    return program(text.slice(0, at), text.slice(at + 1).split(" "));
  });
  const places = [own, library("library in Node", "node"), library("library in Bun", process.execPath), ...others];
  let isRight = true;
  for (const place of places) isRight = (await tryPlace(place, made)) && isRight;
  if (!values["no-browser"]) {
    await makePage(pathOf("page"));
    const served = [ISOLATION, {}].map((headers) => servePage(pathOf("page"), 0, headers));
    for (const [name, at, engine] of [
      ["Chromium, isolated page, WebAssembly", 0, "cpu"],
      ["Chromium, other page, WebAssembly", 1, "cpu"],
      ["Chromium, WebGPU", 0, "gpu"],
    ] as const) {
      const place = await browser(name, served[at]?.url ?? "", engine);
      isRight = (await tryPlace(place, made)) && isRight;
      place.close?.();
    }
    for (const server of served) server.stop();
  }
  if (!isRight) process.exitCode = 1;
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

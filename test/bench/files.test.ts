/** The comparison: who does not restore the file is a failure, and nothing is left behind. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMPETITOR_NAMES, NAMES, PROGRAMS, RUNTIME } from "../../src/bench/competitors.ts";
import { benchFiles, competitorsHere } from "../../src/bench/files.ts";
import { type FailureResult, type FileResult, totalsOf } from "../../src/bench/results.ts";
import { programRunner, type Runner, runtimeRunner } from "../../src/bench/runners.ts";

const TEXT = new TextEncoder().encode("one of many lines that look alike\n".repeat(500));

/** Copies; each pass claims to take the next of `timesMs`. */
function copier(timesMs: readonly number[], spoil?: (restored: Uint8Array) => Uint8Array): Runner {
  const left = [...timesMs];
  const take = () => ({ elapsedMs: left.shift() ?? 1000 });
  return {
    compressor: "copy",
    origin: "program",
    setting: "-1",
    archiveName: "copied",
    async compress(folder) {
      await copyFile(join(folder, NAMES.plain), join(folder, "copied"));
      return take();
    },
    async decompress(folder) {
      const bytes = new Uint8Array(await readFile(join(folder, "copied")));
      await writeFile(join(folder, NAMES.restored), spoil ? spoil(bytes) : bytes);
      return take();
    },
  };
}

async function bench(runners: readonly Runner[], secondsMin = 0, plain = TEXT) {
  const results: (FileResult | FailureResult)[] = [];
  const folders: string[] = [];
  const files = [{ name: "text", read: async () => plain }];
  await benchFiles(
    { files, runners, secondsMin },
    {
      onResult: async (result) => void results.push(result),
      onFolder: (path, exists) => {
        if (exists) folders.push(path);
        expect(existsSync(path)).toBe(exists);
      },
    },
  );
  expect(folders.length).toBe(runners.length);
  for (const folder of folders) expect(existsSync(folder)).toBe(false);
  return results;
}

test("a single run: sizes, speeds and both directions", async () => {
  const [result] = await bench([copier([500, 250])]);
  expect(result).toMatchObject({
    kind: "result",
    file: "text",
    compressor: "copy",
    plainBytes: TEXT.length,
    codedBytes: TEXT.length,
    ratio: 1,
    bitsPerByte: 8,
    compress: { elapsedMs: 500, runs: 1, bytesPerSecond: TEXT.length * 2 },
    decompress: { elapsedMs: 250, runs: 1, bytesPerSecond: TEXT.length * 4 },
    isVerified: true,
  });
});

test("of several runs the fastest counts", async () => {
  // Times that are claimed run out long before the real 0.05 s have passed.
  const [result] = await bench([copier([30, 10, 20])], 0.05);
  if (result?.kind !== "result") throw new Error("failed");
  expect(result.compress.runs).toBeGreaterThan(3);
  expect(result.compress.elapsedMs).toBe(10);
});

const SPOILERS: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
  ["one bit", (bytes) => bytes.map((byte, i) => (i === 9000 ? byte ^ 1 : byte)), "other bytes came back"],
  ["the end", (bytes) => bytes.subarray(1), `${TEXT.length - 1} bytes came back`],
];

test.each(SPOILERS)("a runner that spoils %s has failed", async (_, spoil, complaint) => {
  const results = await bench([copier([], spoil), copier([1, 1])]);
  expect(results.map(({ kind }) => kind)).toEqual(["failure", "result"]);
  expect(results[0]).toMatchObject({ compressor: "copy", error: expect.stringContaining(complaint) });
});

test("a program that fails, or writes nothing, is a failure and not the end", async () => {
  const program = { name: "sh", settings: [], decompress: () => ["true"], pipes: [true, true] as const };
  const fails = programRunner({ ...program, compress: () => ["sh", "-c", "echo oops >&2; exit 9"] }, "-1", 1);
  const silent = programRunner({ ...program, compress: () => ["cat", NAMES.plain] }, "-1", 1);
  const missing = programRunner({ ...program, compress: () => ["fade-has-no-such-program"] }, "-1", 1);
  const results = await bench([fails, silent, missing]);
  expect(results.map((result) => (result.kind === "failure" ? result.error : ""))).toEqual([
    "sh ended with code 9: oops",
    `does not restore the file: ${TEXT.length} bytes went in, 0 bytes came back`,
    expect.stringContaining("fade-has-no-such-program"),
  ]);
});

describe("the compressors of this machine", () => {
  const { runners, absent } = competitorsHere(COMPETITOR_NAMES, 2);

  test("each program is there with all its settings, or named as absent", () => {
    for (const { name, settings } of PROGRAMS) {
      const own = runners.filter(({ compressor, origin }) => compressor === name && origin === "program");
      const isAbsent = absent.some(({ compressor }) => compressor === name);
      expect(own.length).toBe(isAbsent ? 0 : settings.length);
      expect(isAbsent).toBe(Bun.which(name) === null);
    }
  });

  test("all of them restore text, chance and nothing", async () => {
    const chance = new Uint8Array(5000).map((_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 13) & 255);
    for (const plain of [TEXT, chance, new Uint8Array(1), new Uint8Array(0)]) {
      const results = await bench(runners, 0, plain);
      for (const result of results) expect(result).toMatchObject({ kind: "result", plainBytes: plain.length });
      const sizes = results.map((result) => (result.kind === "result" ? result.codedBytes : 0));
      if (plain === TEXT) expect(Math.max(...sizes)).toBeLessThan(TEXT.length / 10);
    }
  });

  test("a list of names leaves out the others", () => {
    expect(competitorsHere(["runtime"], 1).runners.length).toBe(RUNTIME.flatMap(({ settings }) => settings).length);
    expect(competitorsHere([], 1)).toEqual({ runners: [], absent: [] });
  });

  test("what is not installed is absent", () => {
    const { runners, absent } = competitorsHere(["zstd", "xz"], 1, (name) => (name === "xz" ? "/bin/xz" : null));
    expect(absent).toEqual([{ kind: "absent", compressor: "zstd" }]);
    expect(new Set(runners.map(({ compressor }) => compressor))).toEqual(new Set(["xz"]));
  });
});

test("levels of the runtime's compressors are those that were asked for", async () => {
  const gzip = RUNTIME.find(({ name }) => name === "gzip");
  if (!gzip) throw new Error("there is no gzip");
  const names = readdirSync(import.meta.dir).sort();
  const plain = new Uint8Array(Buffer.concat(names.map((name) => Buffer.from(name.repeat(9)))));
  const large = new Uint8Array(Buffer.concat([plain, TEXT.map((byte, i) => byte ^ (i & 3))]));
  const results = await bench(
    ["-1", "-9"].map((setting) => runtimeRunner(gzip, setting)),
    0,
    large,
  );
  const [fast = 0, small = 0] = results.map((result) => (result.kind === "result" ? result.codedBytes : 0));
  expect(fast).toBeGreaterThan(small);
});

describe("totals", () => {
  const result = (file: string, setting: string, plainBytes: number, codedBytes: number, elapsedMs: number) =>
    ({
      kind: "result",
      file,
      compressor: "zstd",
      origin: "program",
      setting,
      plainBytes,
      codedBytes,
      ratio: 0,
      bitsPerByte: 0,
      compress: { elapsedMs, runs: 1, bytesPerSecond: 0 },
      decompress: { elapsedMs: elapsedMs * 2, runs: 1, bytesPerSecond: 0 },
      isVerified: true,
    }) satisfies FileResult;

  test("sum bytes and times, not ratios", () => {
    const rows = [result("a", "-3", 1000, 100, 10), result("b", "-3", 3000, 900, 30), result("a", "-4", 1, 1, 1)];
    expect(totalsOf(rows, 2)).toEqual([
      {
        kind: "total",
        compressor: "zstd",
        origin: "program",
        setting: "-3",
        files: 2,
        plainBytes: 4000,
        codedBytes: 1000,
        ratio: 4,
        bitsPerByte: 2,
        compressBytesPerSecond: 100_000,
        decompressBytesPerSecond: 50_000,
      },
    ]);
  });
});

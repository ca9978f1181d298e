/** `fade bench FILE...` as people and programs use it: options, lines, exit codes, child processes. */
import { describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchResult, FileResult } from "../../src/bench/results.ts";
import { type BenchContestant, benchSettingsOf } from "../../src/cli/bench-settings.ts";
import { normalise } from "../../src/cli/normalise.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { encodePrior } from "../../src/prior/file.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { inDirectory, runFade, testWithin } from "./harness.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
/** Letters from a small alphabet in no order: there is something to learn, and nothing long comes twice. */
function letters(count: number, alphabet: string): string {
  const random = new Random(count);
  return Array.from({ length: count }, () => alphabet[random.between(0, alphabet.length - 1)]).join("");
}

const LINES = letters(7200, "etaoin srhl\n");

async function besideText(work: (path: string) => Promise<void> | void): Promise<void> {
  await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "text"), LINES);
    await work(cwd);
  });
}

const testBesideText = testWithin(besideText);

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const objects = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as BenchResult);
const benchFolders = (inside: string) => readdirSync(inside).filter((name) => name.startsWith("fade-bench-"));

/** Other benchmarks may run on this machine: folders of this one are made in `path`. */
async function withTemporary<T>(path: string, work: () => Promise<T>): Promise<T> {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = path;
  try {
    expect(tmpdir()).toBe(path);
    return await work();
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}

/** "-1 auto -2 auto …": what a command line compares. */
function contestants(...words: string[]): string {
  const found = benchSettingsOf(normalise(words))?.contestants ?? [];
  return found.map(({ setting, engine }) => `${setting} ${engine}`).join(", ");
}

describe("levels and engines", () => {
  test.each([
    [["bench", "f"], "-5 auto"],
    [["bench", "-1", "-5", "f"], "-1 auto, -5 auto"],
    [["bench", "-5", "-1", "-5", "f"], "-5 auto, -1 auto"],
    [["bench", "--levels", "2,4-6", "f"], "-2 auto, -4 auto, -5 auto, -6 auto"],
    [["bench", "--levels=5,paper", "--engine=gpu,cpu", "f"], "-5 gpu, -5 cpu, --preset paper gpu, --preset paper cpu"],
    [["-b1", "-e3", "f"], "-1 auto, -2 auto, -3 auto"],
    [["-b1e3i0", "f"], "-1 auto, -2 auto, -3 auto"],
    [["-b", "f"], "-5 auto"],
    [["-b", "-3", "f"], "-3 auto"],
    [["-b4", "f"], "-4 auto"],
    [["--bench=2", "--bench-end=3", "f"], "-2 auto, -3 auto"],
    [["f", "-b", "--engine", "reference"], "-5 reference"],
  ])("%p", (words, expected) => {
    expect(contestants(...words)).toBe(expected);
  });

  test("no other command line is a benchmark", () => {
    for (const words of [["f"], ["./bench"], ["-d", "bench.fade"], ["bench", "--help"]]) {
      expect(benchSettingsOf(normalise(words))).toBeUndefined();
    }
  });

  test("each contestant has the settings of its level, engine and adapter, and of the common options", () => {
    const line = ["bench", "--levels=1,9", "--engine=cpu,gpu", "--adapter=rtx", "-T3", "--streams=7", "-M1G", "f"];
    const { contestants = [], common } = benchSettingsOf(normalise(line)) ?? {};
    const contexts = ({ settings }: BenchContestant) => settings.level.shape.mixerContexts;
    const facts = contestants.map((one) => [contexts(one), one.settings.engine, one.settings.adapter]);
    expect(facts).toEqual([
      [6, "cpu", undefined],
      [6, "gpu", "rtx"],
      [28, "cpu", undefined],
      [28, "gpu", "rtx"],
    ]);
    for (const { settings } of contestants) {
      expect(settings).toMatchObject({ threads: 3, streams: 7, memoryBytesMax: 2 ** 30, action: "compress" });
    }
    expect(common?.threads).toBe(3);
    expect(contestants[1]?.words).toEqual([
      ...["--threads=3", "--streams=7", "--memory=1G", "--level=1", "--engine=gpu", "--adapter=rtx"],
    ]);
  });
});

test("options that change how files are compressed are measured with", () => {
  const words = ["bench", "--repeats=0", "--streams=3", "-B64K", "-M1G", "-T1", "f"];
  const { contestants = [] } = benchSettingsOf(normalise(words)) ?? {};
  expect(contestants[0]?.words.slice(0, -2)).toEqual([
    ...["--repeats=0", "--streams=3", "--block-size=64K", "--memory=1G", "--threads=1"],
  ]);
  for (const word of ["--shard=1/2", "--no-check"]) {
    expect(() => benchSettingsOf(normalise(["bench", word, "f"]))).toThrow("does not go with bench");
  }
});

testBesideText("a default level from the environment gives way to levels that are named", async (cwd) => {
  const environment = { FADE_LEVEL: "2" };
  const settings = async (...words: string[]) => {
    const ran = await runFade(["bench", "--json", "--against=none", ...words, "text"], { cwd, environment });
    return objects(decode(ran.stdout)).flatMap((each) => (each.kind === "result" ? [each.setting] : []));
  };
  expect(await settings()).toEqual(["-2"]);
  expect(await settings("-1", "-3")).toEqual(["-1", "-3"]);
});

describe("results", () => {
  testBesideText("--json: one object a line, with a curve", async (cwd) => {
    writeFileSync(join(cwd, "more"), LINES.slice(0, 3000));
    const words = ["bench", "--json", "-1", "--against=runtime", "--limit=5K", "text", "more"];
    const { exitCode, stdout, stderr } = await runFade(words, { cwd });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const results = objects(decode(stdout));
    expect(results[0]).toMatchObject({ kind: "machine", runtime: `Bun ${Bun.version}` });
    const rows = results.filter((result) => result.kind === "result");
    expect(rows.map(({ file }) => file)).toEqual([...Array(6).fill("text"), ...Array(6).fill("more")]);
    const [fade] = rows as [FileResult];
    expect(fade).toMatchObject({ compressor: "fade", origin: "fade", setting: "-1", plainBytes: 5120 });
    expect(fade.engineName).toBe("reference");
    expect(fade.compress.memoryOf).toBe("this process");
    const { setUpMs, engineMs, coderMs, waitingMs } = fade.compress.split ?? {};
    const sumMs = [setUpMs, engineMs, coderMs, waitingMs].reduce((sum = 0, part = Number.NaN) => sum + part, 0);
    expect(Math.abs((sumMs ?? 0) - fade.compress.elapsedMs)).toBeLessThan(20);
    expect(fade.curve?.at(-1)?.bytesDone).toBe(5120);
    const totals = results.filter((result) => result.kind === "total");
    expect(totals.length).toBe(6);
    expect(totals[0]).toMatchObject({ files: 2, plainBytes: 5120 + 3000 });
  });

  testBesideText("for people: a table per file and a table of all", async (cwd) => {
    writeFileSync(join(cwd, "more"), LINES);
    const { stdout } = await runFade(["bench", "-3", "--against=runtime", "text", "more"], { cwd });
    const lines = decode(stdout).split("\n");
    for (const head of ["text, 7.20 kB", "more, 7.20 kB", "2 files together"]) expect(lines).toContain(head);
    expect(lines.filter((line) => /^ {2}fade -3 auto \(reference\)\s+\d+ +\d+\.\d{3} /.test(line)).length).toBe(2);
    expect(lines.filter((line) => /^ {2}runtime gzip -9 +\d+ +\d+\.\d{3} /.test(line)).length).toBe(3);
    const shares = lines.find((line) => line.includes("compress: engine"))?.match(/\d+(?=%)/g) ?? [];
    expect(shares.length).toBe(8);
    expect(shares.slice(0, 4).reduce((sum, share) => sum + Number(share), 0)).toBeGreaterThanOrEqual(98);
  });

  testBesideText("--curve draws falling bars", async (cwd) => {
    writeFileSync(join(cwd, "text"), letters(1600, "ab"));
    const { stdout } = await runFade(["bench", "--curve", "--against=none", "--streams=1", "text"], { cwd });
    const bars = [...decode(stdout).matchAll(/ k?B (\d\.\d{3}) (#*)$/gm)].map((match) => match[2]?.length ?? 0);
    expect(bars.length).toBeGreaterThan(5);
    // Towards one bit of eight, which is an eighth of 40 characters.
    expect(bars[0]).toBeGreaterThan(5);
    expect(bars.slice(1)).toEqual(bars.slice(1).fill(5));
  });

  testBesideText("a file that cannot be read, and a compressor that fails, are told and remembered", async (cwd) => {
    mkdirSync(join(cwd, "folder"));
    const engine = async () => new FakeEngine({ failAtCall: 3 });
    const words = ["bench", "-1", "--against=runtime", "absent", "folder", "text"];
    const { exitCode, stdout, stderr } = await withTemporary(cwd, () => runFade(words, { cwd, engine }));
    expect(exitCode).toBe(1);
    expect(stderr).toContain("fade: absent: no such file or directory\n");
    expect(stderr).toContain("fade: folder: is a directory\n");
    expect(stderr).toMatch(/fade: text: fade -1 auto: .*fail/i);
    expect(decode(stdout)).toContain("runtime gzip -9");
    expect(benchFolders(cwd)).toEqual([]);
  });
});

describe("bench kernels", () => {
  const kernels = async (...words: string[]) => {
    const ran = await runFade(["bench", "kernels", "--streams=4", ...words], { cwd: tmpdir() });
    expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toEqual({ exitCode: 0, stderr: "" });
    return decode(ran.stdout);
  };

  test("a table for people, checked first", async () => {
    const lines = (await kernels("--engine=cpu", "--filter=norm", "--preset=network-1")).trimEnd().split("\n");
    const at = lines.findIndex((line) => line.endsWith("all numbers of 6 steps equal the reference"));
    expect(lines[at]).toStartWith("fade --preset network-1 with 4 streams on ");
    expect(lines[at + 1]).toMatch(/^kernel +shape +calls +a call +MAC\/s +B\/s +peak$/);
    expect(lines.slice(at + 2, -1).map((line) => line.split(" ")[0])).toEqual(["normForward", "normBackward"]);
    for (const line of lines.slice(at + 2, -1)) expect(line).toMatch(/ 5 +[\d.]+ [µm]s +no case$/);
    expect(lines.at(-1)).toMatch(
      /a step of \d+ calls takes [\d.]+ [µm]s, [\d.]+ k?B\/s, [\d.]+ [MG]MAC\/s \(\d+% of the peak\); the kern/,
    );
  });

  test("--json, level by level; auto is the CPU where there is no adapter", async () => {
    const results = (await kernels("--json", "--filter=norm", "--levels=network-1,network-2"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const checks = results.filter(({ kind }) => kind === "check");
    expect(checks).toMatchObject([
      { engine: "cpu", setting: "--preset network-1", streams: 4 },
      { engine: "cpu", setting: "--preset network-2", streams: 4 },
    ]);
    expect(results.filter(({ kind }) => kind === "kernel").length).toBe(4);
    expect(results.filter(({ kind }) => kind === "step").length).toBe(2);
  });

  test("a mixer, checked first, as a line for people and as JSON", async () => {
    const lines = (await kernels("--engine=cpu", "-1")).trimEnd().split("\n");
    expect(lines.length).toBe(2);
    expect(lines[0]).toMatch(/^fade -1 on .+: payloads of 256 bytes a lane are those of the reference$/);
    const [opened, took] = (lines[1] as string).split(": ");
    expect(opened).toMatch(/^fade -1, 4 lanes of 6 contexts, 2\^\d+ lines each, opened in [\d.]+ [µm]s$/);
    expect(took).toMatch(
      /^a byte of a lane takes [\d.]+ µs \([\d.]+ [kM]B\/s\), restored [\d.]+ µs \([\d.]+ [kM]B\/s\)$/,
    );
    const results = (await kernels("--json", "--engine=cpu", "-2", "--filter=mixer")).trimEnd().split("\n");
    expect(results.map((line) => JSON.parse(line))).toMatchObject([
      { kind: "check", setting: "-2", isMixer: true, streams: 4 },
      { kind: "mixer", setting: "-2", streams: 4, contexts: 8, bytesPerSecond: expect.any(Number) },
    ]);
  });

  test("--plan counts what a GPU would do, without one", async () => {
    const lines = (await kernels("--plan", "-1", "--preset=network-1")).trimEnd().split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "fade -1, a byte of each of 4 lanes",
      expect.stringMatching(/^kernel +calls +workgroups +used +iterations +products +moved$/),
      expect.stringMatching(/^mixer +1 +4x32 +25% +\d+ +[\d.]+ k +[\d.]+ kB$/),
    ]);
    expect(lines).toContain("fade --preset network-1, a step of 4 streams");
    const results = (await kernels("--plan", "--json", "--filter=forward", "--preset=network-1")).trimEnd().split("\n");
    expect(results.map((line) => JSON.parse(line))).toMatchObject([{ kind: "plan", kernel: "forward", streams: 4 }]);
    const refused = await runFade(["bench", "--plan", "text"], { cwd: tmpdir() });
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--plan goes with fade bench kernels"),
    });
  });

  test("a filter that no kernel's name holds is wrong usage", async () => {
    const words = ["bench", "kernels", "--streams=4", "--engine=cpu", "-1", "--filter=zzz"];
    const ran = await runFade(words, { cwd: tmpdir() });
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no kernel is called zzz") });
  });
});

testBesideText("a GPU that is not here is said once, before anything is measured", async (cwd) => {
  const ran = await runFade(["bench", "--engine=gpu", "--adapter=unheard-of", "-1", "-2", "text"], { cwd });
  expect(ran).toMatchObject({ exitCode: 4, stdout: new Uint8Array(0) });
  expect(ran.stderr.match(/no GPU (here is called unheard-of|was found)/g)?.length).toBe(1);
});

describe("bench report", () => {
  testBesideText("from JSON lines, of files or standard input, to a page", async (cwd) => {
    const bench = await runFade(["bench", "--json", "-1", "--against=runtime", "text"], { cwd });
    writeFileSync(join(cwd, "results.json"), bench.stdout);
    const written = await runFade(["bench", "report", "results.json", "-o", "report.html"], { cwd });
    expect(written).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^report\.html: 7 results, \d/) });
    const page = await Bun.file(join(cwd, "report.html")).text();
    expect(page).toStartWith("<!doctype html>");
    expect(page.match(/data-name="fade -1 auto"/g)?.length).toBe(3);
    const again = await runFade(["bench", "report", "results.json", "-o", "report.html"], { cwd });
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("report.html: already exists") });
    const piped = await runFade(["bench", "report", "-"], { cwd, stdin: bench.stdout });
    expect(decode(piped.stdout)).toBe(page);
  });

  testBesideText("what is no result is named, and nothing is written", async (cwd) => {
    const ran = await runFade(["bench", "report", "text", "-o", "report.html"], { cwd });
    expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^fade: text: line \d is not JSON\n/) });
    expect(readdirSync(cwd)).toEqual(["text"]);
    writeFileSync(join(cwd, "empty"), "\n");
    const empty = await runFade(["bench", "report", "empty"], { cwd });
    expect(empty).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("empty: holds no results") });
  });
});

describe("command lines that make no sense", () => {
  test.each([
    [["bench", "kernels", "text"], "bench kernels takes no files"],
    [["bench", "report"], "bench report needs results"],
    [["bench", "kernels", "--engine=reference"], "the reference engine has no kernels"],
    [["bench"], "bench needs files"],
    [["bench", "-"], "bench reads its files again and again"],
    [["bench", "-d", "text"], "-d does not go with bench"],
    [["bench", "-o", "x", "text"], "-o does not go with bench"],
    [["--levels=1", "text"], "--levels goes with fade bench"],
    [["-i3", "text"], "-i goes with fade bench"],
    [["bench", "--levels=0", "text"], "--levels must be a list of levels, not 0"],
    [["bench", "--levels=5-1", "text"], "--levels must be a list of levels, not 5-1"],
    [["bench", "-19", "text"], "-19 must be a number from 1 to 9"],
    [["-b12", "text"], "-b must be a number from 1 to 9, not 12"],
    [["bench", "--engine=cpu,fast", "text"], "there is no engine fast"],
    [["bench", "--against=rar", "text"], "there is no compressor rar to compare"],
    [["bench", "--limit=x", "text"], "--limit must be a size, not x"],
  ])("%p", async (words, message) => {
    await besideText(async (cwd) => {
      const { exitCode, stderr, stdout } = await runFade(words, { cwd });
      expect(stderr).toStartWith(`fade: ${message}\n`);
      expect({ exitCode, stdout: stdout.length }).toEqual({ exitCode: 2, stdout: 0 });
    });
  });
});

describe("what compressors begin with", () => {
  const engine = () => createCpuEngine({ threads: 1 });
  const sizesOf = async (cwd: string, ...words: string[]) => {
    const ran = await runFade(["bench", "--json", "-1", "--against=zstd", "-i0", ...words, "text"], { cwd, engine });
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
    const rows = objects(decode(ran.stdout)).filter((each) => each.kind === "result");
    return new Map(rows.map(({ compressor, setting, codedBytes }) => [`${compressor} ${setting}`, codedBytes]));
  };
  const hasZstd = Bun.which("zstd") !== null;

  test.each(["-D", "--patch-from"])("%s: fade and zstd do, and say so", async (option) => {
    await besideText(async (cwd) => {
      writeFileSync(join(cwd, "old"), LINES.slice(0, -20));
      const without = await sizesOf(cwd);
      const behind = await sizesOf(cwd, option, "old");
      for (const [setting, codedBytes] of without)
        expect(behind.get(`${setting} ${option}`)).toBeLessThan(codedBytes / 9);
      expect(behind.size).toBe(without.size);
      expect(without.size).toBe(hasZstd ? 4 : 1);
    });
  });

  testBesideText("a prior made by fade is for fade alone; a child finds it, too", async (cwd) => {
    const content = new TextEncoder().encode(LINES);
    const parts = { name: "lines", contexts: 8, stride: 0, content, trained: new Uint8Array(0) };
    writeFileSync(join(cwd, "my.prior"), encodePrior(parts));
    const behind = await sizesOf(cwd, "-D", "my.prior");
    const others = hasZstd ? ["zstd -3", "zstd -19", "zstd --ultra -22"] : [];
    expect([...behind.keys()]).toEqual(["fade -1 -D", ...others]);
    expect(behind.get("fade -1 -D")).toBeLessThan(100);
    const words = ["bench", "--json", "-1", "--against=none", "-i0", "-D", "my.prior", "text"];
    const ran = spawnSync(process.execPath, [MAIN, ...words], { cwd, encoding: "utf8" });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(objects(ran.stdout)[1]).toMatchObject({ setting: "-1 -D", codedBytes: behind.get("fade -1 -D") });
  });

  testBesideText("what is not there is complained about once, before anything is measured", async (cwd) => {
    const { exitCode, stdout, stderr } = await runFade(["bench", "-D", "nowhere", "text", "text"], { cwd });
    expect([exitCode, decode(stdout)]).toEqual([1, ""]);
    expect(stderr).toBe("fade: nowhere: no such file or directory\n");
    expect((await runFade(["bench", "kernels", "-D", "text"], { cwd })).exitCode).toBe(2);
  });
});

testBesideText("as a program: fade in child processes, whose memory and start count", async (cwd) => {
  const words = ["bench", "--json", "-b1", "--engine=cpu", "-T1", "-i0", "--against=none", "text"];
  const env = { ...process.env, TMPDIR: cwd };
  const ran = spawnSync(process.execPath, [MAIN, ...words], { cwd, env, encoding: "utf8" });
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: "" });
  const [, fade] = objects(ran.stdout) as [unknown, FileResult];
  expect(fade).toMatchObject({ engineName: "cpu", plainBytes: LINES.length, isVerified: true });
  for (const side of [fade.compress, fade.decompress]) {
    expect(side).toMatchObject({ memoryOf: "child", runs: 1 });
    expect(side.peakMemoryBytes).toBeGreaterThan(20e6);
    // A program of this size needs that long to start on any machine; in this process it would be less than 1 ms.
    expect(side.split?.setUpMs).toBeGreaterThan(10);
  }
  expect(fade.curve?.at(-1)?.bytesDone).toBe(LINES.length);
  expect(benchFolders(cwd)).toEqual([]);
});

/** The processes that any thread of `pid` has started and that still run. */
const childrenOf = (pid: number) => {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return threads.flatMap((thread) => {
    const path = `/proc/${pid}/task/${thread}/children`;
    return existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean) : [];
  });
};

async function until(condition: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 20_000; !condition(); ) {
    if (performance.now() > endMs) throw new Error("it did not happen within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

testBesideText("a signal ends the child that is measured, too, and takes the folder away", async (cwd) => {
  // Text that the reference engine would take minutes for.
  writeFileSync(join(cwd, "long"), letters(150_000, "etaoin srhl\n"));
  const words = ["bench", "-5", "--engine=reference", "--against=none", "long"];
  const bench = spawn(process.execPath, [MAIN, ...words], {
    cwd,
    stdio: "ignore",
    env: { ...process.env, TMPDIR: cwd },
  });
  const ended = new Promise((resolve) => bench.once("exit", (_code, signal) => resolve(signal)));
  await until(() => childrenOf(bench.pid ?? 0).length === 1);
  const [child] = childrenOf(bench.pid ?? 0);
  expect(benchFolders(cwd).length).toBe(1);
  bench.kill("SIGTERM");
  expect(await ended).toBe("SIGTERM");
  await until(() => !existsSync(`/proc/${child}/fd`));
  expect(benchFolders(cwd)).toEqual([]);
});

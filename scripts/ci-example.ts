/**
 * What the GitHub Action makes of files as jobs keep them, beside zstd -19 and xz -9e: this project's own JUnit report,
 * coverage, logs and a cache of some packages of node_modules. `bun scripts/ci-example.ts`, after `npm run build`.
 *
 * Everything is made by running it: tests run twice, so that the second job's files can be kept as what is new beside
 * the first's. Each archive goes through the steps of action.yml, and is restored and compared. It prints the table of
 * docs/CI.md and writes docs/ci-example.svg. Some minutes.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Action, type Machine, runAction } from "../test/support/workflow.ts";
import { grouped, headOf, ROOT, row, run } from "./shared.ts";

const ACTION = Bun.YAML.parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as Action;
const TESTS = [
  "test/archive/bytes.test.ts",
  "test/archive/entries.test.ts",
  "test/model/contexts.test.ts",
  "test/tidy.test.ts",
];
/** Of node_modules; the second job has one more. */
const PACKAGES = ["cac", "fast-check", "pure-rand"];
const NEW_PACKAGE = "long";
const KINDS = ["junit", "coverage", "logs", "cache"] as const;

interface Row {
  readonly what: string;
  readonly plainBytes: number;
  /** By compressor: bytes, and seconds to compress. */
  readonly results: Readonly<Record<string, { readonly bytes: number; readonly seconds: number }>>;
}

/** What a job leaves: reports of tests that ran, what they and the checks printed, and packages. */
function makeFiles(workspace: string, isSecond: boolean): void {
  for (const kind of KINDS) mkdirSync(join(workspace, kind), { recursive: true });
  const junit = ["--reporter=junit", `--reporter-outfile=${join(workspace, "junit", "junit.xml")}`];
  const coverage = ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${join(workspace, "coverage")}`];
  const commands = {
    tests: [process.execPath, "test", "--timeout=120000", ...junit, ...coverage, ...TESTS],
    packages: ["npm", "ls", "--all", "--long"],
    types: [join(ROOT, "node_modules", ".bin", "tsc"), "--noEmit", "--traceResolution"],
  };
  for (const [name, [command = "", ...words]] of Object.entries(commands)) {
    const { stdout, stderr } = spawnSync(command, words, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 });
    // Of long logs the beginning: an example should take two minutes.
    writeFileSync(join(workspace, "logs", `${name}.log`), `${stdout}${stderr}`.slice(0, 1e5));
  }
  for (const name of isSecond ? [...PACKAGES, NEW_PACKAGE] : PACKAGES) {
    cpSync(join(ROOT, "node_modules", name), join(workspace, "cache", name), { recursive: true });
  }
}

function measure(command: readonly string[], input: string): { bytes: number; seconds: number } {
  const { stdout, wallMs } = run(command, { stdin: readFileSync(input) });
  return { bytes: stdout.length, seconds: wallMs / 1000 };
}

/** Saves by the action, restores into an empty workspace, and compares. */
function byAction(machine: Machine, kind: string, key: string, options: Readonly<Record<string, string>>) {
  const saved = runAction(ACTION, machine, { mode: "save", key, path: kind, ...options });
  if (saved.failed || saved.outputs.compressor !== "fade") throw new Error(`not saved: ${saved.printed}`);
  const back = join(machine.temp, "..", "back");
  mkdirSync(back);
  const restored = runAction(ACTION, machine, { mode: "restore", key, root: back });
  if (restored.outputs.hit !== "true") throw new Error(`not restored: ${restored.printed}`);
  run(["diff", "-r", join(machine.workspace, kind), join(back, kind)]);
  rmSync(back, { recursive: true });
  return { bytes: Number(saved.outputs["archive-bytes"]), seconds: Number(saved.outputs.seconds) };
}

function tarOf(folder: string, kind: string, path: string): string {
  run(["tar", "--sort=name", "-cf", path, kind], { cwd: folder });
  return path;
}

function measureKind(machine: Machine, first: string, kind: string): Row[] {
  const second = machine.workspace;
  const tar = tarOf(second, kind, join(machine.temp, "..", `${kind}.tar`));
  const old = tarOf(first, kind, join(machine.temp, "..", `${kind}.old.tar`));
  const plainBytes = statSync(tar).size;
  const alone = {
    "zstd -19": measure(["zstd", "-q", "-19", "-c"], tar),
    "xz -9e": measure(["xz", "-9e", "-c"], tar),
    "fade -1": byAction(machine, kind, `${kind}-1`, { level: "1" }),
    "fade -5": byAction(machine, kind, `${kind}-5`, { level: "5" }),
  };
  byAction({ ...machine, ...inside(machine, first) }, kind, `${kind}-base`, { level: "1" });
  const zstdPatch = ["zstd", "-q", "-19", "--long=27", `--patch-from=${old}`, "-c", tar];
  const beside = {
    "zstd -19": measure(zstdPatch, tar),
    "fade -1": byAction(machine, kind, `${kind}-patch-1`, { level: "1", "base-key": `${kind}-base` }),
  };
  return [
    { what: kind, plainBytes, results: alone },
    { what: `${kind}, beside the job before`, plainBytes, results: beside },
  ];
}

/** The same machine in another workspace. */
const inside = (machine: Machine, workspace: string) => ({
  workspace,
  environment: { ...machine.environment, GITHUB_WORKSPACE: workspace },
});

const COMPRESSORS = ["zstd -19", "xz -9e", "fade -1", "fade -5"];

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, plainBytes, results }) => {
    const cells = COMPRESSORS.map((name) => {
      const result = results[name];
      return result ? `${grouped(result.bytes)} (${result.seconds.toFixed(1)} s)` : "";
    });
    return row([what, grouped(plainBytes), ...cells]);
  });
  return [headOf(["", "tar", ...COMPRESSORS]), ...lines].join("\n");
}

/** Bars of percents of the tar, each group as wide as its largest. Colours that do in light and dark. */
function chart(rows: readonly Row[]): string {
  const colours = ["#8a8f98", "#b08a4a", "#3f8fd2", "#2f6fb0"];
  const [left, width, bar] = [110, 420, 14];
  let y = 10;
  const parts: string[] = [];
  for (const { what, plainBytes, results } of rows) {
    parts.push(`<text x="10" y="${y + 12}" font-weight="bold">${what}, ${(plainBytes / 1e6).toFixed(2)} MB</text>`);
    y += 20;
    const most = Math.max(...Object.values(results).map(({ bytes }) => bytes));
    for (const [name, { bytes }] of Object.entries(results)) {
      const length = Math.max(1, Math.round((bytes / most) * width));
      const share = ((100 * bytes) / plainBytes).toFixed(2);
      parts.push(
        `<text x="${left - 8}" y="${y + 11}" text-anchor="end">${name}</text>`,
        `<rect x="${left}" y="${y}" width="${length}" height="${bar}" fill="${colours[COMPRESSORS.indexOf(name)]}"/>`,
        `<text x="${left + length + 6}" y="${y + 11}">${share} %</text>`,
      );
      y += bar + 4;
    }
    y += 10;
  }
  const size = `width="640" height="${y}" font-family="sans-serif" font-size="12"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size}`;
  const title = "<title>Sizes of what CI jobs keep, in percent of their tar; shorter is better</title>";
  return `${open} fill="#808080" role="img">\n${title}\n${parts.join("\n")}\n</svg>\n`;
}

const base = mkdtempSync(join(tmpdir(), "fade-ci-example-"));
try {
  const [first, workspace, temp, stores] = ["first", "second", "temp", "stores"].map((name) => join(base, name));
  if (!first || !workspace || !temp || !stores) throw new Error("there is no folder");
  for (const folder of [first, workspace, temp, stores]) mkdirSync(folder);
  makeFiles(first, false);
  makeFiles(workspace, true);
  const PATH = `${join(ROOT, "bin")}:${process.env.PATH}`;
  const environment = { PATH, GITHUB_WORKSPACE: workspace, RUNNER_TEMP: temp, GITHUB_ACTION_PATH: ROOT };
  const rows = KINDS.flatMap((kind) => measureKind({ workspace, temp, stores, environment }, first, kind));
  console.log(table(rows));
  writeFileSync(join(ROOT, "docs", "ci-example.svg"), chart(rows));
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** The GitHub Action: its steps run as in a workflow, in a workspace of its own, with folders for GitHub's stores. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Action, type Machine, runAction } from "../support/workflow.ts";

const ROOT = join(import.meta.dir, "..", "..");
const ACTION = Bun.YAML.parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as Action;
const base = mkdtempSync(join(tmpdir(), "fade-action-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** fade itself, and where only the steps matter gzip by that name, which starts in no time. */
const PROGRAMS = {
  fade: `exec ${process.execPath} ${join(ROOT, "src/cli/main.ts")} "$@"`,
  gzip: `case "$*" in --version) echo fade;; *-dc*) exec gzip -dc;; *) exec gzip -c;; esac`,
};
for (const [name, text] of Object.entries(PROGRAMS)) {
  mkdirSync(join(base, name));
  writeFileSync(join(base, name, "fade"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

let machine: Machine;
let count = 0;
beforeEach(() => {
  count += 1;
  const [workspace, temp, stores] = ["workspace", "temp", "stores"].map((name) => join(base, `${count}`, name));
  for (const folder of [workspace, temp, stores]) mkdirSync(folder as string, { recursive: true });
  machine = { workspace, temp, stores, environment: {} } as Machine;
  const PATH = [join(base, "gzip"), process.env.PATH].join(delimiter);
  const environment = {
    PATH,
    GITHUB_WORKSPACE: machine.workspace,
    RUNNER_TEMP: machine.temp,
    GITHUB_ACTION_PATH: ROOT,
  };
  machine = { ...machine, environment };
});

const at = (...names: string[]) => join(machine.workspace, ...names);
const read = (...names: string[]) => readFileSync(at(...names), "utf8");
const entries = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();
const REPORT = '<testcase name="a" time="0.1"/>\n'.repeat(200);

function fillWorkspace(): void {
  mkdirSync(at("reports", "deep"), { recursive: true });
  mkdirSync(at("empty"));
  writeFileSync(at("reports", "junit.xml"), REPORT);
  writeFileSync(at("reports", "deep", "a name with spaces.log"), "line\n".repeat(50), { mode: 0o755 });
  writeFileSync(at("reports", "-C"), "no option\n");
  writeFileSync(at("reports", "secret.env"), "no\n");
  symlinkSync("junit.xml", at("reports", "link.xml"));
}

const PATHS = "reports\nempty\n!**/*.env";
const run = (given: Record<string, string>) => runAction(ACTION, machine, given);

function clear(): void {
  rmSync(machine.workspace, { recursive: true });
  mkdirSync(machine.workspace);
}

const withFade = { fade: join(base, "fade", "fade") };

test.each([
  ["cache", {}],
  ["artifact", withFade],
  ["folder", {}],
])("what is saved in %s comes back", (store, program) => {
  fillWorkspace();
  const before = entries(at()).filter((name) => !name.endsWith(".env"));
  const key = store === "folder" ? "kept" : "reports-1";
  const saved = run({ mode: "save", store, key, path: PATHS, ...program });
  expect(saved.printed).toBe("");
  expect(saved.outputs.compressor).toBe("fade");
  expect(Number(saved.outputs["archive-bytes"])).toBeLessThan(Number(saved.outputs["plain-bytes"]) / 10);
  expect(saved.outputs.seconds).toMatch(/^\d+\.\d$/);
  for (const name of ["reports", "empty"]) rmSync(at(name), { recursive: true });
  if (store === "artifact") {
    const limited = run({ mode: "restore", store, key, "max-output": "1K", ...program });
    expect([limited.failed, entries(at())]).toEqual([true, []]);
    expect(limited.printed).toMatch(/^::error title=fade::.*more than/);
  }
  const restored = run({ mode: "restore", store, key, ...program });
  expect(restored.printed).toBe("");
  expect(restored.outputs).toMatchObject({ hit: "true", compressor: "fade" });
  expect(restored.outputs["plain-bytes"]).toBe(saved.outputs["plain-bytes"] as string);
  expect(entries(at()).filter((name) => !name.startsWith("kept"))).toEqual(before);
  expect(read("reports", "link.xml")).toBe(REPORT);
});

test("a cache: a taken key is left alone, beginnings of keys are found, and what is not there is no hit", () => {
  fillWorkspace();
  run({ mode: "save", key: "deps-1", path: "reports/**/*.xml" });
  expect(run({ mode: "save", key: "deps-1", path: "reports" }).outputs).toMatchObject({ compressor: "", seconds: "" });
  clear();
  expect(run({ mode: "restore", key: "deps-2" }).outputs).toMatchObject({ hit: "false", "matched-key": "" });
  const found = run({ mode: "restore", key: "deps-2", "restore-keys": "none-\ndeps-" });
  expect(found.outputs).toMatchObject({ hit: "true", "matched-key": "deps-1" });
  expect(entries(at())).toEqual(["reports", "reports/junit.xml", "reports/link.xml"]);
});

test("beside a base an archive holds what is new; without the base it is a miss that says so", () => {
  const noise = Array.from({ length: 600 }, (_, i) => Bun.hash(`${i}`).toString(36)).join("\n");
  writeFileSync(at("a"), noise);
  const first = run({ mode: "save", key: "week-1", path: "a", "base-key": "week-1-base", level: "1", ...withFade });
  expect(first.printed).toContain("::notice title=fade::no base with key week-1-base: the archive stands alone");
  writeFileSync(at("a"), `${noise.slice(0, 4_000)} and this${noise.slice(4_000)}`);
  const second = run({ mode: "save", key: "run-2", path: "a", "base-key": "week-1", level: "1", ...withFade });
  expect(Number(second.outputs["archive-bytes"])).toBeLessThan(Number(first.outputs["archive-bytes"]) / 5);
  const expected = read("a");
  clear();
  expect(run({ mode: "restore", key: "run-2", ...withFade }).outputs.hit).toBe("true");
  expect(read("a")).toBe(expected);
  clear();
  rmSync(join(machine.stores, "cache", "week-1"), { recursive: true });
  const missed = run({ mode: "restore", key: "run-2", ...withFade });
  expect([missed.failed, missed.outputs.hit, entries(at())]).toEqual([false, "false", []]);
  expect(missed.printed).toContain("::warning title=fade::the cache run-2 is not used: its base, week-1");
});

test.each([
  ["zstd", "files.tar.zst"],
  ["tar", "files.tar"],
])("without fade %s is taken, with a warning", (fallback, archive) => {
  fillWorkspace();
  const without = { fade: "./no-such-fade", fallback };
  const saved = run({ mode: "save", store: "artifact", key: "x", path: "reports", ...without });
  expect(saved.printed).toContain("::warning title=fade::");
  expect(saved.outputs.compressor).toBe(fallback);
  expect(entries(join(machine.stores, "artifacts", "x"))).toEqual(["facts.json", archive]);
  clear();
  expect(run({ mode: "restore", store: "artifact", key: "x", ...without }).outputs.compressor).toBe(fallback);
  expect(read("reports", "junit.xml")).toBe(REPORT);
});

test("damage is an error before a file is written, and of a cache a miss", () => {
  fillWorkspace();
  for (const store of ["cache", "artifact"]) run({ mode: "save", store, key: "x", path: "reports" });
  clear();
  for (const [folder, failed] of [
    ["cache", false],
    ["artifacts", true],
  ] as const) {
    const path = join(machine.stores, folder, "x", "files.tar.fade");
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const outcome = run({ mode: "restore", store: folder.replace(/s$/, ""), key: "x" });
    expect([outcome.failed, outcome.outputs.hit, entries(at())]).toEqual([failed, "false", []]);
  }
});

test.each([
  [{ mode: "keep" }, 'mode is "keep", and may be save, restore'],
  [{ store: "s3" }, 'store is "s3", and may be cache, artifact, folder'],
  [{ level: "10" }, 'level is "10", and may be 1 to 9'],
  [{ level: "5; touch x" }, "level is"],
  [{ key: "" }, "key: a key has 1 to 512 characters"],
  [{ key: "a/b", store: "artifact" }, "key: an artifact's name has none of"],
  [{ key: "../x", store: "folder" }, "key: a folder is kept below the root"],
  [{ path: "" }, "path: what is to be saved"],
  [{ path: "../elsewhere" }, "path: ../elsewhere is not below the root"],
  [{ path: "none" }, "path: nothing below"],
  [{ root: "none" }, "root: there is no folder none"],
  [{ prior: "none" }, "prior: there is no file none"],
  [{ "max-output": "much" }, 'max-output is "much"'],
  [{ "base-key": "b", store: "artifact" }, "base-key: only caches have one"],
  [{ fade: "./none", fallback: "none" }, "none does not run here"],
] as [Record<string, string>, string][])("%p is refused", (given, message) => {
  writeFileSync(at("a"), "a");
  const outcome = run({ mode: "save", key: "k", path: "a", ...given });
  expect(outcome.failed).toBe(true);
  expect(outcome.printed).toContain("::error title=fade::");
  expect(outcome.printed).toContain(message);
});

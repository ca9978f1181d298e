/**
 * The executable does not obey the variables by which Bun's environment takes a program over (tools/runtime.ts). Each
 * is tried on the runtime as npm brings it, too, where it does take over: so the test sees that it would notice.
 */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };
import { changeNames } from "../../tools/runtime.ts";
import { inDirectory, testInDirectory } from "../faults/support.ts";
import { executable } from "../support/executable.ts";
import { trainingBytes } from "../support/text.ts";

const VERSION = `fade ${packageFacts.version}\n`;
const HANG_MS = 5_000;

const TAKEOVERS: readonly (readonly [string, string])[] = [
  ["BUN_BE_BUN", "1"],
  ["BUN_OPTIONS", "--help"],
  ["BUN_OPTIONS", "--preload=./planted.js"],
  ["BUN_INSPECT_PRELOAD", "./planted.js"],
  ["BUN_INSPECT", "ws://localhost:9/x?wait=1"],
  ["BUN_INSPECT_CONNECT_TO", "localhost:9"],
  ["BUN_INSPECT_NOTIFY", "unix:///nowhere"],
  ["BUN_JSC_dumpOptions", "2"],
  ["BUN_JSC_nonsense", "1"],
  ["MIMALLOC_VERBOSE", "1"],
  ["SIMDUTF_FORCE_IMPLEMENTATION", "nonsense"],
  ["NODE_OPTIONS", "--require ./planted.js"],
  ["NODE_CHANNEL_FD", "2"],
];

/** What did nothing, or only shows at work (JSC_SIGNAL_FOR_GC ends the program): all at once. FOLDER is the cwd. */
const OTHERS: Readonly<Record<string, string>> = {
  JSC_SIGNAL_FOR_GC: "9",
  JavaScriptCoreUseJIT: "0",
  WTF_numberOfProcessorCores: "0",
  UV_THREADPOOL_SIZE: "nonsense",
  GOMAXPROCS: "0",
  BUN_JSC_useJIT: "0",
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: "FOLDER/cache",
  BUN_CONFIG_VERBOSE_FETCH: "curl",
  BUN_GARBAGE_COLLECTOR_LEVEL: "2",
  BUN_BYTECODE_ORDER_OUT: "FOLDER/order",
  BUN_BYTECODE_DIGEST_OUT: "FOLDER/digest",
  BUN_WATCHER_TRACE: "FOLDER/trace",
  BUN_TRACE: "FOLDER/trace",
  BUN_TMPDIR: "FOLDER/tmp",
  BUN_TCC_OPTIONS: "-nonsense",
  BUN_THREADPOOL_STATS: "1",
  BUN_DESTRUCT_VM_ON_EXIT: "1",
  NODE_EXTRA_CA_CERTS: "FOLDER/missing",
  NODE_DEBUG: "fs,worker,net,module",
  NODE_DEBUG_NATIVE: "all",
  NODE_V8_COVERAGE: "FOLDER/coverage",
  NODE_COMPILE_CACHE: "FOLDER/compiled",
  NODE_REDIRECT_WARNINGS: "FOLDER/warnings",
  NODE_PENDING_DEPRECATION: "1",
  NODE_PATH: "FOLDER",
  NODE_UNIQUE_ID: "1",
  NODE_TEST_CONTEXT: "child-v8",
  MIMALLOC_SHOW_STATS: "1",
  LC_ALL: "nonsense",
  TZ: "../../nonsense",
};

function versionWith(program: string, words: readonly string[], cwd: string, name: string, value: string): string {
  const { stdout, stderr } = spawnSync(program, [...words, "-V"], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, [name]: value },
    encoding: "utf8",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
  return stdout + stderr;
}

const plant = (cwd: string) => writeFileSync(join(cwd, "planted.js"), "console.log('planted code ran')");

describe("the executable", () => {
  test.each(TAKEOVERS)("%s=%s changes nothing", async (name, value) => {
    await inDirectory((cwd) => {
      plant(cwd);
      expect(versionWith(executable(), [], cwd, name, value)).toBe(VERSION);
    });
  });

  testInDirectory("at work, with threads: the archive is the same, and nothing is said or left behind", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(800, 1));
    const set = Object.entries(OTHERS).map(([name, value]) => [name, value.replace("FOLDER", cwd)]);
    const archives = [{}, Object.fromEntries(set)].map((variables) => {
      const ran = spawnSync(executable(), ["-q1fT2", "--engine=cpu", "--repeats=0", "--streams=4", "a"], {
        cwd,
        env: { PATH: process.env.PATH, HOME: cwd, ...variables },
        encoding: "utf8",
      });
      expect(ran).toMatchObject({ status: 0, signal: null, stdout: "", stderr: "" });
      return readFileSync(join(cwd, "a.fade"), "base64");
    });
    expect(archives[1]).toBe(archives[0] as string);
    expect(readdirSync(cwd).sort()).toEqual(["a", "a.fade"]);
  });

  testInDirectory("a folder with .env, bunfig.toml, tsconfig.json and package.json changes nothing", (cwd) => {
    plant(cwd);
    writeFileSync(join(cwd, ".env"), "FADE_LEVEL=nonsense\n");
    writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./planted.js"]\n');
    writeFileSync(join(cwd, "tsconfig.json"), "{ not json");
    writeFileSync(join(cwd, "package.json"), "{ not json");
    expect(versionWith(executable(), [], cwd, "LANG", "C")).toBe(VERSION);
  });
});

testInDirectory("Bun itself obeys: what the executable ignores is not ignored by chance", (cwd) => {
  plant(cwd);
  writeFileSync(join(cwd, "program.js"), "");
  const obeyed = versionWith(process.execPath, ["./program.js"], cwd, "BUN_OPTIONS", "--preload=./planted.js");
  expect(obeyed).toContain("planted code ran");
});

test("a runtime of another make-up is refused", () => {
  expect(() => changeNames(Buffer.from("no names here"), "linux-x64")).toThrow("BUN_BE_BUN is there 0 times");
});

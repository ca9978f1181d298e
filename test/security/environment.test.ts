/**
 * The executable does not obey the variables by which Bun's environment takes a program over (tools/runtime.ts). Each
 * is tried on the runtime as npm brings it, too, where it does take over: so the test sees that it would notice.
 */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };
import { changeNames } from "../../tools/runtime.ts";
import { inDirectory } from "../faults/support.ts";
import { executable } from "../support/executable.ts";

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
  ["NODE_OPTIONS", "--require ./planted.js"],
  ["NODE_CHANNEL_FD", "2"],
];

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

  test("a folder with .env, bunfig.toml, tsconfig.json and package.json changes nothing", async () => {
    await inDirectory((cwd) => {
      plant(cwd);
      writeFileSync(join(cwd, ".env"), "FADE_LEVEL=nonsense\n");
      writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./planted.js"]\n');
      writeFileSync(join(cwd, "tsconfig.json"), "{ not json");
      writeFileSync(join(cwd, "package.json"), "{ not json");
      expect(versionWith(executable(), [], cwd, "LANG", "C")).toBe(VERSION);
    });
  });
});

test("Bun itself obeys: what the executable ignores is not ignored by chance", async () => {
  await inDirectory((cwd) => {
    plant(cwd);
    writeFileSync(join(cwd, "program.js"), "");
    const obeyed = versionWith(process.execPath, ["./program.js"], cwd, "BUN_OPTIONS", "--preload=./planted.js");
    expect(obeyed).toContain("planted code ran");
  });
});

test("a runtime of another make-up is refused", () => {
  expect(() => changeNames(Buffer.from("no names here"), "linux-x64")).toThrow("BUN_BE_BUN is there 0 times");
});

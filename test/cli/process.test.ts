/** What only a real process shows: descriptors, closed pipes, full disks and signals. */
import { describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { trainingBytes } from "../support/text.ts";
import { temporaryDirectory } from "./harness.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
const FADE = `'${process.execPath}' '${MAIN}'`;

function shell(script: string): { status: number | null; stdout: string; stderr: string; names: string[] } {
  const directory = temporaryDirectory();
  try {
    const ran = spawnSync("bash", ["-c", script.replaceAll("FADE", FADE)], {
      cwd: directory.path,
      encoding: "utf8",
    });
    return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr, names: readdirSync(directory.path) };
  } finally {
    directory.remove();
  }
}

describe("a real process", () => {
  test("is a filter", () => {
    expect(shell("printf 'a\\0b\\xff' | FADE | FADE -d | od -An -tx1")).toMatchObject({ stdout: " 61 00 62 ff\n" });
  });

  test("reports a full disk and leaves nothing", () => {
    const ran = shell("echo hello > a; FADE -c a > /dev/full");
    expect(ran).toMatchObject({ status: 1, stderr: "fade: standard output: no space is left on the device\n" });
  });

  test("writes to a device in its place", () => {
    expect(shell("echo hello > a; FADE -f -o /dev/null a && test -c /dev/null && ls").stdout).toBe("a\n");
  });

  test("ends quietly when its reader has gone", () => {
    const ran = shell("FADE --help | true; echo $PIPESTATUS");
    expect(ran).toMatchObject({ stdout: "141\n", stderr: "" });
  });

  test("on a signal takes its temporary files with it and dies of that signal", async () => {
    const directory = temporaryDirectory();
    try {
      writeFileSync(join(directory.path, "a"), trainingBytes(500_000, 1));
      writeFileSync(join(directory.path, "a.fade"), "old");
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        const child = spawn(process.execPath, [MAIN, "-f", "--engine=reference", "a"], { cwd: directory.path });
        const ended = new Promise((resolve) => child.once("exit", (_code, by) => resolve(by)));
        await new Promise((resolve) => setTimeout(resolve, 500));
        child.kill(signal);
        expect(await ended).toBe(signal);
        expect(readdirSync(directory.path).sort()).toEqual(["a", "a.fade"]);
        expect(readFileSync(join(directory.path, "a.fade"), "utf8")).toBe("old");
      }
    } finally {
      directory.remove();
    }
  }, 30_000);
});

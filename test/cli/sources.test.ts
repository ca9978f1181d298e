/** What is read, and when it may be removed: rewritten sources, files whose size lies, forecasts of standard input. */
import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FADE, inDirectory, namesIn, shell, testInDirectory } from "../faults/support.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { trainingBytes } from "../support/text.ts";
import { runFade } from "./harness.ts";

const PLAIN = trainingBytes(2000, 1);

describe("--rm keeps a source that changed", () => {
  const CHANGES: Record<string, (path: string) => void> = {
    "rewritten in place, with its times put back": (path) => {
      const { atime } = statSync(path);
      writeFileSync(
        path,
        PLAIN.map((byte) => byte ^ 1),
        { flag: "r+" },
      );
      utimesSync(path, atime, new Date(1_000_000_000_000));
    },
    "replaced by another of its size and times": (path) => {
      writeFileSync(
        `${path}.new`,
        PLAIN.map((byte) => byte ^ 1),
      );
      utimesSync(`${path}.new`, new Date(1_000_000_000_000), new Date(1_000_000_000_000));
      renameSync(`${path}.new`, path);
    },
  };
  test.each(Object.entries(CHANGES))("%s", async (_, change) => {
    await inDirectory(async (cwd) => {
      const path = join(cwd, "a");
      writeFileSync(path, PLAIN);
      utimesSync(path, new Date(1_000_000_000_000), new Date(1_000_000_000_000));
      // When the engine opens, the block has been read.
      const engine = async () => {
        change(path);
        return new FakeEngine();
      };
      const { exitCode, stderr } = await runFade(["-q", "--rm", "a"], { cwd, engine });
      expect(stderr).toStartWith("fade: a: changed meanwhile, so it was not removed\n");
      expect(statSync(path).mtimeMs).toBe(1_000_000_000_000);
      expect([exitCode, namesIn(cwd)]).toEqual([1, ["a", "a.fade"]]);
    });
  });

  testInDirectory("written to right after it was made, within one tick of the clock", async (cwd) => {
    for (let i = 0; i < 20; i += 1) {
      const path = join(cwd, "a");
      writeFileSync(path, PLAIN);
      const engine = async () => {
        writeFileSync(
          path,
          PLAIN.map((byte) => byte ^ 1),
          { flag: "r+" },
        );
        return new FakeEngine();
      };
      const { exitCode } = await runFade(["-qf", "--rm", "a"], { cwd, engine });
      expect([exitCode, namesIn(cwd)]).toEqual([1, ["a", "a.fade"]]);
    }
  });
});

testInDirectory("files of the kernel, whose size is no size, are read to their end", (cwd) => {
  const [claims, empty] = ["/sys/devices/system/cpu/possible", "/proc/version"];
  expect(statSync(claims).size).toBeGreaterThan(readFileSync(claims).length);
  const ran = shell(
    cwd,
    `for f in ${claims} ${empty}; do FADE -c $f | FADE -dc | cmp - $f; echo $?; done
       FADE -qo a ${claims}; FADE -dc a`,
  );
  expect(ran).toMatchObject({ stdout: `0\n0\n${readFileSync(claims, "latin1")}`, stderr: "" });
});

/** Runs a command on a terminal until what it has said matches. */
async function saysOnTerminal(cwd: string, term: string, command: string, wanted: RegExp): Promise<string> {
  const words = ["-qec", command.replaceAll("FADE", FADE), "/dev/null"];
  const env = { ...process.env, TERM: term };
  const child = spawn("script", words, { cwd, stdio: ["ignore", "pipe", "ignore"], env });
  let said = "";
  try {
    return await new Promise((resolve, reject) => {
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString("latin1");
        if (wanted.test(said)) resolve(said);
      });
      child.once("exit", () => reject(new Error(`ended without a match: ${JSON.stringify(said)}`)));
    });
  } finally {
    child.kill();
  }
}

testInDirectory(
  "progress tells how much of how much; without escape sequences where nothing can be redrawn",
  async (cwd) => {
    // Lines that cannot be redrawn come every five seconds: the reference must be busy for longer, on any machine.
    writeFileSync(join(cwd, "a"), trainingBytes(90_000, 1));
    // Of the first only the index says how long it is, of the second the header, too.
    shell(cwd, "cat a | FADE -q --preset network-1 --streams 16 -c > piped; FADE -q --preset network-1 --streams 16 a");
    const whole = /: [\d.]+% of 90\.0 kB {2}[\d.]+ k?B /;
    const commands = [
      "FADE -t --engine reference < piped",
      "cat a.fade | FADE -t --engine reference",
      "FADE -c --preset network-1 --engine reference < a > /dev/null",
    ];
    const lines = await Promise.all([
      ...commands.map((command) => saysOnTerminal(cwd, "xterm", command, whole)),
      saysOnTerminal(cwd, "dumb", "FADE --progress -t --engine reference piped", /\n/),
      saysOnTerminal(cwd, "xterm", "FADE --progress -t --engine reference piped 2>&1 | cat", /\n/),
    ]);
    expect(lines.map((line) => line.includes("\x1b"))).toEqual([true, true, true, false, false]);
    for (const line of lines.slice(3)) expect(line).toMatch(/^piped: [\d.]+% of 90\.0 kB .*\r\n$/);
  },
);

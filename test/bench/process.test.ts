/** Measuring another program: its own memory and nobody else's, and what it says when it fails. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProgramError, runProcess } from "../../src/bench/process.ts";

const MB = 1e6;
const cwd = tmpdir();

describe("peak memory", () => {
  test("of a small program is not that of its parent", async () => {
    const held = new Uint8Array(150 * MB).fill(1);
    const { peakMemoryBytes = 0 } = await runProcess({ command: ["sleep", "0.05"], cwd });
    expect(peakMemoryBytes).toBeGreaterThan(0.1 * MB);
    expect(peakMemoryBytes).toBeLessThan(20 * MB);
    expect(held[held.length - 1]).toBe(1);
  });

  // Whether its parent has more or less than that.
  test.each([0, 500 * MB])("of a larger program is at least what it filled, in a parent of %d bytes", async (bytes) => {
    const held = new Uint8Array(bytes).fill(1);
    // It stays long enough to be looked at again.
    const script = "const held = new Uint8Array(300e6).fill(1); Bun.sleepSync(300); console.log(held[299e6])";
    const { peakMemoryBytes = 0, stdout } = await runProcess({ command: [process.execPath, "-e", script], cwd });
    expect(stdout).toBe("1\n");
    expect(peakMemoryBytes).toBeGreaterThan(300 * MB);
    expect(peakMemoryBytes).toBeLessThan(450 * MB);
    expect(held.length).toBe(bytes);
  });
});

test("elapsed time is that of the program", async () => {
  const { elapsedMs } = await runProcess({ command: ["sleep", "0.2"], cwd });
  expect(elapsedMs).toBeGreaterThanOrEqual(200);
});

test("standard input, output to a file, and the environment", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fade-test-"));
  try {
    const stdoutPath = join(folder, "out");
    const stdin = new TextEncoder().encode("in ");
    const env = { FADE_TEST_WORD: "word" };
    const command = ["sh", "-c", 'cat; echo "$FADE_TEST_WORD"; pwd'];
    const { stdout } = await runProcess({ command, cwd: folder, stdoutPath, stdin, env });
    expect(stdout).toBe("");
    expect(readFileSync(stdoutPath, "utf8")).toBe(`in word\n${folder}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a failure carries the code and the program's words", async () => {
  const failed = runProcess({ command: ["sh", "-c", "echo no such luck >&2; exit 3"], cwd });
  await expect(failed).rejects.toBeInstanceOf(ProgramError);
  await expect(failed).rejects.toThrow("sh ended with code 3: no such luck");
});

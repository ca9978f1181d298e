/** What SIGKILL leaves behind is known for what it is, and goes when its writer is gone, but not before. */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporary, isTemporary } from "../../src/cli/temporary.ts";
import { hasLocks, lockNow } from "../../src/platform/c-library.ts";
import { trainingBytes } from "../support/text.ts";
import { namesIn, type Running, shell, start, testInDirectory } from "./support.ts";

const LEFT = ".a.fade.0.fade-tmp";

/** fade at work for minutes, once its temporary file is there. */
async function startLong(cwd: string): Promise<Running> {
  writeFileSync(join(cwd, "a"), trainingBytes(500_000, 1));
  const fade = start(cwd, ["-qf", "--engine=reference", "-o", "a.fade", "a"]);
  for (let i = 0; i < 200 && !namesIn(cwd).includes(LEFT); i += 1) await new Promise((done) => setTimeout(done, 50));
  expect(namesIn(cwd)).toContain(LEFT);
  return fade;
}

describe("a temporary file", () => {
  testInDirectory("of a killed run: -r skips it, and the next run for its target removes it", async (cwd) => {
    const fade = await startLong(cwd);
    fade.kill("SIGKILL");
    await fade.ended;
    expect(namesIn(cwd)).toEqual([LEFT, "a"]);
    writeFileSync(join(cwd, "a"), "hello");
    const ran = shell(cwd, "mkdir out; FADE -v -r --output-dir-flat out .; FADE -q a; ls -A . out");
    expect(ran.stderr).toStartWith(".: 1 unfinished outputs left out\na: 300.0% (5 B => 15 B, out/a.fade)\n");
    expect(ran.stdout).toBe(".:\na\na.fade\nout\n\nout:\na.fade\n");
  });

  testInDirectory("of a run that lives: another run for the same target lets it be, and both end well", async (cwd) => {
    const fade = await startLong(cwd);
    const before = readFileSync(join(cwd, LEFT)).length;
    expect(shell(cwd, "echo hello > b; FADE -q -o a.fade b; FADE -dc a.fade")).toMatchObject({ stdout: "hello\n" });
    expect(namesIn(cwd)).toEqual([LEFT, "a", "a.fade", "b"]);
    expect(readFileSync(join(cwd, LEFT)).length).toBe(before);
    fade.kill("SIGTERM");
    expect(await fade.ended).toMatchObject({ signal: "SIGTERM" });
    expect(namesIn(cwd)).toEqual(["a", "a.fade", "b"]);
  });

  testInDirectory("is its writer's own, also if many of one target begin at once", async (cwd) => {
    const io = { temporaryFiles: new Set<string>() } as Parameters<typeof createTemporary>[0];
    for (let round = 0; round < 50; round += 1) {
      const makeOne = () => createTemporary(io, join(cwd, `${round}.fade`));
      const made = await Promise.all(Array.from({ length: 8 }, makeOne));
      expect(new Set(made.map(({ path }) => path)).size).toBe(8);
      for (const { path, file } of made) {
        expect(statSync(path).ino).toBe((await file.stat()).ino);
        await file.close();
      }
    }
  });

  testInDirectory("is locked while it is written, and nothing else has its name", async (cwd) => {
    const io = { temporaryFiles: new Set<string>() } as Parameters<typeof createTemporary>[0];
    expect(hasLocks()).toBe(true);
    const target = join(cwd, "a.fade");
    const made = [];
    for (let i = 0; i < 6; i += 1) made.push(await createTemporary(io, target));
    const paths = made.map(({ path }) => path);
    expect(new Set(paths).size).toBe(6);
    expect(io.temporaryFiles).toEqual(new Set(paths));
    expect(paths.every(isTemporary)).toBe(true);
    const tryLock = (path: string) => {
      const other = openSync(path, "r");
      const isTaken = lockNow(other);
      closeSync(other);
      return isTaken;
    };
    // Those behind the fourth have random names, which nobody ever removes, and so need no lock.
    expect(paths.map(tryLock)).toEqual([false, false, false, false, true, true]);
    for (const { file } of made) await file.close();
    const next = await createTemporary(io, target);
    expect(namesIn(cwd)).toHaveLength(3);
    await next.file.close();
  });

  test("names that only look alike are files like others", () => {
    const others = [
      "a.0.fade-tmp",
      ".a.fade-tmp",
      ".a.4.fade-tmp",
      ".a.0.fade-tmp.fade",
      ".a.xyz.fade-tmp",
      ".0.fade-tmp",
    ];
    expect(others.filter(isTemporary)).toEqual([]);
    expect([".a.3.fade-tmp", "d/.a.b.0123456789ab.fade-tmp"].every(isTemporary)).toBe(true);
  });
});

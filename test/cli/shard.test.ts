/** Shards: every byte is in exactly one, and the recipe of docs/SHARD.md for GNU parallel does what it says. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { shardRange } from "../../src/cli/input.ts";
import { forAll } from "../support/for-all.ts";
import { inDirectory, runFade } from "./harness.ts";

const TEXT = new TextEncoder().encode("a rose is a rose is a rose is a rose; ".repeat(150));

test("parts cover a file of any size without gap or overlap, and differ by a byte at most", () => {
  const size = fc.oneof(fc.nat(100), fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
  forAll([size, fc.integer({ min: 1, max: 50 })], (sizeBytes, count) => {
    let end = 0;
    for (let index = 1; index <= count; index += 1) {
      const range = shardRange(sizeBytes, index, count);
      expect(range.start).toBe(end);
      expect(Math.abs(range.end - range.start - Math.floor(sizeBytes / count))).toBeLessThanOrEqual(1);
      end = range.end;
    }
    expect(end).toBe(sizeBytes);
  });
});

test("parts joined in the order of their names are an archive, even with more parts than bytes", async () => {
  for (const [plain, count] of [
    [TEXT, 11],
    [TEXT.subarray(0, 3), 5],
    [TEXT.subarray(0, 0), 2],
  ] as const) {
    await inDirectory(async (cwd) => {
      writeFileSync(join(cwd, "a"), plain);
      for (let index = 1; index <= count; index += 1) {
        expect(await runFade(["-q", `--shard=${index}/${count}`, "a"], { cwd })).toMatchObject({
          exitCode: 0,
          stderr: "",
        });
      }
      const names = readdirSync(cwd).filter((name) => name.endsWith(`-of-${count}.fade`));
      const parts = names.sort().map((name) => readFileSync(join(cwd, name)));
      expect(parts.length).toBe(count);
      const back = await runFade(["-dc"], { cwd, stdin: new Uint8Array(Buffer.concat(parts)) });
      expect(Buffer.compare(back.stdout, plain)).toBe(0);
    });
  }
});

test("the recipe for GNU parallel (Debian: apt-get install parallel)", async () => {
  const document = readFileSync(join(import.meta.dir, "../../docs/SHARD.md"), "utf8");
  const recipe = /## GNU parallel[\s\S]*?```sh\n([\s\S]*?)```/.exec(document)?.[1] ?? "exit 1";
  await inDirectory((cwd) => {
    const program = join(cwd, "fade");
    const main = join(import.meta.dir, "../../src/cli/main.ts");
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' --engine cpu "$@"\n`);
    chmodSync(program, 0o755);
    writeFileSync(join(cwd, "big.tar"), TEXT);
    const ran = spawnSync("bash", ["-ec", `${recipe}\nfade -dc big.tar.fade | cmp - big.tar`], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, PATH: `${cwd}:${process.env.PATH}`, HOME: cwd },
    });
    expect([ran.status, ran.stdout, ran.stderr.replace(/^.*(citation|Academic)[\s\S]*$/m, "")]).toEqual([
      0,
      "",
      expect.stringContaining("big.tar.fade: ok"),
    ]);
  });
});

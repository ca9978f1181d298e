/** A name is taken by one only, where there are no hard links, too: there link() fails, and rename() overwrites. */
import { afterAll, expect, mock, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import * as promises from "node:fs/promises";
import { join } from "node:path";
import { inDirectory, namesIn } from "./support.ts";

const original = { ...promises };
// The module is replaced for all files of a test run, so without these nothing is changed.
let hasLinks = true;
let beforeLink = () => {};
mock.module("node:fs/promises", () => ({
  ...original,
  link: async (from: string, to: string) => {
    if (hasLinks) return await original.link(from, to);
    beforeLink();
    throw Object.assign(new Error("no hard links here"), { code: "EPERM" });
  },
}));

const { runFade } = await import("../cli/harness.ts");

afterAll(() => {
  hasLinks = true;
});

test("without hard links a file gets its name, but not that of a file that came meanwhile", async () => {
  hasLinks = false;
  await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "a"), "hello");
    expect(await runFade(["-q", "a"], { cwd })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readFileSync(join(cwd, "a.fade")).length).toBe(15);
    beforeLink = () => writeFileSync(join(cwd, "b.fade"), "somebody else's");
    writeFileSync(join(cwd, "b"), "hello");
    const late = await runFade(["-q", "b"], { cwd });
    expect(late).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching("was created by somebody else meanwhile"),
    });
    expect(readFileSync(join(cwd, "b.fade"), "utf8")).toBe("somebody else's");
    expect(namesIn(cwd)).toEqual(["a", "a.fade", "b", "b.fade"]);
  });
});

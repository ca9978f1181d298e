/**
 * Nobody may read an output who may not read its source. With access control lists a mode alone does not say who that
 * is; the lists are made with setfacl, on whatever file system holds the tests' folders.
 */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { groupRights } from "../../src/cli/access.ts";
import { runFade, testInDirectory } from "./harness.ts";

function ask(program: string, ...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (error) throw new Error(`${program} is missing: install acl`);
  expect({ program, words, status, stderr }).toEqual({ program, words, status: 0, stderr: "" });
  return stdout;
}

/** Without the comments, which name the file. */
const listOf = (path: string) => ask("getfacl", "--absolute-names", "--omit-header", "--numeric", path).trim();

testInDirectory(
  "the access list goes along both ways, so that the mask does not become the group's rights",
  async (cwd) => {
    const [plain, coded] = [join(cwd, "a"), join(cwd, "a.fade")];
    writeFileSync(plain, "hello", { mode: 0o600 });
    ask("setfacl", "-m", "u:65534:rw,g::---", plain);
    expect(statSync(plain).mode & 0o777).toBe(0o660);
    const before = listOf(plain);
    expect(before.split("\n")).toEqual(["user::rw-", "user:65534:rw-", "group::---", "mask::rw-", "other::---"]);
    expect((await runFade(["-q", "a"], { cwd })).exitCode).toBe(0);
    expect(listOf(coded)).toBe(before);
    unlinkSync(plain);
    expect((await runFade(["-qd", "a.fade"], { cwd })).exitCode).toBe(0);
    expect(listOf(plain)).toBe(before);
  },
);

testInDirectory("a list that the folder has for new files lets nobody in whom the source kept out", async (cwd) => {
  writeFileSync(join(cwd, "a"), "hello", { mode: 0o640 });
  mkdirSync(join(cwd, "open"));
  ask("setfacl", "-d", "-m", "u:65534:rwx,g::rwx", join(cwd, "open"));
  expect((await runFade(["-q", "-o", "open/a.fade", "a"], { cwd })).exitCode).toBe(0);
  expect(listOf(join(cwd, "open", "a.fade")).split("\n")).toEqual(["user::rw-", "group::r--", "other::---"]);
});

test("where a list cannot go along, the group gets what it had, and not the mask", () => {
  const list = (...entries: number[][]) => {
    const words = entries.flatMap(([kind = 0, rights = 0]) => [kind, 0, rights, 0, 255, 255, 255, 255]);
    return Uint8Array.from([2, 0, 0, 0, ...words]);
  };
  // user::rw-, user:N:rw-, group::r--, mask::rw-, other::---
  expect(groupRights(0o660, list([1, 6], [2, 6], [4, 4], [16, 6], [32, 0]))).toBe(4);
  expect(groupRights(0o660, list([1, 6], [2, 6], [4, 0], [16, 6], [32, 0]))).toBe(0);
  // The mask limits the group, too.
  expect(groupRights(0o640, list([1, 6], [2, 6], [4, 7], [16, 4], [32, 0]))).toBe(4);
  // What is not understood gives nothing.
  expect(groupRights(0o660, Uint8Array.of(3, 0, 0, 0))).toBe(0);
  expect(groupRights(0o660, Uint8Array.of())).toBe(0);
  expect(groupRights(0o640, undefined)).toBe(4);
});

/** Options of other compressors: each works, or names what there is in its place. */
import { describe, expect, test } from "bun:test";
import { checkWithCac } from "../../src/cli/cac.ts";
import { UsageError } from "../../src/cli/errors.ts";
import { FOREIGN_OPTIONS } from "../../src/cli/foreign.ts";
import { normalise } from "../../src/cli/normalise.ts";
import { findLong, findShort } from "../../src/cli/options.ts";
import { settingsOf } from "../../src/cli/settings.ts";

const parse = (...argv: string[]) => {
  const args = normalise(argv);
  checkWithCac(args);
  return settingsOf(args);
};

function refusalOf(...argv: string[]): UsageError {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${argv.join(" ")} was taken`);
}

const spelled = (name: string) => (name.length > 1 ? `--${name}` : `-${name}`);

describe("what works", () => {
  test.each([
    [["--fast"], ["-1"]],
    [["--fast=5"], ["-1"]],
    [["--best"], ["-9"]],
    [["--max"], ["-9"]],
    [["--content-size", "--no-mmap-dict"], []],
    [["-9", "--fast"], ["-1"]],
    [["--single-thread"], ["-T1"]],
    [["--processes=3"], ["-T3"]],
    [["--processes", "3"], ["-T3"]],
    [["-p3"], ["-T3"]],
    [
      ["-kp", "3"],
      ["-k", "-T3"],
    ],
    [["--memlimit=64M"], ["-M64M"]],
    [
      ["--memlimit-decompress", "64M", "-d"],
      ["-d", "-M64M"],
    ],
    [["--ultra", "--check", "-nCk"], ["-k"]],
    [["-C", "crc32"], []],
    [["--check", "sha256"], []],
    [["-kCcrc64", "--check=none"], ["-k"]],
    [["-C", "crc"], ["crc"]],
    [["--auto-threads=logical", "--size-hint=1000", "--asyncio"], []],
  ])("%j is %j", (foreign, own) => {
    expect(parse(...foreign, "a")).toEqual(parse(...own, "a"));
  });
});

test("what does not says what there is", () => {
  for (const { names, instead, value } of FOREIGN_OPTIONS) {
    if (instead === undefined) continue;
    for (const name of names) {
      const refusal = refusalOf(spelled(name), "a");
      expect(refusal.message).toBe(`there is no option ${spelled(name)}`);
      expect(refusal.hint).toBe(instead);
      if (value && name.length > 1) expect(refusalOf(`${spelled(name)}=27`).hint).toBe(instead);
    }
  }
});

test("values where none goes, and none where one is needed, are told", () => {
  expect(refusalOf("--best=3").message).toBe("--best takes no value");
  expect(refusalOf("--processes").message).toBe("--processes needs a value: <n>");
  expect(refusalOf("--memlimit=many").message).toContain("--memlimit must be a size");
});

test("each has one way, hides none of fade's own options, and means one that there is", () => {
  const names = FOREIGN_OPTIONS.flatMap((option) => option.names);
  expect(names).toHaveLength(new Set(names).size);
  for (const { names, means, anyhow, instead } of FOREIGN_OPTIONS) {
    expect([means, anyhow, instead].filter((way) => way !== undefined)).toHaveLength(1);
    if (means) expect(findLong(means.name)).toBeDefined();
    for (const name of names) expect(findLong(name) ?? findShort(name)).toBeUndefined();
  }
});

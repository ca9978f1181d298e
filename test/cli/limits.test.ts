/** --max-output and --max-time, on every path: what an archive claims is refused before it is done. */
import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECK_START, chainCheck } from "../../src/archive/checksum.ts";
import { encodeFrame, encodeStoredFrame } from "../../src/archive/write.ts";
import { PAPER } from "../../src/model/levels.ts";
import { inDirectory, type Outcome, runFade, testInDirectory, type World } from "./harness.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const stored = (bytes: number) => encodeStoredFrame(new Uint8Array(bytes).fill(97));

/** Several blocks of unknown number, as from a pipe. */
function piped(blocks: number, blockBytes: number): Uint8Array {
  const payload = new Uint8Array(blockBytes).fill(97);
  let check = CHECK_START;
  const parts = Array.from({ length: blocks }, () => {
    check = chainCheck(payload, check);
    return { kind: "stored", plainBytes: blockBytes, check, payload } as const;
  });
  return encodeFrame({ blockBytes }, parts);
}

/** A gigabyte of one repeated byte, says the coded block. */
function claiming(hyper = { ...PAPER, streams: 1 }): Uint8Array {
  const block = { kind: "coded", plainBytes: 2 ** 20, check: 1n, groups: [new Uint8Array(30)] } as const;
  return encodeFrame({ model: { hyper, groupCount: 1 }, plainBytes: 2 ** 20, blockBytes: 2 ** 20 }, [block]);
}

const PATHS: readonly (readonly [name: string, argv: readonly string[], isPiped: boolean])[] = [
  ["-d FILE", ["-d", "a.fade"], false],
  ["-dc FILE", ["-dc", "a.fade"], false],
  ["-t FILE", ["-t", "a.fade"], false],
  ["-d < pipe", ["-d"], true],
  ["-d < pipe -o FILE", ["-d", "-o", "a"], true],
  ["-t < pipe", ["-t"], true],
];

/** Runs with the archive as a.fade or on standard input. */
async function decode(
  archive: Uint8Array,
  [, argv, isPiped]: (typeof PATHS)[number],
  options: readonly string[],
  environment: World["environment"] = {},
): Promise<Outcome & { names: string[] }> {
  return await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "a.fade"), archive);
    const world = { cwd, environment, ...(isPiped && { stdin: archive }) };
    const outcome = await runFade(["-q", ...options, ...argv], world);
    return { ...outcome, names: readdirSync(cwd) };
  });
}

describe.each(PATHS)("%s", (...path) => {
  test("refuses a frame whose header holds too much, and writes nothing", async () => {
    const outcome = await decode(stored(5000), path, ["--max-output=4999"]);
    expect(outcome).toMatchObject({ exitCode: 3, names: ["a.fade"] });
    expect(outcome.stdout.length).toBe(0);
    expect(outcome.stderr).toContain("holds 5000 bytes or more, and no more than 4999 may come out of it\n");
    expect(outcome.stderr).toContain("hint: raise --max-output (or FADE_MAX_OUTPUT)");
  });

  test("takes what is just within the limit", async () => {
    expect(await decode(stored(5000), path, ["--max-output=5000"])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("counts joined frames, and blocks of unknown number, before they are written", async () => {
    const joined = Buffer.concat([piped(3, 1000), stored(1000)]);
    for (const archive of [joined, piped(4, 1000)]) {
      const outcome = await decode(archive, path, ["--max-output=3K"]);
      expect(outcome).toMatchObject({ exitCode: 3, names: ["a.fade"] });
      // Through a pipe the blocks before have gone; of a file nothing has.
      expect(outcome.stdout.length).toBe(path[0] === "-d < pipe" ? 3000 : 0);
    }
  });

  test("refuses a model that takes days, by the option and by the variable", async () => {
    const words = /^fade: .*: takes about \d+(\.\d)? (min|h|days) to decode here, and no more than 60 s may be spent\n/;
    for (const [options, environment] of [
      [["--max-time=60"], {}],
      [[], { FADE_MAX_TIME: "60" }],
    ] as const) {
      const outcome = await decode(claiming(), path, ["-T1", "-M8G", ...options], environment);
      expect(outcome).toMatchObject({ exitCode: 3, names: ["a.fade"] });
      expect(outcome.stderr).toMatch(words);
      expect(outcome.stderr).toContain("hint: raise --max-time (or FADE_MAX_TIME)");
    }
  });
});

testInDirectory(
  "FADE_MAX_OUTPUT is the default of --max-output, and does not concern what fade compresses",
  async (cwd) => {
    writeFileSync(join(cwd, "a"), "x".repeat(5000));
    const world = { cwd, environment: { FADE_MAX_OUTPUT: "1K", FADE_MAX_TIME: "1" } };
    expect(await runFade(["-q", "--rm", "a"], world)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await runFade(["-qt", "a.fade"], world)).toMatchObject({ exitCode: 3 });
    expect(await runFade(["-qt", "--max-output=5000", "--max-time=99", "a.fade"], world)).toMatchObject({
      exitCode: 0,
    });
    expect(text((await runFade(["-l", "a.fade"], world)).stdout)).toContain("5.00 kB");
  },
);

test("values that are none are wrong usage", async () => {
  const world = { cwd: "/" };
  expect(await runFade(["-t", "--max-output=much", "a"], world)).toMatchObject({ exitCode: 2 });
  expect(await runFade(["-t", "--max-time=0", "a"], world)).toMatchObject({ exitCode: 2 });
});

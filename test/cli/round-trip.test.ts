/**
 * Round trips through the whole command, on arbitrary bytes, lengths and stream counts; and what a damaged archive
 * does. `engines` names what runs the network: add one, and all of this runs on it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { gpuParts } from "../../src/engine/gpu/open.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { testAdapterName, testAdapters } from "../setup/adapters.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { trainingBytes } from "../support/text.ts";
import { inDirectory, type Outcome, runFade, testInDirectory } from "./harness.ts";

interface EngineUnderTest {
  readonly name: string;
  readonly open: () => Promise<Engine>;
  readonly runs: number;
  readonly bytesMax: number;
}

const engines: readonly EngineUnderTest[] = [
  { name: "fake", open: async () => new FakeEngine(), runs: 100, bytesMax: 3000 },
  { name: "reference", open: async () => createReferenceEngine(), runs: 6, bytesMax: 60 },
  { name: "cpu", open: () => createCpuEngine({ threads: 2 }), runs: 30, bytesMax: 1500 },
  // Few runs: each number of streams is a model of its own, whose shaders take seconds to compile.
  ...testAdapters.map((which) => ({
    name: `gpu (${which})`,
    open: () => gpuParts.createGpuEngine({ adapter: testAdapterName(which) }),
    runs: 3,
    bytesMax: 200,
  })),
];

/** Bytes that a model can shrink, and bytes that it cannot. */
const inputs = (maxLength: number) =>
  fc.oneof(
    fc.uint8Array({ maxLength }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.nat(maxLength))
      .map(([unit, length]) => Uint8Array.from({ length }, (_, i) => unit[i % unit.length] ?? 0)),
  );

describe.each(engines)("round trip with the $name engine", ({ open, runs, bytesMax }) => {
  const fade = (cwd: string, argv: string[], stdin?: Uint8Array): Promise<Outcome> =>
    runFade(argv, { cwd, engine: open, ...(stdin && { stdin }) });

  test("gives back every byte, and never grows by more than 64", async () => {
    const streams = fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(inputs(bytesMax), streams, fc.integer({ min: 1, max: 3 }), async (plain, count, threads) => {
        await inDirectory(async (cwd) => {
          const options = ["-q1", `-T${threads}`, ...(count === undefined ? [] : [`--streams=${count}`])];
          const coded = await fade(cwd, [...options, "-c"], plain);
          expect([coded.exitCode, coded.stderr]).toEqual([0, ""]);
          expect(coded.stdout.length).toBeLessThanOrEqual(plain.length + 64);
          const back = await fade(cwd, ["-qd"], coded.stdout);
          expect([back.exitCode, back.stderr]).toEqual([0, ""]);
          expect(Buffer.compare(back.stdout, plain)).toBe(0);
        });
      }),
      { numRuns: runs },
    );
  });
});

const fade = (cwd: string, argv: string[]) => runFade(argv, { cwd });

/** Long enough to be coded, not stored. */
const TEXT = trainingBytes(300, 1);

describe("files", () => {
  testInDirectory("keep mode and time, there and back", async (cwd) => {
    const path = join(cwd, "a");
    writeFileSync(path, TEXT, { mode: 0o640 });
    utimesSync(path, 1_000_000_000, 1_000_000_000);
    await fade(cwd, ["-q", "a"]);
    await fade(cwd, ["-q", "-d", "-o", "b", "a.fade"]);
    for (const name of ["a.fade", "b"]) {
      const { mode, mtimeMs } = statSync(join(cwd, name));
      expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1e12]);
    }
    expect(Buffer.compare(readFileSync(join(cwd, "b")), TEXT)).toBe(0);
  });

  testInDirectory("concatenated archives decode as one", async (cwd) => {
    writeFileSync(join(cwd, "a"), TEXT);
    const joined = await fade(cwd, ["-c", "a", "a"]);
    const back = await runFade(["-d"], { cwd, stdin: joined.stdout });
    expect(Buffer.from(back.stdout).toString()).toBe(Buffer.concat([TEXT, TEXT]).toString());
  });

  testInDirectory("an engine that dies leaves no file", async (cwd) => {
    writeFileSync(join(cwd, "a"), TEXT);
    const outcome = await runFade(["-q", "a"], { cwd, engine: async () => new FakeEngine({ failAtCall: 0 }) });
    expect(outcome).toMatchObject({ exitCode: 1, stderr: "fade: a: the fake engine was told to fail\n" });
    expect(readdirSync(cwd)).toEqual(["a"]);
  });

  testInDirectory("a reader that has gone ends the run without a word", async (cwd) => {
    writeFileSync(join(cwd, "a"), TEXT);
    const stdoutError = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    expect(await runFade(["-qc", "a", "a"], { cwd, stdoutError })).toMatchObject({ exitCode: 141, stderr: "" });
  });
});

/** At least as long as the head of a small frame. */
const HEAD_BITS = 16 * 8;

describe("a damaged archive", () => {
  async function refused(cwd: string, bytes: Uint8Array): Promise<void> {
    writeFileSync(join(cwd, "a.fade"), bytes);
    const outcome = await fade(cwd, ["-qd", "a.fade"]);
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toStartWith("fade: a.fade: ");
    expect(existsSync(join(cwd, "a"))).toBe(false);
  }

  testInDirectory("cut at any byte, or with any bit flipped: exit code 3 and no output file", async (cwd) => {
    const { stdout: archive } = await runFade(["-1", "-c"], { cwd, stdin: TEXT });
    expect(archive.length).toBeLessThan(TEXT.length);
    for (let length = 0; length < archive.length; length++) await refused(cwd, archive.subarray(0, length));
    // Of the payload one bit a byte: a small frame tells of damage there only when it is decoded.
    const bits = Array.from({ length: archive.length * 8 }, (_, bit) => bit);
    for (const bit of bits.filter((each) => each < HEAD_BITS || each % 9 === 0)) {
      const flipped = Uint8Array.from(archive);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      await refused(cwd, flipped);
    }
  });

  testInDirectory("another model behind the same header is caught by the checksum of the plain bytes", async (cwd) => {
    const { stdout: archive } = await runFade(["-1", "-c"], { cwd, stdin: TEXT });
    const outcome = await runFade(["-qd"], { cwd, stdin: archive, engine: async () => createReferenceEngine() });
    expect(outcome).toMatchObject({ exitCode: 3, stdout: new Uint8Array(0) });
    expect(outcome.stderr).toStartWith("fade: standard input: is corrupt: ");
  });
});

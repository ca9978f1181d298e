/** What follows an archive: zeros are padding, as tapes leave it; anything else is an error that says where it is. */
import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SMALL_BYTES_MAX } from "../../src/archive/format.ts";
import { encodeStoredFrame } from "../../src/archive/write.ts";
import { inDirectory, runFade } from "./harness.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const HELLO = new TextEncoder().encode("hello");
const FRAME = encodeStoredFrame(HELLO);
const zeros = (count: number) => new Uint8Array(count);

async function inFolder<T>(archive: Uint8Array, work: (cwd: string) => Promise<T>): Promise<T & { names: string[] }> {
  return await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "a.fade"), archive);
    const result = await work(cwd);
    return { ...result, names: readdirSync(cwd).sort() };
  });
}

const run = (archive: Uint8Array, argv: readonly string[]) => inFolder(archive, (cwd) => runFade(argv, { cwd }));
const pipe = (archive: Uint8Array, argv: readonly string[]) =>
  inFolder(archive, (cwd) => runFade(argv, { cwd, stdin: archive }));

describe("zeros behind an archive", () => {
  // One, less than a block of a tape, and more than any piece that is read at once.
  test.each([1, 3, 512, 10_240, 300_000])("%p of them are padding, from files and pipes", async (count) => {
    const padded = Buffer.concat([FRAME, FRAME, zeros(count)]);
    expect(text((await run(padded, ["-dc", "a.fade"])).stdout)).toBe("hellohello");
    expect(await run(padded, ["-d", "-q", "a.fade"])).toMatchObject({ exitCode: 0, names: ["a", "a.fade"] });
    expect(await run(padded, ["-t", "-q", "a.fade"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(text((await pipe(padded, ["-d"])).stdout)).toBe("hellohello");
    expect(await pipe(padded, ["-t", "-q"])).toMatchObject({ exitCode: 0, stderr: "" });
    const [facts] = [JSON.parse(text((await run(padded, ["-l", "--json", "a.fade"])).stdout))];
    expect(facts).toMatchObject({ codedBytes: 2 * FRAME.length, paddingBytes: count, plainBytes: 10 });
    const details = text((await run(padded, ["-lv", "a.fade"])).stdout);
    expect(details).toContain(" of zeros behind it\n");
  });

  test("an archive whose own last bytes are zeros is told from its padding", async () => {
    // The guard of the index is the end of a frame; it follows from the lengths, and one of 2^8 ends in a zero.
    const lengths = Array.from({ length: 1500 }, (_, i) => SMALL_BYTES_MAX + 1 + i);
    const frames = lengths.map((length) => encodeStoredFrame(zeros(length).fill(97)));
    const frame = frames.find((bytes) => bytes.at(-1) === 0) ?? FRAME;
    expect(frame.at(-1)).toBe(0);
    for (const count of [0, 1, 5, 512]) {
      const ran = await run(Buffer.concat([frame, zeros(count)]), ["-l", "--json", "a.fade"]);
      expect(JSON.parse(text(ran.stdout))).toMatchObject({ codedBytes: frame.length });
    }
  });

  test("of a version without an index are padding, too", async () => {
    const old = await Bun.file(join(import.meta.dir, "../golden/v1-stored.fade")).bytes();
    const padded = Buffer.concat([old, zeros(100)]);
    expect(await run(padded, ["-t", "-q", "a.fade"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run(padded, ["-l", "a.fade"])).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

describe("something else behind an archive", () => {
  const at = FRAME.length;
  const hint = `fade: hint: to leave it out: head -c ${at} FILE | fade -d\n`;
  const CASES = [
    [[1, 2, 3], `3 bytes of something else follow the archive, from byte ${at} on`],
    [[10], `1 byte of something else follows the archive, from byte ${at} on`],
    [[0, 0, 7], `1 byte of something else follows the archive and 2 zeros, from byte ${at + 2} on`],
    [[0, ...FRAME], `${at} bytes of something else follow the archive and 1 zero, from byte ${at + 1} on`],
  ] as const;

  test.each(CASES)("of a file is said before anything is written: %j", async (bytes, message) => {
    const archive = Buffer.concat([FRAME, Uint8Array.from(bytes)]);
    for (const argv of [["-d"], ["-dc"], ["-t"], ["-l"], ["-lv"]]) {
      const ran = await run(archive, ["-q", ...argv, "a.fade"]);
      expect(ran).toMatchObject({ exitCode: 3, names: ["a.fade"], stderr: `fade: a.fade: ${message}\n${hint}` });
      expect(ran.stdout.length).toBe(0);
    }
  });

  test.each(CASES)("of a pipe comes too late for standard output, and is said so: %j", async (bytes) => {
    const archive = Buffer.concat([FRAME, Uint8Array.from(bytes)]);
    const ran = await pipe(archive, ["-d"]);
    expect(ran.exitCode).toBe(3);
    expect(text(ran.stdout)).toBe("hello");
    expect(ran.stderr).toMatch(/^fade: standard input: something else follows the archive.*, from byte \d+ on\n/);
    expect(ran.stderr).toEndWith("fade: hint: what was written is all that the archive holds, and sound\n");
    // A file gets its name at the end, so there is none.
    expect(await pipe(archive, ["-d", "-o", "a"])).toMatchObject({ exitCode: 3, names: ["a.fade"] });
    expect(await pipe(archive, ["-t"])).toMatchObject({ exitCode: 3 });
  });
});

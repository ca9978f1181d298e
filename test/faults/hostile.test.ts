/**
 * Archives whose guards are all right and that ask for everything: the real program, its memory as the system counts
 * it, from files and through pipes. What an archive claims must cost no memory, and no more time than its length.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ByteWriter } from "../../src/archive/bytes.ts";
import { chainCheck, guardOf } from "../../src/archive/checksum.ts";
import { encodeHeader, type NewHeader } from "../../src/archive/write.ts";
import { hyperForSize, levelOf, networkOf } from "../../src/model/levels.ts";
import { modelMemoryBytes } from "../../src/pipeline/memory.ts";
import { encodeCopies } from "../../src/repeats/copies.ts";
import type { Measured } from "../support/measure.ts";
import { inDirectory, MAIN } from "./support.ts";

const MEASURE = join(import.meta.dir, "../support/measure.ts");
const MIB = 2 ** 20;
/** The runtime and the program, from source. */
const PROGRAM_BYTES = 150 * MIB;
/** Far more than it takes, on a machine that does other things, too; anything quadratic takes minutes. */
const SECONDS_MAX = 30;

function guarded(...parts: Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, new ByteWriter().u32(guardOf(bytes)).finish()]);
}

/** A frame with an index that says what it is told to. */
function frame(header: NewHeader, blocks: Uint8Array, entries: Uint8Array, count: number): Buffer {
  const body = Buffer.concat([encodeHeader(header), blocks]);
  const index = Buffer.concat([new ByteWriter().varint(body.length).varint(count).finish(), entries]);
  return Buffer.concat([body, guarded(Uint8Array.of(5), index, new ByteWriter().u32(index.length).finish())]);
}

const repeat = (bytes: Uint8Array, count: number) => Buffer.alloc(bytes.length * count, bytes);

/** Stored blocks of one byte each. */
function singles(count: number): Buffer {
  const blocks = Buffer.alloc(10 * count);
  let check = 0n;
  for (let at = 0; at < blocks.length; at += 10) {
    check = chainCheck(Uint8Array.of(7), check);
    blocks[at] = 0x11;
    blocks.writeBigUInt64LE(check, at + 1);
    blocks[at + 9] = 7;
  }
  return blocks;
}

/** What one run took; `isPiped`: the archive comes through a pipe. */
async function run(cwd: string, argv: readonly string[], isPiped: boolean): Promise<Measured & { stderr: string }> {
  const report = join(cwd, "report.json");
  const reader = isPiped ? Bun.spawn(["cat", "a.fade"], { cwd, stdout: "pipe" }).stdout : "ignore";
  const fade = [process.execPath, MAIN, "-q", "-T1", "--engine=cpu", ...argv];
  const child = Bun.spawn([process.execPath, MEASURE, report, ...fade], {
    cwd,
    stdin: reader,
    stdout: "ignore",
    stderr: "pipe",
  });
  const stderr = await new Response(child.stderr).text();
  await child.exited;
  return { ...(JSON.parse(readFileSync(report, "utf8")) as Measured), stderr };
}

/** Tests, decodes and lists, and holds each run against the bounds. */
async function everyWay(archive: Uint8Array, memoryBytes: number, exitCode: number, words = ""): Promise<void> {
  await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "a.fade"), archive);
    const limit = `-M${memoryBytes}`;
    const ways: readonly (readonly [string[], boolean])[] = [
      [["-t", limit, "a.fade"], false],
      [["-d", limit], true],
      [["-l", limit, "a.fade"], false],
      [["-lv", limit, "a.fade"], false],
    ];
    for (const [argv, isPiped] of ways) {
      const isListing = argv[0]?.startsWith("-l");
      const ran = await run(cwd, argv, isPiped);
      const isRight = ran.exitCode === exitCode || (isListing && ran.exitCode === 0);
      const isSmall = ran.peakBytes < memoryBytes + PROGRAM_BYTES;
      const isSoon = ran.seconds < SECONDS_MAX;
      const isSaid = isListing || ran.stderr.includes(words);
      const seen = { argv, isRight, isSmall, isSoon, isSaid };
      expect({ ...seen, ran }).toEqual({ argv, isRight: true, isSmall: true, isSoon: true, isSaid: true, ran });
      expect(ran.peakBytes).toBeGreaterThan(MIB);
    }
  });
}

test("an index that claims millions of blocks", async () => {
  const entries = repeat(Uint8Array.of(1, 1), 2_500_000);
  const archive = frame({ plainBytes: 0, blockBytes: 0 }, new Uint8Array(0), entries, 2_500_000);
  await everyWay(archive, 64 * MIB, 3, "the index");
}, 240_000);

test("an honest index of 120,000 blocks of a byte each", async () => {
  const count = 120_000;
  const entries = repeat(Uint8Array.of(0x11), count);
  await everyWay(frame({ blockBytes: 1 }, singles(count), entries, count), 16 * MIB, 0);
}, 240_000);

test("5,000 empty frames, each with blocks of a gigabyte", async () => {
  const empty = frame({ blockBytes: 2 ** 30 }, new Uint8Array(0), new Uint8Array(0), 0);
  await everyWay(repeat(empty, 5000), 16 * MIB, 0);
}, 240_000);

test("short blocks behind a full window do not move it each time", async () => {
  const big = Buffer.alloc(40 * MIB);
  const check = chainCheck(big, 0n);
  const last = chainCheck(Uint8Array.of(7), check);
  const single = (before: bigint) => new ByteWriter().u8(1).varint(1).u64(before).u8(7).finish();
  const head = new ByteWriter().u8(1).varint(big.length).u64(check).finish();
  const parts: Uint8Array[] = [head, big, single(last)];
  let chained = last;
  for (let i = 1; i < 20_000; i += 1) {
    chained = chainCheck(Uint8Array.of(7), chained);
    parts.push(single(chained));
  }
  const entries = [new ByteWriter().u8(1).varint(big.length).finish(), repeat(Uint8Array.of(1, 1), 20_000)];
  await everyWay(frame({ blockBytes: 2 ** 30 }, Buffer.concat(parts), Buffer.concat(entries), 20_001), 160 * MIB, 0);
}, 240_000);

const LARGE_MODELS = {
  network: hyperForSize(networkOf(5), 2 ** 20, 8),
  mixer: hyperForSize(levelOf(9), 2 ** 18, 1),
};

test.each(Object.entries(LARGE_MODELS))(
  "one %s after the other: its memory is given back before",
  async (_, hyper) => {
    const check = chainCheck(Uint8Array.of(7), 0n);
    const block = guarded(new ByteWriter().u8(0x13).varint(0).u64(check).u8(7).finish());
    const entry = new ByteWriter().u8(0x13).varint(block.length).finish();
    const one = frame({ model: { hyper, groupCount: 1 }, plainBytes: 1, blockBytes: 1 }, block, entry, 1);
    // Without that, eight would take a gigabyte.
    expect(modelMemoryBytes(hyper)).toBeGreaterThan(100 * MIB);
    await everyWay(repeat(one, 8), 160 * MIB, 0);
  },
  240_000,
);

test("a list with a copy for every twelve bytes", async () => {
  const plainBytes = 12 * MIB;
  const count = 1_000_000;
  const rest = new Uint8Array(plainBytes - 12 * count).fill(7);
  const gaps = new Uint32Array(count).with(0, 1);
  const lengths = new Uint32Array(count).fill(12);
  const list = encodeCopies({ count, gaps, lengths, distances: new Int32Array(count).fill(1) });
  const check = chainCheck(new Uint8Array(plainBytes).fill(7), 0n);
  const head = new ByteWriter().u8(0x16).varint(rest.length).varint(list.length).u64(check).finish();
  const block = guarded(head, list, rest);
  const entry = new ByteWriter().u8(0x16).varint(block.length).finish();
  await everyWay(frame({ plainBytes, blockBytes: plainBytes }, block, entry, 1), 36 * MIB, 0);
}, 240_000);

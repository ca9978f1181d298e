/** Lists of stretches in blocks of every kind and in small frames: what the container says of them, and refuses. */
import { describe, expect, test } from "bun:test";
import { CHECK_START, chainCheck } from "../../src/archive/checksum.ts";
import { CorruptError } from "../../src/archive/errors.ts";
import type { Block } from "../../src/archive/format.ts";
import { encodeSmallFrame } from "../../src/archive/small.ts";
import { encodeFrame } from "../../src/archive/write.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { readArchive } from "../support/in-memory.ts";
import { fileOf, listFrames } from "../support/listing.ts";

const plain = Uint8Array.from({ length: 70_000 }, (_, i) => i);
const model = { hyper: tinyHyper(2), groupCount: 1 };
const header = { plainBytes: plain.length, blockBytes: plain.length, model };
const facts = { plainBytes: plain.length, check: chainCheck(plain, CHECK_START) };
const stretches = Uint8Array.of(7, 8, 9);
const BLOCKS: readonly Block[] = [
  { kind: "learned", ...facts, stretches, payload: plain },
  { kind: "learned", ...facts, stretches, stride: 4095, payload: plain },
  { kind: "coded", ...facts, stretches, groups: [plain.slice(0, 100)] },
];

describe("blocks with stretches", () => {
  test.each(BLOCKS.map((block) => [block.kind, block] as const))("%s come back, and are listed", async (_, block) => {
    const archive = encodeFrame(header, [block]);
    expect((await readArchive(archive))[0]?.blocks).toEqual([block]);
    expect(await listFrames(fileOf(archive))).toMatchObject([{ plainBytes: plain.length }]);
  });

  test("any changed byte of the list is noticed", async () => {
    const archive = encodeFrame(header, [BLOCKS[2] as Block]);
    const at = Buffer.from(archive).indexOf(Buffer.from(stretches));
    for (let i = 0; i < stretches.length; i += 1) {
      const changed = archive.slice();
      changed[at + i] = (changed[at + i] as number) ^ 1;
      await expect(readArchive(changed)).rejects.toThrow(CorruptError);
    }
  });

  test("are not written where no reader would look for them", () => {
    const stored: Block = { kind: "stored", ...facts, payload: plain };
    const copies = { restBytes: 60_000, list: Uint8Array.of(1) };
    expect(() => encodeFrame(header, [{ ...stored, copies, stretches }])).toThrow(RangeError);
    const [coded] = BLOCKS.slice(2) as [Block];
    expect(() => encodeFrame(header, [{ ...coded, stretches: new Uint8Array(0) }])).toThrow(RangeError);
    expect(() => encodeFrame(header, [{ ...coded, stretches: new Uint8Array(2 ** 16 + 1) }])).toThrow(RangeError);
  });
});

describe("small frames with stretches", () => {
  const small = (count: number, list = stretches): Block => ({
    kind: "coded",
    plainBytes: count,
    check: chainCheck(plain.subarray(0, count), CHECK_START),
    stretches: list,
    stride: 12,
    groups: [plain.slice(0, 50)],
  });

  test("come back", async () => {
    expect((await readArchive(encodeSmallFrame(small(2 ** 14), 3)))[0]?.blocks).toMatchObject([
      { stretches, stride: 12 },
    ]);
  });

  test("are not written if they are short, or the list is long", () => {
    expect(() => encodeSmallFrame(small(2 ** 14 - 1), 3)).toThrow(RangeError);
    expect(() => encodeSmallFrame(small(2 ** 14, new Uint8Array(257)), 3)).toThrow(RangeError);
  });
});

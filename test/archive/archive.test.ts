/** The container on its own: what is written is read, and nothing else is. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, chainCheck, guardOf } from "../../src/archive/checksum.ts";
import {
  ArchiveError,
  CorruptError,
  NotAnArchiveError,
  PlainLimitError,
  TruncatedError,
  UnsupportedVersionError,
} from "../../src/archive/errors.ts";
import type { Block, FrameHeader } from "../../src/archive/format.ts";
import { checkPlain, readArchive } from "../../src/archive/read.ts";
import { encodeFrame, encodeHeader, encodeStoredFrame } from "../../src/archive/write.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { xxHash64 } from "./xxhash64.ts";

const LIMITS = { plainBytesMax: 1 << 30 };
const text = (s: string) => new TextEncoder().encode(s);
const model = { hyper: tinyHyper(6), groupCount: 2 };

/** A frame with a stored and two coded blocks. Their payloads mean nothing; the container does not look inside. */
function mixedFrame(): { bytes: Uint8Array; header: FrameHeader; blocks: Block[] } {
  const plains = [text("stored"), text("coded one"), text("coded two")];
  let check = CHECK_START;
  const blocks = plains.map((plain, i): Block => {
    check = chainCheck(plain, check);
    const facts = { plainBytes: plain.length, check };
    return i === 0
      ? { kind: "stored", ...facts, payload: plain }
      : { kind: "coded", ...facts, groups: [text("abc"), text("de")] };
  });
  const header = { model, plainBytes: plains.reduce((sum, plain) => sum + plain.length, 0) };
  return { bytes: encodeFrame(header, blocks), header, blocks };
}

/** A header with its guard made right again, so that only the altered field can be to blame. */
function withBody(edit: (body: number[]) => void, version = 1): Uint8Array {
  const original = encodeHeader({ model, plainBytes: 100 });
  const body = [...original.subarray(10, -4)];
  edit(body);
  const guarded = new ByteWriter().raw(original.subarray(0, 8)).u8(version).varint(body.length);
  const bytes = guarded.raw(Uint8Array.from(body)).finish();
  return new ByteWriter().raw(bytes).u32(guardOf(bytes)).u8(0).finish();
}

function failure(bytes: Uint8Array): ArchiveError {
  try {
    readArchive(bytes, LIMITS);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("fields", () => {
  test("varints of every size come back, in their shortest form only", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
        const bytes = new ByteWriter().varint(value).finish();
        expect(new ByteReader(bytes).varint("x")).toBe(value);
        const padded = Uint8Array.from([...bytes.subarray(0, -1), bytes.at(-1)! | 0x80, 0]);
        expect(() => new ByteReader(padded).varint("x")).toThrow(CorruptError);
      }),
    );
    const tooLong = new Uint8Array(11).fill(0xff);
    expect(() => new ByteReader(tooLong).varint("x")).toThrow(CorruptError);
    expect(() => new ByteWriter().varint(-1)).toThrow(RangeError);
  });

  test("the checksum is xxHash64 with any seed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (bytes, seed) => {
        expect(chainCheck(bytes, seed)).toBe(xxHash64(bytes, seed));
      }),
    );
    expect(xxHash64(new Uint8Array(0), 0n)).toBe(0xef46db3751d8e999n);
  });
});

describe("frames", () => {
  test("come back as they were written, alone and concatenated", () => {
    const { bytes, header, blocks } = mixedFrame();
    const [frame] = readArchive(bytes, LIMITS);
    expect(frame).toEqual({ header, blocks, offsetBytes: 0, lengthBytes: bytes.length });
    const twice = readArchive(Uint8Array.from([...bytes, ...bytes]), LIMITS);
    expect(twice.map((f) => f.offsetBytes)).toEqual([0, bytes.length]);
    expect(twice[1]?.blocks).toEqual(blocks);
  });

  test("stored ones are as long as the format says", () => {
    expect(encodeStoredFrame(new Uint8Array(0)).length).toBe(17);
    expect(encodeStoredFrame(new Uint8Array(1)).length).toBe(32);
    expect(encodeStoredFrame(new Uint8Array(1 << 22)).length - (1 << 22)).toBeLessThanOrEqual(40);
  });

  test("the writer refuses what the reader would", () => {
    const { header, blocks } = mixedFrame();
    expect(() => encodeFrame({ ...header, plainBytes: 1 }, blocks)).toThrow(RangeError);
    expect(() => encodeHeader({ ...header, model: { ...model, groupCount: 7 } })).toThrow(RangeError);
    expect(() => encodeFrame({ plainBytes: 0 }, [{ ...blocks[0]!, plainBytes: 0 }])).toThrow(RangeError);
  });

  test("blocks that changed places are noticed when decoded", () => {
    const [frame] = readArchive(mixedFrame().bytes, LIMITS);
    const [first, second] = frame!.blocks;
    const check = checkPlain(frame!, first!, text("stored"));
    expect(checkPlain(frame!, second!, text("coded one"), check)).toBe(second!.check);
    expect(() => checkPlain(frame!, second!, text("coded one"))).toThrow(CorruptError);
    expect(() => checkPlain(frame!, second!, text("coded oen"), check)).toThrow(CorruptError);
  });
});

describe("the test vectors of docs/FORMAT.md", () => {
  const document = readFileSync(join(import.meta.dir, "../../docs/FORMAT.md"), "utf8");
  const vectors = document.slice(document.indexOf("## Test vectors"), document.indexOf("## Which errors"));
  const hexLines = vectors.match(/^ {4}(?:[0-9a-f]{2} +)*[0-9a-f]{2}(?= {3,}|$)/gm) ?? [];
  const bytes = (lines: string[]) => Buffer.from(lines.join("").replaceAll(" ", ""), "hex");
  test.each([
    ["", bytes(hexLines.slice(0, 1))],
    ["hello", bytes(hexLines.slice(1))],
  ])("%p", (plain, vector) => {
    expect(Buffer.from(encodeStoredFrame(text(plain)))).toEqual(vector);
  });
});

describe("damage", () => {
  test("a truncation at any byte is called a truncation", () => {
    const { bytes } = mixedFrame();
    for (let length = 1; length < bytes.length; length++) {
      expect(failure(bytes.subarray(0, length))).toBeInstanceOf(TruncatedError);
    }
  });

  test("a flipped bit anywhere is noticed before anything is decoded", () => {
    const { bytes } = mixedFrame();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      expect(failure(flipped)).toBeInstanceOf(ArchiveError);
    }
  });

  test("random bytes, with or without a true magic, are refused", () => {
    const prefix = [...encodeHeader({ model, plainBytes: 100 })];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(prefix.length), (bytes, keep) => {
        expect(failure(Uint8Array.from([...prefix.slice(0, keep), ...bytes]))).toBeInstanceOf(ArchiveError);
      }),
      { numRuns: 500 },
    );
  });

  test("no input and foreign input are not archives", () => {
    expect(failure(new Uint8Array(0))).toBeInstanceOf(NotAnArchiveError);
    expect(failure(text("hello, world"))).toMatchObject({ name: "NotAnArchiveError", reason: "magic" });
    const { bytes } = mixedFrame();
    const trailing = failure(Uint8Array.from([...bytes, 1, 2, 3]));
    expect(trailing).toMatchObject({ name: "CorruptError", offsetBytes: bytes.length });
  });

  test("text-mode transfers are called by their name", () => {
    const latin = Buffer.from(mixedFrame().bytes).toString("latin1");
    const damage = [latin.replaceAll("\r\n", "\n"), latin.replaceAll("\n", "\r\n"), latin.replace("\x89", "\x09")];
    for (const damaged of damage) {
      expect(failure(Buffer.from(damaged, "latin1"))).toMatchObject({ reason: "text-mode" });
    }
  });
});

/** An edit that replaces bytes of the body from `at` on by one byte. */
const put = (at: number, value: number) => (body: number[]) => void body.splice(at, 1, value);

describe("altered header fields, with a checksum that matches", () => {
  // Offsets in the body: flags, length, contract, then the hyper-parameters in the order of docs/FORMAT.md.
  const cases: [string, (body: number[]) => void, string | RegExp][] = [
    ["unknown flags", put(0, 0x81), "header flags is 129"],
    ["model contract", put(2, 99), "model contract is 99"],
    ["history 0", put(3, 0), "history"],
    ["history 3", put(3, 3), "history"],
    ["embedding", put(4, 127), "embedding"],
    ["globalHidden", put(5, 33), "globalHidden"],
    ["slot", put(6, 3), "slot"],
    ["fineHidden", put(7, 1), "fineHidden"],
    ["coarseHidden", put(8, 17), "coarseHidden"],
    ["no streams", put(9, 0), "streams"],
    ["a million streams", (b) => void b.splice(9, 1, 0xc0, 0x84, 0x3d), "streams"],
    ["learningRate", (b) => void b.splice(10, 3, 0), "learningRate"],
    ["no groups", put(13, 0), "coder groups"],
    ["more groups than streams", put(13, 7), "coder groups"],
    ["a byte too many", (b) => void b.push(0), "length of the header"],
    ["a field too few", (b) => void b.pop(), "truncated"],
    ["a length that no block fills", () => {}, "sum of the blocks"],
  ];
  test.each(cases)("%s", (_name, edit, says) => {
    expect(failure(withBody(edit)).message).toMatch(says);
  });

  test("another format version is unsupported, not corrupt", () => {
    expect(failure(withBody(() => {}, 2))).toBeInstanceOf(UnsupportedVersionError);
  });

  test("a length beyond the caller's limit allocates nothing", () => {
    const huge = withBody((b) => b.splice(1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
    expect(failure(huge)).toBeInstanceOf(PlainLimitError);
  });

  test("a block that claims more than any coder could have coded is refused", () => {
    const header = { model, plainBytes: 1 << 29 };
    const bytes = encodeFrame(header, [
      { kind: "coded", plainBytes: 1 << 29, check: 0n, groups: [text("a"), text("")] },
    ]);
    expect(failure(bytes).message).toMatch("the length of a block");
  });
});

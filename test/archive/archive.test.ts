/** The container on its own: what is written is read, and nothing else is. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, chainCheck, chainRun, guardOf } from "../../src/archive/checksum.ts";
import { ArchiveError, CorruptError, NotAnArchiveError, TruncatedError } from "../../src/archive/errors.ts";
import { BLOCK_END, type Block, FORMAT_VERSION, MAGIC, MAGIC_OLD } from "../../src/archive/format.ts";
import { checkPlain } from "../../src/archive/read.ts";
import { ArchiveReader, pullFrom } from "../../src/archive/stream.ts";
import { encodeFrame, encodeHeader, encodeStoredFrame, type NewHeader } from "../../src/archive/write.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { forAll } from "../support/for-all.ts";
import { readArchive } from "../support/in-memory.ts";
import { fileOf, listFrames } from "../support/listing.ts";
import { xxHash64 } from "./xxhash64.ts";

const text = (s: string) => new TextEncoder().encode(s);
const model = { hyper: tinyHyper(6), groupCount: 2 };

/** A frame of all kinds of blocks. Coded payloads mean nothing; the container does not look inside. */
function mixedFrame(isLengthKnown = true): { bytes: Uint8Array; header: NewHeader; blocks: Block[] } {
  const plains = [text("stored.."), text("coded one"), text("coded two"), text("learned")];
  let check = CHECK_START;
  const blocks = plains.map((plain, i): Block => {
    check = chainCheck(plain, check);
    const facts = { plainBytes: plain.length, check };
    if (i === 0) return { kind: "stored", ...facts, payload: plain };
    if (i === 3) return { kind: "learned", ...facts, payload: plain };
    return { kind: "coded", ...facts, groups: [text("abc"), text("de")] };
  });
  const plainBytes = plains.reduce((sum, plain) => sum + plain.length, 0);
  const header = { model, blockBytes: 9, ...(isLengthKnown && { plainBytes }) };
  return { bytes: encodeFrame(header, blocks), header, blocks };
}

/** A frame that begins with a run of stored blocks, and has its model behind them. */
function lateFrame(isLengthKnown = true): Uint8Array {
  const run = text("stored as a run of three...");
  const checks = [chainRun(run, CHECK_START, 9)];
  for (const plain of ["coded one", "the end"]) checks.push(chainCheck(text(plain), checks.at(-1)!));
  const [first = 0n, second = 0n, third = 0n] = checks;
  return encodeFrame({ blockBytes: 9, ...(isLengthKnown && { plainBytes: 43 }) }, [
    { kind: "stored", plainBytes: 27, check: first, payload: run },
    { kind: "model", model },
    { kind: "coded", plainBytes: 9, check: second, groups: [text("abc"), text("de")] },
    { kind: "stored", plainBytes: 7, check: third, payload: text("the end") },
  ]);
}

/** A header with its guard made right again, so that only the altered field can be to blame. */
function withBody(edit: (body: number[]) => void, version = FORMAT_VERSION): Uint8Array {
  const original = encodeHeader({ model, plainBytes: 100, blockBytes: 100 });
  const body = [...original.subarray(6, -4)];
  edit(body);
  const guarded = new ByteWriter();
  if (version < 6) guarded.raw(MAGIC_OLD).u8(version).varint(body.length);
  else
    guarded
      .raw(MAGIC)
      .u8(((version - 6) << 5) | 15)
      .varint(body.length);
  const bytes = guarded.raw(Uint8Array.from(body)).finish();
  return new ByteWriter().raw(bytes).u32(guardOf(bytes)).u8(BLOCK_END).finish();
}

/** Kinds of the parts of an archive that comes piece by piece. */
async function streamed(bytes: Uint8Array, pieceBytes: number): Promise<string[]> {
  const reader = new ArchiveReader(pullFrom(bytes, pieceBytes));
  const kinds: string[] = [];
  for (let part = await reader.next(); part; part = await reader.next()) {
    kinds.push(part.kind === "block" ? part.block.kind : part.kind);
  }
  return kinds;
}

async function failure(bytes: Uint8Array): Promise<ArchiveError> {
  const error = await readArchive(bytes).catch((thrown: unknown) => thrown);
  if (error instanceof ArchiveError) return error;
  throw error instanceof Error ? error : new Error("was accepted");
}

describe("fields", () => {
  test("varints of every size come back, in their shortest form only", () => {
    forAll([fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })], (value) => {
      const bytes = new ByteWriter().varint(value).finish();
      expect(new ByteReader(bytes).varint("x")).toBe(value);
      const padded = Uint8Array.from([...bytes.subarray(0, -1), bytes.at(-1)! | 0x80, 0]);
      expect(() => new ByteReader(padded).varint("x")).toThrow(CorruptError);
    });
    const tooLong = new Uint8Array(11).fill(0xff);
    expect(() => new ByteReader(tooLong).varint("x")).toThrow(CorruptError);
    expect(() => new ByteWriter().varint(-1)).toThrow(RangeError);
  });

  test("the checksum is xxHash64 with any seed", () => {
    forAll([fc.uint8Array({ maxLength: 200 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })], (bytes, seed) => {
      expect(chainCheck(bytes, seed)).toBe(xxHash64(bytes, seed));
    });
    expect(xxHash64(new Uint8Array(0), 0n)).toBe(0xef46db3751d8e999n);
  });
});

/** Blocks of all kinds with copies; the lists are nobody's, since the container does not look into them. */
function cutFrame(isLengthKnown = true): Uint8Array {
  const check = 7n;
  const copies = (restBytes: number) => ({ restBytes, list: text("li") });
  return encodeFrame({ blockBytes: 9, model, ...(isLengthKnown && { plainBytes: 33 }) }, [
    { kind: "coded", plainBytes: 9, check, copies: copies(5), groups: [text("abc"), text("de")] },
    { kind: "stored", plainBytes: 9, check, copies: copies(0), payload: text("") },
    { kind: "learned", plainBytes: 9, check, copies: copies(1), payload: text("x") },
    { kind: "stored", plainBytes: 6, check, copies: copies(2), payload: text("yz") },
  ]);
}

describe("blocks with copies", () => {
  test.each([true, false])("come back, streamed and listed; length known: %p", async (isLengthKnown) => {
    const bytes = cutFrame(isLengthKnown);
    const blocks = (await readArchive(bytes))[0]?.blocks ?? [];
    expect(blocks.map(({ kind, plainBytes, copies }) => [kind, plainBytes, copies?.restBytes])).toEqual([
      ["coded", 9, 5],
      ["stored", 9, 0],
      ["learned", 9, 1],
      ["stored", 6, 2],
    ]);
    for (const { copies } of blocks) expect(copies?.list).toEqual(text("li"));
    for (const pieceBytes of [1, 7, 1000]) {
      expect(await streamed(bytes, pieceBytes)).toEqual(["header", "coded", "stored", "learned", "stored", "end"]);
    }
    const [listed] = await listFrames(fileOf(bytes));
    expect(listed?.blocks.every(({ isCut }) => isCut)).toBe(true);
    expect(listed?.blocks.map(({ codedBytes }) => codedBytes).reduce((a, b) => a + b)).toBeLessThan(bytes.length);
  });

  test("any changed byte is noticed before anything is decoded", async () => {
    const bytes = cutFrame();
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = bytes.with(at, (bytes[at] as number) ^ 0x40);
      await expect(readArchive(damaged)).rejects.toThrow(ArchiveError);
    }
  });

  test("that contradict themselves are neither written nor read", async () => {
    const write = (restBytes: number, listBytes: number, kind: "stored" | "learned" = "stored") =>
      encodeFrame({ blockBytes: 9, plainBytes: 9, model }, [
        {
          kind,
          plainBytes: 9,
          check: 0n,
          copies: { restBytes, list: new Uint8Array(listBytes) },
          payload: new Uint8Array(Math.max(0, restBytes)),
        },
      ]);
    expect(() => write(0, 9)).not.toThrow();
    expect(() => write(9, 1)).toThrow(RangeError);
    expect(() => write(5, 5)).toThrow(RangeError);
    expect(() => write(5, 0)).toThrow(RangeError);
    expect(() => write(0, 4, "learned")).toThrow(RangeError);
    const edited = (edit: (head: number[]) => void) => {
      const bytes = [...write(1, 2)];
      const start = encodeHeader({ blockBytes: 9, plainBytes: 9, model }).length;
      const head = bytes.slice(start, start + 3);
      edit(head);
      const body = Uint8Array.from([...head, ...bytes.slice(start + 3, start + 3 + 8 + 2 + 1)]);
      const guard = new ByteWriter().u32(guardOf(body)).finish();
      return Uint8Array.from([...bytes.slice(0, start), ...body, ...guard, ...bytes.slice(start + body.length + 4)]);
    };
    const says = async (edit: (head: number[]) => void) => (await failure(edited(edit))).message;
    await readArchive(edited(() => {}));
    expect(await says((head) => (head[1] = 9))).toInclude("length of a rest");
    expect(await says((head) => (head[2] = 9))).toInclude("list of copies");
    expect(await says((head) => (head[2] = 0))).toInclude("list of copies");
    expect(await says((head) => (head[0] = 9 + 16))).toInclude("kind of a block"); // a model with copies
    expect(await says((head) => (head[0] = 6 + 32))).toInclude("kind of a block"); // a run with copies
  });
});

describe("frames", () => {
  test("come back as they were written, alone and concatenated", async () => {
    const { bytes, header, blocks } = mixedFrame();
    const [frame] = await readArchive(bytes);
    const read = { ...header, version: FORMAT_VERSION, plainBytes: 33 };
    expect(frame).toEqual({ header: read, blocks, offsetBytes: 0, lengthBytes: bytes.length });
    expect((await readArchive(mixedFrame(false).bytes))[0]).toMatchObject({ header: read, blocks });
    const twice = await readArchive(Uint8Array.from([...bytes, ...bytes]));
    expect(twice.map((f) => f.offsetBytes)).toEqual([0, bytes.length]);
    expect(twice[1]?.blocks).toEqual(blocks);
  });

  test("stored ones are as long as the format says", () => {
    expect(encodeStoredFrame(new Uint8Array(0)).length).toBe(10);
    expect(encodeStoredFrame(new Uint8Array(1)).length).toBe(11);
    expect(encodeStoredFrame(new Uint8Array(1 << 16)).length - (1 << 16)).toBe(12);
    expect(encodeStoredFrame(new Uint8Array(1 << 22)).length - (1 << 22)).toBe(40);
  });

  test("the model may stand behind the first stored blocks, but only once, and only before what needs it", async () => {
    for (const isLengthKnown of [true, false]) {
      const [frame] = await readArchive(lateFrame(isLengthKnown));
      expect(frame).toMatchObject({ header: { model, plainBytes: 43, blockBytes: 9 } });
      expect(frame?.blocks.map(({ plainBytes }) => plainBytes)).toEqual([27, 9, 7]);
    }
    const record = { kind: "model", model } as const;
    expect(() => encodeFrame({ blockBytes: 9, model }, [record])).toThrow(RangeError);
    const late = lateFrame();
    const from = late.indexOf(4, 30);
    const record19 = late.subarray(from, late.indexOf(0x12, from));
    const twice = Buffer.concat([late.subarray(0, from), record19, record19, late.subarray(from + record19.length)]);
    expect((await failure(twice)).message).toMatch("one model before what needs it");
    const never = Buffer.concat([late.subarray(0, from), late.subarray(from + record19.length)]);
    expect((await failure(never)).message).toMatch("one model before what needs it");
  });

  test("the writer refuses what the reader would", () => {
    const { header, blocks } = mixedFrame();
    expect(() => encodeFrame({ ...header, plainBytes: 1 }, blocks)).toThrow(RangeError);
    expect(() => encodeHeader({ ...header, model: { ...model, groupCount: 7 } })).toThrow(RangeError);
    expect(() => encodeFrame({ plainBytes: 0, blockBytes: 0 }, [{ ...blocks[0]!, plainBytes: 0 }])).toThrow(RangeError);
  });

  test("blocks that changed places are noticed when decoded", async () => {
    const [frame] = await readArchive(mixedFrame().bytes);
    const [first, second] = frame!.blocks;
    const check = checkPlain(first!, text("stored.."), CHECK_START, { blockBytes: 9 }, 0);
    expect(checkPlain(second!, text("coded one"), check, { blockBytes: 9 }, 0)).toBe(second!.check);
    expect(() => checkPlain(second!, text("coded one"), CHECK_START, { blockBytes: 9 }, 0)).toThrow(CorruptError);
    expect(() => checkPlain(second!, text("coded oen"), check, { blockBytes: 9 }, 0)).toThrow(CorruptError);
  });

  test("are the same in pieces of any size", async () => {
    const bytes = Buffer.concat([
      mixedFrame().bytes,
      mixedFrame(false).bytes,
      lateFrame(),
      encodeStoredFrame(text("")),
    ]);
    const frame = ["header", "stored", "coded", "coded", "learned", "end"];
    const late = ["header", "stored", "model", "coded", "stored", "end"];
    for (const pieceBytes of [1, 2, 7, 64, bytes.length]) {
      expect(await streamed(bytes, pieceBytes)).toEqual([...frame, ...frame, ...late, "header", "end"]);
    }
  });

  test("a block is handed over without waiting for a byte behind it", async () => {
    const { bytes } = mixedFrame();
    let given = 0;
    const reader = new ArchiveReader(async () => bytes.subarray(given, ++given));
    expect((await reader.next())?.kind).toBe("header");
    const part = await reader.next();
    expect([part?.kind, reader.position]).toEqual(["block", given]);
  });
});

describe("lists", () => {
  test("are read from behind, without the payloads", async () => {
    const old = readFileSync(join(import.meta.dir, "../golden/v1-stored.fade"));
    const parts = [mixedFrame().bytes, mixedFrame(false).bytes, lateFrame(), lateFrame(false)];
    parts.push(encodeStoredFrame(text("hello")));
    const bytes = Buffer.concat(parts);
    const frames = await readArchive(bytes);
    const read: number[] = [];
    const file = fileOf(bytes);
    const readAt = (offset: number, length: number) => {
      read.push(offset);
      return file.readAt(offset, length);
    };
    const counted = { ...file, readAt };
    const summary = async (archive: typeof file) =>
      (await listFrames(archive)).map(({ header, plainBytes, offsetBytes, check, blocks }) => ({
        streams: header.model?.hyper.streams,
        plainBytes,
        offsetBytes,
        check,
        kinds: blocks.map(({ kind }) => kind),
      }));
    const expected = frames.map(({ header, offsetBytes, blocks }) => ({
      streams: header.model?.hyper.streams,
      plainBytes: header.plainBytes,
      offsetBytes,
      check: blocks.at(-1)?.check,
      kinds: blocks.map(({ kind }) => kind),
    }));
    expect(await summary(counted)).toEqual(expected as Awaited<ReturnType<typeof summary>>);
    expect(read[0]).toBe(bytes.length - 8);
    // A frame of version 1 has no index.
    const mixed = await summary(fileOf(Buffer.concat([old, bytes])));
    expect(mixed.slice(1).map(({ check }) => check)).toEqual(expected.map(({ check }) => check!));
    expect(mixed[0]?.kinds).toEqual(["stored"]);
  });

  test("of damaged archives say what a reader says", async () => {
    const { bytes } = mixedFrame();
    await expect(listFrames(fileOf(bytes.subarray(0, -1)))).rejects.toBeInstanceOf(TruncatedError);
    await expect(listFrames(fileOf(text("hello, world")))).rejects.toBeInstanceOf(NotAnArchiveError);
    await expect(listFrames(fileOf(new Uint8Array(0)))).rejects.toBeInstanceOf(NotAnArchiveError);
  });
});

describe("damage", () => {
  test("a truncation at any byte is called a truncation", async () => {
    for (const bytes of [mixedFrame().bytes, lateFrame(), lateFrame(false)])
      for (let length = 1; length < bytes.length; length++) {
        expect(await failure(bytes.subarray(0, length))).toBeInstanceOf(TruncatedError);
      }
  });

  test("a flipped bit anywhere is noticed before anything is decoded", async () => {
    for (const bytes of [mixedFrame().bytes, lateFrame(), lateFrame(false)])
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        expect(await failure(flipped)).toBeInstanceOf(ArchiveError);
        await expect(streamed(flipped, 5)).rejects.toBeInstanceOf(ArchiveError);
      }
  });

  test("random bytes, with or without a true magic, are refused", async () => {
    const prefix = [...encodeHeader({ model, plainBytes: 100, blockBytes: 100 })];
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.nat(prefix.length), async (bytes, keep) => {
        expect(await failure(Uint8Array.from([...prefix.slice(0, keep), ...bytes]))).toBeInstanceOf(ArchiveError);
      }),
      { numRuns: 500 },
    );
  });

  test("no input and foreign input are not archives", async () => {
    expect(await failure(new Uint8Array(0))).toBeInstanceOf(NotAnArchiveError);
    expect(await failure(text("hello, world"))).toMatchObject({ name: "NotAnArchiveError", reason: "magic" });
    const { bytes } = mixedFrame();
    const trailing = await failure(Uint8Array.from([...bytes, 1, 2, 3]));
    expect(trailing).toMatchObject({ name: "TrailingBytesError", offsetBytes: bytes.length, trailingBytes: 3 });
  });

  test("text-mode transfers are called by their name", async () => {
    const latin = Buffer.from(mixedFrame().bytes).toString("latin1");
    const old = Buffer.from(withBody(() => {}, 5)).toString("latin1");
    for (const sent of [latin, old]) {
      for (const damaged of [sent.replaceAll("\n", "\r\n"), sent.replace("\x89", "\x09")]) {
        expect(await failure(Buffer.from(damaged, "latin1"))).toMatchObject({ reason: "text-mode" });
      }
    }
    expect(await failure(Buffer.from(old.replaceAll("\r\n", "\n"), "latin1"))).toMatchObject({ reason: "text-mode" });
  });
});

/** An edit that replaces bytes of the body from `at` on by one byte. */
const put = (at: number, value: number) => (body: number[]) => void body.splice(at, 1, value);

describe("altered header fields, with a checksum that matches", () => {
  // Offsets in the body: flags, block size, length, contract, then the hyper-parameters in the order of docs/FORMAT.md.
  const cases: [string, (body: number[]) => void, string | RegExp][] = [
    ["unknown flags", put(0, 0x81), "header flags is 129"],
    ["a block size beyond the limit", (b) => void b.splice(0, 3, 1, 0x81, 0x80, 0x80, 0x80, 0x04), "block size"],
    ["a block size of 0", (b) => void b.splice(0, 3, 1, 0), "block size"],
    ["no parts", put(2, 0), "number of parts"],
    ["more parts than bytes", put(2, 101), "number of parts"],
    ["model contract", put(3, 99), "model contract is 99"],
    ["history 0", put(4, 0), "history"],
    ["history 3", put(4, 3), "history"],
    ["embedding", put(5, 127), "embedding"],
    ["globalHidden", put(6, 33), "globalHidden"],
    ["cacheStep", put(7, 3), "cacheStep"],
    ["fineHidden", put(8, 1), "fineHidden"],
    ["coarseHidden", put(9, 17), "coarseHidden"],
    ["no streams", put(10, 0), "streams"],
    ["a million streams", (b) => void b.splice(10, 1, 0xc0, 0x84, 0x3d), "streams"],
    ["learningRate", (b) => void b.splice(11, 3, 0), "learningRate"],
    ["contexts", put(14, 3), "contexts"],
    ["slotBits", put(15, 25), "slotBits"],
    ["tables", put(16, 7), "tables"],
    ["tableBits", put(17, 19), "tableBits"],
    ["trainEvery", put(18, 0), "trainEvery"],
    ["no groups", (b) => void b.splice(-1, 1, 0), "coder groups"],
    ["more groups than streams", (b) => void b.splice(-1, 1, 7), "coder groups"],
    ["a byte too many", (b) => void b.push(0), "length of the header"],
    ["a field too few", (b) => void b.pop(), "length of the header"],
    ["a length that no block fills", () => {}, "sum of the blocks"],
  ];
  test.each(cases)("%s", async (_name, edit, says) => {
    expect((await failure(withBody(edit))).message).toMatch(says);
  });

  test("another format version is unsupported, not corrupt", async () => {
    // 7 was never in a release.
    for (const version of [7, 10, 13]) {
      const isOld = version === 7;
      expect(await failure(withBody(() => {}, version))).toMatchObject({ name: "UnsupportedVersionError", isOld });
    }
  });

  test("the model of the first versions is unsupported, and called old", async () => {
    for (const version of [3, 4, 5, 6, 8]) {
      const error = await failure(withBody(put(3, 1), version));
      expect(error).toMatchObject({ name: "UnsupportedVersionError", field: "model contract", found: 1, isOld: true });
    }
    // No program ever wrote that.
    expect(await failure(withBody(() => {}, 3))).toBeInstanceOf(CorruptError);
  });

  test("a length beyond what numbers hold is refused", async () => {
    const huge = withBody((b) => b.splice(1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
    expect((await failure(huge)).message).toMatch("the original length");
  });

  test("a block that claims more than any coder could have coded is refused", async () => {
    const header = { model, plainBytes: 1 << 29, blockBytes: 1 << 29 };
    const bytes = encodeFrame(header, [
      { kind: "coded", plainBytes: 1 << 29, check: 0n, groups: [text("a"), text("")] },
    ]);
    expect((await failure(bytes)).message).toMatch("the length of a block");
  });
});

/** Small frames: how long they are, that they come back, and that nothing damaged does. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, chainCheck, lowCheck } from "../../src/archive/checksum.ts";
import { ArchiveError, TruncatedError } from "../../src/archive/errors.ts";
import { FORMAT_VERSION } from "../../src/archive/format.ts";
import { readHeader } from "../../src/archive/read.ts";
import { encodeSmallFrame, encodeStatedFrame, levelOfModel, smallModel } from "../../src/archive/small.ts";
import { encodeFrame, encodeStoredFrame } from "../../src/archive/write.ts";
import { NO_NETWORK, WITHOUT } from "../../src/contract/hyper.ts";
import { hyperForSize, levelOf } from "../../src/model/levels.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import { joined, noise, soft, utf8 as text } from "../support/bytes.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";
import { fileOf, listFrames } from "../support/listing.ts";

const compress = (plain: Uint8Array, level = 1, minLength = 0) =>
  archiveOf(plain, {
    hyperFor: (bytes) => hyperForSize(levelOf(level), bytes),
    ...(minLength > 0 && { repeats: { timeUnits: 0, minLength } }),
  });
const decompress = (archive: Uint8Array) => plainOf(archive, {}, undefined, 7);

/** Of the format version, in the byte of the form. */
const VERSION_BITS = (FORMAT_VERSION - 6) << 5;

/** More than other small frames hold, and of little news. */
const RAMP = Uint8Array.from({ length: 70_000 }, (_, i) => (i % 301) + (i / 301) * 2);
const AGAIN = joined(...Array.from({ length: 36 }, (_, i) => joined(soft(2000), Uint8Array.of(i, 7 * i))));

/** One of each form. */
const FORMS: readonly [name: string, plain: Uint8Array, form: number, minLength: number][] = [
  ["empty", text(""), 0, 0],
  ["stored", noise(40), 0, 0],
  ["stored, long", noise(3000), 0, 0],
  ["coded", soft(300), 3, 0],
  ["coded, long", soft(20_000), 3, 0],
  ["a pattern", text("abc".repeat(90)), 10, 0],
  ["coded with copies", joined(noise(70), soft(250), noise(70), soft(20)), 19, 60],
  ["stored with copies", joined(noise(200), noise(200)), 16, 100],
  ["coded, stating its model", RAMP, 12, 0],
  ["coded with copies, stating its model", AGAIN, 28, 60],
];

describe("each form", () => {
  test.each(FORMS)("%s comes back, alone and joined", async (_name, plain, form, minLength) => {
    const archive = await compress(plain, 3, minLength);
    expect(archive[4]).toBe(VERSION_BITS | form);
    expect(Buffer.compare(await decompress(archive), plain)).toBe(0);
    const [frame] = await readArchive(archive);
    expect(frame).toMatchObject({ header: { plainBytes: plain.length }, lengthBytes: archive.length });
    const joined = Buffer.concat([archive, encodeStoredFrame(text("and")), archive]);
    const twice = Buffer.concat([plain, Buffer.from("and"), plain]);
    expect(Buffer.compare(await decompress(joined), twice)).toBe(0);
  });

  test.each(FORMS)("%s, truncated at any byte, is called a truncation", async (_name, plain, form, minLength) => {
    const archive = await compress(form === 3 && plain.length > 5000 ? soft(17_000) : plain, 3, minLength);
    const step = archive.length > 1000 ? 37 : 1;
    for (let length = 1; length < archive.length; length += length < 100 ? 1 : step) {
      await expect(readArchive(archive.subarray(0, length))).rejects.toThrow(TruncatedError);
    }
  });

  test.each(FORMS)("%s, with any bit flipped, is refused", async (_name, plain, _form, minLength) => {
    const archive = await compress(plain, 3, minLength);
    // What the reference decodes takes it a while; scripts/fuzz.ts flips many more.
    const isSlow = plain.length > 200 && archive.length > 30;
    const step = archive.length > 1000 ? 1171 : plain === RAMP ? 53 : isSlow ? 7 : 1;
    for (let bit = 0; bit < archive.length * 8; bit += bit >= 16 * 8 ? step : 1) {
      const at = bit >> 3;
      const flipped = archive.with(at, (archive[at] as number) ^ (1 << (bit & 7)));
      const error = await decompress(flipped).catch((thrown: unknown) => thrown);
      expect(error instanceof ArchiveError || error instanceof MemoryLimitError).toBe(true);
    }
  });
});

test("nothing up to 64 KiB grows by more than 12 bytes, or costs more than 16 above its payload", async () => {
  const sizes = [
    0, 1, 2, 3, 10, 31, 32, 33, 100, 127, 128, 129, 1000, 4095, 4096, 16_383, 16_384, 16_385, 65_535, 65_536,
  ];
  for (const size of sizes) {
    for (const plain of [noise(size), soft(size), new Uint8Array(size)]) {
      const archive = await compress(plain, 1);
      expect(archive.length).toBeLessThanOrEqual(size + 12);
      const [block] = (await readArchive(archive))[0]?.blocks ?? [];
      const payload = block?.kind === "coded" ? (block.groups[0]?.length ?? 0) : (block?.payload.length ?? 0);
      expect(archive.length - payload).toBeLessThanOrEqual(16);
    }
  }
});

test("a model that is of no level has a frame with an index, if it is worth that", async () => {
  const archive = await archiveOf(soft(5000), { hyperFor: () => tinyHyper(2) });
  expect(archive[4]).toBe(VERSION_BITS | 15);
  expect(Buffer.compare(await decompress(archive), soft(5000))).toBe(0);
});

const DOCUMENT = readFileSync(join(import.meta.dir, "../../docs/FORMAT.md"), "utf8");

test("the models are those of the table in docs/FORMAT.md", () => {
  const contexts =
    DOCUMENT.match(/^\| K \|(.+)\|$/m)?.[1]
      ?.split("|")
      .map(Number) ?? [];
  expect(contexts.length).toBe(9);
  for (const [i, mixerContexts] of contexts.entries()) {
    for (const seen of [1, 5, 32, 1000, 2048, 2049, 16_384, 40_000, 65_536]) {
      const mixerBits = Math.max(10, Math.ceil(Math.log2(seen)) - 1);
      const hyper = { ...WITHOUT, ...NO_NETWORK, streams: 1, mixerContexts, mixerBits };
      expect(smallModel(i + 1, seen)).toEqual({ hyper, groupCount: 1 });
      // Levels may share a model.
      expect(smallModel(levelOfModel(smallModel(i + 1, seen), seen) as number, seen)).toEqual(smallModel(i + 1, seen));
    }
  }
});

test("the models of version 6 are those of the table in docs/FORMAT.md", () => {
  const rows = DOCUMENT.match(/^\| [1-9] \|( [^|]+\|){13}$/gm) ?? [];
  expect(rows.length).toBe(9);
  for (const row of rows) {
    const [level = 0, T, D, G, S, F, C, rate, N, slots = "", M, tables = "", every, bytes = 0] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => (cell.includes("to") ? cell : Number.parseInt(cell, 10)));
    const within = (bounds: string, bits: number) => {
      const [low = 0, high = 0] = bounds.split("to").map(Number);
      return Math.max(low, Math.min(high, bits));
    };
    for (const seen of [1, 5, 32, 1000, 1024, 1025, 16_384, 40_000, 65_536]) {
      const bits = Math.ceil(Math.log2(seen));
      const streams = Math.min(seen, 8 * Math.max(1, Math.floor(seen / (8 * Number(bytes)))));
      const { hyper, groupCount } = smallModel(Number(level), seen, 6);
      const found = [
        [hyper.history, hyper.embedding, hyper.globalHidden, hyper.cacheStep, hyper.fineHidden, hyper.coarseHidden],
        [hyper.learningRate, hyper.contexts, hyper.slotBits, hyper.tables, hyper.tableBits, hyper.trainEvery],
        [hyper.streams, groupCount],
      ];
      const slotBits = within(String(slots), bits);
      const tableBits = within(String(tables), bits - 4);
      const said = [
        [T, D, G, S, F, C],
        [rate, N, slotBits, M, tableBits, every],
        [streams, 1],
      ];
      expect(found).toEqual(said as number[][]);
    }
  }
});

/** A head with a check that is right for `plain`. */
function withCheck(head: readonly number[], plain: Uint8Array, payload: Uint8Array = plain): Uint8Array {
  const bytes = Uint8Array.of(0x89, 0x46, 0x44, 0x0a, ...head);
  const check = chainCheck(plain, CHECK_START) ^ chainCheck(payload, chainCheck(bytes, CHECK_START));
  return new ByteWriter()
    .raw(bytes)
    .u32(Number(lowCheck(check)))
    .raw(payload)
    .finish();
}

describe("altered fields, with a check that matches", () => {
  const hello = text("hello");
  const cases: [name: string, head: number[], says: string][] = [
    ["a form that is none", [11, 5], "form of a frame"],
    ["another", [14, 5], "form of a frame"],
    ["a pattern with copies", [26, 5, 1, 97], "form of a frame"],
    ["a form with copies that is none", [31, 5], "form of a frame"],
    ["more bytes than a small frame has", [0, 0x81, 0x80, 4], "original length"],
    ["a padded length", [0, 0x85, 0], "original length"],
    ["nothing, coded", [1, 0], "original length"],
    ["nothing, with copies", [16, 0], "original length"],
    ["nothing, of a pattern", [10, 0], "original length"],
    ["no pattern", [10, 5, 0], "length of a pattern"],
    ["a pattern longer than what it fills", [10, 5, 6, 1, 2, 3, 4, 5, 6], "length of a pattern"],
    ["a long pattern", [10, 50, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9], "length of a pattern"],
    ["a rest as long as the whole", [16, 5, 5, 1], "length of a rest"],
    ["no rest for the model", [17, 5, 0, 1, 0], "length of a rest"],
    ["no list", [16, 5, 2, 0], "list of copies"],
    ["a list longer than what it saves", [16, 5, 2, 4], "list of copies"],
    ["a payload longer than its field allows", [1, 5, 0x80, 0x80, 1], "length of the payload"],
    ["a stride beyond those there are", [1, 0x80, 0x80, 1, 0x80, 0x20, 1, 0], "stride"],
    ["the check of nothing", [0, 0], "checksum of a small frame"],
    ["more counters than contexts", [VERSION_BITS | 12, 0x96, 1, 5, 0, 1], "model of a small frame"],
    ["a stated model that is none", [VERSION_BITS | 12, 0x80, 0xaa, 0x0b, 5, 0, 1], "model of a small frame"],
    ["a prior of before with a stated model", [VERSION_BITS | 12, 0xd5, 5, 5, 0, 1], "contexts of a model"],
    ["a stated prior that there is not", [VERSION_BITS | 12, 0xff, 0xa9, 0x0b, 5, 0, 1], "needs prior 255"],
    ["a padded model", [VERSION_BITS | 12, 0x80, 0, 5, 0, 1], "model of a small frame"],
    ["nothing, of a stated model", [VERSION_BITS | 12, 0, 0], "original length"],
    ["more bytes than one has that states its model", [VERSION_BITS | 12, 0, 0x81, 0x80, 0x80, 2], "original length"],
    ["a stated model in a version before", [(VERSION_BITS - 32) | 12, 0, 5, 0, 1], "form of a frame"],
    [
      "a payload that is too long for a stated model",
      [VERSION_BITS | 12, 0, 0x80, 0x80, 4, 0, 0x81, 0x20],
      "length of the payload",
    ],
    ["lists that are", [VERSION_BITS | 12, 0, 0x80, 0x80, 4, 0x80, 0x20, 0x81, 0x20, 0], "list of stretches"],
    ["copies that are", [VERSION_BITS | 28, 0, 0x80, 0x80, 4, 1, 0x81, 0x20, 0, 0], "length of the payload"],
    ["more bytes than a payload can mean", [VERSION_BITS | 12, 0, 0x80, 0x80, 0x80, 2, 0, 1], "length of the payload"],
  ];
  test.each(cases)("%s", async (_name, head, says) => {
    const error = await decompress(withCheck(head, hello)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArchiveError);
    expect((error as Error).message).toInclude(says);
  });

  test("an unaltered head is read", async () => {
    expect(await decompress(withCheck([0, 5], hello))).toEqual(hello);
    const pattern = text("ababa");
    expect(await decompress(withCheck([10, 5, 2, 97, 98], pattern, text("")))).toEqual(pattern);
  });

  test("the writer writes none that no reader would accept", () => {
    const stored = { kind: "stored", plainBytes: 5, check: 0n, payload: hello } as const;
    const coded = { kind: "coded", plainBytes: 5, check: 0n, groups: [hello] } as const;
    const fill = { gapBytes: 0, lengthBytes: 50, pattern: noise(9) };
    expect(() => encodeSmallFrame(coded)).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...coded, stride: 9 }, 1)).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...coded, groups: [hello, hello] }, 1)).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...stored, kind: "learned" })).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...stored, plainBytes: 70_000 })).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...stored, plainBytes: 0, fills: [fill] })).toThrow(RangeError);
    expect(() => encodeSmallFrame({ ...stored, fills: [{ ...fill, pattern: hello }] })).toThrow(RangeError);
  });
});

test("a frame states any model of one lane whose lines follow from what it sees", () => {
  const block = { kind: "coded", plainBytes: 70_000, check: 1n, groups: [text("hello")] } as const;
  const hyper = { ...WITHOUT, ...NO_NETWORK, streams: 1, mixerContexts: 20, mixerBits: 16 };
  for (const mixerContexts of [4, 20, 28]) {
    for (const mixerCounters of [0, 1, mixerContexts]) {
      const model = { hyper: { ...hyper, mixerContexts, mixerCounters }, groupCount: 1 };
      for (const number of [0, 7, 255]) {
        const header = readHeader(new ByteReader(encodeStatedFrame(block, model, number) as Uint8Array, 0));
        expect(header).toMatchObject({ model });
        expect(header.prior).toEqual(number > 0 ? { number } : undefined);
      }
    }
  }
  const model = { hyper, groupCount: 1 };
  expect(encodeStatedFrame(block, { hyper: { ...hyper, mixerBits: 15 }, groupCount: 1 }, 0)).toBe(undefined);
  expect(encodeStatedFrame(block, { hyper: { ...hyper, streams: 2 }, groupCount: 2 }, 0)).toBe(undefined);
  expect(encodeStatedFrame(block, { hyper: tinyHyper(1), groupCount: 1 }, 0)).toBe(undefined);
  expect(encodeStatedFrame({ ...block, groups: [noise(4097)] }, model, 0)).toBe(undefined);
  expect(encodeStatedFrame({ ...block, groups: [noise(4096)] }, model, 0)?.length).toBe(4096 + 16);
  const long = { hyper: { ...hyper, mixerBits: 22 }, groupCount: 1 };
  expect(encodeStatedFrame({ ...block, plainBytes: 2 ** 22 + 1 }, long, 0)).toBe(undefined);
});

describe("lists", () => {
  test("find small frames from behind, among others", async () => {
    const large = encodeFrame({ plainBytes: 5, blockBytes: 5 }, [
      { kind: "stored", plainBytes: 5, check: chainCheck(text("hello"), CHECK_START), payload: text("hello") },
    ]);
    const frames = [
      await compress(soft(300)),
      encodeStoredFrame(text("")),
      large,
      await compress(noise(60_000)),
      large,
      await compress(RAMP),
    ];
    frames.push(
      await compress(text("abab".repeat(9))),
      ...Array.from({ length: 50 }, () => encodeStoredFrame(text("x"))),
    );
    const read: number[] = [];
    const file = fileOf(Buffer.concat(frames));
    const readAt = (offset: number, length: number) => {
      read.push(offset);
      return file.readAt(offset, length);
    };
    const listed = await listFrames({ ...file, readAt });
    expect(listed.map(({ lengthBytes }) => lengthBytes)).toEqual(frames.map(({ length }) => length));
    expect(listed.map(({ plainBytes }) => plainBytes).slice(0, 6)).toEqual([300, 0, 5, 60_000, 5, 70_000]);
    expect(listed[0]?.header.model?.hyper).toEqual(smallModel(1, 300).hyper);
    expect(read[0]).toBe(file.sizeBytes - 8); // not from the front
  });

  test("are not misled by a frame in the payload of another", async () => {
    const inner = encodeStoredFrame(noise(50));
    const outer = encodeStoredFrame(inner);
    const listed = await listFrames(fileOf(Buffer.concat([outer, outer])));
    expect(listed.map(({ plainBytes }) => plainBytes)).toEqual([inner.length, inner.length]);
  });
});

/** Fills: what is taken out of a source, that it comes back whatever stands around it, and what a reader refuses. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, guardOf } from "../../src/archive/checksum.ts";
import { ArchiveError, TruncatedError } from "../../src/archive/errors.ts";
import { chainPieces, encodeFills, fillBytesOf, piecesOf } from "../../src/archive/fills.ts";
import { type Block, FILL_PIECE_BYTES } from "../../src/archive/format.ts";
import { pullFrom } from "../../src/archive/stream.ts";
import { encodeFrame, encodeHeader } from "../../src/archive/write.ts";
import { findRun, RUN_BYTES_MIN, shortPeriodOf } from "../../src/pipeline/fills.ts";
import { type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { restore } from "../../src/pipeline/restore.ts";
import type { CutPolicy } from "../../src/repeats/policy.ts";
import { joined, noise, utf8 as text } from "../support/bytes.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { archiveOf, LIMITS, plainOf, readArchive } from "../support/in-memory.ts";
import { listFrames } from "../support/listing.ts";
import { gradientOf } from "../support/numbers.ts";

const nothing = async () => {};
const repeated = (pattern: Uint8Array, count: number) => new Uint8Array(Buffer.alloc(count, pattern));
const compress = (source: PlainSource, blockBytes = 2 ** 20, repeats?: CutPolicy) =>
  archiveOf(source, { blockBytes, hyperFor: (bytes) => tinyHyper(Math.min(4, bytes)), ...(repeats && { repeats }) });
const decompress = (archive: Uint8Array, pieceBytes = 5000) => plainOf(archive, {}, undefined, pieceBytes);

/** As if zeros of 4096 bytes or more were holes. */
function sparseSource(plain: Uint8Array): PlainSource & { readonly skipped: () => number } {
  let offset = 0;
  let skipped = 0;
  return {
    sizeBytes: plain.length,
    read: async (count) => {
      offset += count;
      return plain.subarray(offset - count, offset);
    },
    zerosAhead: () => {
      let end = offset;
      while (end < plain.length && plain[end] === 0) end += 1;
      return end - offset >= 4096 ? end - offset : 0;
    },
    skip: (count) => {
      offset += count;
      skipped += count;
    },
    skipped: () => skipped,
  };
}

describe("long runs", () => {
  test("of any short pattern are taken out, and take next to nothing", async () => {
    for (const pattern of [
      Uint8Array.of(0),
      Uint8Array.of(7),
      text("abc"),
      noise(100),
      noise(4096),
      joined(new Uint8Array(900), noise(9)),
    ]) {
      const plain = joined(text("before"), repeated(pattern, 3_000_001), text("behind"));
      const archive = await compress(sourceOf(plain));
      expect(archive.length).toBeLessThan(100 + pattern.length);
      const [block, ...others] = (await readArchive(archive))[0]?.blocks ?? [];
      expect(others).toEqual([]);
      expect(block?.plainBytes).toBeLessThan(12 + 2 * pattern.length);
      expect(Buffer.compare(await decompress(archive), plain)).toBe(0);
    }
  });

  test("and noise, in any order and of lengths around every threshold, come back", async () => {
    const edges = [
      0,
      1,
      4095,
      4096,
      RUN_BYTES_MIN - 1,
      RUN_BYTES_MIN,
      RUN_BYTES_MIN + 1,
      2 * RUN_BYTES_MIN,
      65_535,
      65_536,
    ];
    const length = fc.oneof(fc.nat(70_000), fc.constantFrom(...edges));
    const pattern = fc.constantFrom(Uint8Array.of(0), Uint8Array.of(0), Uint8Array.of(255), text("ab"), noise(37));
    const part = fc.oneof(
      fc.tuple(pattern, length).map(([bytes, count]) => repeated(bytes, count)),
      length.map((count) => noise(Math.min(count, 20_000), count)),
      fc.nat(300).map((count) => repeated(text("to be or not "), count)),
    );
    const input = fc.array(part, { maxLength: 7 }).map((parts) => joined(...parts));
    const blockBytes = fc.constantFrom(1000, 50_000, 65_536, 100_000, 2 ** 20);
    await fc.assert(
      fc.asyncProperty(input, blockBytes, fc.boolean(), async (plain, block, isSizeKnown) => {
        const archive = await compress(sourceOf(plain, isSizeKnown), block, { timeUnits: 0 });
        expect(Buffer.compare(await decompress(archive), plain)).toBe(0);
        const [frame] = await readArchive(archive);
        const sum = frame?.blocks.reduce((bytes, each) => bytes + each.plainBytes + fillBytesOf(each.fills), 0);
        expect([frame?.header.plainBytes, sum]).toEqual([plain.length, plain.length]);
        const [listed] = await listFrames({
          sizeBytes: archive.length,
          readAt: async (offset, count) => archive.subarray(offset, offset + count),
        });
        expect([listed?.plainBytes, listed?.check]).toEqual([plain.length, frame?.blocks.at(-1)?.check ?? 0n]);
        if (isSizeKnown)
          expect(Buffer.compare(await compress(sparseSource(plain), block, { timeUnits: 0 }), archive)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test("that are holes are not read, and make the same archive", async () => {
    const plain = joined(noise(5000), new Uint8Array(9_000_000), text("middle"), new Uint8Array(4_000_000));
    const source = sparseSource(plain);
    expect(Buffer.compare(await compress(source, 2 ** 20), await compress(sourceOf(plain), 2 ** 20))).toBe(0);
    expect(source.skipped()).toBeGreaterThan(10_000_000);
  });

  test("scattered over a block leave one block of what is between them", async () => {
    const parts = Array.from({ length: 40 }, (_, i) => joined(noise(99, i), text("."), new Uint8Array(40_000)));
    const [frame] = await readArchive(await compress(sourceOf(joined(...parts))));
    expect(frame?.blocks.map(({ plainBytes, fills }) => [plainBytes, fills?.length])).toEqual([[4000, 40]]);
  });

  test("of a drawn pattern are left to the model where all is drawn, up to 4 MiB, and else taken out", () => {
    const rows = (count: number) => repeated(gradientOf(1, 600, 2, 1), 600 * count);
    expect(findRun(rows(300), 0)).toBeUndefined();
    expect(findRun(rows(7100), 0)).toMatchObject({ start: 0, period: 600 });
    const found = findRun(joined(noise(60_000), rows(300)), 0);
    expect(found).toMatchObject({ start: 60_000, end: 240_000, period: 600 });
    expect(findRun(repeated(gradientOf(1, 60, 2, 1), 60 * 3000), 0)).toMatchObject({ start: 0, period: 60 });
  });

  test("of more patterns than a list has room for come back", async () => {
    const parts = Array.from({ length: 330 }, (_, i) => repeated(noise(4000, i), RUN_BYTES_MIN));
    const plain = joined(...parts);
    const archive = await compress(sourceOf(plain), 2 ** 20);
    const blocks = (await readArchive(archive))[0]?.blocks ?? [];
    expect(blocks.length).toBeGreaterThan(1);
    expect(blocks[0]?.fills?.length).toBeWithin(200, 330);
    expect(Buffer.compare(await decompress(archive, 2 ** 20), plain)).toBe(0);
  });

  test("are found from end to end, and no shorter ones", () => {
    for (const period of [1, 2, 3, 17, 4096]) {
      for (const [before, count] of [
        [0, RUN_BYTES_MIN],
        [77, RUN_BYTES_MIN],
        [16_384, 50_000],
        [20_000, RUN_BYTES_MIN - 1],
      ] as const) {
        const pattern = noise(period, period + 1);
        const head = noise(before, 5);
        const tail = repeated(pattern, count + 1).map((byte, i) => (i < count ? byte : byte ^ 1));
        if (before > 0) head[before - 1] = (pattern.at(-1) as number) ^ 1;
        const found = findRun(joined(head, tail, noise(30_000, 6)), 0);
        expect(found).toEqual(count < RUN_BYTES_MIN ? undefined : { start: before, end: before + count, period });
      }
    }
    expect(findRun(noise(300_000), 0)).toBeUndefined();
    expect(shortPeriodOf(text("abcabcab"), 8)).toBe(3);
    expect(shortPeriodOf(text("abcabcad"), 8)).toBe(0);
    expect(shortPeriodOf(text("a"), 8)).toBe(0);
  });
});

describe("what fills give", () => {
  test("comes in pieces, and not before all of it was held against the check", async () => {
    const archive = await compress(sourceOf(joined(text("x"), repeated(text("abc"), 10 * FILL_PIECE_BYTES))));
    const lengths: number[] = [];
    const sink = async ({ length }: Uint8Array) => void lengths.push(length);
    await restore(pullFrom(archive), sink, async () => new FakeEngine(), LIMITS);
    expect(lengths.length).toBeGreaterThan(10);
    expect(Math.max(...lengths)).toBe(FILL_PIECE_BYTES);
    const last = archive.lastIndexOf(0x11); // the block's kind, in front of its check
    const damaged = archive.with(archive.length - 40, (archive.at(-40) as number) ^ 1);
    expect(last).toBeGreaterThan(0);
    const out: number[] = [];
    const sinkOut = async ({ length }: Uint8Array) => void out.push(length);
    const restored = restore(pullFrom(damaged), sinkOut, async () => new FakeEngine(), LIMITS);
    await expect(restored).rejects.toBeInstanceOf(ArchiveError);
    expect(out).toEqual([]);
  });

  test("is given up soon when asked to, while it is checked and while it is handed out", async () => {
    const archive = endless(2 ** 46);
    for (const checks of [true, false]) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(new Error("enough")), 100);
      const startMs = performance.now();
      const options = { ...LIMITS, checks, signal: abort.signal };
      const restored = restore(pullFrom(archive), nothing, async () => new FakeEngine(), options);
      await expect(restored).rejects.toThrow("enough");
      expect(performance.now() - startMs).toBeLessThan(5000);
      clearTimeout(timer);
    }
  });

  test("is hashed piece by piece", async () => {
    const fills = [{ gapBytes: 3, lengthBytes: 3 * FILL_PIECE_BYTES + 5, pattern: text("abcde") }];
    const pieces = [...piecesOf(text("abcdef"), fills)].map(({ length }) => length);
    expect(pieces).toEqual([3, FILL_PIECE_BYTES, FILL_PIECE_BYTES, FILL_PIECE_BYTES, 5, 3]);
    const bytes = Buffer.concat([...piecesOf(text("abcdef"), fills)].map((piece) => piece.slice()));
    expect(bytes.equals(joined(text("abc"), repeated(text("abcde"), 3 * FILL_PIECE_BYTES + 5), text("def")))).toBe(
      true,
    );
  });
});

/** A frame of zeros whose check is wrong; nobody gets that far. */
function endless(lengthBytes: number): Uint8Array {
  const fills = [{ gapBytes: 0, lengthBytes, pattern: Uint8Array.of(0) }];
  const block: Block = { kind: "stored", plainBytes: 0, check: 1n, fills, payload: new Uint8Array(0) };
  return encodeFrame({ blockBytes: 1000 }, [block]);
}

describe("a record of fills", () => {
  const data = text("hello, fills");
  const fills = [
    { gapBytes: 5, lengthBytes: 5000, pattern: Uint8Array.of(0) },
    { gapBytes: 3, lengthBytes: 6000, pattern: text("xyz") },
    { gapBytes: 0, lengthBytes: 4096, pattern: text("xyz") },
  ];

  async function frame(isLengthKnown = true): Promise<Uint8Array> {
    const check = await chainPieces(data, fills, CHECK_START, nothing);
    const header = { blockBytes: 20_000, ...(isLengthKnown && { plainBytes: data.length + 15_096 }) };
    const known = isLengthKnown ? { ...header, blockBytes: data.length + 15_096 } : header;
    return encodeFrame(known, [{ kind: "stored", plainBytes: data.length, check, fills, payload: data }]);
  }

  test.each([true, false])("comes back; length known: %p", async (isLengthKnown) => {
    const bytes = await frame(isLengthKnown);
    const [read] = await readArchive(bytes);
    expect(read?.blocks[0]?.fills).toEqual(fills);
    expect(read?.header.plainBytes).toBe(data.length + 15_096);
    const plain = await decompress(bytes, 3);
    const [a, b] = [text("hello"), text(", f")];
    const c = text("ills");
    const [zeros, xyz, more] = [new Uint8Array(5000), repeated(text("xyz"), 6000), repeated(text("xyz"), 4096)];
    expect(Buffer.compare(plain, joined(a, zeros, b, xyz, more, c))).toBe(0);
  });

  test("truncated anywhere is a truncation, with a bit flipped is refused", async () => {
    const bytes = await frame();
    for (let length = 1; length < bytes.length; length += 1) {
      await expect(readArchive(bytes.subarray(0, length))).rejects.toThrow(TruncatedError);
    }
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = bytes.with(bit >> 3, (bytes[bit >> 3] as number) ^ (1 << (bit & 7)));
      await expect(decompress(flipped, 9)).rejects.toBeInstanceOf(ArchiveError);
    }
  });

  /** The frame with its record replaced, guarded anew. */
  async function withRecord(record: Uint8Array, behind?: Uint8Array): Promise<Uint8Array> {
    const bytes = await frame();
    const header = encodeHeader({ blockBytes: data.length + 15_096, plainBytes: data.length + 15_096 });
    const recordBytes = 1 + 1 + encodeFills(fills).length + 4;
    const guarded = new ByteWriter().raw(record).u32(guardOf(record)).finish();
    return joined(header, guarded, behind ?? bytes.subarray(header.length + recordBytes));
  }

  const recordOf = (...list: number[]) => Uint8Array.of(10, list.length, ...list);
  const cases: [name: string, record: Uint8Array, says: string][] = [
    ["no fills", Uint8Array.of(10, 0), "list of fills"],
    ["more fills than a list may have", Uint8Array.of(10, 0x81, 0x80, 0x40), "list of fills"],
    ["a fill that is cut off", recordOf(5, 0x88), "list of fills"],
    ["a pattern that is cut off", recordOf(5, 0x88, 0x27, 3, 1, 2), "list of fills"],
    ["a short fill", recordOf(5, 0xff, 0x1f, 0), "length of a fill"],
    ["more than is left", recordOf(5, 0x88, 0xff, 0x7f, 0), "length of a fill"],
    ["a pattern beyond the limit", recordOf(5, 0x88, 0x27, 0x81, 0x20), "length of a pattern"],
    ["the same pattern again", recordOf(5, 0x88, 0x27, 1, 0), "length of a pattern"],
    ["several pieces", Uint8Array.of(0x1a, 4, 5, 0x88, 0x27, 0), "kind of a block"],
  ];
  test.each(cases)("%s is refused", async (_name, record, says) => {
    const error = await decompress(await withRecord(record)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArchiveError);
    expect((error as Error).message).toInclude(says);
  });

  test("stands before a block, and nothing else", async () => {
    const record = recordOf(0, 0x88, 0x27, 0);
    const again = new ByteWriter().raw(record).u32(guardOf(record)).finish();
    for (const behind of [again, Uint8Array.of(5), Uint8Array.of(4, 3), Uint8Array.of(0x21), Uint8Array.of(6, 0)]) {
      const error = await decompress(await withRecord(record, joined(behind, new Uint8Array(40)))).catch(
        (thrown) => thrown,
      );
      expect(error).toBeInstanceOf(ArchiveError);
    }
  });

  test("has its places within the block", async () => {
    const behind = joined(Uint8Array.of(1, 5), new Uint8Array(8), text("hello"), Uint8Array.of(5));
    const error = await decompress(await withRecord(recordOf(6, 0x88, 0x27, 0), behind)).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "CorruptError", field: "the place of a fill" });
  });

  test("is not written if no reader would accept it", () => {
    const block: Block = { kind: "stored", plainBytes: 5, check: 0n, payload: text("hello") };
    const write = (fill: object) =>
      encodeFrame({ blockBytes: 100 }, [
        { ...block, fills: [{ gapBytes: 0, lengthBytes: 9000, pattern: text("x"), ...fill }] },
      ]);
    expect(() => write({})).not.toThrow();
    for (const fill of [
      { gapBytes: 6 },
      { lengthBytes: 4095 },
      { pattern: text("") },
      { pattern: new Uint8Array(4097) },
    ]) {
      expect(() => write(fill)).toThrow(RangeError);
    }
    expect(() => encodeFrame({ blockBytes: 100 }, [{ ...block, fills: [] }])).toThrow(RangeError);
  });
});

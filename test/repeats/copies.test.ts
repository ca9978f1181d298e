/** The coded list of copies: what goes in comes out, and what nobody wrote is refused before it costs anything. */
import { describe, expect, test } from "bun:test";
import { ArchiveError, CorruptError, TruncatedError } from "../../src/archive/errors.ts";
import {
  COPY_BYTES_MIN,
  type Copies,
  type CopyLimits,
  copiedBytes,
  decodeCopies,
  encodeCopies,
  NO_COPIES,
} from "../../src/repeats/copies.ts";
import { cut } from "../../src/repeats/cut.ts";
import { restore } from "../../src/repeats/paste.ts";
import { letters, noise, otherStrand } from "../support/genome.ts";
import { Random } from "../support/gpu-values.ts";

type Row = readonly [gap: number, length: number, distance: number];

const listOf = (rows: readonly Row[]): Copies => ({
  count: rows.length,
  gaps: Uint32Array.from(rows, ([gap]) => gap),
  lengths: Uint32Array.from(rows, ([, length]) => length),
  distances: Int32Array.from(rows, ([, , distance]) => distance),
});

/** Limits that a list just keeps: nothing of the rest behind the last copy. */
function limitsOf(copies: Copies, windowBytes = 0): CopyLimits {
  const restBytes = copies.gaps.reduce((a, b) => a + b, 0);
  return { restBytes, blockBytes: restBytes + copiedBytes(copies), windowBytes };
}

/** Copies as files have them: near and far, of every length, often in the distance or on the axis of one before. */
function randomCopies(random: Random, count: number, windowBytes: number): Copies {
  const rows: Row[] = [];
  const axes: number[] = [];
  let position = 0;
  for (let i = 0; i < count; i += 1) {
    const gap = random.between(0, 1) * (random.next() >>> random.between(18, 31)) + (i === 0 ? 1 : 0);
    const length = COPY_BYTES_MIN + (random.next() >>> random.between(14, 31));
    position += gap;
    const far = random.between(1, position + windowBytes);
    const before = rows[random.between(0, rows.length)]?.[2];
    const shifted = (before ?? far) + random.between(-9, 9) * random.between(0, 1);
    const distance = random.between(0, 1) === 0 ? far : Math.max(1, Math.min(shifted, position + windowBytes));
    const axis = (axes[random.between(0, axes.length)] ?? 2 * position - far) + random.between(-9, 9) * (i & 1);
    const back = 2 * position - axis;
    // All that is read backwards must be there.
    const isMirrored = random.between(0, 1) === 0 && back >= 1 && back + length - 1 <= position + windowBytes;
    if (isMirrored) axes.push(axis);
    rows.push([gap, length, isMirrored ? -back : distance]);
    position += length;
  }
  return listOf(rows);
}

describe("the list of copies", () => {
  test("comes back, whatever is in it", () => {
    const random = new Random(21);
    for (let trial = 0; trial < 200; trial += 1) {
      const windowBytes = random.between(0, 1) * random.between(0, 2 ** 24);
      const copies = randomCopies(random, random.between(0, 60), windowBytes);
      expect(decodeCopies(encodeCopies(copies), limitsOf(copies, windowBytes))).toEqual(copies);
    }
  });

  test("the largest numbers that blocks can have come back", () => {
    const copies = listOf([
      [1, COPY_BYTES_MIN, 2 ** 31 - 1],
      [0, 2 ** 30 - 100, 1],
      [30, 12, 2 ** 30],
    ]);
    const limits = { ...limitsOf(copies), windowBytes: 2 ** 31 };
    expect(decodeCopies(encodeCopies(copies), limits)).toEqual(copies);
  });

  test("is spelled as docs/FORMAT.md says", () => {
    const copies = listOf([
      [40, 20, 33],
      [5, 100, 7],
      [0, 50, 60],
      [3, 12, 33],
      [9, 5000, 1000],
    ]);
    expect(Buffer.from(encodeCopies(copies)).toString("hex")).toBe("05d59edfe6eac8dbaac8d01e25721d0869f51790");
  });

  test("mirrored copies are spelled as docs/FORMAT.md says", () => {
    const copies = listOf([
      [40, 20, -3],
      [5, 15, -53],
      [0, 12, 60],
      [3, 14, -101],
      [9, 12, -9000],
      [2, 12, -135],
    ]);
    const coded = encodeCopies(copies);
    expect(decodeCopies(coded, limitsOf(copies, 10_000))).toEqual(copies);
    expect(Buffer.from(coded).toString("hex")).toBe("06d5834e5cdd47ef7d6a2cfe2fd71191f7b17487b2e0");
  });

  test("before version 5 nothing is mirrored: the same bits say another distance", () => {
    const limits = { blockBytes: 60, restBytes: 40, windowBytes: 0 };
    const coded = encodeCopies(listOf([[40, 20, -3]]));
    expect(decodeCopies(coded, limits).distances).toEqual(Int32Array.of(-3));
    const old = () => decodeCopies(coded, { ...limits, mirrored: false });
    expect(old).toThrow(CorruptError);
    const plain = encodeCopies(listOf([[40, 20, 33]]));
    expect(decodeCopies(plain, { ...limits, mirrored: false })).toEqual(decodeCopies(plain, limits));
  });

  test("no copies are one byte", () => {
    expect(encodeCopies(NO_COPIES)).toEqual(Uint8Array.of(0));
    expect(decodeCopies(Uint8Array.of(0), { blockBytes: 7, restBytes: 7, windowBytes: 0 })).toEqual(NO_COPIES);
  });

  test("copies in one distance cost few bits", () => {
    const random = new Random(2);
    const rows = Array.from({ length: 1000 }, (): Row => [random.between(1, 2), random.between(100, 131), 5000]);
    const first: Row = [6000, 100, 5000];
    const bits = (8 * encodeCopies(listOf([first, ...rows])).length) / 1000;
    expect(bits).toBeLessThan(7.5); // 1 for the gap, 5 for the length
  });
});

describe("what is refused", () => {
  const copies = listOf([
    [40, 20, 33],
    [5, 100, 7],
    [0, 50, 60],
  ]);
  const coded = encodeCopies(copies);
  const limits = limitsOf(copies, 10);
  const decode =
    (changes: Partial<CopyLimits>, bytes = coded) =>
    () =>
      decodeCopies(bytes, { ...limits, ...changes });

  test("nothing, as long as it fits", () => {
    expect(decode({})()).toEqual(copies);
  });

  test("a rest or a block of another length", () => {
    expect(decode({ restBytes: limits.restBytes - 1, blockBytes: limits.blockBytes - 1 })).toThrow("gap");
    expect(decode({ restBytes: limits.restBytes - 1 })).toThrow(CorruptError);
    expect(decode({ restBytes: limits.restBytes + 1 })).toThrow(CorruptError);
    expect(decode({ blockBytes: limits.blockBytes - 1 })).toThrow("length");
    expect(decode({ blockBytes: limits.blockBytes + 1 })).toThrow("rest and copies");
    expect(decode({ restBytes: limits.blockBytes + 1 })).toThrow("the rest");
  });

  test("more copies than the block has room for, before anything is read", () => {
    expect(decode({ blockBytes: limits.restBytes + 3 * COPY_BYTES_MIN - 1 })).toThrow("0 to 2");
    expect(decode({}, Uint8Array.of(255, 255, 255, 255, 15))).toThrow("number of copies");
  });

  test("distances that reach before the window", () => {
    const far = (distance: number) => encodeCopies(listOf([[40, 130, distance]]));
    const within = { restBytes: 45 };
    const blockBytes = 175;
    expect(decode({ ...within, blockBytes, windowBytes: 60 }, far(100))().count).toBe(1);
    expect(decode({ ...within, blockBytes, windowBytes: 59 }, far(100))).toThrow("1 to 99");
    expect(decode({ ...within, blockBytes, windowBytes: 60 }, far(2 ** 32 - 1))).toThrow("distance");
  });

  test("mirrored copies that reach before the window", () => {
    const far = (distance: number) => encodeCopies(listOf([[40, 130, -distance]]));
    const within = { restBytes: 45, blockBytes: 175 };
    // The first byte is 10 before the copy, the last one 139: 40 of them are in the block.
    expect(decode({ ...within, windowBytes: 99 }, far(10))().count).toBe(1);
    expect(decode({ ...within, windowBytes: 98 }, far(10))).toThrow("1 to 9");
    expect(decode({ ...within, windowBytes: 98 }, far(2 ** 31))).toThrow("distance");
  });

  test("differences of distances that lead to 0 or below", () => {
    const near = (distance: number) => encodeCopies(listOf([[40, 130, distance]]));
    expect(decode({ restBytes: 45, blockBytes: 175 }, near(5))().count).toBe(1);
    expect(decode({ restBytes: 45, blockBytes: 175 }, near(0))).toThrow("1 to 50");
  });

  test("lists that end early or late", () => {
    expect(decode({}, coded.subarray(0, 0))).toThrow(TruncatedError);
    expect(decode({}, coded.subarray(0, 2))).toThrow(CorruptError);
    expect(decode({}, Uint8Array.of(...coded, 0, 0, 0, 0, 0))).toThrow(CorruptError);
  });

  test("offsets in errors count from the start of the archive", () => {
    try {
      decodeCopies(coded, { ...limits, blockBytes: 10 }, 5000);
      throw new Error("was accepted");
    } catch (error) {
      expect((error as CorruptError).offsetBytes).toBe(5000);
    }
  });
});

test.each([
  ["plain", false],
  ["plain and mirrored", true],
] as const)("2,000 damaged lists of %s copies end in an archive error, or in a block of that length", (_, mirrored) => {
  const random = new Random(77);
  const words = Array.from({ length: 60 }, () =>
    mirrored ? letters(random, random.between(20, 90)) : noise(random, random.between(5, 90)),
  );
  const turned = (word: Uint8Array) => (mirrored && random.between(0, 1) === 0 ? otherStrand(word) : word);
  const block = Buffer.concat(Array.from({ length: 300 }, () => turned(words[random.between(0, words.length - 1)]!)));
  const window = block.subarray(0, 2000);
  const { rest, copies } = cut(block.subarray(2000), window, { minLength: 16, mirrored });
  expect(copies.distances.some((distance) => distance < 0)).toBe(mirrored);
  const blockBytes = block.length - window.length;
  const limits: CopyLimits = { blockBytes, restBytes: rest.length, windowBytes: window.length };
  const coded = encodeCopies(copies);
  expect(restore(rest, decodeCopies(coded, limits), window)).toEqual(new Uint8Array(block.subarray(2000)));
  let refused = 0;
  for (let trial = 0; trial < 2000; trial += 1) {
    const bytes = damaged(coded, random);
    try {
      const back = restore(rest, decodeCopies(bytes, limits), window);
      expect(back.length).toBe(blockBytes);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

/** Changed bits, cut or doubled parts, noise behind a good start. */
function damaged(coded: Uint8Array, random: Random): Uint8Array {
  const bytes = coded.slice();
  const at = random.between(0, bytes.length - 1);
  const kind = random.between(0, 4);
  if (kind === 0) bytes[at]! ^= 1 << random.between(0, 7);
  if (kind === 1) return bytes.subarray(0, at);
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at), bytes]);
  if (kind >= 3)
    for (let i = at; i < bytes.length; i += 1) bytes[i] = kind === 3 ? random.next() : random.between(0, 1) * 255;
  return bytes;
}

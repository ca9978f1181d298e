/** Cutting repeats out and putting them back: exact on everything, and nothing that pays is left in. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bestOf } from "../../src/repeats/choose.ts";
import { type Copies, copiedBytes, decodeCopies, encodeCopies } from "../../src/repeats/copies.ts";
import { type CutBlock, cut } from "../../src/repeats/cut.ts";
import type { Repeat } from "../../src/repeats/find.ts";
import { restore } from "../../src/repeats/paste.ts";
import { letters, noise, otherStrand } from "../support/genome.ts";
import { Random } from "../support/gpu-values.ts";

const NO_WINDOW = new Uint8Array(0);

/** Cuts, takes the list through its code, restores, compares. */
function throughAll(block: Uint8Array, window: Uint8Array, options: Parameters<typeof cut>[2]): CutBlock {
  const result = cut(block, window, options);
  const { rest, copies } = result;
  expect(rest.length + copiedBytes(copies)).toBe(block.length);
  const limits = { blockBytes: block.length, restBytes: rest.length, windowBytes: window.length };
  const back = decodeCopies(encodeCopies(copies), limits);
  expect(Buffer.compare(restore(rest, back, window), block)).toBe(0);
  return result;
}

const rowsOf = ({ count, gaps, lengths, distances }: Copies) =>
  Array.from({ length: count }, (_, i) => [gaps[i]!, lengths[i]!, distances[i]!]);

describe("any block comes back", () => {
  const alphabets = [1, 2, 3, 256];
  test.each(alphabets)("with %d different bytes", (size) => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 600 }),
        fc.nat(),
        fc.integer({ min: 12, max: 40 }),
        fc.integer({ min: 0, max: 20 }),
        (bytes, split, minLength, seamBytes) => {
          const all = Uint8Array.from(bytes);
          const windowBytes = split % (all.length + 1);
          throughAll(all.subarray(windowBytes), all.subarray(0, windowBytes), { minLength, seamBytes });
        },
      ),
      { numRuns: 150, seed: size },
    );
  });

  test("with letters that have partners, and some that have none", () => {
    const byte = fc.constantFrom(...Buffer.from("ACGTacgtN\n"));
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 12, max: 24 }),
        (bytes, split, min) => {
          const half = Uint8Array.from(bytes);
          const all = new Uint8Array(Buffer.concat([half, otherStrand(half)]));
          const windowBytes = split % (all.length + 1);
          const window = all.subarray(0, windowBytes);
          throughAll(all.subarray(windowBytes), window, { minLength: min, mirrored: true });
        },
      ),
      { numRuns: 200, seed: 5 },
    );
  });

  test.each([false, true])("made of pieces of itself, with changes; of two strands: %p", (mirrored) => {
    const random = new Random(4);
    for (let trial = 0; trial < 60; trial += 1) {
      const pieces = [mirrored ? letters(random, 300) : noise(random, 300)];
      for (let i = 0; i < 40; i += 1) {
        const source = pieces[random.between(0, pieces.length - 1)]!;
        const from = random.between(0, source.length - 1);
        const piece = source.slice(from, from + random.between(1, 400));
        piece[random.between(0, piece.length - 1)]! ^= random.between(0, 1);
        pieces.push(mirrored && random.between(0, 1) === 0 ? otherStrand(piece) : piece);
      }
      const all = new Uint8Array(Buffer.concat(pieces));
      const windowBytes = random.between(0, all.length);
      const minLength = random.between(12, 64);
      throughAll(all.subarray(windowBytes), all.subarray(0, windowBytes), { minLength, mirrored });
    }
  });
});

describe("what is found", () => {
  test.each([12, 16, 24, 32, 33, 63, 64, 100, 128, 1000])(
    "a repeat of %d bytes at any place, and none shorter",
    (min) => {
      const random = new Random(min);
      for (let shift = 0; shift < 40; shift += 1) {
        const source = noise(random, min + 90);
        const from = random.between(0, 40);
        const between = noise(random, shift);
        const repeat = (length: number) =>
          new Uint8Array(Buffer.concat([source, between, source.subarray(from, from + length), noise(random, 50)]));
        // The byte behind must not go on by chance.
        const exact = repeat(min);
        exact[exact.length - 50] = source[from + min]! ^ 1;
        const { copies } = throughAll(exact, NO_WINDOW, { minLength: min });
        expect(copiedBytes(copies)).toBeGreaterThanOrEqual(min);
        expect(copiedBytes(copies)).toBeLessThanOrEqual(min + 2); // the byte before may go on by chance
        const short = repeat(min - 1);
        short[short.length - 50] = source[from + min - 1]! ^ 1;
        short[source.length + shift - 1]! = source[from - 1]! ^ 1;
        expect(throughAll(short, NO_WINDOW, { minLength: min }).copies.count).toBe(0);
      }
    },
  );

  test("in the window, across its end, and in the block", () => {
    const random = new Random(8);
    const window = noise(random, 500);
    const own = noise(random, 60);
    const across = Buffer.concat([window.subarray(450), own.subarray(0, 30)]);
    const block = new Uint8Array(Buffer.concat([own, window.subarray(100, 200), across, own]));
    const { rest, copies } = throughAll(block, window, { minLength: 32 });
    expect(rest).toEqual(own);
    expect(rowsOf(copies)).toEqual([
      [60, 100, 460],
      [0, 80, 210],
      [0, 60, 240],
    ]);
  });

  test("a block that is all copies has an empty rest", () => {
    const window = noise(new Random(1), 1000);
    expect(throughAll(window.slice(), window, { minLength: 32 }).rest.length).toBe(0);
  });

  test("runs become copies of themselves", () => {
    const { rest, copies } = throughAll(new Uint8Array(100_000), NO_WINDOW, { minLength: 32 });
    expect(rest.length).toBe(1);
    expect(rowsOf(copies)).toEqual([[1, 99_999, 1]]);
    const period = noise(new Random(6), 7);
    const periodic = Uint8Array.from({ length: 5000 }, (_, i) => period[i % 7]!);
    expect(throughAll(periodic, NO_WINDOW, { minLength: 32 }).rest.length).toBe(7);
  });

  test.each([12, 20, 24, 33, 64])("a mirrored repeat of %d letters at any place, and none shorter", (min) => {
    const random = new Random(100 + min);
    for (let shift = 0; shift < 40; shift += 1) {
      // Letters without partners about it, so that chance adds nothing.
      const dots = (count: number) => Buffer.alloc(count, ".");
      const repeat = (length: number) => {
        const source = letters(random, length);
        const parts = [dots(shift % 9), source, Buffer.from("12"), dots(shift), otherStrand(source), Buffer.from("3")];
        return new Uint8Array(Buffer.concat(parts));
      };
      const { copies } = throughAll(repeat(min), NO_WINDOW, { minLength: min, mirrored: true });
      const found = rowsOf(copies).filter(([, , distance]) => distance! < 0);
      expect(found).toEqual([[expect.any(Number), min, -(shift + 3)]]);
      const short = throughAll(repeat(min - 1), NO_WINDOW, { minLength: min, mirrored: true }).copies;
      expect(rowsOf(short).filter(([, , distance]) => distance! < 0)).toEqual([]);
      expect(throughAll(repeat(min), NO_WINDOW, { minLength: min }).copies.distances.every((d) => d > 0)).toBe(true);
    }
  });

  test("mirrored, in the window, across its end, and against itself", () => {
    const random = new Random(9);
    const window = letters(random, 500);
    const own = letters(random, 60);
    const across = otherStrand(new Uint8Array(Buffer.concat([window.subarray(470), own.subarray(0, 30)])));
    const hairpin = letters(random, 40);
    const parts = [own, Buffer.from("1"), otherStrand(window.subarray(100, 200)), Buffer.from("2"), across];
    const block = new Uint8Array(Buffer.concat([...parts, hairpin, otherStrand(hairpin)]));
    const { copies } = throughAll(block, window, { minLength: 32, mirrored: true });
    expect(rowsOf(copies)).toEqual([
      [61, 100, -(61 + 300 + 1)],
      [1, 60, -(162 - 29)],
      [40, 40, -1],
    ]);
  });

  test("a mirrored repeat goes on behind changed letters, on the same axis", () => {
    const random = new Random(11);
    const source = letters(random, 300);
    const mirrored = otherStrand(source);
    mirrored[100] = 46;
    mirrored[220] = 46;
    const block = new Uint8Array(Buffer.concat([source, letters(random, 50), mirrored]));
    const { copies } = throughAll(block, NO_WINDOW, { minLength: 40, mirrored: true });
    expect(rowsOf(copies)).toEqual([
      [350, 100, -51],
      [1, 119, -253],
      [1, 79, -493],
    ]);
    expect(encodeCopies(copies).length).toBeLessThan(14);
  });

  test("the longer of two repeats, even if it begins later", () => {
    const random = new Random(13);
    const [head, tail] = [noise(random, 20), noise(random, 300)];
    const middle = noise(random, 25);
    const [short, long] = [Buffer.concat([head, middle]), Buffer.concat([middle, tail])];
    const block = Buffer.concat([short, Uint8Array.of(1), long, noise(random, 100), head, middle, tail]);
    const { copies } = throughAll(new Uint8Array(block), NO_WINDOW, { minLength: 32 });
    // The 20 bytes of head are not worth a copy of their own.
    expect(rowsOf(copies)).toEqual([[20 + 25 + 1 + 325 + 100 + 20, 325, 445]]);
  });

  test("what goes on behind changed bytes, in a copy shorter than others", () => {
    const random = new Random(14);
    const source = noise(random, 200);
    const changed = source.slice();
    for (let i = 100; i < 104; i += 1) changed[i]! ^= 255;
    changed[120]! ^= 255;
    const block = new Uint8Array(Buffer.concat([source, noise(random, 30), changed.subarray(0, 140)]));
    const { copies } = throughAll(block, NO_WINDOW, { minLength: 40 });
    expect(rowsOf(copies)).toEqual([[230, 100, 230]]); // by default, only 20 bytes or more go on
    const resumed = throughAll(block, NO_WINDOW, { minLength: 40, resumeLength: 16 }).copies;
    expect(rowsOf(resumed)).toEqual([
      [230, 100, 230],
      [4, 16, 230],
      [1, 19, 230],
    ]);
  });

  test("seams: the end of a copy stays in the rest, except at the end of the block", () => {
    const random = new Random(15);
    const source = noise(random, 100);
    const block = new Uint8Array(Buffer.concat([source, source, noise(random, 10), source]));
    const { copies } = throughAll(block, NO_WINDOW, { minLength: 32, seamBytes: 8 });
    expect(rowsOf(copies)).toEqual([
      [100, 92, 100],
      [18, 100, 210],
    ]);
  });

  test("the same block always gives the same list", () => {
    const random = new Random(16);
    const words = Array.from({ length: 30 }, () => noise(random, 20));
    const block = new Uint8Array(Buffer.concat(Array.from({ length: 400 }, () => words[random.between(0, 29)]!)));
    const coded = encodeCopies(cut(block, NO_WINDOW, { minLength: 24 }).copies);
    // The list is part of archives: its code must stay what it is. (The choice may change; then so does this.)
    expect(new Bun.CryptoHasher("sha256").update(coded).digest("hex").slice(0, 16)).toBe("d04d34a993777f97");
  });

  test("options out of range", () => {
    expect(() => cut(NO_WINDOW, NO_WINDOW, { minLength: 11 })).toThrow(RangeError);
    expect(() => cut(NO_WINDOW, NO_WINDOW, { minLength: 32, resumeLength: 11 })).toThrow(RangeError);
    expect(() => cut(NO_WINDOW, NO_WINDOW, { minLength: 32, seamBytes: -1 })).toThrow(RangeError);
  });
});

describe("strange input takes no longer than other", () => {
  const count = 2 ** 20;
  /** Every string of twenty bits once, a bit to a byte. */
  const shiftRegister = () => {
    let state = 1;
    return Uint8Array.from({ length: count }, () => {
      const bit = (state ^ (state >> 3)) & 1;
      state = (state >> 1) | (bit << 19);
      return bit;
    });
  };
  /** A text again and again, each time with other changes. */
  const changed = (random: Random, lengthBytes: number, changes: number) => {
    const text = noise(random, lengthBytes);
    const bytes = Uint8Array.from({ length: count }, (_, i) => text[i % lengthBytes]!);
    for (let i = 0; i < changes; i += 1) bytes[random.between(lengthBytes, count - 1)]! ^= 1;
    return bytes;
  };
  const inputs: [string, () => Uint8Array][] = [
    ["zeros", () => new Uint8Array(count)],
    ["a period of 7", () => Uint8Array.from({ length: count }, (_, i) => i % 7)],
    ["a period of 5000, with changes", () => changed(new Random(31), 5000, 300)],
    ["a period of 100,000, with many changes", () => changed(new Random(32), 100_000, 5000)],
    ["zeros with changes", () => changed(new Random(33), 1, 3000).map((byte) => byte & 1)],
    ["chance", () => noise(new Random(34), count)],
    ["every string of bits", shiftRegister],
    ["chance of two letters", () => noise(new Random(35), count).map((byte) => 65 + (byte & 1))],
  ];
  const priced = { minLength: 32, resumeLength: 16, worth: { copyBits: 70, timeUnits: 0 } };
  // A second or two each, on a busy machine; if each place were compared with all others, hours.
  test.each(inputs)("%s", (_, make) => {
    const block = make();
    throughAll(block, NO_WINDOW, priced);
    throughAll(block, NO_WINDOW, { minLength: 20, mirrored: true });
  });
});

test("choosing asks for few prices, however many repeats overlap", () => {
  const group = Array.from({ length: 4096 }, (_, i) => ({ start: i, end: 5000 + i, distance: 6000 }));
  let asked = 0;
  const prices = {
    saved: (from: number, to: number) => {
      asked += 1;
      return to - from;
    },
    cost: () => 20,
    resumedCost: () => 0,
  };
  expect(bestOf(group, prices).length).toBe(2);
  expect(asked).toBeLessThan(4 * group.length);
});

test("the choice among overlapping repeats is the best one", () => {
  const random = new Random(17);
  for (let trial = 0; trial < 500; trial += 1) {
    const group: Repeat[] = [];
    let [start, end] = [0, 0];
    for (let i = random.between(1, 7); i > 0; i -= 1) {
      start += random.between(1, 15);
      end = Math.max(end, start + 9) + random.between(1, 15);
      group.push({ start, end, distance: i });
    }
    const cost = random.between(1, 10);
    const prices = { saved: (from: number, to: number) => to - from, cost: () => cost, resumedCost: () => 0 };
    const chosen = bestOf(group, prices);
    for (const [i, each] of chosen.slice(1).entries()) expect(each.start).toBeGreaterThanOrEqual(chosen[i]!.end);
    expect(netBytes(chosen, cost)).toBe(bestNetBytes(group, cost));
  }
});

const netBytes = (repeats: readonly Repeat[], cost: number) =>
  repeats.reduce((sum, { start, end }) => sum + end - start - cost, 0);

/** By trying all subsets: what they cover together, minus the cost of each. */
function bestNetBytes(group: readonly Repeat[], cost: number): number {
  let best = 0;
  for (let subset = 1; subset < 2 ** group.length; subset += 1) {
    const taken = group.filter((_, i) => (subset >> i) & 1);
    const covered = new Set(
      taken.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
    );
    best = Math.max(best, covered.size - cost * taken.length);
  }
  return best;
}

/** What the built-in priors' content may be made of: strings of several packages, and what training may not share. */
import { expect, test } from "bun:test";
import type { Sample } from "../../scripts/priors/samples.ts";
import { SharedPieces } from "../../scripts/priors/shared.ts";
import { contentOf, frequentStrings, PACKAGES_MIN } from "../../scripts/priors/strings.ts";
import { mix32 } from "../../src/contract/fixed.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const word = (seed: number) =>
  Array.from({ length: 7 }, (_, i) => String.fromCharCode(97 + (mix32(9 * seed + i) % 26))).join("");
const sample = (number: number, text: string): Sample => ({ package: number, name: `${number}`, bytes: bytes(text) });
const textOf = (samples: readonly Sample[], bytesMax = 1000, isBinary = false) =>
  frequentStrings(samples, { isBinary, bytesMax }).map((string) => new TextDecoder().decode(string.bytes));

/** Each has words of its own, what all have, and what only some have. */
const SAMPLES = Array.from({ length: 8 }, (_, i) =>
  sample(
    i,
    `${word(i)} common phrase of all ${word(i + 50)} ${i < PACKAGES_MIN - 1 ? "seldom seen words" : word(i + 90)}`,
  ),
);

test.each([false, true])("strings are those of several packages, none of fewer; as bytes: %p", (isBinary) => {
  const found = textOf(SAMPLES, 1000, isBinary);
  expect(found.join("|")).toContain("common phrase of all");
  expect(found.join("|")).not.toMatch(/seldom|seen|words/);
  for (let i = 0; i < 8; i++) expect(found.join("|")).not.toContain(word(i));
});

test("many samples of one package are one package", () => {
  expect(textOf(Array.from({ length: 9 }, () => sample(1, "the same sentence")))).toEqual([]);
  expect(textOf(Array.from({ length: 9 }, (_, i) => sample(i, "the same sentence")))).toEqual(["the same sentence"]);
});

test("the best come first, and stand last; there are no more than wanted", () => {
  const some = (i: number) => (i < 5 ? " and here and there" : ` ${word(i)}`);
  const samples = Array.from({ length: 9 }, (_, i) => sample(i, `nearly everywhere${some(i)}`));
  const strings = frequentStrings(samples, { isBinary: false, bytesMax: 1000 });
  expect(new TextDecoder().decode(strings[0]?.bytes).trim()).toBe("nearly everywhere");
  expect(new TextDecoder().decode(contentOf(strings)).trim()).toEndWith("nearly everywhere");
  expect(textOf(samples, 1).length).toBe(1);
});

test("what samples share with files, and how rare it is", () => {
  const file = Uint8Array.from({ length: 128 }, (_, i) => mix32(i) & 255);
  const shared = new SharedPieces([file, new Uint8Array(4096)]);
  // At every place of either: of 60 bytes, 29 pieces of 32.
  const pieces = shared.in(file.subarray(11, 71), 1);
  expect(pieces.length).toBe(29);
  expect(shared.in(file.subarray(1, 32), 1)).toEqual([]);
  expect(shared.in(new Uint8Array(100), 1)).toEqual([]);
  for (const number of [1, 2, 3, 4]) {
    expect(pieces.every((piece) => shared.isRare(piece))).toBe(true);
    shared.in(file, number);
  }
  expect(pieces.some((piece) => shared.isRare(piece))).toBe(false);
});

test("a piece is one of one file, not of the end of one and the beginning of the next", () => {
  const file = Uint8Array.from({ length: 128 }, (_, i) => mix32(i) & 255);
  const shared = new SharedPieces([file.subarray(0, 64), file.subarray(64)]);
  expect(shared.in(file.subarray(40, 88), 1)).toEqual([]);
  expect(shared.in(file.subarray(20, 108), 1).length).toBe(13 + 13);
});

/** Which blocks are told a stride: tables are, and text or code is not, even if a part of it is a table. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SEQUENCE } from "../../src/contract/contexts.ts";
import { hyperForSize, levelOf, networkOf } from "../../src/model/levels.ts";
import { Pacer } from "../../src/pipeline/pacer.ts";
import { provenStride } from "../../src/pipeline/records-trial.ts";
import { findStride } from "../../src/pipeline/stride.ts";
import { Random } from "../support/gpu-values.ts";
import { rowsOf } from "../support/rows.ts";

const LEVELS = [1, 5, 9];
const DOCS = join(import.meta.dir, "../../docs");
const prose = Buffer.concat(["FORMAT.md", "NUMERICS.md"].map((name) => readFileSync(join(DOCS, name))));

/** Instructions as a compiler of x86 writes them: registers, short displacements, calls of a few functions. */
function machineCode(count: number): Uint8Array {
  const random = new Random(count);
  const bytes = Buffer.alloc(count + 16);
  const functions = Array.from({ length: 300 }, () => 16 * random.between(0, count >> 4));
  const register = () => random.between(0, 7);
  let at = 0;
  const put = (...some: number[]) => {
    bytes.set(some, at);
    at += some.length;
  };
  const templates = [
    () => put(0x48, 0x89, 0xc0 | (register() << 3) | register()),
    () => put(0x48, 0x8b, 0x45 | (register() << 3), 0xf8 - 8 * register()),
    () => put(0x48, 0x83, 0xc4, 8 * register()),
    () => put(0x50 + register()),
    () => put(0x58 + register()),
    () => put(0x85, 0xc0 | (9 * register()), 0x74, random.between(2, 40)),
    () => put(0x31, 0xc0 | (9 * register())),
    () => {
      put(0xe8, 0, 0, 0, 0);
      bytes.writeInt32LE((functions[random.between(0, 299)] as number) - at, at - 4);
    },
    () => put(0x0f, 0xb6, 0x40 | register(), random.between(0, 60)),
    () => put(0xc3, 0x66, 0x90),
  ];
  while (at < count) templates[random.between(0, templates.length - 1)]?.();
  return bytes.subarray(0, count);
}

const code = machineCode(300_000);

const strideAt = async (level: number, bytes: Uint8Array) =>
  await provenStride(bytes, hyperForSize(levelOf(level), bytes.length), new Pacer(undefined));

/** Like relocations: an address that rises, a kind, and an address that may be anything. */
function relocations(count: number): Uint8Array {
  const random = new Random(count);
  const bytes = Buffer.alloc(24 * count);
  let address = 0x8b000;
  for (let at = 0; at < bytes.length; at += 24) {
    bytes.writeUInt32LE(address, at);
    bytes.writeUInt32LE(random.between(0, 9) === 0 ? 6 : 8, at + 8);
    bytes.writeUInt32LE(0x20_0000 + random.between(0, 2 ** 20), at + 16);
    address += 8 * random.between(1, 3);
  }
  return bytes;
}

/** Lines of a bank: numbers, a name with blanks behind it, a date, all of the same length. */
function lines(count: number): Uint8Array {
  const random = new Random(count);
  const number = (most: number, digits: number) => String(random.between(0, most)).padStart(digits, "0");
  const names = ["SMITH", "MILLER", "DE LA CRUZ", "OKONKWO", "LI"];
  const line = (_: unknown, i: number) => {
    const name = names[random.between(0, 4)]?.padEnd(20);
    return `${String(7 * i).padStart(10, "0")}${name}202611${number(28, 2)}${number(9_999_999, 12)}\n`;
  };
  return Buffer.from(Array.from({ length: count }, line).join(""));
}

describe("a table has its stride", () => {
  test.each(LEVELS)("relocations at level %d", async (level) => {
    expect(await strideAt(level, relocations(8000))).toBe(24);
  });

  test.each(LEVELS)("rows of an image at level %d", async (level) => {
    expect(await strideAt(level, rowsOf(150, 1000))).toBe(150);
  });

  test("lines of the same length where contexts are few: many do without", async () => {
    const bytes = lines(5000);
    expect(findStride(bytes, { streams: 1, history: 0 })).toBe(51);
    expect(await strideAt(1, bytes)).toBe(51);
  });

  test("for a network, too", async () => {
    const bytes = rowsOf(150, 1000);
    expect(await provenStride(bytes, hyperForSize(networkOf(5), bytes.length), new Pacer(undefined))).toBe(150);
  });
});

describe("records in a part of other things are no stride", () => {
  const tenth = relocations(1100);
  const mixed: [string, Uint8Array][] = [
    ["at the end of code", Buffer.concat([code, tenth])],
    ["amid code", Buffer.concat([code.subarray(0, 140_000), tenth, code.subarray(140_000)])],
    ["at the beginning of text", Buffer.concat([relocations(400), prose])],
    ["a fourth of it, behind text", Buffer.concat([prose, relocations(1100)])],
    ["lines amid text", Buffer.concat([prose.subarray(0, 40_000), lines(250), prose.subarray(40_000)])],
  ];

  test.each(mixed)("%s", async (_, bytes) => {
    for (const level of LEVELS) expect(await strideAt(level, bytes)).toBe(0);
  });

  test("though the small model finds one", async () => {
    const bytes = Buffer.concat([prose, relocations(1400)]);
    expect(findStride(bytes, { streams: 1, history: 0 })).toBe(24);
    for (const level of [1, 5]) expect(await strideAt(level, bytes)).toBe(0);
  });
});

describe("few letters", () => {
  const random = new Random(3);
  const genome = Buffer.from(Array.from({ length: 100_000 }, () => "ACGT"[random.between(0, 3)]).join(""));

  test("are a sequence", async () => {
    for (const level of LEVELS) expect(await strideAt(level, genome)).toBe(SEQUENCE);
  });

  test("but not if they take turns as in words", async () => {
    const words = ["ABBA", "CAB", "BACCA", "DAD", "CADA"];
    const written = Buffer.from(Array.from({ length: 40_000 }, () => words[random.between(0, 4)]).join(" "));
    expect(findStride(written, { streams: 1, history: 0 })).toBe(SEQUENCE);
    expect(await strideAt(5, written)).toBe(0);
  });
});

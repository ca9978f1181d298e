/**
 * Data of every kind that the bit mixer has contexts for, made to reach the limits of its tables, and the lanes that
 * tests put it through.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mix32 } from "../../src/contract/fixed.ts";

const GOLDEN = join(import.meta.dir, "..", "golden");
/** The beginning of one of the golden files. */
export const file = (name: string, bytes: number) => new Uint8Array(readFileSync(join(GOLDEN, name))).slice(0, bytes);
export const made = (bytes: number, byte: (i: number) => number) =>
  Uint8Array.from({ length: bytes }, (_, i) => byte(i));
const ascii = (text: string) => new TextEncoder().encode(text);

/** A tone with some noise, 16 bits, `channels` of them. */
function sound(bytes: number, channels: number): Uint8Array {
  const samples = Int16Array.from({ length: bytes / 2 }, (_, i) => {
    const t = Math.floor(i / channels);
    return ((t * (40 + (i % channels))) % 900) * 30 - 13000 + (mix32(i) & 63);
  });
  return new Uint8Array(samples.buffer);
}

const LONG_LINES = `${"a, b; ".repeat(50)}\n${"a, c; ".repeat(50)}\n`;
const NESTED = `${"{[(<x ".repeat(6)}${">)]} ".repeat(7)}\n`;

/** Instructions of x86: every part that one can have, and every length of the parts. */
const INSTRUCTIONS = [
  "55",
  "4889e5",
  "488b0425785634f2",
  "8b4424f0",
  "8b848d01020304",
  "0fb6c0",
  "0f84aabbccdd",
  "0f05",
  "f6c001",
  "f6d0",
  "f7c001000000",
  "f7d8",
  "66c70002000000",
  "e801000000",
  "83c408",
  "0fba2003",
  "8b0510000000",
  "c3",
];

/** x86, WebAssembly with numbers of one and more bytes, and text between. */
function code(bytes: number): Uint8Array {
  const pieces: Buffer[] = [];
  for (let i = 0, length = 0; length < bytes; length += (pieces.at(-1) as Buffer).length, i++) {
    const chosen = INSTRUCTIONS[mix32(i) % INSTRUCTIONS.length] as string;
    const wasm = [0x20, mix32(i) & 15, 0x28, 2, 0x80 | (mix32(i) & 127), 0x81, 1, 0x41, 0xff, 0, 0x6a];
    if (i % 100 > 90) pieces.push(Buffer.from("some words of text, then "));
    else pieces.push(i % 100 < 50 ? Buffer.from(chosen, "hex") : Buffer.from(wasm));
  }
  return new Uint8Array(Buffer.concat(pieces)).slice(0, bytes);
}

const DATA: Record<string, Uint8Array> = {
  text: file("text.bin", 900),
  mixed: file("mixed.bin", 600),
  chance: made(300, mix32),
  zeros: new Uint8Array(1200),
  rows: made(600, (i) => (i % 12 < 4 ? i / 12 : i % 12 < 6 ? mix32(i) & 3 : i % 12)),
  letters: made(900, (i) => "ACGT".charCodeAt(mix32(i % 500) & 3)),
  lines: ascii(LONG_LINES + NESTED + LONG_LINES + NESTED),
  picture: made(720, (i) => (i % 90) + Math.floor(i / 90) * 7 + (mix32(i) & 3) + 60 * (i % 3)),
  mono: sound(720, 1),
  stereo: sound(720, 2),
  /** Matches that are always wrong. */
  broken: made(600, (i) => (i % 7 < 6 ? 65 + (i % 7) : mix32(i) & 255)),
  code: code(1500),
  loud: made(400, (i) => (i % 2 === 0 ? 0 : i % 4 === 1 ? 127 : 128)),
};

/** Name of the data, stride, contexts, line bits. */
export const CASES: readonly (readonly [string, number, number, number])[] = [
  ["text", 0, 28, 4],
  ["text", 2, 5, 6],
  ["mixed", 0, 20, 6],
  ["mixed", 4, 28, 8],
  ["mixed", 64, 6, 8],
  ["mixed", 65, 6, 8],
  ["chance", 0, 28, 5],
  ["zeros", 0, 20, 4],
  ["zeros", 4095, 8, 6],
  ["rows", 12, 20, 5],
  ["rows", 0, 4, 4],
  ["letters", 1, 28, 6],
  ["lines", 0, 28, 8],
  ["picture", 90, 28, 6],
  ["mono", 2, 28, 7],
  ["mono", 0, 20, 7],
  ["stereo", 3, 20, 7],
  ["loud", 2, 10, 7],
  ["broken", 0, 8, 7],
  ["code", 0, 28, 8],
  ["code", 0, 8, 5],
  ["code", 8, 10, 6],
];

/** The same with a fifth number: contexts that have counters. */
export const COUNTED_CASES: readonly (readonly [string, number, number, number, number])[] = [
  ["text", 0, 28, 4, 28],
  ["text", 0, 28, 8, 8],
  ["text", 0, 26, 8, 4],
  ["mixed", 0, 8, 6, 8],
  ["mixed", 4, 28, 8, 12],
  ["zeros", 0, 20, 4, 1],
  ["chance", 0, 5, 5, 5],
  ["letters", 1, 28, 6, 3],
  ["stereo", 3, 20, 7, 8],
  ["picture", 90, 7, 6, 2],
  ["code", 0, 28, 8, 8],
];

export const dataOf = (name: string) => DATA[name] as Uint8Array;

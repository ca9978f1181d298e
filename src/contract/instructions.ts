/**
 * What an instruction's first bytes say of those behind them, for contexts of machine code: x86 of 64 bits, and
 * WebAssembly. Both tables are rough on purpose: a byte that is read wrong costs compression, never exactness. The
 * table is made here, and every engine gets it as data; docs/MIXER.md has it in words.
 */

/** Bits of an x86 opcode's entry; the lowest three count the bytes of its immediate. */
export const HAS_MODRM = 128;
export const IS_PREFIX = 64;
export const IS_ESCAPE = 32;
/** The immediate is there only if the register field of the modrm byte is 0. */
export const IMMEDIATE_OF_REGISTER_0 = 16;
export const IMMEDIATE_BYTES = 7;
/** Where in the table the opcodes behind an escape begin, and WebAssembly's: how many numbers follow. */
export const SECOND_OPCODES = 256;
export const WASM_OPCODES = 512;

/** Numbers and ranges, both ends included. */
type Set = readonly (number | readonly [number, number])[];

const has = (set: Set, x: number) =>
  set.some((item) => (typeof item === "number" ? item === x : item[0] <= x && x <= item[1]));

const PREFIXES: Set = [0x2e, [0x40, 0x4f], 0x64, 0x66, 0xf2, 0xf3];
const MODRM: Set = [
  0x63,
  0x69,
  0x6b,
  [0x80, 0x8f],
  0xc0,
  0xc1,
  0xc6,
  0xc7,
  [0xd0, 0xd3],
  [0xd8, 0xdf],
  0xf6,
  0xf7,
  0xfe,
  0xff,
];
const IMMEDIATE_1: Set = [0x6a, 0x6b, [0x70, 0x80], 0x83, 0xa8, [0xb0, 0xb7], 0xc0, 0xc1, 0xc6, 0xeb, 0xf6];
const IMMEDIATE_4: Set = [0x68, 0x69, 0x81, 0xa9, [0xb8, 0xbf], 0xc7, 0xe8, 0xe9, 0xf7];
const SECOND_WITHOUT_MODRM: Set = [0x05, 0x0b, 0x31, [0x80, 0x8f], 0xa2, [0xc8, 0xcf]];
const SECOND_IMMEDIATE_1: Set = [[0x70, 0x73], 0xa4, 0xac, 0xba, 0xc2, [0xc4, 0xc6]];
const SECOND_IMMEDIATE_4: Set = [[0x80, 0x8f]];
const WASM_1: Set = [[0x02, 0x04], 0x0c, 0x0d, 0x10, [0x20, 0x24], [0x3f, 0x42]];
const WASM_2: Set = [0x11, [0x28, 0x3e]];

function firstOpcode(op: number): number {
  if (op === 0x0f) return IS_ESCAPE;
  if (has(PREFIXES, op)) return IS_PREFIX;
  // Arithmetic: four forms with a modrm byte, then an immediate of one byte and of four.
  if (op < 0x40) return [HAS_MODRM, HAS_MODRM, HAS_MODRM, HAS_MODRM, 1, 4, 0, 0][op & 7] as number;
  const immediate = has(IMMEDIATE_1, op) ? 1 : has(IMMEDIATE_4, op) ? 4 : 0;
  const some = op === 0xf6 || op === 0xf7 ? IMMEDIATE_OF_REGISTER_0 : 0;
  return (has(MODRM, op) ? HAS_MODRM : 0) | some | immediate;
}

function secondOpcode(op: number): number {
  const immediate = has(SECOND_IMMEDIATE_1, op) ? 1 : has(SECOND_IMMEDIATE_4, op) ? 4 : 0;
  return (has(SECOND_WITHOUT_MODRM, op) ? 0 : HAS_MODRM) | immediate;
}

const wasmOpcode = (op: number) => (has(WASM_1, op) ? 1 : has(WASM_2, op) ? 2 : 0);

/** x86 opcodes, those behind an escape, and opcodes of WebAssembly; 256 each. */
export function instructionTable(): Uint8Array {
  const ops = Array.from({ length: 256 }, (_, op) => op);
  return Uint8Array.from([...ops.map(firstOpcode), ...ops.map(secondOpcode), ...ops.map(wasmOpcode)]);
}

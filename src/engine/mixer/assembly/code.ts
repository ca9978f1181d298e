/**
 * What contexts know of machine code: where in an instruction the next byte stands, of x86 and of WebAssembly, and
 * whether the last bytes look like text at all.
 */
import { INSTRUCTIONS, KEPT } from "./state";

const HAS_MODRM: u32 = 128;
const IS_PREFIX: u32 = 64;
const IS_ESCAPE: u32 = 32;
const IMMEDIATE_OF_REGISTER_0: u32 = 16;
const IMMEDIATE_BYTES: u32 = 7;
const WASM_OPCODES: usize = 512;

const SCORE_STEP: u32 = 16;
const SCORE_MAX: u32 = 255;
const SCORE_OF_BINARY: u32 = 64;

/** Places of a byte in an instruction of x86. */
const OPCODE: u32 = 0;
const SECOND_OPCODE: u32 = 1;
const MODRM: u32 = 2;
const SIB: u32 = 3;
const DISPLACEMENT: u32 = 4;
const IMMEDIATE: u32 = 5;

let score: u32 = 0;
let place: u32 = 0;
/** Bytes of the displacement or immediate that are to come. */
let left: u32 = 0;
let opcode: u32 = 0;
let isSecond: u32 = 0;
let modrm: u32 = 0;
/** Of the instruction: its table's entry, and the bytes that come behind this part. */
let entry: u32 = 0;
let displacement: u32 = 0;
let immediate: u32 = 0;
/** The last three opcodes and prefixes, the newest lowest. */
let opcodes: u32 = 0;
let wasmOpcodes: u32 = 0;
/** Numbers that belong to the opcode of WebAssembly and are to come. */
let wasmLeft: u32 = 0;

export function beginCode(): void {
  score = 0;
  place = OPCODE;
  left = 0;
  opcode = 0;
  isSecond = 0;
  modrm = 0;
  entry = 0;
  displacement = 0;
  immediate = 0;
  opcodes = 0;
  wasmOpcodes = 0;
  wasmLeft = 0;
}

export function keepCode(): void {
  store<u32>(KEPT, score, 56);
  store<u32>(KEPT, place, 60);
  store<u32>(KEPT, left, 64);
  store<u32>(KEPT, opcode, 68);
  store<u32>(KEPT, isSecond, 72);
  store<u32>(KEPT, modrm, 76);
  store<u32>(KEPT, entry, 80);
  store<u32>(KEPT, displacement, 84);
  store<u32>(KEPT, immediate, 88);
  store<u32>(KEPT, opcodes, 92);
  store<u32>(KEPT, wasmOpcodes, 96);
  store<u32>(KEPT, wasmLeft, 100);
}

export function recallCode(): void {
  score = load<u32>(KEPT, 56);
  place = load<u32>(KEPT, 60);
  left = load<u32>(KEPT, 64);
  opcode = load<u32>(KEPT, 68);
  isSecond = load<u32>(KEPT, 72);
  modrm = load<u32>(KEPT, 76);
  entry = load<u32>(KEPT, 80);
  displacement = load<u32>(KEPT, 84);
  immediate = load<u32>(KEPT, 88);
  opcodes = load<u32>(KEPT, 92);
  wasmOpcodes = load<u32>(KEPT, 96);
  wasmLeft = load<u32>(KEPT, 100);
}

/** Whether the last bytes have control characters, as text has not. */
// @ts-ignore: decorator
@inline
export function isBinary(): bool {
  return score >= SCORE_OF_BINARY;
}

/** Less than 192: where both kinds of instructions stand. */
// @ts-ignore: decorator
@inline
export function codePlace(): u32 {
  return wasmLeft * 64 + place * 8 + left;
}

/** Kinds 24 … 27 of PARTS in src/contract/mixer.ts. */
export function codeValue(kind: u32): u32 {
  const here = (modrm << 16) ^ (place << 5) ^ left;
  if (kind == 24) return (opcodes << 8) ^ here;
  if (kind == 25) return (isSecond << 30) ^ (opcode << 8) ^ here;
  return (kind == 26 ? wasmOpcodes : wasmOpcodes & 255) * 4 + wasmLeft;
}

/** What comes behind the part of the instruction that has ended. */
function goOn(): void {
  left = displacement > 0 ? displacement : immediate;
  place = displacement > 0 ? DISPLACEMENT : immediate > 0 ? IMMEDIATE : OPCODE;
  if (displacement > 0) displacement = 0;
  else immediate = 0;
  if (place == OPCODE) modrm = 0;
}

function followOpcode(y: u32): void {
  const e: u32 = load<u8>(INSTRUCTIONS + place * 256 + y);
  if (e & IS_ESCAPE) {
    place = SECOND_OPCODE;
    return;
  }
  opcodes = ((opcodes << 8) | y) & 0xffffff;
  if (e & IS_PREFIX) return;
  isSecond = place;
  opcode = y;
  entry = e;
  displacement = 0;
  immediate = e & IMMEDIATE_BYTES;
  if (e & HAS_MODRM) place = MODRM;
  else goOn();
}

function followModrm(y: u32): void {
  modrm = y;
  if (entry & IMMEDIATE_OF_REGISTER_0 && y & 0x38) immediate = 0;
  const mode = y >> 6;
  displacement = mode == 1 ? 1 : mode == 2 || (mode == 0 && (y & 7) == 5) ? 4 : 0;
  if (mode != 3 && (y & 7) == 4) place = SIB;
  else goOn();
}

function followX86(y: u32): void {
  if (place <= SECOND_OPCODE) followOpcode(y);
  else if (place == MODRM) followModrm(y);
  else if (place == SIB) {
    if (modrm < 64 && (y & 7) == 5) displacement = 4;
    goOn();
  } else if (--left == 0) goOn();
}

function followWasm(y: u32): void {
  if (wasmLeft > 0) {
    // A number ends with a byte below 128.
    wasmLeft -= u32(y < 128);
    return;
  }
  wasmOpcodes = ((wasmOpcodes << 8) | y) & 0xffffff;
  wasmLeft = load<u8>(INSTRUCTIONS + WASM_OPCODES + y);
}

/** After the byte y. */
export function followCode(y: u32): void {
  const isControl = y < 9 || (y >= 14 && y < 32) || y == 255;
  if (isControl) score = min(score + SCORE_STEP, SCORE_MAX);
  else if (score > 0) score--;
  followX86(y);
  followWasm(y);
}

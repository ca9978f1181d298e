/**
 * What the bit mixer's contexts know of machine code, written to be read: where in an instruction of x86 and of
 * WebAssembly the next byte stands, and whether the last bytes look like text at all. docs/MIXER.md has the same in
 * words.
 */
import {
  HAS_MODRM,
  IMMEDIATE_BYTES,
  IMMEDIATE_OF_REGISTER_0,
  IS_ESCAPE,
  IS_PREFIX,
  instructionTable,
  SECOND_OPCODES,
  WASM_OPCODES,
} from "../../contract/instructions.ts";
import type { Part } from "../../contract/mixer.ts";
import { SCORE_MAX, SCORE_OF_BINARY, SCORE_STEP } from "../../contract/mixer-numbers.ts";
import type { Past } from "./mixer-values.ts";

/** Places of a byte in an instruction; as numbers they are parts of contexts. */
const PLACES = ["opcode", "second", "modrm", "sib", "displacement", "immediate"] as const;
type Place = (typeof PLACES)[number];

/** The last three, the newest lowest. */
const threeOf = (opcodes: number, y: number) => ((opcodes << 8) | y) & 0xffffff;

class X86 {
  readonly #table: Uint8Array;
  place: Place = "opcode";
  /** Bytes of the displacement or immediate that are to come. */
  left = 0;
  /** The last opcode, whether it stood behind an escape, and the last three with prefixes. */
  opcode = 0;
  isSecond = false;
  opcodes = 0;
  modrm = 0;
  #entry = 0;
  #displacement = 0;
  #immediate = 0;

  constructor(table: Uint8Array) {
    this.#table = table;
  }

  follow(y: number): void {
    if (this.place === "opcode" || this.place === "second") this.#followOpcode(y);
    else if (this.place === "modrm") this.#followModrm(y);
    else if (this.place === "sib") {
      if (this.modrm < 64 && (y & 7) === 5) this.#displacement = 4;
      this.#goOn();
    } else {
      this.left--;
      if (this.left === 0) this.#goOn();
    }
  }

  #followOpcode(y: number): void {
    const isSecond = this.place === "second";
    const entry = this.#table[(isSecond ? SECOND_OPCODES : 0) + y] as number;
    if (entry & IS_ESCAPE) {
      this.place = "second";
      return;
    }
    this.opcodes = threeOf(this.opcodes, y);
    if (entry & IS_PREFIX) return;
    this.isSecond = isSecond;
    this.opcode = y;
    this.#entry = entry;
    this.#immediate = entry & IMMEDIATE_BYTES;
    if (entry & HAS_MODRM) this.place = "modrm";
    else this.#goOn();
  }

  #followModrm(y: number): void {
    this.modrm = y;
    if (this.#entry & IMMEDIATE_OF_REGISTER_0 && y & 0x38) this.#immediate = 0;
    const [mode, memory] = [y >> 6, y & 7];
    if (mode === 1) this.#displacement = 1;
    if (mode === 2 || (mode === 0 && memory === 5)) this.#displacement = 4;
    if (mode !== 3 && memory === 4) this.place = "sib";
    else this.#goOn();
  }

  /** To what comes behind the part that has ended: a displacement, an immediate, the next instruction. */
  #goOn(): void {
    if (this.#displacement > 0) {
      [this.place, this.left, this.#displacement] = ["displacement", this.#displacement, 0];
    } else if (this.#immediate > 0) {
      [this.place, this.left, this.#immediate] = ["immediate", this.#immediate, 0];
    } else [this.place, this.left, this.modrm] = ["opcode", 0, 0];
  }
}

export class Code {
  readonly #past: Past;
  readonly #table = instructionTable();
  readonly #x86 = new X86(this.#table);
  #score = 0;
  #wasmOpcodes = 0;
  /** Numbers behind the opcode of WebAssembly that are to come. */
  #wasmLeft = 0;

  constructor(past: Past) {
    this.#past = past;
  }

  /** By the part's name: a number of 32 bits. */
  readonly values = {
    x86: () => (this.#x86.opcodes << 8) ^ this.#here(),
    x86Opcode: () => (Number(this.#x86.isSecond) << 30) ^ (this.#x86.opcode << 8) ^ this.#here(),
    wasm: () => this.#wasmOpcodes * 4 + this.#wasmLeft,
    wasmOpcode: () => (this.#wasmOpcodes & 255) * 4 + this.#wasmLeft,
  } satisfies Partial<Record<Part, () => number>>;

  /** Whether the last bytes have control characters, as text has not. */
  get isBinary(): boolean {
    return this.#score >= SCORE_OF_BINARY;
  }

  /** Less than 192: where both kinds of instructions stand. */
  get place(): number {
    return this.#wasmLeft * 64 + PLACES.indexOf(this.#x86.place) * 8 + this.#x86.left;
  }

  #here(): number {
    return (this.#x86.modrm << 16) ^ (PLACES.indexOf(this.#x86.place) << 5) ^ this.#x86.left;
  }

  /** After the newest byte of the past. */
  follow(): void {
    const y = this.#past.back(1);
    const isControl = y < 9 || (y >= 14 && y < 32) || y === 255;
    this.#score = isControl ? Math.min(this.#score + SCORE_STEP, SCORE_MAX) : Math.max(this.#score - 1, 0);
    this.#x86.follow(y);
    this.#followWasm(y);
  }

  #followWasm(y: number): void {
    if (this.#wasmLeft > 0) {
      // A number ends with a byte below 128.
      if (y < 128) this.#wasmLeft--;
      return;
    }
    this.#wasmOpcodes = threeOf(this.#wasmOpcodes, y);
    this.#wasmLeft = this.#table[WASM_OPCODES + y] as number;
  }
}

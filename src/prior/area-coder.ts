/**
 * The numbers of trained values as adaptive bits: written here, read by prior.wasm, because what reads them has just
 * been started (assembly/index.ts).
 */
import { CorruptError } from "../archive/errors.ts";
import { SQUASH_ZERO, squashTable, stretchTable } from "../contract/mixer.ts";
import type { TrainedRows } from "../contract/prior.ts";
import { BitEncoder, BitModels } from "../repeats/bits.ts";
import { codeTree, NumberModel } from "../repeats/numbers.ts";
import { growTo, openKernels, type PriorKernels } from "./kernels.ts";

/** Of stretchTable, and squashTable behind it. */
const STRETCH_BYTES = 2 * 4096;
const TABLES_BYTES = STRETCH_BYTES + 4 * (2 * SQUASH_ZERO + 1);
/** Digits of an area's unit. */
const UNIT_DIGITS = 5;
/** Columns beyond share their statistics. */
const COLUMNS_MAX = 64;
/** Counts of cells that are told apart: 2^n - 1. */
export const COUNT_DIGITS = 4;

/** The encoder's side of an area: numbers of rows, in units. The decoder has none. */
export interface AreaNumbers {
  readonly unit: number;
  /** For each family. */
  readonly means: readonly Int32Array[];
  /** For each row: undefined if it is as its mean. */
  readonly rows: readonly (Int32Array | undefined)[];
  /** Counts of cells. */
  readonly counts?: Uint8Array;
}

/** Rows of weights: a family's are its mean, but for those with numbers of their own. */
interface WeightRows {
  readonly unit: number;
  /** Rows of each family. */
  readonly families: readonly number[];
  /** What a row is in a new lane: weights of 16 bits, or of 32. */
  readonly first: Int16Array | Int32Array;
}

/** Rows of probabilities, or of cells of maps, each with numbers of its own, or as a new lane has it. */
interface ValueRows {
  readonly unit: number;
  readonly rows: number;
  readonly rowLength: number;
  readonly kind: "probabilities" | "cells";
  /** What a new lane has: all rows; or one, if all are the same and only others are stored. */
  readonly first: Uint16Array | Int32Array;
}

/** Codes the parts of an area in the order in which they are asked for, or finds them. */
export interface AreaCoder {
  /** Begins an area. @returns its unit */
  start(numbers?: AreaNumbers): number;
  /** All rows of an area of weights. @returns the weights; an encoder has no use for them: none */
  weights(rows: WeightRows): Int16Array | Int32Array;
  /** All rows of another area. @returns their values; an encoder has no use for them: none */
  values(rows: ValueRows): TrainedRows;
}

/** The adaptive bits of an area. */
class AreaModels {
  readonly rows = new BitModels(4);
  readonly zeros = new BitModels(3 * COLUMNS_MAX);
  readonly signs = new BitModels(COLUMNS_MAX);
  readonly sizes = new NumberModel(4);
  readonly counts = new BitModels(1 << COUNT_DIGITS);
}

export class AreaEncoder implements AreaCoder {
  readonly #coder = new BitEncoder();
  #models = new AreaModels();
  #numbers: AreaNumbers = { unit: 0, means: [], rows: [] };

  start(numbers: AreaNumbers): number {
    this.#models = new AreaModels();
    this.#numbers = numbers;
    return codeTree(this.#coder, new BitModels(1 << UNIT_DIGITS), 0, UNIT_DIGITS, numbers.unit);
  }

  weights({ families, first }: WeightRows): Int16Array | Int32Array {
    let row = 0;
    for (const [family, count] of families.entries()) {
      this.#encodeRow(this.#numbers.means[family] as Int32Array);
      const end = row + count;
      this.#encodeRows(row, end);
      row = end;
    }
    return first.subarray(0, 0);
  }

  values({ rows, kind, first }: ValueRows): TrainedRows {
    this.#encodeRows(0, rows);
    if (kind === "cells") {
      for (const [i, cell] of first.entries()) {
        const count = this.#numbers.counts?.[i] ?? 0;
        if (cell !== 0) codeTree(this.#coder, this.#models.counts, 0, COUNT_DIGITS, count);
      }
    }
    return { values: first.subarray(0, 0) };
  }

  #encodeRows(from: number, until: number): void {
    for (let row = this.#nextRow(from, until); row < until; row = this.#nextRow(row + 1, until)) {
      this.#encodeRow(this.#numbers.rows[row] as Int32Array);
    }
  }

  #nextRow(from: number, until: number): number {
    const { rows } = this.#numbers;
    const isStored = (row: number) => (rows[row] ? 1 : 0);
    for (let row = from; row < until; row++) {
      const near = 2 * isStored(row - 1) + isStored(row - 256);
      if (this.#coder.bit(this.#models.rows, near, isStored(row)) === 1) return row;
    }
    return until;
  }

  finish(): Uint8Array {
    return this.#coder.finish();
  }

  #encodeRow(row: Int32Array): void {
    let near = 0;
    for (const [i, value] of row.entries()) {
      this.#encodeNumber(i, near, value);
      near = Math.abs(value);
    }
  }

  /** @param near how large the one before it in its row was */
  #encodeNumber(column: number, near: number, value: number): void {
    const { zeros, signs, sizes } = this.#models;
    const place = Math.min(column, COLUMNS_MAX - 1);
    const context = Math.min(near, 2);
    if (this.#coder.bit(zeros, 3 * place + context, value === 0 ? 0 : 1) === 0) return;
    this.#coder.bit(signs, place, value < 0 ? 1 : 0);
    sizes.code(this.#coder, context + (near > 8 ? 1 : 0), Math.abs(value) - 1);
  }
}

/** Safe on any bytes: what was read behind their end is an error, soon. */
export class AreaDecoder implements AreaCoder {
  readonly #kernels: PriorKernels;
  readonly #memory: WebAssembly.Memory;
  readonly #sizeBytes: number;
  readonly #baseBytes: number;
  /** Where those of assembly/values.ts lie, behind the coded bytes. */
  readonly #tables: number;

  /** @param baseBytes where `bytes` lie, for errors @throws CorruptError */
  constructor(bytes: Uint8Array, baseBytes: number) {
    const { kernels, memory } = openKernels(bytes);
    this.#kernels = kernels;
    this.#memory = memory;
    this.#sizeBytes = bytes.length;
    this.#baseBytes = baseBytes;
    if (this.#kernels.isBeyond()) throw this.#corrupt("a code below 1", "1 or more");
    this.#tables = Math.ceil((kernels.codeAddress() + bytes.length) / 4) * 4;
    growTo(memory, this.#tables + TABLES_BYTES);
    new Int16Array(memory.buffer, this.#tables).set(stretchTable());
    new Int32Array(memory.buffer, this.#tables + STRETCH_BYTES).set(squashTable());
  }

  start(): number {
    return this.#checked(this.#kernels.startArea());
  }

  weights({ unit, families, first }: WeightRows): Int16Array | Int32Array {
    const { length, BYTES_PER_ELEMENT } = first;
    const rows = families.reduce((sum, count) => sum + count, 0);
    const into = this.#roomFor(rows * length * BYTES_PER_ELEMENT);
    new Int32Array(this.#memory.buffer, this.#kernels.firstAddress(), length).set(first);
    let row = 0;
    for (const count of families) {
      this.#kernels.decodeFamily(row, row + count, length, unit, BYTES_PER_ELEMENT > 2, into);
      this.#checked(0);
      row += count;
    }
    const { buffer } = this.#memory;
    return first instanceof Int32Array
      ? new Int32Array(buffer, into, rows * length).slice()
      : new Int16Array(buffer, into, rows * length).slice();
  }

  values({ unit, rows, rowLength, kind, first }: ValueRows): TrainedRows {
    if (first.length < rows * rowLength) return this.#few(unit, rows, first as Uint16Array);
    const into = this.#roomFor(first.byteLength);
    const values =
      first instanceof Int32Array
        ? new Int32Array(this.#memory.buffer, into, first.length)
        : new Uint16Array(this.#memory.buffer, into, first.length);
    values.set(first);
    const decode = kind === "cells" ? this.#kernels.decodeCells : this.#kernels.decodeProbabilities;
    decode(rows, rowLength, unit, this.#tables, into);
    this.#checked(0);
    return { values: values.slice() };
  }

  /** @param first what all rows are that are not stored */
  #few(unit: number, rows: number, first: Uint16Array): TrainedRows {
    const { length, byteLength } = first;
    const numbers = this.#roomFor(rows * (4 + byteLength) + byteLength);
    const [firstAt, into] = [numbers + 4 * rows, numbers + 4 * rows + byteLength];
    new Uint16Array(this.#memory.buffer, firstAt, length).set(first);
    const count = this.#kernels.decodeFew(rows, length, unit, this.#tables, firstAt, into, numbers);
    this.#checked(0);
    const { buffer } = this.#memory;
    return {
      rows: new Uint32Array(buffer, numbers, count).slice(),
      values: new Uint16Array(buffer, into, count * length).slice(),
    };
  }

  /** Checks that the bytes are used up. @throws CorruptError */
  finish(): void {
    if (this.#kernels.takenBytes() < this.#sizeBytes) throw this.#corrupt("an end", `${this.#sizeBytes} bytes`);
  }

  /** Room for an area's values, at a multiple of four: behind the tables. */
  #roomFor(bytes: number): number {
    const at = this.#tables + TABLES_BYTES;
    growTo(this.#memory, at + bytes);
    return at;
  }

  #checked(value: number): number {
    if (this.#kernels.wasOver()) throw this.#corrupt("more bytes", "their end");
    return value;
  }

  #corrupt(expected: string, found: string): CorruptError {
    const at = this.#baseBytes + this.#kernels.takenBytes();
    return new CorruptError(at, "the trained values of a prior", expected, found);
  }
}

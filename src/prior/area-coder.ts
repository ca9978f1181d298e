/**
 * The numbers of trained values as adaptive bits: written here, read by prior.wasm, because what reads them has just
 * been started (assembly/index.ts).
 */
import { CorruptError } from "../archive/errors.ts";
import { BitEncoder, BitModels } from "../repeats/bits.ts";
import { codeTree, NumberModel } from "../repeats/numbers.ts";
import { growTo, openKernels, type PriorKernels } from "./kernels.ts";

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

/** Codes the parts of an area in the order in which they are asked for, or finds them. */
export interface AreaCoder {
  /** Begins an area. @returns its unit */
  start(numbers?: AreaNumbers): number;
  /** All rows of an area of weights. @returns the weights; an encoder has no use for them: none */
  weights(rows: WeightRows): Int16Array | Int32Array;
  /** The next row that is stored, from `row` on; `until` if none is. */
  nextRow(row: number, until: number): number;
  /** That row's numbers. @returns what holds until the next call */
  row(row: number, length: number): Int32Array;
  /** The classes of these cells' counts, after all rows. @returns what holds until the next call */
  counts(cells: Uint32Array): Uint8Array;
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
      for (row = this.nextRow(row, end); row < end; row = this.nextRow(row + 1, end)) this.row(row);
    }
    return first.subarray(0, 0);
  }

  nextRow(from: number, until: number): number {
    const { rows } = this.#numbers;
    const isStored = (row: number) => (rows[row] ? 1 : 0);
    for (let row = from; row < until; row++) {
      const near = 2 * isStored(row - 1) + isStored(row - 256);
      if (this.#coder.bit(this.#models.rows, near, isStored(row)) === 1) return row;
    }
    return until;
  }

  row(row: number): Int32Array {
    return this.#encodeRow(this.#numbers.rows[row] as Int32Array);
  }

  counts(cells: Uint32Array): Uint8Array {
    return Uint8Array.from(cells, (cell) =>
      codeTree(this.#coder, this.#models.counts, 0, COUNT_DIGITS, this.#numbers.counts?.[cell] ?? 0),
    );
  }

  finish(): Uint8Array {
    return this.#coder.finish();
  }

  #encodeRow(row: Int32Array): Int32Array {
    let near = 0;
    for (const [i, value] of row.entries()) {
      this.#encodeNumber(i, near, value);
      near = Math.abs(value);
    }
    return row;
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

  /** @param baseBytes where `bytes` lie, for errors @throws CorruptError */
  constructor(bytes: Uint8Array, baseBytes: number) {
    const { kernels, memory } = openKernels(bytes);
    this.#kernels = kernels;
    this.#memory = memory;
    this.#sizeBytes = bytes.length;
    this.#baseBytes = baseBytes;
    if (this.#kernels.isBeyond()) throw this.#corrupt("a code below 1", "1 or more");
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

  nextRow(row: number, until: number): number {
    return this.#checked(this.#kernels.nextRow(row, until));
  }

  row(_row: number, length: number): Int32Array {
    this.#kernels.decodeRow(length);
    this.#checked(0);
    return new Int32Array(this.#memory.buffer, this.#kernels.rowAddress(), length);
  }

  counts(cells: Uint32Array): Uint8Array {
    const address = this.#checked(this.#kernels.decodeCounts(cells.length));
    return new Uint8Array(this.#memory.buffer, address, cells.length);
  }

  /** Checks that the bytes are used up. @throws CorruptError */
  finish(): void {
    if (this.#kernels.takenBytes() < this.#sizeBytes) throw this.#corrupt("an end", `${this.#sizeBytes} bytes`);
  }

  /** Room for weights, at a multiple of four: behind the coded bytes. */
  #roomFor(bytes: number): number {
    const at = Math.ceil((this.#kernels.codeAddress() + this.#sizeBytes) / 4) * 4;
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

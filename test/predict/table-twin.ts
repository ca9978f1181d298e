/** The predictor of tables in plain TypeScript, after docs/NUMERICS.md: what the kernels are held against. */
import { numberBytes, type Table } from "../../src/predict/list.ts";
import { dot, solve } from "./sound-twin.ts";

const VALUE_MAX = 1e140;
const DAMPING = 2 ** 30;
const F32_MAX = 3.4e38;
const F64_MAX = 1.7e308;

interface Tap {
  readonly offset: number;
  readonly base: number;
}

interface Cell {
  readonly r: Float64Array;
  readonly b: Float64Array;
}

export class TableTwin {
  readonly #table: Table;
  readonly #width: number;
  readonly #bits: bigint;
  readonly #taps: readonly Tap[];
  readonly #n: number;
  readonly #cellNumbers: number;
  readonly #cells = new Map<string, Cell>();
  readonly #weights: readonly Float64Array[];
  readonly #values: number[] = [];

  constructor(table: Table) {
    const { columns, row } = table;
    this.#table = table;
    this.#width = numberBytes(table.format);
    this.#bits = BigInt(8 * this.#width);
    this.#taps = tapsOf(table);
    this.#n = (this.#taps.length + 1) & ~1;
    this.#cellNumbers = Math.max(16, Math.ceil(row / columns / 512));
    this.#weights = Array.from({ length: columns }, () => new Float64Array(this.#n));
  }

  /** What is left of whole numbers; of the rest, bytes stay. */
  code(plain: Uint8Array): Uint8Array {
    const left = plain.slice();
    const width = this.#width;
    const raw = BigInt(this.#table.rawBits);
    for (let at = 0; at + width <= plain.length; at += width) {
      const number = this.#turned(BigInt.asIntN(Number(this.#bits), read(plain, at, width, this.#table.isBig)));
      const predicted = (this.#predict() >> raw) << raw;
      const miss = BigInt.asIntN(Number(this.#bits), number - predicted);
      const steps = miss >> raw;
      const zigzag = steps >= 0n ? 2n * steps : -2n * steps - 1n;
      write(left, at, width, (zigzag << raw) | (miss & ((1n << raw) - 1n)));
      this.#learn(this.#valueOf(number));
    }
    return left;
  }

  #turned(bits: bigint): bigint {
    if (this.#table.format.startsWith("int") || bits >= 0n) return bits;
    return bits ^ ((1n << (this.#bits - 1n)) - 1n);
  }

  #plainOf(number: bigint): number {
    const { format } = this.#table;
    if (format.startsWith("int")) return Number(number);
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, this.#turned(number) << (64n - this.#bits));
    if (format === "float64") return view.getFloat64(0);
    if (format !== "float16") return view.getFloat32(0);
    const value = view.getFloat16(0);
    return Number.isFinite(value) ? value : 0;
  }

  #valueOf(number: bigint): number {
    const scaled = this.#plainOf(number) * 2 ** this.#table.exponent;
    if (!Number.isFinite(scaled) || Math.abs(scaled) > F64_MAX) return 0;
    return Math.max(-VALUE_MAX, Math.min(VALUE_MAX, scaled));
  }

  #numberOf(scaled: number): bigint {
    const { format } = this.#table;
    const value = scaled * 2 ** -this.#table.exponent;
    const limit = 2 ** (Number(this.#bits) - 1);
    if (format.startsWith("int")) {
      const most = (1n << (this.#bits - 1n)) - 1n;
      if (!(value > -limit)) return -most - 1n;
      if (!(value < limit - 1)) return most;
      const rounded = BigInt(Math.floor(value + 0.5));
      return rounded < most ? rounded : most;
    }
    const max = format === "float64" ? F64_MAX : F32_MAX;
    const clamped = value > max ? max : value < -max ? -max : Number.isNaN(value) ? 0 : value;
    const view = new DataView(new ArrayBuffer(8));
    if (format === "float64") {
      view.setFloat64(0, clamped);
      return this.#turned(view.getBigInt64(0));
    }
    if (format === "float16") return this.#turned(halfOf(clamped));
    view.setFloat32(0, clamped);
    const bits = view.getInt32(0);
    return this.#turned(BigInt(format === "float32" ? bits : (bits + 0x7fff) >> 16));
  }

  /** So many numbers back; undefined before the first. */
  #back(offset: number): number | undefined {
    return offset > 0 ? this.#values[this.#values.length - offset] : undefined;
  }

  #meanOf(base: number): number {
    const { columns, row } = this.#table;
    const before = this.#back(base + columns);
    if (before === undefined) return this.#back(base) ?? 0;
    const above = row > 0 ? this.#back(base + row) : undefined;
    return above === undefined ? before : (before + above) * 0.5;
  }

  #xs(): Float64Array {
    const xs = new Float64Array(this.#n);
    for (const [i, { offset, base }] of this.#taps.entries()) {
      const value = this.#back(offset);
      xs[i] = value === undefined ? 0 : value - this.#meanOf(base);
    }
    return xs;
  }

  #cell(beside = 0): Cell {
    const { columns, row } = this.#table;
    const time = this.#values.length;
    const place = row > 0 ? Math.floor(Math.floor((time % row) / columns) / this.#cellNumbers) : 0;
    const key = `${time % columns} ${place + beside}`;
    const found = this.#cells.get(key) ?? { r: new Float64Array(this.#n * this.#n), b: new Float64Array(this.#n) };
    this.#cells.set(key, found);
    return found;
  }

  #predict(): bigint {
    const { columns, row } = this.#table;
    const time = this.#values.length;
    const place = Math.floor((row > 0 ? time % row : time) / columns);
    const weights = this.#weights[time % columns] as Float64Array;
    if (place % this.#cellNumbers === 0) this.#solve(weights);
    return this.#numberOf(this.#meanOf(0) + dot(weights, this.#xs()));
  }

  #solve(weights: Float64Array): void {
    const n = this.#n;
    const own = this.#cell();
    own.r.forEach((value, i) => {
      own.r[i] = value * 0.95;
    });
    own.b.forEach((value, i) => {
      own.b[i] = value * 0.95;
    });
    const [left, right] = [this.#cell(-1), this.#cell(1)];
    const sum = (a: Float64Array, b: Float64Array, c: Float64Array) =>
      a.map((value, i) => value + 0.5 * ((b[i] as number) + (c[i] as number)));
    const r = sum(own.r, left.r, right.r);
    const b = sum(own.b, left.b, right.b);
    let trace = 0;
    for (let i = 0; i < n; i += 1) trace += r[i * n + i] as number;
    const ridge = 1e-3 + 1e-5 * (trace / n);
    for (let i = 0; i < n; i += 1) r[i * n + i] = (r[i * n + i] as number) + ridge;
    const rows = Array.from({ length: n }, (_, i) => [...r.subarray(i * n, (i + 1) * n)]);
    weights.set(solve(rows, [...b]) ?? weights);
  }

  #learn(value: number): void {
    const xs = this.#xs();
    const { r, b } = this.#cell();
    const target = value - this.#meanOf(0);
    const squares = xs.reduce((sum, x) => sum + x * x, target * target);
    const weight = this.#table.isDamped ? DAMPING / (DAMPING + squares) : 1;
    for (let i = 0; i < this.#n; i += 1) {
      const weighed = weight * (xs[i] as number);
      // What lies below the diagonal is never read.
      for (let j = 0; j < this.#n; j += 1) {
        r[i * this.#n + j] = (r[i * this.#n + j] as number) + weighed * (xs[j] as number);
      }
      b[i] = (b[i] as number) + weight * target * (xs[i] as number);
    }
    this.#values.push(value);
  }
}

function tapsOf({ columns: c, row, frame }: Table): Tap[] {
  const own = row > 0 ? [c, 2 * c, 3 * c, row, 2 * row, 3 * row] : Array.from({ length: 16 }, (_, i) => (i + 2) * c);
  const corners = row > 0 ? [row - c, row + c, row - 2 * c, row + 2 * c, 2 * row - c, 2 * row + c] : [];
  const others = Array.from({ length: Math.min(c - 1, 3) }, (_, i) => ({ offset: i + 1, base: i + 1 }));
  const steps = [0, -c, c, -row, row, -2 * c, 2 * c, -2 * row, 2 * row, -row - c, -row + c, row - c, row + c];
  return [
    ...[...own, ...corners].map((offset) => ({ offset, base: 0 })),
    ...others,
    ...(frame > 0 ? steps.map((step) => ({ offset: frame + step, base: frame })) : []),
  ];
}

function halfOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  const size = Math.abs(value);
  view.setFloat64(0, size);
  const bits = view.getBigInt64(0);
  const normal = (bits >> 42n) - (1008n << 10n) + ((bits >> 41n) & 1n);
  const half = size < 2 ** -14 ? BigInt(Math.floor(size * 2 ** 24 + 0.5)) : normal < 0x7bffn ? normal : 0x7bffn;
  return value < 0 ? half - 0x8000n : half;
}

function read(bytes: Uint8Array, at: number, width: number, isBig: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < width; i += 1) value = (value << 8n) | BigInt(bytes[at + (isBig ? i : width - 1 - i)] as number);
  return value;
}

function write(bytes: Uint8Array, at: number, width: number, value: bigint): void {
  for (let i = 0; i < width; i += 1) bytes[at + i] = Number((value >> BigInt(8 * (width - 1 - i))) & 255n);
}

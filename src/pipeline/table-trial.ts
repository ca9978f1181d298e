/**
 * Finds tables of numbers in bytes: floats and integers of 2, 4 and 8 bytes, either byte order, in columns. Runs of
 * windows are proposed in which numbers lie nearer to those before them in their column than the bytes by themselves
 * would tell. How a run is best read, with rows and frames or without, is tried by the caller (numbers.ts); this
 * proposes readings, and measures what they leave. Nothing is rounded otherwise than IEEE 754 says, so that all
 * machines propose the same.
 */
import { numberBytes, TABLE_EXPONENT_MAX, TABLE_FRAME_MAX, TABLE_ROW_MAX, type Table } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { bitsOf } from "./content.ts";
import { distancesOf } from "./table-shape.ts";
import { firstAt, WINDOW_BYTES, type WindowReadings, windowRuns } from "./window-runs.ts";

/** Bytes of a number. */
type TableWidth = 2 | 4 | 8;

/** Where numbers lie, how many bytes they have, and in how many columns they take turns. */
export interface FoundTable extends Range {
  readonly width: TableWidth;
  readonly isBig: boolean;
  readonly columns: number;
}

/** Of a window, so many numbers are looked at. */
const LOOKED_AT = 160;
const COLUMNS = [1, 2, 3, 4, 6, 8] as const;
/** In 100ths of what the bytes take by themselves: to begin a run, and to go on with it. */
const BEGIN_SHARE = 96;
const GO_ON_SHARE = 100;
/** What numbers take beyond their mean size in whole bits: a sign, and that sizes differ. */
const SPREAD_BITS = 2.3;
/** Of more columns, so many 100ths must be saved over fewer. */
const MORE_COLUMNS_SHARE = 96;
/** Bits that bytes at one place of a number must save over those at all, of all bits, or there is no such number. */
const PLACES_SHARE = 95;
/** Highest 16 bits of floats, but for the sign, that are neither tiny nor enormous. */
const FLOAT_LEAST = 0x2800;
const FLOAT_MOST = 0x5800;
/** 100ths of a bit for a byte, below which a window says nothing. */
const QUIET = 60;

interface Reading {
  readonly width: TableWidth;
  readonly isBig: boolean;
  readonly columns: number;
  /** The place of the first byte of a number, within its width. */
  readonly phase: number;
}

/** Runs that look like tables, in order. */
export function findTables(bytes: Uint8Array): FoundTable[] {
  return windowRuns(bytes, (start) => new WindowView(bytes, start)).map(({ reading, start, end }) => {
    const { width, isBig, columns, phase } = reading;
    return { start: firstAt(start, phase, width), end, width, isBig, columns };
  });
}

/** Of the window at hand: there are hundreds of windows in a block, and their garbage would be its largest part. */
const placeCounts = Array.from({ length: 8 }, () => new Uint32Array(256));
const allCounts = new Uint32Array(256);
const columnSums = new Float64Array(Math.max(...COLUMNS));
const columnCounts = new Uint32Array(Math.max(...COLUMNS));

class WindowView implements WindowReadings<Reading> {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Bits of the bytes by the counts of all of them, and by those at each place of eight. */
  readonly #plainBits: number;
  readonly #placeBits: readonly number[];

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#start = start;
    for (const own of placeCounts) own.fill(0);
    allCounts.fill(0);
    for (let at = start; at < start + WINDOW_BYTES; at += 1) {
      const own = placeCounts[at & 7] as Uint32Array;
      const byte = bytes[at] as number;
      own[byte] = (own[byte] as number) + 1;
      allCounts[byte] = (allCounts[byte] as number) + 1;
    }
    this.#placeBits = placeCounts.map((own) => bitsOf(own, WINDOW_BYTES / 8));
    this.#plainBits = bitsOf(allCounts, WINDOW_BYTES);
  }

  goesOn(reading: Reading): boolean {
    if (100 * this.#plainBits < QUIET * WINDOW_BYTES) return true;
    return 100 * this.#costOf(reading) <= GO_ON_SHARE * this.#allPlaceBits;
  }

  best(): Reading | undefined {
    if (100 * this.#plainBits < QUIET * WINDOW_BYTES) return undefined;
    if (100 * this.#allPlaceBits > PLACES_SHARE * this.#plainBits) return undefined;
    let best: Reading | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const reading of this.#readings()) {
      const cost = this.#costOf(reading);
      if (100 * cost >= MORE_COLUMNS_SHARE * least) continue;
      least = cost;
      best = reading;
    }
    return 100 * least <= BEGIN_SHARE * this.#allPlaceBits ? best : undefined;
  }

  get #allPlaceBits(): number {
    return this.#placeBits.reduce((sum, bits) => sum + bits, 0);
  }

  /**
   * Numbers begin where bytes take most more, or less, than those before: at the lowest byte, or the highest. Or, where
   * the lowest are always 0, at a multiple of their width.
   */
  #readings(): Reading[] {
    const readings: Reading[] = [];
    for (const width of [2, 4, 8] as const) {
      const places = Array.from({ length: width }, (_, place) => {
        return this.#placeBits.reduce((sum, bits, i) => (i % width === place ? sum + bits : sum), 0);
      });
      const rises = places.map((bits, place) => bits - (places[(place + width - 1) % width] as number));
      const [low, high] = [Math.max(...rises), Math.min(...rises)].map((rise) => rises.indexOf(rise)) as number[];
      const [lowPhases, highPhases] = [new Set([low as number, 0]), new Set([high as number, 0])];
      for (const columns of COLUMNS) {
        for (const phase of lowPhases) readings.push({ width, isBig: false, columns, phase });
        for (const phase of highPhases) readings.push({ width, isBig: true, columns, phase });
      }
    }
    // Of readings that take as much, the shortest tuples, and of these the widest numbers.
    return readings.sort((a, b) => a.columns * a.width - b.columns * b.width || b.width - a.width);
  }

  /** What the window's numbers take, about, in bits: how far each is from the one before in its column. */
  #costOf({ width, isBig, columns, phase }: Reading): number {
    const skip = (phase - (this.#start % width) + width) % width;
    const numbers = Math.floor((WINDOW_BYTES - skip) / width) - columns;
    // All columns in turn.
    const step = Math.floor(numbers / LOOKED_AT / columns) * columns + 1;
    columnSums.fill(0);
    columnCounts.fill(0);
    let low = 0;
    for (let i = 0; i < numbers; i += step) {
      const at = this.#start + skip + i * width;
      const column = i % columns;
      const apart = distance(this.#bytes, at, at + columns * width, width, isBig);
      columnSums[column] = (columnSums[column] as number) + apart;
      columnCounts[column] = (columnCounts[column] as number) + 1;
      low |= lowOf(this.#bytes, at, width, isBig);
    }
    // Lowest bits that no number has take nothing.
    const lacking = width === 8 ? trailingZeros(low) : 0;
    let bits = 0;
    for (let column = 0; column < columns; column += 1) {
      const mean = Math.max(0, (columnSums[column] as number) / (columnCounts[column] as number) - lacking);
      bits += Math.min(8 * width, mean + Math.min(mean, SPREAD_BITS));
    }
    return Math.floor((bits * WINDOW_BYTES) / (width * columns));
  }
}

/** Bits of the difference of two numbers. */
function distance(bytes: Uint8Array, a: number, b: number, width: number, isBig: boolean): number {
  const difference = lowOf(bytes, b, width, isBig) - lowOf(bytes, a, width, isBig);
  if (width === 2) return sizeOf((difference << 16) >> 16);
  if (width === 4) return sizeOf(difference | 0);
  const whole = difference + (highOf(bytes, b, isBig) - highOf(bytes, a, isBig)) * 2 ** 32;
  const size = Math.abs(whole);
  return size < 2 ** 31 ? sizeOf(whole) : 32 + sizeOf(Math.min(2 ** 31 - 1, size / 2 ** 32));
}

const sizeOf = (difference: number) => 32 - Math.clz32(Math.abs(difference));

/** The lowest 16 bits of a number of two bytes, or else 32. */
function lowOf(bytes: Uint8Array, at: number, width: number, isBig: boolean): number {
  if (width === 2) return ((bytes[isBig ? at : at + 1] as number) << 8) | (bytes[isBig ? at + 1 : at] as number);
  return word(bytes, width === 8 && isBig ? at + 4 : at, isBig);
}

/** The highest 32 bits of a number of eight bytes. */
const highOf = (bytes: Uint8Array, at: number, isBig: boolean) => word(bytes, isBig ? at : at + 4, isBig);

/** u32 */
function word(bytes: Uint8Array, at: number, isBig: boolean): number {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  return (isBig ? (a << 24) | (b << 16) | (c << 8) | d : a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** What numbers take whose bytes, highest first, predictors left: about so many bits. */
export function leftBits(bytes: Uint8Array, width: number, rawBits: number): number {
  let sum = 0;
  let count = 0;
  let low = 0;
  for (let at = 0; at + width <= bytes.length; at += width) {
    let first = 0;
    while (first < width && bytes[at + first] === 0) first += 1;
    if (first === width) continue;
    const high = bytes[at + first] as number;
    const bits = 32 - Math.clz32(high);
    sum += 8 * (width - first - 1) + bits + high / 2 ** bits;
    count += 1;
    if (width > 2) low |= word(bytes, at + width - 4, true);
  }
  return sum - count * Math.min(rawBits, width > 2 ? trailingZeros(low) : 0);
}

/** What they take at least by the counts of the bytes at each place. */
export function placeBits(bytes: Uint8Array, width: number): number {
  let sum = 0;
  const count = Math.floor(bytes.length / width);
  for (let place = 0; place < width; place += 1) {
    const counts = new Uint32Array(256);
    for (let i = 0; i < count; i += 1) {
      const byte = bytes[i * width + place] as number;
      counts[byte] = (counts[byte] as number) + 1;
    }
    sum += bitsOf(counts, count);
  }
  return sum;
}

/** Formats in which a run is tried, the likelier first. */
export function formatsOf(bytes: Uint8Array, { width, isBig }: Pick<FoundTable, "width" | "isBig">) {
  const formats = { 2: ["float16", "int16"], 4: ["float32", "int32"], 8: ["float64", "int64"] } as const;
  // The highest two bytes of floats have a sign, and exponents about the middle of their range.
  let likely = 0;
  let count = 0;
  for (let at = 0; at + width <= bytes.length; at += 64 * width, count += 1) {
    const [high, low] = [
      bytes[isBig ? at : at + width - 1] as number,
      bytes[isBig ? at + 1 : at + width - 2] as number,
    ];
    const size = ((high & 127) << 8) | low;
    if (size >= FLOAT_LEAST && size <= FLOAT_MOST) likely += 1;
  }
  const [float, integer] = formats[width];
  return width > 2 && 2 * likely > count ? [float, integer] : [integer, float];
}

/** Where rows and frames may be: none, rows alone, rows in frames; of all, the caller tries which is best. */
export function shapesOf(bytes: Uint8Array, table: Table): Pick<Table, "row" | "frame">[] {
  const { columns } = table;
  const { rows, frames } = distancesOf(numbersOf(bytes, table), columns, TABLE_ROW_MAX);
  const shapes = rows.map((row) => ({ row, frame: 0 }));
  const inFrames = frames.flatMap(({ frame, rows: within }) =>
    within.filter((row) => frame >= 4 * row && frame <= TABLE_FRAME_MAX).map((row) => ({ row, frame })),
  );
  return [...inFrames, ...shapes];
}

/** As i32 that rise with the numbers: of 8 bytes, the 32 bits below those that all of them share. */
function numbersOf(bytes: Uint8Array, { format, isBig }: Table): Int32Array {
  const width = numberBytes(format);
  const count = Math.floor(bytes.length / width);
  const isFloat = format.startsWith("float");
  return Int32Array.from({ length: count }, (_, i) => {
    if (width === 8 && isFloat) return risingFloat(highOf(bytes, i * width, isBig) | 0);
    const low = lowOf(bytes, i * width, width, isBig);
    const top = width === 2 ? (low << 16) >> 16 : low | 0;
    return isFloat ? risingFloat(top) : top;
  });
}

/** A float's highest 32 bits, as an integer that rises with it. */
const risingFloat = (top: number) => top ^ ((top >> 31) & 0x7fffffff);

/** How many of the lowest bits of a run are to stay: those that most numbers lack, or that are not all there. */
export function rawBitsOf(bytes: Uint8Array, { format, isBig }: Table): number {
  const width = numberBytes(format);
  const count = Math.min(4096, Math.floor(bytes.length / width));
  const trailing = new Uint32Array(65);
  const lowest = new Uint32Array(8);
  for (let i = 0; i < count; i += 1) {
    const at = Math.floor((i * (bytes.length / width - 1)) / count) * width;
    const low = lowOf(bytes, at, width, isBig);
    const high = width === 8 ? highOf(bytes, at, isBig) : 0;
    const zeros = width === 2 ? 0 : low !== 0 ? trailingZeros(low) : 32 + (high !== 0 ? trailingZeros(high) : 32);
    trailing[Math.min(zeros, 8 * width)] = (trailing[Math.min(zeros, 8 * width)] as number) + 1;
    lowest[low & 7] = (lowest[low & 7] as number) + 1;
  }
  let fewer = 0;
  for (let zeros = 0; zeros < 8 * width - 8; zeros += 1) {
    fewer += trailing[zeros] as number;
    if (20 * fewer > count) return zeros > 0 ? zeros : bitsOf(lowest, count) < 2.97 * count ? 3 : 0;
  }
  return 0;
}

const trailingZeros = (word: number) => (word === 0 ? 32 : 31 - Math.clz32(word & -word));

/** By which power of two the differences of a run's numbers become some hundreds. */
export function exponentOf(bytes: Uint8Array, { format, isBig, columns }: Table): number {
  const width = numberBytes(format);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valueAt = (at: number) => {
    if (width === 2) return view.getInt16(at, !isBig);
    if (format === "float32") return view.getFloat32(at, !isBig);
    if (format === "float64") return view.getFloat64(at, !isBig);
    return format === "int32" ? view.getInt32(at, !isBig) : Number(view.getBigInt64(at, !isBig));
  };
  const sizes: number[] = [];
  const count = Math.floor(bytes.length / width) - columns;
  for (let i = 0; i < count; i += Math.max(1, Math.floor(count / 1000))) {
    const difference = Math.abs(valueAt((i + columns) * width) - valueAt(i * width));
    if (difference > 0 && difference < Number.POSITIVE_INFINITY) sizes.push(difference);
  }
  sizes.sort((a, b) => a - b);
  const typical = sizes[Math.floor(sizes.length / 2)] ?? 1;
  const doubles = new DataView(new ArrayBuffer(8));
  doubles.setFloat64(0, typical);
  const power = ((doubles.getUint16(0) >> 4) & 0x7ff) - 1023;
  return Math.max(-TABLE_EXPONENT_MAX, Math.min(TABLE_EXPONENT_MAX, 8 - power));
}

/**
 * The trained values of a lane, small: what training has changed, coarsely, and in a few kilobytes.
 *
 * Nothing is lost that anybody needs: what is stored is the prior. Whoever trains one stores the values, and goes on
 * with what comes back. Weights are told from their family's mean row, and that from the weights of a new lane, in
 * units of a power of two. Probabilities are told from those of a new lane by their log odds. Rows whose values would
 * all be nothing are left out: then they are the mean, or what a new lane has. docs/FORMAT.md has the same in words.
 */
import { histories } from "../contract/histories.ts";
import { COUNT_BITS, SQUASH_ZERO, STRETCH_MAX, squashTable, stretchTable } from "../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRunMap,
  initialWeights,
  refineRow,
} from "../contract/mixer-initial.ts";
import {
  rowsOf,
  type TrainedArea,
  type TrainedKind,
  type TrainedName,
  type TrainedRows,
  type TrainedState,
  type TrainedValues,
  trainedAreas,
} from "../contract/prior.ts";
import { type BitCoder, BitDecoder, BitEncoder, BitModels } from "../repeats/bits.ts";
import { codeTree, NumberModel } from "../repeats/numbers.ts";

/** Digits of an area's unit. */
const UNIT_DIGITS = 5;
/** Columns beyond share their statistics. */
const COLUMNS_MAX = 64;
/** Counts of cells that are told apart: 2^n - 1. */
const COUNT_DIGITS = 4;
/** Log odds of a map's cell are told from a new one's by at most this many units; weights by what they hold. */
const UNITS_MAX = 1 << 16;

/** How coarsely values are stored: units are 2^n. Log odds are Q8. */
export interface Coarseness {
  readonly maps: number;
  readonly runMap: number;
  readonly matchMap: number;
  readonly weights: number;
  readonly finals: number;
  readonly order0: number;
  readonly refine: number;
  /** A row is left out if no value of it is this many units from the mean. Only the writer needs to know. */
  readonly rowUnitsMin?: number;
}

export const FINE: Coarseness = { maps: 4, runMap: 4, matchMap: 4, weights: 7, finals: 20, order0: 4, refine: 5 };

let made: { readonly squash: Int32Array; readonly stretch: Int16Array } | undefined;

/** Made once: with all areas of a prior, it would take longer than to read it. */
function tables() {
  if (made) return made;
  const squash = squashTable();
  made = { squash, stretch: stretchTable(squash) };
  return made;
}

/** What a new lane holds in one row, or if rows differ, in all. */
function initialOf(name: TrainedName, contexts: number): TrainedValues {
  const { squash, stretch } = tables();
  switch (name) {
    case "maps":
      return initialMaps(contexts, histories(), stretch).cells;
    case "runMap":
      return initialRunMap(contexts);
    case "matchMap":
      return initialMatchMap();
    case "weights":
      return initialWeights(contexts);
    case "finals":
      return initialFinals();
    case "order0":
      return new Uint16Array(256).fill(32768);
    case "refine":
      return refineRow(squash);
  }
}

/** Values and the numbers that are stored of them. */
interface Scale {
  /** Of a value. */
  toNumber(value: number): number;
  /** Of a number, whatever it is. */
  toValue(number: number): number;
  /** Whether 0 is no value, and stays. */
  readonly isNoneZero: boolean;
}

const clampTo = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

function scaleOf(kind: TrainedKind, isWide: boolean): Scale {
  if (kind === "weights") {
    const [low, high] = isWide ? [-(1 << 29), (1 << 29) - 1] : [-32768, 32767];
    return { toNumber: (value) => value, toValue: (number) => clampTo(number, low, high), isNoneZero: false };
  }
  const { squash, stretch } = tables();
  const odds = (number: number) => squash[clampTo(number, -STRETCH_MAX, STRETCH_MAX) + SQUASH_ZERO] as number;
  if (kind === "probabilities")
    return { toNumber: (value) => stretch[value >> 4] as number, toValue: odds, isNoneZero: false };
  const shift = COUNT_BITS + 6;
  return {
    toNumber: (cell) => stretch[(cell >>> COUNT_BITS) >> 10] as number,
    toValue: (number) => odds(number) << shift,
    isNoneZero: true,
  };
}

/** The adaptive bits of an area. */
class AreaModels {
  readonly rows = new BitModels(4);
  readonly zeros = new BitModels(3 * COLUMNS_MAX);
  readonly signs = new BitModels(COLUMNS_MAX);
  readonly sizes = new NumberModel(4);
  readonly counts = new BitModels(2 << COUNT_DIGITS);
}

/** Codes a signed number, or finds it. @param near how large the one before it in its row was */
function codeNumber(coder: BitCoder, models: AreaModels, column: number, near: number, value: number): number {
  const place = Math.min(column, COLUMNS_MAX - 1);
  const context = Math.min(near, 2);
  if (coder.bit(models.zeros, 3 * place + context, value === 0 ? 0 : 1) === 0) return 0;
  const isBelow = coder.bit(models.signs, place, value < 0 ? 1 : 0) === 1;
  const size = 1 + models.sizes.code(coder, context + (near > 8 ? 1 : 0), Math.abs(value) - 1);
  return isBelow ? -size : size;
}

/** A row of numbers, in place: the encoder codes them, the decoder fills them in. */
function codeRow(coder: BitCoder, models: AreaModels, row: Int32Array): void {
  let near = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = codeNumber(coder, models, i, near, row[i] as number);
    near = Math.abs(row[i] as number);
  }
}

const countClass = (n: number) => Math.min(31 - Math.clz32(n + 1), (1 << COUNT_DIGITS) - 1);

/** The encoder's side of an area: numbers of rows, in units. The decoder has none. */
interface AreaNumbers {
  readonly unit: number;
  /** For each family. */
  readonly means: readonly Int32Array[];
  /** For each row: undefined if it is as its mean. */
  readonly rows: readonly (Int32Array | undefined)[];
  /** Counts of cells. */
  readonly counts?: Uint8Array;
}

function codeArea(coder: BitCoder, area: TrainedArea, contexts: number, from?: AreaNumbers): TrainedRows {
  const { name, kind, rowLength, families } = area;
  const models = new AreaModels();
  const unit = codeTree(coder, new BitModels(1 << UNIT_DIGITS), 0, UNIT_DIGITS, from?.unit ?? 0);
  const initial = initialOf(name, contexts);
  const scale = scaleOf(kind, initial instanceof Int32Array);
  const isSparse = name === "refine";
  const numbers: number[] = [];
  const kept: TrainedValues[] = [];
  const all = isSparse ? undefined : (initial.slice() as TrainedValues);
  const isChanged = new Uint8Array(rowsOf(area));
  const none = new Int32Array(rowLength);
  let row = 0;
  for (const [f, count] of families.entries()) {
    const mean = from?.means[f]?.slice() ?? new Int32Array(rowLength);
    if (kind === "weights") codeRow(coder, models, mean);
    // Rows of weights are all alike in a new lane.
    const common = kind === "weights" ? (initial.slice(0, rowLength) as TrainedValues) : undefined;
    if (common) valuesOf(common, mean, none, unit, scale);
    for (const end = row + count; row < end; row++) {
      const near = 2 * (isChanged[row - 1] ?? 0) + (isChanged[row - 256] ?? 0);
      const isStored = coder.bit(models.rows, near, from?.rows[row] ? 1 : 0) === 1;
      isChanged[row] = isStored ? 1 : 0;
      if (!isStored) {
        if (common) all?.set(common, row * rowLength);
        continue;
      }
      const own = from?.rows[row]?.slice() ?? new Int32Array(rowLength);
      codeRow(coder, models, own);
      const base = isSparse ? 0 : row * rowLength;
      const values = all?.subarray(base, base + rowLength) ?? (initial.slice() as TrainedValues);
      valuesOf(values, mean, own, unit, scale);
      if (!isSparse) continue;
      numbers.push(row);
      kept.push(values);
    }
  }
  if (all && kind === "cells") codeCounts(coder, models, all, from?.counts);
  return all ? { values: all } : { rows: Uint32Array.from(numbers), values: joined(kept, rowLength) };
}

/** Makes values of the initial ones, in place. */
function valuesOf(values: TrainedValues, mean: Int32Array, own: Int32Array, unit: number, scale: Scale): void {
  for (let i = 0; i < values.length; i++) {
    const units = (mean[i] as number) + (own[i] as number);
    const first = values[i] as number;
    if (units === 0 || (first === 0 && scale.isNoneZero)) continue;
    const bounded = clampTo(units, -UNITS_MAX, UNITS_MAX);
    values[i] = scale.toValue(scale.toNumber(first) + bounded * 2 ** unit);
  }
}

/** Cells that are none stay so. */
function codeCounts(coder: BitCoder, models: AreaModels, cells: TrainedValues, from?: Uint8Array): void {
  for (let i = 0; i < cells.length; i++) {
    const p = (cells[i] as number) >>> COUNT_BITS;
    if (p === 0) continue;
    const found = codeTree(coder, models.counts, 0, COUNT_DIGITS, from?.[i] ?? 0);
    cells[i] = (p << COUNT_BITS) | (2 ** Math.min(found, 8) - 1);
  }
}

function joined(rows: readonly TrainedValues[], rowLength: number): Uint16Array {
  const all = new Uint16Array(rows.length * rowLength);
  rows.forEach((row, i) => void all.set(row, i * rowLength));
  return all;
}

/** The mean of a family's rows, each by how far it has come, and what each differs from it. */
function numbersOf(area: TrainedArea, contexts: number, { rows, values }: TrainedRows, how: Coarseness): AreaNumbers {
  const { name, kind, rowLength, families } = area;
  const unit = how[name];
  const initial = initialOf(name, contexts);
  const scale = scaleOf(kind, initial instanceof Int32Array);
  const moved = new Map<number, Float64Array>();
  const count = rows?.length ?? rowsOf(area);
  for (let r = 0; r < count; r++) {
    const base = rows ? 0 : r * rowLength;
    const differences = Float64Array.from({ length: rowLength }, (_, i) => {
      const first = initial[base + i] as number;
      const value = values[r * rowLength + i] as number;
      return value === first ? 0 : (scale.toNumber(value) - scale.toNumber(first)) / 2 ** unit;
    });
    if (differences.some((x) => x !== 0)) moved.set(rows?.[r] ?? r, differences);
  }
  let first = 0;
  const means: Int32Array[] = [];
  const stored: (Int32Array | undefined)[] = Array.from({ length: rowsOf(area) });
  for (const familyRows of families) {
    const mean = kind === "weights" ? meanOf(moved, first, familyRows, rowLength) : new Int32Array(rowLength);
    means.push(mean);
    for (let r = first; r < first + familyRows; r++) {
      const own = moved.get(r)?.map((x, i) => Math.round(x - (mean[i] as number)));
      const least = how.rowUnitsMin ?? 1;
      if (own?.some((x) => Math.abs(x) >= least)) stored[r] = Int32Array.from(own);
    }
    first += familyRows;
  }
  const counts = kind === "cells" && Uint8Array.from(values, (cell) => countClass(cell & ((1 << COUNT_BITS) - 1)));
  return { unit, means, rows: stored, ...(counts && { counts }) };
}

function meanOf(moved: ReadonlyMap<number, Float64Array>, from: number, count: number, rowLength: number): Int32Array {
  const sums = new Float64Array(rowLength);
  let total = 0;
  for (let r = from; r < from + count; r++) {
    const row = moved.get(r);
    if (!row) continue;
    const way = row.reduce((sum, x) => sum + Math.abs(x), 0);
    for (const [i, x] of row.entries()) sums[i] = (sums[i] as number) + way * x;
    total += way;
  }
  return Int32Array.from(sums, (sum) => (total === 0 ? 0 : Math.round(sum / total)));
}

/** @param contexts of the lane @returns what decodeTrained makes values of that lie near these */
export function encodeTrained(trained: TrainedState, contexts: number, how: Coarseness = FINE): Uint8Array {
  const encoder = new BitEncoder();
  for (const area of trainedAreas(contexts)) {
    codeArea(encoder, area, contexts, numbersOf(area, contexts, trained[area.name], how));
  }
  return encoder.finish();
}

/**
 * Any bytes that are used up exactly give a state that a lane can have.
 *
 * @param baseBytes where they lie, for errors
 * @throws CorruptError
 */
export function decodeTrained(bytes: Uint8Array, contexts: number, baseBytes = 0): TrainedState {
  const decoder = new BitDecoder(bytes, baseBytes, "the trained values of a prior");
  const entries = trainedAreas(contexts).map((area) => [area.name, codeArea(decoder, area, contexts)]);
  decoder.finish();
  return Object.fromEntries(entries) as TrainedState;
}

/**
 * The trained values of a lane, small: what training has changed, coarsely, and in a few kilobytes.
 *
 * Nothing is lost that anybody needs: what is stored is the prior. Whoever trains one stores the values, and goes on
 * with what comes back. Weights are told from their family's mean row, and that from the weights of a new lane, in
 * units of a power of two. Probabilities are told from those of a new lane by their log odds. Rows whose values would
 * all be nothing are left out: then they are the mean, or what a new lane has. docs/FORMAT.md has the same in words.
 */
import { histories } from "../contract/histories.ts";
import { COUNT_BITS, setsOf, squashTable, stretchTable } from "../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRunMap,
  initialWeights,
  refineRow,
  weightRow,
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
import { type AreaCoder, AreaDecoder, AreaEncoder, type AreaNumbers, COUNT_DIGITS } from "./area-coder.ts";

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

/** What a new lane holds in one row, or if rows differ, in all. */
function initialOf(name: TrainedName, contexts: number): TrainedValues {
  const squash = squashTable();
  switch (name) {
    case "maps":
      return initialMaps(contexts, histories(), stretchTable()).cells;
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

/** What a value is for the numbers that are stored: itself, or log odds. */
function toNumberOf(kind: TrainedKind): (value: number) => number {
  if (kind === "weights") return (value) => value;
  const stretch = stretchTable();
  if (kind === "probabilities") return (value) => stretch[value >> 4] as number;
  return (cell) => stretch[(cell >>> COUNT_BITS) >> 10] as number;
}

const countClass = (n: number) => Math.min(31 - Math.clz32(n + 1), (1 << COUNT_DIGITS) - 1);

function codeArea(coder: AreaCoder, area: TrainedArea, contexts: number, from?: AreaNumbers): TrainedRows {
  const unit = coder.start(from);
  const { name, kind, rowLength, families } = area;
  if (kind === "weights") return { values: coder.weights({ unit, families, first: firstWeights(name, contexts) }) };
  const first = initialOf(name, contexts) as Uint16Array | Int32Array;
  return coder.values({ unit, rows: rowsOf(area), rowLength, kind, first });
}

/** What a row of weights holds in a new lane. */
function firstWeights(name: TrainedName, contexts: number): Int16Array | Int32Array {
  return name === "finals" ? initialFinals().slice(0, setsOf(0).length) : weightRow(contexts);
}

/** The mean of a family's rows, each by how far it has come, and what each differs from it. */
function numbersOf(area: TrainedArea, contexts: number, { rows, values }: TrainedRows, how: Coarseness): AreaNumbers {
  const { name, kind, rowLength, families } = area;
  const unit = how[name];
  const initial = initialOf(name, contexts);
  const toNumber = toNumberOf(kind);
  const moved = new Map<number, Float64Array>();
  const count = rows?.length ?? rowsOf(area);
  for (let r = 0; r < count; r++) {
    const base = rows ? 0 : r * rowLength;
    const differences = Float64Array.from({ length: rowLength }, (_, i) => {
      const first = initial[base + i] as number;
      const value = values[r * rowLength + i] as number;
      return value === first ? 0 : (toNumber(value) - toNumber(first)) / 2 ** unit;
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
  const encoder = new AreaEncoder();
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
  const decoder = new AreaDecoder(bytes, baseBytes);
  const entries = trainedAreas(contexts).map((area) => [area.name, codeArea(decoder, area, contexts)]);
  decoder.finish();
  return Object.fromEntries(entries) as TrainedState;
}

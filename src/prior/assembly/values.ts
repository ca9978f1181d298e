/** Probabilities and cells of maps from their rows' numbers: log odds, in units, more or less than a new lane has. */
import { COUNT_DIGITS, COUNTS, tree } from "./bits";
import { decodeRow, nextRow, ROW } from "./rows";

/** As in src/prior/state.ts. */
const UNITS_MAX: i64 = 1 << 16;
/** Of tables: log odds of probabilities of 12 bits (i16); behind them, probabilities of log odds (i32). */
const SQUASH: usize = 4096 * 2;
const SQUASH_ZERO: i64 = 4096;
const ODDS_MAX: i64 = 2047;
/** A cell is a probability (Q22) above a count. */
const COUNT_BITS: u32 = 10;
const COUNT_LOG2_MAX: u32 = 8;

/** What so many units more make of a probability of 12 bits: one of 16. */
// @ts-ignore: decorator
@inline
function moved(tables: usize, probability: u32, units: i32, unit: u32): u32 {
  const more = min(max(<i64>units, -UNITS_MAX), UNITS_MAX) << <i64>unit;
  const odds = <i64>load<i16>(tables + (<usize>probability << 1)) + more;
  return load<u32>(tables + SQUASH + (<usize>(min(max(odds, -ODDS_MAX), ODDS_MAX) + SQUASH_ZERO) << 2));
}

/** Changes a row of probabilities by the numbers that were decoded last. */
function changeRow(at: usize, length: u32, unit: u32, tables: usize): void {
  for (let i: usize = 0; i < length; i++) {
    const units = load<i32>(ROW + (i << 2));
    if (units == 0) continue;
    const p: u32 = load<u16>(at + (i << 1));
    store<u16>(at + (i << 1), moved(tables, p >> 4, units, unit));
  }
}

/** Changes so many rows of probabilities that lie there. */
export function decodeProbabilities(rows: u32, length: u32, unit: u32, tables: usize, values: usize): void {
  for (let row = nextRow(0, rows); row < rows; row = nextRow(row + 1, rows)) {
    decodeRow(length);
    changeRow(values + <usize>row * (length << 1), length, unit, tables);
  }
}

/**
 * Makes those rows that are not as all others.
 *
 * @param first what all others are
 * @param into where they go, one behind the other
 * @param numbers where their numbers (u32) go
 * @returns how many they are
 */
export function decodeFew(
  rows: u32,
  length: u32,
  unit: u32,
  tables: usize,
  first: usize,
  into: usize,
  numbers: usize,
): u32 {
  let count: u32 = 0;
  for (let row = nextRow(0, rows); row < rows; row = nextRow(row + 1, rows)) {
    decodeRow(length);
    const at = into + <usize>count * (length << 1);
    memory.copy(at, first, length << 1);
    changeRow(at, length, unit, tables);
    store<u32>(numbers + (<usize>count << 2), row);
    count++;
  }
  return count;
}

/** Changes so many rows of cells that lie there, and gives all of them counts. Those that are 0 are none, and stay. */
export function decodeCells(rows: u32, length: u32, unit: u32, tables: usize, values: usize): void {
  for (let row = nextRow(0, rows); row < rows; row = nextRow(row + 1, rows)) {
    decodeRow(length);
    for (let i: u32 = 0; i < length; i++) {
      const units = load<i32>(ROW + (<usize>i << 2));
      const at = values + (<usize>(row * length + i) << 2);
      const cell = load<u32>(at);
      if (units == 0 || cell == 0) continue;
      store<u32>(at, moved(tables, cell >> (COUNT_BITS + 10), units, unit) << (COUNT_BITS + 6));
    }
  }
  const end = values + (<usize>(rows * length) << 2);
  for (let at = values; at < end; at += 4) {
    const p = load<u32>(at) >> COUNT_BITS;
    if (p == 0) continue;
    const seen: u32 = (1 << min(tree(COUNTS, COUNT_DIGITS), COUNT_LOG2_MAX)) - 1;
    store<u32>(at, (p << COUNT_BITS) | seen);
  }
}

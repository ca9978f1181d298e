/**
 * Ranks of samples: the candidates about a prediction in the order of how likely each is, by its distance and by how
 * often it was seen with the colours that are known. The tables of counts, and the room for candidates, are the
 * caller's (pixels.ts).
 */

/** Samples that are ranked by more than their distance. */
export const RANKED: i32 = 64;
/** What each count begins with. */
export const COUNT_START: f32 = 0.1;
/** Tables of counts of samples, in rows of 512. */
export const TABLE_BYTES: usize = 512 * 512 * 4;
/** A row's bytes. */
const ROW: usize = 512 * 4;
/** Scores and candidates. */
export const CANDIDATE_BYTES: usize = 64 * 8 + 64;
export const CANDIDATES: usize = 64 * 8;

/** Two rows of counts, of the sample 0 on. */
// @ts-ignore: decorator
@inline
function rowA(rows: u64): usize {
  return <usize>(rows & 0xffffffff);
}

// @ts-ignore: decorator
@inline
function rowB(rows: u64): usize {
  return <usize>(rows >> 32);
}

/**
 * Rows for the second channel: by the first's sample, and by how the third differs from the first nearby.
 *
 * @param sum 512 and both differences
 */
export function rowsOfSecond(tables: usize, first: i32, sum: i32): u64 {
  const byDifference = tables + TABLE_BYTES + <usize>(sum >> 1) * ROW + <usize>(256 - first) * 4;
  return pairOf(tables + <usize>first * ROW, byDifference);
}

/** For the third: by how the second differs from the first, and by the second. */
export function rowsOfThird(tables: usize, first: i32, second: i32): u64 {
  const shift = <usize>(256 - first) * 4;
  const byDifference = tables + 2 * TABLE_BYTES + <usize>(second - first + 256) * ROW + shift;
  return pairOf(byDifference, tables + 3 * TABLE_BYTES + <usize>second * ROW + shift);
}

/** Counts a sample that was seen. */
export function count(rows: u64, sample: usize): void {
  store<f32>(rowA(rows) + sample * 4, load<f32>(rowA(rows) + sample * 4) + 1);
  store<f32>(rowB(rows) + sample * 4, load<f32>(rowB(rows) + sample * 4) + 1);
}

// @ts-ignore: decorator
@inline
export function pairOf(a: usize, b: usize): u64 {
  return <u64>a | ((<u64>b) << 32);
}

/** The candidates in the order of their distance, and how likely each is, squared. */
export function rank(room: usize, prediction: f64, scale: f64, rows: u64): void {
  // About e^(-2 / scale): how much less likely each step is, squared.
  let t = 1.0 + 0.125 / scale;
  t *= t;
  t *= t;
  t *= t;
  t *= t;
  const q = 1.0 / t;
  const low = <i32>Math.floor(prediction);
  const fraction = prediction - <f64>low;
  let down = low;
  let up = low + 1;
  let downWeight = 1.0 - fraction * (1.0 - q);
  let upWeight = 1.0 - (1.0 - fraction) * (1.0 - q);
  let isUp = fraction > 0.5;
  const a = rowA(rows);
  const b = rowB(rows);
  for (let i: usize = 0; i < <usize>RANKED; i += 1) {
    if (up > 255 || (!isUp && down >= 0)) {
      const counts = <f64>load<f32>(a + (<usize>down << 2)) * <f64>load<f32>(b + (<usize>down << 2));
      store<f64>(room + i * 8, downWeight * counts);
      store<u8>(room + CANDIDATES + i, <u8>down);
      down -= 1;
      downWeight *= q;
    } else {
      const counts = <f64>load<f32>(a + (<usize>up << 2)) * <f64>load<f32>(b + (<usize>up << 2));
      store<f64>(room + i * 8, upWeight * counts);
      store<u8>(room + CANDIDATES + i, <u8>up);
      up += 1;
      upWeight *= q;
    }
    isUp = !isUp;
  }
}

/** Candidate number `index` of all 256, the first RANKED of which are in the list. */
function farCandidate(prediction: f64, index: i32): i32 {
  let down = <i32>Math.floor(prediction);
  let up = down + 1;
  let isUp = prediction - <f64>down > 0.5;
  let found = 0;
  for (let i = 0; i <= index; i += 1) {
    if (up > 255 || (!isUp && down >= 0)) {
      found = down;
      down -= 1;
    } else {
      found = up;
      up += 1;
    }
    isUp = !isUp;
  }
  return found;
}

export function rankOf(room: usize, prediction: f64, sample: i32): i32 {
  let index = 0;
  while (index < RANKED && <i32>load<u8>(room + CANDIDATES + index) !== sample) index += 1;
  if (index === RANKED) {
    while (farCandidate(prediction, index) !== sample) index += 1;
    return index;
  }
  const score = load<f64>(room + index * 8);
  let before = 0;
  for (let i = 0; i < RANKED; i += 1) {
    const other = load<f64>(room + i * 8);
    if (other > score || (other === score && i < index)) before += 1;
  }
  return before;
}

/** The mirror image of rankOf; a score that was taken becomes -1. */
export function sampleOf(room: usize, prediction: f64, wanted: i32): i32 {
  if (wanted >= RANKED) return farCandidate(prediction, wanted);
  let best = 0;
  for (let turn = 0; turn <= wanted; turn += 1) {
    if (turn > 0) store<f64>(room + best * 8, -1);
    best = 0;
    for (let i = 1; i < RANKED; i += 1) {
      if (load<f64>(room + i * 8) > load<f64>(room + best * 8)) best = i;
    }
  }
  return load<u8>(room + CANDIDATES + best);
}

/**
 * The three matrix products, all through one tile of 4 rows x 8 columns of i32.
 *
 * One operand is "pair panels": for 8 columns and each pair of consecutive K, the eight pairs of int16 side by side,
 * 32 bytes; a panel's pairs lie one after the other. The other operand is 4 rows whose pairs are each repeated four
 * times ("splatted", 64 bytes per pair of K) in a small scratch, made once and used for many panels. So the inner
 * loop is 6 aligned loads, 8 dots, 8 additions and no shuffle, and its results lie in natural order: no horizontal
 * reduction, which at K = 64 would cost 15 %. Measured against the alternatives in docs/CPU.md.
 *
 * K is the inputs (forward), the outputs (backward) or the rows (weight gradients). Sums wrap modulo 2^32, so their
 * order does not matter.
 */
import { WIDE_LIMIT } from "./contract";
import { clampGradientVector, clampVector, narrowActivation, roundShiftVector } from "./vector";

/** Pairs of K in one scratch of splatted rows: 512 x 64 bytes fill a first-level cache. */
const CHUNK_PAIRS: usize = 512;
/** Bytes of the splat scratch. */
export const SPLAT_BYTES: usize = CHUNK_PAIRS * 64;
/** Bytes of panels that are visited again for each four rows: they should stay in the second-level cache. */
const GROUP_BYTES: usize = 1 << 17;
/** Panels per group, at most: their accumulators (128 bytes each) follow the splat scratch. */
const GROUP_PANELS_MAX: usize = 64;

/** How many panels of `pairs` pairs form a group. */
// @ts-ignore: decorator
@inline
export function groupPanels(pairs: usize): usize {
  return max<usize>(4, min<usize>(GROUP_PANELS_MAX, GROUP_BYTES / (pairs * 32)));
}

/** acc[4][8] (+)= rows x panel over `pairs` pairs; starts from zero if `first`. */
export function tile(rows: usize, panel: usize, pairs: usize, acc: usize, first: bool): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  if (!first) {
    a0 = v128.load(acc);
    a1 = v128.load(acc, 16);
    b0 = v128.load(acc, 32);
    b1 = v128.load(acc, 48);
    c0 = v128.load(acc, 64);
    c1 = v128.load(acc, 80);
    d0 = v128.load(acc, 96);
    d1 = v128.load(acc, 112);
  }
  const end = rows + pairs * 64;
  while (rows < end) {
    const p = v128.load(panel);
    const q = v128.load(panel, 16);
    let s = v128.load(rows);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, p));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, q));
    s = v128.load(rows, 16);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, p));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, q));
    s = v128.load(rows, 32);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, p));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, q));
    s = v128.load(rows, 48);
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(s, p));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(s, q));
    rows += 64;
    panel += 32;
  }
  v128.store(acc, a0);
  v128.store(acc, a1, 16);
  v128.store(acc, b0, 32);
  v128.store(acc, b1, 48);
  v128.store(acc, c0, 64);
  v128.store(acc, c1, 80);
  v128.store(acc, d0, 96);
  v128.store(acc, d1, 112);
}

/** Splats `pairs` pairs of four rows that lie `pitch` bytes apart. */
function splatRows(x: usize, pitch: usize, pairs: usize, into: usize): void {
  let x1 = x + pitch;
  let x2 = x1 + pitch;
  let x3 = x2 + pitch;
  const end = x + pairs * 4;
  while (x < end) {
    v128.store(into, v128.load32_splat(x));
    v128.store(into, v128.load32_splat(x1), 16);
    v128.store(into, v128.load32_splat(x2), 32);
    v128.store(into, v128.load32_splat(x3), 48);
    x += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
    into += 64;
  }
}

/** Accumulators of four rows and panels [from, to), over all pairs of K, left at scratch + SPLAT_BYTES. */
function fourRows(
  x: usize,
  pitch: usize,
  panels: usize,
  from: usize,
  to: usize,
  pairs: usize,
  scratch: usize,
): void {
  const acc = scratch + SPLAT_BYTES;
  const panelBytes = pairs * 32;
  for (let at: usize = 0; at < pairs; at += CHUNK_PAIRS) {
    const count = min(CHUNK_PAIRS, pairs - at);
    splatRows(x + at * 4, pitch, count, scratch);
    for (let p = from; p < to; p++) {
      tile(scratch, panels + p * panelBytes + at * 32, count, acc + (p - from) * 128, at == 0);
    }
  }
}

/** out = saturate(roundShift(acc, shift) + bias), 4 rows x 8 columns of int16, or of i32 if `wide`; the sum wraps. */
function storeActivations(
  acc: usize,
  bias: usize,
  biasShift: i32,
  shift: i32,
  wide: bool,
  out: usize,
  pitch: usize,
): void {
  const low = roundShiftVector(v128.load(bias), biasShift);
  const high = roundShiftVector(v128.load(bias, 16), biasShift);
  const most = i32x4.splat(WIDE_LIMIT);
  const least = i32x4.splat(-WIDE_LIMIT);
  for (let end = acc + 128; acc < end; acc += 32) {
    const a = i32x4.add(roundShiftVector(v128.load(acc), shift), low);
    const b = i32x4.add(roundShiftVector(v128.load(acc, 16), shift), high);
    if (wide) {
      v128.store(out, clampVector(a, least, most));
      v128.store(out, clampVector(b, least, most), 16);
    } else {
      v128.store(out, narrowActivation(a, b));
    }
    out += pitch;
  }
}

/** out = clampGradient(roundShift(acc, shift)), 4 rows x 8 columns of i32. */
function storeGradients(acc: usize, shift: i32, out: usize, pitch: usize): void {
  for (let end = acc + 128; acc < end; acc += 32) {
    v128.store(out, clampGradientVector(roundShiftVector(v128.load(acc), shift)));
    v128.store(out, clampGradientVector(roundShiftVector(v128.load(acc, 16), shift)), 16);
    out += pitch;
  }
}

/**
 * out[r][n] = saturate(roundShift(sum over k of x[r][k] weight[n][k], shift) + bias[n]) for rows [from, to).
 *
 * @param x int16 operands, row r at x + r * xPitch bytes; from and to are multiples of 4
 * @param panels pairs along the inputs, columns are outputs
 * @param bias master weights in Q24; biasShift brings them to the output's format
 * @param wide whether outputs are i32, saturating at ±WIDE_LIMIT, or int16
 * @param out rows x outputs
 */
export function multiplyForward(
  x: usize,
  xPitch: usize,
  from: usize,
  to: usize,
  panels: usize,
  inputs: usize,
  outputs: usize,
  bias: usize,
  biasShift: i32,
  shift: i32,
  wide: bool,
  out: usize,
  scratch: usize,
): void {
  const bytes: usize = wide ? 4 : 2;
  const pairs = inputs >> 1;
  const all = outputs >> 3;
  const group = groupPanels(pairs);
  for (let p0: usize = 0; p0 < all; p0 += group) {
    const p1 = min(all, p0 + group);
    for (let r = from; r < to; r += 4) {
      fourRows(x + r * xPitch, xPitch, panels, p0, p1, pairs, scratch);
      for (let p = p0; p < p1; p++) {
        const acc = scratch + SPLAT_BYTES + (p - p0) * 128;
        const into = out + (r * outputs + p * 8) * bytes;
        storeActivations(acc, bias + p * 32, biasShift, shift, wide, into, outputs * bytes);
      }
    }
  }
}

/**
 * out[r][k] = clampGradient(roundShift(sum over n of g[r][n] weight[n][k], shift)) for rows [from, to) and the
 * columns of panels [panelFrom, panelTo) only.
 *
 * @param g int16 operands, rows x outputs
 * @param panels pairs along the outputs, columns are inputs
 * @param out i32, rows x (8 * (panelTo - panelFrom))
 */
export function multiplyBackward(
  g: usize,
  from: usize,
  to: usize,
  panels: usize,
  outputs: usize,
  panelFrom: usize,
  panelTo: usize,
  shift: i32,
  out: usize,
  scratch: usize,
): void {
  const pairs = outputs >> 1;
  const columns = (panelTo - panelFrom) * 8;
  const group = groupPanels(pairs);
  for (let p0 = panelFrom; p0 < panelTo; p0 += group) {
    const p1 = min(panelTo, p0 + group);
    for (let r = from; r < to; r += 4) {
      fourRows(g + r * outputs * 2, outputs * 2, panels, p0, p1, pairs, scratch);
      for (let p = p0; p < p1; p++) {
        const acc = scratch + SPLAT_BYTES + (p - p0) * 128;
        storeGradients(acc, shift, out + (r * columns + (p - panelFrom) * 8) * 4, columns * 4);
      }
    }
  }
}

/** Splats two rows (the branches of one stream): 32 bytes per pair of K. */
function splatTwo(x: usize, pitch: usize, pairs: usize, into: usize): void {
  let x1 = x + pitch;
  for (const end = x + pairs * 4; x < end; x += 4) {
    v128.store(into, v128.load32_splat(x));
    v128.store(into, v128.load32_splat(x1), 16);
    x1 += 4;
    into += 32;
  }
}

/** The tile for two rows: acc[2][8]. */
function tileTwo(rows: usize, panel: usize, pairs: usize, acc: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  const end = rows + pairs * 32;
  while (rows < end) {
    const p = v128.load(panel);
    const q = v128.load(panel, 16);
    let s = v128.load(rows);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, p));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, q));
    s = v128.load(rows, 16);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, p));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, q));
    rows += 32;
    panel += 32;
  }
  v128.store(acc, a0);
  v128.store(acc, a1, 16);
  v128.store(acc, b0, 32);
  v128.store(acc, b1, 48);
}

/**
 * The batched matmul: rows 2s and 2s+1 times stream s's own square matrix, for streams [from, to).
 * Forward: out int16, saturated activations. Backward: out i32, saturated gradients.
 */
export function multiplyStreams(
  x: usize,
  from: usize,
  to: usize,
  panels: usize,
  side: usize,
  shift: i32,
  forward: bool,
  out: usize,
  scratch: usize,
): void {
  const pairs = side >> 1;
  const acc = scratch + SPLAT_BYTES;
  for (let s = from; s < to; s++) {
    splatTwo(x + s * side * 4, side * 2, pairs, scratch);
    for (let p: usize = 0; p < side >> 3; p++) {
      tileTwo(scratch, panels + (s * side * side + p * pairs * 16) * 2, pairs, acc);
      for (let row: usize = 0; row < 2; row++) {
        const a = roundShiftVector(v128.load(acc + row * 32), shift);
        const b = roundShiftVector(v128.load(acc + row * 32, 16), shift);
        const at: usize = (2 * s + row) * side + p * 8;
        if (forward) {
          v128.store(out + at * 2, narrowActivation(a, b));
        } else {
          v128.store(out + at * 4, clampGradientVector(a));
          v128.store(out + at * 4, clampGradientVector(b), 16);
        }
      }
    }
  }
}

/**
 * Pair panels of row-major int16 values for the products whose K is the rows: pairs [from, to) of rows 2j, 2j+1.
 *
 * @param into panels of `pairs` pairs each: columns / 8 of them
 */
export function packPairs(
  x: usize,
  pitch: usize,
  columns: usize,
  from: usize,
  to: usize,
  pairs: usize,
  into: usize,
): void {
  const unit = i32x4.splat(1 << 16);
  for (let j = from; j < to; j++) {
    const row = x + 2 * j * pitch;
    for (let c: usize = 0; c < columns; c += 8) {
      // An OR of widened halves instead of a shuffle, which costs several rebuilt constants here.
      const a = row + c * 2;
      const b = a + pitch;
      const at = into + (c >> 3) * pairs * 32 + j * 32;
      v128.store(at, v128.or(v128.load16x4_u(a), i32x4.mul(v128.load16x4_u(b), unit)));
      v128.store(at, v128.or(v128.load16x4_u(a, 8), i32x4.mul(v128.load16x4_u(b, 8), unit)), 16);
    }
  }
}

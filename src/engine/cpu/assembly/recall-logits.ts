/**
 * What the recall stream says of the next byte: rows of the logit tables and boosts of remembered bytes, under their
 * gates, added to the network's logits; and the gradient of the gates. src/engine/reference/recall.ts has the same in
 * plain words, recall.ts the record `r`.
 */
import {
  ACTIVATION_BITS,
  BOOSTS,
  BUCKETS,
  BUCKET_OF,
  CONTEXTS,
  EFFECT_LOW_BITS,
  ENTRY_SHIFT,
  FOUND,
  GATE_COLUMNS,
  GATES,
  GRADIENT_LIMIT,
  ROWS,
  SLOPE_BITS,
  TABLE_LOGIT_LIMIT,
  TABLE_ROWS,
  TABLES,
} from "./contract";
import { field } from "./recall";
import { narrowActivation } from "./vector";

/** Where the boosts of a found slot of context c are. */
// @ts-ignore: decorator
@inline
export function boostsOf(r: usize, c: usize, word: u32): usize {
  return field(r, BOOSTS) + (c * BUCKETS + <usize>load<u8>(field(r, BUCKET_OF) + (word >> 24))) * 8;
}

/** Sigmoids of the gates of stream b's tables; those of contexts lie before them. */
// @ts-ignore: decorator
@inline
export function gatesOfTables(r: usize, b: usize): usize {
  return field(r, GATES) + (b * field(r, GATE_COLUMNS) + field(r, CONTEXTS)) * 2;
}

/** A boost as a logit in 16 bits. */
// @ts-ignore: decorator
@inline
function boostAt(at: usize): i32 {
  return max(-32767, min(32767, (load<i32>(at) + (1 << (ENTRY_SHIFT - 1))) >> ENTRY_SHIFT));
}

/** logits[byte] += boost * gate, where the gate is twice a sigmoid. */
// @ts-ignore: decorator
@inline
function addBoost(logits: usize, byte: u32, boost: i32, gate: i32): void {
  const at = logits + (byte << 2);
  store<i32>(at, load<i32>(at) + ((boost * gate + (1 << (SLOPE_BITS - 2))) >> (SLOPE_BITS - 1)));
}

/** Eight entries of a table as logits in 15 bits. */
// @ts-ignore: decorator
@inline
function tableLogits(row: usize): v128 {
  const half = i32x4.splat(1 << (ENTRY_SHIFT - 1));
  const low = i32x4.shr_s(i32x4.add(v128.load(row), half), ENTRY_SHIFT);
  const high = i32x4.shr_s(i32x4.add(v128.load(row, 16), half), ENTRY_SHIFT);
  const limit = i16x8.splat(<i16>TABLE_LOGIT_LIMIT);
  return i16x8.max_s(i16x8.min_s(i16x8.narrow_i32x4_s(low, high), limit), i16x8.neg(limit));
}

/** Eight logits of one or two tables, each times its gate: the sums of columns 0 to 3, or of 4 to 7. */
// @ts-ignore: decorator
@inline
function gatedPair(first: v128, second: v128, gates: v128, upper: bool): v128 {
  const pairs = upper
    ? v128.shuffle<i16>(first, second, 4, 12, 5, 13, 6, 14, 7, 15)
    : v128.shuffle<i16>(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
  return i32x4.dot_i16x8_s(pairs, gates);
}

/**
 * A row of int16 logits plus `count` rows of tables, as i32; the count is known where this is inlined. A pair of tables
 * is a dot product with its two gates, which lie side by side.
 */
// @ts-ignore: decorator
@inline
function addRows(count: i32, rows: usize, rowBytes: usize, gates: usize, logits: usize, into: usize): void {
  const half = i32x4.splat(1 << (SLOPE_BITS - 2));
  const none = i32x4.splat(0);
  const first = <usize>load<u32>(rows);
  const second = count > 1 ? <usize>load<u32>(rows + rowBytes) : 0;
  const third = count > 2 ? <usize>load<u32>(rows + 2 * rowBytes) : 0;
  const fourth = count > 3 ? <usize>load<u32>(rows + 3 * rowBytes) : 0;
  const fifth = count > 4 ? <usize>load<u32>(rows + 4 * rowBytes) : 0;
  const sixth = count > 5 ? <usize>load<u32>(rows + 5 * rowBytes) : 0;
  const gates01 = i32x4.splat(load<i32>(gates));
  const gates23 = i32x4.splat(load<i32>(gates, 4));
  const gates45 = count > 4 ? i32x4.splat(load<i32>(gates, 8)) : none;
  for (let v: usize = 0; v < 1024; v += 32) {
    let x = tableLogits(first + v);
    let y = count > 1 ? tableLogits(second + v) : none;
    let low = i32x4.add(half, gatedPair(x, y, gates01, false));
    let high = i32x4.add(half, gatedPair(x, y, gates01, true));
    if (count > 2) {
      x = tableLogits(third + v);
      y = count > 3 ? tableLogits(fourth + v) : none;
      low = i32x4.add(low, gatedPair(x, y, gates23, false));
      high = i32x4.add(high, gatedPair(x, y, gates23, true));
    }
    if (count > 4) {
      x = tableLogits(fifth + v);
      y = count > 5 ? tableLogits(sixth + v) : none;
      low = i32x4.add(low, gatedPair(x, y, gates45, false));
      high = i32x4.add(high, gatedPair(x, y, gates45, true));
    }
    const at = logits + (v >> 1);
    v128.store(into + v, i32x4.add(v128.load16x4_s(at), i32x4.shr_s(low, SLOPE_BITS - 1)));
    v128.store(into + v, i32x4.add(v128.load16x4_s(at, 8), i32x4.shr_s(high, SLOPE_BITS - 1)), 16);
  }
}

/** A row of int16 logits plus its rows of the tables, as i32. */
function addTables(r: usize, b: usize, logits: usize, into: usize): void {
  const tables = field(r, TABLES);
  const rowBytes = field(r, ROWS) * 4;
  const rows = field(r, TABLE_ROWS) + b * 4;
  const gates = gatesOfTables(r, b);
  if (tables == 1) addRows(1, rows, rowBytes, gates, logits, into);
  else if (tables == 2) addRows(2, rows, rowBytes, gates, logits, into);
  else if (tables == 3) addRows(3, rows, rowBytes, gates, logits, into);
  else if (tables == 4) addRows(4, rows, rowBytes, gates, logits, into);
  else if (tables == 5) addRows(5, rows, rowBytes, gates, logits, into);
  else if (tables == 6) addRows(6, rows, rowBytes, gates, logits, into);
  else for (let v: usize = 0; v < 256; v += 4) v128.store(into + v * 4, v128.load16x4_s(logits + v * 2));
}

/**
 * Adds tables and boosts to the int16 logits of streams [from, to). A miss, and a slot without b, have boosts of 0 that
 * never learn. So they are added like others, and no branch has to be guessed.
 *
 * @param work 1 KiB
 */
export function addRecall(r: usize, logits: usize, from: usize, to: usize, work: usize): void {
  const contexts = field(r, CONTEXTS);
  const rowBytes = field(r, ROWS) * 4;
  for (let b = from; b < to; b++) {
    const row = logits + b * 512;
    addTables(r, b, row, work);
    let found = field(r, FOUND) + b * 4;
    const gates = field(r, GATES) + b * field(r, GATE_COLUMNS) * 2;
    for (let c: usize = 0; c < contexts; c++) {
      const word = load<u32>(found);
      found += rowBytes;
      const boosts = boostsOf(r, c, word);
      const gate = <i32>load<i16>(gates + c * 2);
      addBoost(work, (word >> 8) & 255, boostAt(boosts), gate);
      addBoost(work, (word >> 16) & 255, boostAt(boosts + 4), gate);
    }
    for (let v: usize = 0; v < 512; v += 16) {
      v128.store(row + v, narrowActivation(v128.load(work + v * 2), v128.load(work + v * 2, 16)));
    }
  }
}

/** mulRound of src/contract/fixed.ts. */
// @ts-ignore: decorator
@inline
export function mulRound(a: i32, b: i32, s: i64): i32 {
  return <i32>((<i64>a * <i64>b + (<i64>1 << (s - 1))) >> s);
}

/** The gradient of a gate before its sigmoid from how the loss changes with what it scales. */
// @ts-ignore: decorator
@inline
function gateGradient(effect: i32, gate: i32): i32 {
  const slope = (gate * ((1 << SLOPE_BITS) - gate) + (1 << (SLOPE_BITS - 1))) >> SLOPE_BITS;
  return max(-GRADIENT_LIMIT, min(GRADIENT_LIMIT, mulRound(effect, slope, SLOPE_BITS - 1)));
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
function sumOf(x: v128): i32 {
  const pairs = i32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** How the loss changes with the scale of a table's logits: #effectOfTable of src/engine/reference/recall.ts. */
function effectOfTable(row: usize, difference: usize): i32 {
  let high = i32x4.splat(0);
  let low = i32x4.splat(0);
  for (let v: usize = 0; v < 1024; v += 32) {
    const logits = tableLogits(row + v);
    const a = v128.load(difference + v);
    const b = v128.load(difference + v, 16);
    const lowBits = i32x4.splat((1 << EFFECT_LOW_BITS) - 1);
    const top = i16x8.narrow_i32x4_s(i32x4.shr_s(a, EFFECT_LOW_BITS), i32x4.shr_s(b, EFFECT_LOW_BITS));
    const rest = i16x8.narrow_i32x4_s(v128.and(a, lowBits), v128.and(b, lowBits));
    high = i32x4.add(high, i32x4.dot_i16x8_s(top, logits));
    low = i32x4.add(low, i32x4.dot_i16x8_s(rest, logits));
  }
  const right = ACTIVATION_BITS - EFFECT_LOW_BITS;
  return (sumOf(high) + ((sumOf(low) + (1 << (EFFECT_LOW_BITS - 1))) >> EFFECT_LOW_BITS) + (1 << (right - 1))) >> right;
}

/**
 * Gradients of the gates before their sigmoid, Q22: rows [from, to) of GATE_COLUMNS, of which those that scale nothing
 * stay as they are.
 *
 * @param difference 256 per row, Q22: probability - (1 if the byte came)
 */
export function gateGradients(r: usize, difference: usize, from: usize, to: usize, out: usize): void {
  const contexts = field(r, CONTEXTS);
  const tables = field(r, TABLES);
  const columns = field(r, GATE_COLUMNS);
  const rowBytes = field(r, ROWS) * 4;
  for (let b = from; b < to; b++) {
    const row = difference + b * 1024;
    let gates = field(r, GATES) + b * columns * 2;
    let into = out + b * columns * 4;
    let found = field(r, FOUND) + b * 4;
    for (let c: usize = 0; c < contexts; c++) {
      const word = load<u32>(found);
      found += rowBytes;
      const boosts = boostsOf(r, c, word);
      const ofA = mulRound(load<i32>(row + (((word >> 8) & 255) << 2)), boostAt(boosts), ACTIVATION_BITS);
      const ofB = mulRound(load<i32>(row + (((word >> 16) & 255) << 2)), boostAt(boosts + 4), ACTIVATION_BITS);
      store<i32>(into, gateGradient(ofA + ofB, <i32>load<i16>(gates)));
      gates += 2;
      into += 4;
    }
    let rows = field(r, TABLE_ROWS) + b * 4;
    for (let m: usize = 0; m < tables; m++) {
      store<i32>(into, gateGradient(effectOfTable(<usize>load<u32>(rows), row), <i32>load<i16>(gates)));
      rows += rowBytes;
      gates += 2;
      into += 4;
    }
  }
}

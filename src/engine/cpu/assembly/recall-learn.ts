/**
 * What the recall stream learns after a step: src/engine/reference/recall.ts's learn(), for all streams.
 *
 * Tables are split by columns and slots and boosts by contexts, so that no two threads ever write the same word. All
 * changes are made of the values before the step: what was found is kept, and sums wrap, so their order is free.
 */
import {
  BOOST_SHIFT,
  CONTEXTS,
  FOUND,
  FREQUENCY_TOTAL,
  GATE_COLUMNS,
  GATED_RATE_SHIFT,
  GATES,
  HASHES,
  OTHER_MAX,
  OWNER_BITS,
  PLAN,
  PLAN_CROWD_SHIFT,
  PLAN_RATE,
  PLAN_RECORD,
  ROWS,
  RUN_MAX,
  SLOPE_BITS,
  SLOT_BITS,
  SLOTS,
  STREAMS,
  TABLE_DIFFERENCE_SHIFT,
  TABLE_RIGHT_SHIFT,
  TABLE_ROWS,
  TABLES,
} from "./contract";
import { field } from "./recall";
import { boostsOf, gatesOfTables, mulRound } from "./recall-logits";
import { roundShift } from "./vector";

/** Streams whose slots of a context agree in so many low bits: only the last one writes. */
const OWNER_MASK: u32 = (1 << OWNER_BITS) - 1;

/**
 * Probability - (1 if the byte came) for rows [from, to), in the place of the frequencies.
 */
export function differ(frequencies: usize, bytes: usize, from: usize, to: usize): void {
  for (let b = from; b < to; b++) {
    const at = frequencies + b * 1024 + <usize>load<u8>(bytes + b) * 4;
    store<i32>(at, load<i32>(at) - FREQUENCY_TOTAL);
  }
}

/** Steps of four entries: differences times a gated rate, rounded twice. */
// @ts-ignore: decorator
@inline
function tableSteps(differences: v128, rate: v128, half: v128, right: i32): v128 {
  const before = i32x4.splat(1 << (TABLE_DIFFERENCE_SHIFT - 1));
  const rounded = i32x4.shr_s(i32x4.add(differences, before), TABLE_DIFFERENCE_SHIFT);
  return i32x4.shr_s(i32x4.add(i32x4.mul(rounded, rate), half), right);
}

/** Columns [from, to), multiples of eight, of the rows that were looked up. */
export function learnTables(r: usize, difference: usize, from: usize, to: usize): void {
  const tables = field(r, TABLES);
  const streams = field(r, STREAMS);
  let packed = field(r, PLAN) + field(r, CONTEXTS) * PLAN_RECORD;
  let rows = field(r, TABLE_ROWS);
  for (let m: usize = 0; m < tables; m++) {
    const rate = load<i32>(packed, PLAN_RATE);
    const right = TABLE_RIGHT_SHIFT + load<i32>(packed, PLAN_CROWD_SHIFT);
    const half = i32x4.splat(1 << (right - 1));
    for (let b: usize = 0; b < streams; b++) {
      const row = <usize>load<u32>(rows + b * 4);
      const gradients = difference + b * 1024;
      const gate = <i32>load<i16>(gatesOfTables(r, b) + m * 2);
      const gated = i32x4.splat(roundShift(rate * gate, GATED_RATE_SHIFT));
      for (let v = from * 4; v < to * 4; v += 32) {
        const low = tableSteps(v128.load(gradients + v), gated, half, right);
        const high = tableSteps(v128.load(gradients + v, 16), gated, half, right);
        v128.store(row + v, i32x4.sub(v128.load(row + v), low));
        v128.store(row + v, i32x4.sub(v128.load(row + v, 16), high), 16);
      }
    }
    packed += PLAN_RECORD;
    rows += field(r, ROWS) * 4;
  }
}

/** What a boost loses for one byte's gradient. */
// @ts-ignore: decorator
@inline
function boostStep(difference: usize, byte: u32, gate: i32, right: i32): i32 {
  return roundShift(mulRound(load<i32>(difference + (byte << 2)), gate, SLOPE_BITS - 1), right);
}

/** The boosts of contexts [from, to). */
export function learnBoosts(r: usize, difference: usize, from: usize, to: usize): void {
  const streams = field(r, STREAMS);
  const columns = field(r, GATE_COLUMNS);
  const right = <i32>field(r, BOOST_SHIFT);
  for (let c = from; c < to; c++) {
    const found = field(r, FOUND) + c * field(r, ROWS) * 4;
    for (let b: usize = 0; b < streams; b++) {
      const word = load<u32>(found + b * 4);
      if (word == 0) continue;
      const row = difference + b * 1024;
      const gate = <i32>load<i16>(field(r, GATES) + (b * columns + c) * 2);
      const at = boostsOf(r, c, word);
      store<i32>(at, load<i32>(at) - boostStep(row, (word >> 8) & 255, gate, right));
      if (word >> 29 != 0) store<i32>(at + 4, load<i32>(at + 4) - boostStep(row, (word >> 16) & 255, gate, right));
    }
  }
}

/** x where the mask is set, else y. */
// @ts-ignore: decorator
@inline
function pick(mask: v128, x: v128, y: v128): v128 {
  return v128.bitselect(x, y, mask);
}

/**
 * updatedSlot of src/contract/recall.ts, four streams. All three cases are computed: which one it is cannot be
 * predicted, and a wrong guess costs as much as all of them. An empty slot is one whose bytes and counts are 0.
 */
// @ts-ignore: decorator
@inline
function updatedSlots(found: v128, check: v128, y: v128): v128 {
  const zero = i32x4.splat(0);
  const one = i32x4.splat(1);
  const byte = i32x4.splat(255);
  const a = v128.and(i32x4.shr_u(found, 8), byte);
  const b = v128.and(i32x4.shr_u(found, 16), byte);
  const count = v128.and(i32x4.shr_u(found, 24), i32x4.splat(31));
  const other = i32x4.shr_u(found, 29);
  const isA = v128.andnot(i32x4.eq(y, a), i32x4.eq(found, zero));
  const isB = v128.and(i32x4.eq(y, b), i32x4.ne(other, zero));

  const run = i32x4.max_s(count, i32x4.min_s(i32x4.add(count, one), i32x4.splat(RUN_MAX)));
  // b came: it gains, a loses, and they change places if b is then as good.
  const more = i32x4.add(other, one);
  const worn = i32x4.sub(count, i32x4.shr_u(count, 2));
  const swaps = i32x4.ge_s(more, worn);
  // Neither came: the byte becomes b, or a if both were weak.
  const below = i32x4.add(count, i32x4.ge_s(count, i32x4.splat(2)));
  const less = pick(i32x4.lt_s(count, i32x4.splat(4)), below, i32x4.add(i32x4.shr_u(count, 1), one));
  const weak = v128.and(i32x4.le_s(less, one), i32x4.le_s(other, one));

  const newCount = pick(isA, run, pick(isB, i32x4.max_s(more, worn), pick(weak, one, less)));
  const otherOfB = i32x4.min_s(i32x4.min_s(more, worn), i32x4.splat(OTHER_MAX));
  const newOther = pick(isA, other, pick(isB, otherOfB, pick(weak, less, one)));
  const newA = pick(isA, a, pick(isB, pick(swaps, b, a), pick(weak, y, a)));
  const newB = pick(isA, b, pick(isB, pick(swaps, a, b), pick(weak, a, y)));
  const bytes = v128.or(i32x4.shl(newA, 8), i32x4.shl(newB, 16));
  const counts = v128.or(i32x4.shl(newCount, 24), i32x4.shl(newOther, 29));
  return v128.or(v128.or(check, bytes), counts);
}

/**
 * The slots of contexts [from, to). Their found slots are overwritten with what they become; then those of the owners
 * are stored, from the last stream down, so that the first to come is the owner. The others' go nowhere.
 *
 * @param taken 2^16 bits, all 0 before and after; nowhere is the word behind them
 */
export function learnSlots(r: usize, bytes: usize, from: usize, to: usize, taken: usize): void {
  const streams = field(r, STREAMS);
  const rowBytes = field(r, ROWS) * 4;
  const right = 32 - <u32>field(r, SLOT_BITS);
  const slotBytes = <usize>4 << field(r, SLOT_BITS);
  const nowhere = taken + ((OWNER_MASK + 1) >> 3);
  const checks = i32x4.splat(255);
  for (let c = from; c < to; c++) {
    const hashes = field(r, HASHES) + c * rowBytes;
    const found = field(r, FOUND) + c * rowBytes;
    const slots = field(r, SLOTS) + c * slotBytes;
    for (let b: usize = 0; b < streams; b += 4) {
      const y = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes + b)));
      const check = v128.and(v128.load(hashes + b * 4), checks);
      v128.store(found + b * 4, updatedSlots(v128.load(found + b * 4), check, y));
    }
    for (let b = streams; b-- > 0; ) {
      const slot = load<u32>(hashes + b * 4) >> right;
      const at = taken + ((slot & OWNER_MASK) >> 3);
      const bit: u32 = 1 << (slot & 7);
      const owners = <u32>load<u8>(at);
      store<u8>(at, <u8>(owners | bit));
      store<u32>(select<usize>(nowhere, slots + (slot << 2), (owners & bit) != 0), load<u32>(found + b * 4));
    }
    for (let b: usize = 0; b < streams; b++) {
      store<u8>(taken + (((load<u32>(hashes + b * 4) >> right) & OWNER_MASK) >> 3), 0);
    }
  }
}

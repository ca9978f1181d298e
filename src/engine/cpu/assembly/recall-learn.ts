/**
 * What the recall stream learns after a step: src/model/reference/recall.ts's learn(), for all streams.
 *
 * Tables are split by columns and slots and boosts by contexts, so that no two threads ever write the same word. All
 * changes are made of the values before the step: what was found is kept, and sums wrap, so their order is free.
 */
import { SLOPE_BITS } from "./contract";
import {
  BOOST_SHIFT,
  boostsOf,
  CONTEXTS,
  field,
  FOUND,
  GATE_COLUMNS,
  GATES,
  HASHES,
  mulRound,
  PACKED_BYTES,
  PACKED_RATE,
  PACKED_SHIFT,
  PLAN,
  ROWS,
  SLOT_BITS,
  SLOTS,
  STREAMS,
  TABLE_ROWS,
  TABLES,
} from "./recall";
import { roundShift } from "./vector";

/** COUNT limits of src/model/recall.ts. */
const RUN_MAX: u32 = 30;
const OTHER_MAX: u32 = 7;
/** Streams whose slots of a context agree in so many low bits: only the last one writes. */
const OWNER_MASK: u32 = 0xffff;

/**
 * Probability - (1 if the byte came) for rows [from, to), in the place of the frequencies.
 */
export function differ(frequencies: usize, bytes: usize, from: usize, to: usize): void {
  for (let b = from; b < to; b++) {
    const at = frequencies + b * 1024 + <usize>load<u8>(bytes + b) * 4;
    store<i32>(at, load<i32>(at) - (1 << 22));
  }
}

/** Columns [from, to), multiples of four, of the rows that were looked up. */
export function learnTables(r: usize, difference: usize, from: usize, to: usize): void {
  const tables = field(r, TABLES);
  const streams = field(r, STREAMS);
  let packed = field(r, PLAN) + field(r, CONTEXTS) * PACKED_BYTES;
  let rows = field(r, TABLE_ROWS);
  for (let m: usize = 0; m < tables; m++) {
    const rate = i32x4.splat(load<i32>(packed, PACKED_RATE));
    // From Q22 to Q20, and the rate's 8 bits.
    const right = 10 + load<i32>(packed, PACKED_SHIFT);
    const half = i32x4.splat(1 << (right - 1));
    for (let b: usize = 0; b < streams; b++) {
      const row = <usize>load<u32>(rows + b * 4);
      const gradients = difference + b * 1024;
      for (let v = from * 4; v < to * 4; v += 16) {
        const step = i32x4.shr_s(i32x4.add(i32x4.mul(v128.load(gradients + v), rate), half), right);
        v128.store(row + v, i32x4.sub(v128.load(row + v), step));
      }
    }
    packed += PACKED_BYTES;
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

// @ts-ignore: decorator
@inline
function packSlot(check: u32, a: u32, b: u32, count: u32, other: u32): u32 {
  return check | (a << 8) | (b << 16) | (count << 24) | (other << 29);
}

/** updatedSlot of src/model/recall.ts. */
export function updatedSlot(found: u32, check: u32, y: u32): u32 {
  if (found == 0) return packSlot(check, y, 0, 1, 0);
  const a = (found >> 8) & 255;
  const b = (found >> 16) & 255;
  const count = (found >> 24) & 31;
  const other = found >> 29;
  if (y == a) return packSlot(check, a, b, max(count, min(count + 1, RUN_MAX)), other);
  if (other > 0 && y == b) {
    const more = other + 1;
    const less = count > 2 ? count - (count >> 2) : count;
    if (more >= less) return packSlot(check, b, a, more, min(less, OTHER_MAX));
    return packSlot(check, a, b, less, min(more, OTHER_MAX));
  }
  const less = count < 2 ? count : count < 4 ? count - 1 : (count >> 1) + 1;
  if (less <= 1 && other <= 1) return packSlot(check, y, a, 1, less);
  return packSlot(check, a, y, less, 1);
}

/**
 * The slots of contexts [from, to). From the last stream down, so that the first to come is the owner.
 *
 * @param taken 2^16 bits, all 0 before and after
 */
export function learnSlots(r: usize, bytes: usize, from: usize, to: usize, taken: usize): void {
  const streams = field(r, STREAMS);
  const rowBytes = field(r, ROWS) * 4;
  const right = 32 - <u32>field(r, SLOT_BITS);
  const slotBytes = <usize>4 << field(r, SLOT_BITS);
  for (let c = from; c < to; c++) {
    const hashes = field(r, HASHES) + c * rowBytes;
    const found = field(r, FOUND) + c * rowBytes;
    const slots = field(r, SLOTS) + c * slotBytes;
    for (let b = streams; b-- > 0; ) {
      const hash = load<u32>(hashes + b * 4);
      const slot = hash >> right;
      const at = taken + ((slot & OWNER_MASK) >> 3);
      const bit: u32 = 1 << (slot & 7);
      const owners = <u32>load<u8>(at);
      if ((owners & bit) != 0) continue;
      store<u8>(at, <u8>(owners | bit));
      store<u32>(slots + (slot << 2), updatedSlot(load<u32>(found + b * 4), hash & 255, <u32>load<u8>(bytes + b)));
    }
    for (let b: usize = 0; b < streams; b++) {
      store<u8>(taken + (((load<u32>(hashes + b * 4) >> right) & OWNER_MASK) >> 3), 0);
    }
  }
}

/**
 * The recall stream before a step: src/model/reference/recall.ts's look-up, what it adds to the logits, and the
 * gradient of its gates.
 *
 * Hashes are made for four streams at once, and contexts that begin alike share the beginning. Then all slots are
 * loaded in a loop that does nothing else: they lie anywhere in some hundred megabytes, and the processor can wait for
 * twenty of them at once only if they are next to each other in the program.
 *
 * `r` is the address of a record of 32-bit fields: sizes and addresses in the order of RECALL_FIELDS in
 * ../recall-layout.ts. Arrays of a context's or a table's values for all streams have ROWS values, those of its own
 * before those of the next.
 */
import { ACTIVATION_BITS, GRADIENT_LIMIT, SLOPE_BITS } from "./contract";
import { narrowActivation } from "./vector";

export const CONTEXTS: usize = 0;
export const TABLES: usize = 4;
export const SLOT_BITS: usize = 8;
const TABLE_BITS: usize = 12;
export const STREAMS: usize = 16;
/** Streams, padded to a multiple of four. */
export const ROWS: usize = 20;
/** Outputs of the gates' matrix: of contexts, then of tables, padded to a multiple of eight. */
export const GATE_COLUMNS: usize = 24;
/** How far a boost's step is shifted down. */
export const BOOST_SHIFT: usize = 28;
/** Packed contexts, then packed tables, then positions: packPlan of src/model/contexts.ts. */
export const PLAN: usize = 32;
/** The byte of stream b in step t is at (t mod REACH) * PAST_STRIDE + b. */
const PAST: usize = 36;
const PAST_STRIDE: usize = 40;
/** Hashes of each stream's word and, ROWS words behind them, of the one before. */
const WORDS: usize = 44;
export const SLOTS: usize = 48;
const TABLE_ENTRIES: usize = 52;
export const BOOSTS: usize = 56;
/** A byte for the upper 8 bits of a slot: its bucket, 0 for an empty one. */
const BUCKET_OF: usize = 60;
/** What a step looked up: finished hashes, found slots (0: missed), addresses of tables' rows. */
export const HASHES: usize = 64;
export const FOUND: usize = 68;
export const TABLE_ROWS: usize = 72;
const FEATURES: usize = 76;
/** Sigmoids of the gates, int16, GATE_COLUMNS a stream. */
export const GATES: usize = 80;

const REACH_MASK: i32 = 8191;
/** One packed context: words, order, number of offsets, four offsets, whether direct, rate, shift. */
export const PACKED_BYTES: usize = 40;
export const PACKED_RATE: usize = 32;
export const PACKED_SHIFT: usize = 36;
const PACKED_ORDER: usize = 4;
const PACKED_COUNT: usize = 8;
const PACKED_OFFSETS: usize = 12;
const PACKED_DIRECT: usize = 28;
/** Hashes after each of the last bytes, 0 to ORDER_MAX of them, for each number of words. */
const ORDER_MAX: usize = 20;
const CHAIN_BYTES: usize = (ORDER_MAX + 1) * 16;
export const BUCKETS: usize = 33;
const FEATURE_UNIT: i32 = 15;
/** The largest logit of a table. */
const TABLE_LOGIT_LIMIT: i16 = (1 << 14) - 1;
/** Bits of a difference that are summed apart in the gradient of a table's gate. */
const EFFECT_LOW_BITS = 7;
/** From Q20 boosts and table entries to logits. */
const ENTRY_SHIFT: i32 = 20 - ACTIVATION_BITS;

/** One 32-bit field of the record. */
// @ts-ignore: decorator
@inline
export function field(r: usize, at: usize): usize {
  return load<u32>(r + at);
}

/** mixInto of src/model/recall.ts, four streams. */
// @ts-ignore: decorator
@inline
function mixInto(hash: v128, value: v128): v128 {
  const mixed = i32x4.mul(i32x4.add(i32x4.add(hash, value), i32x4.splat(1)), i32x4.splat(0x9e3779b1));
  return v128.xor(mixed, i32x4.shr_u(mixed, 15));
}

/** mix32 of src/model/initial.ts, four streams. */
// @ts-ignore: decorator
@inline
function mix32(x: v128): v128 {
  let h = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** The bytes that four streams had `offset` steps before; `past` is that of stream b at step 0. */
// @ts-ignore: decorator
@inline
function bytesBefore(past: usize, stride: usize, step: i32, offset: i32): v128 {
  const four = v128.load32_zero(past + <usize>((step - offset) & REACH_MASK) * stride);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(four));
}

/** The most last bytes that a context with `words` words has; -1 if there is no such context. */
function longestOrder(plan: usize, count: usize, words: i32): i32 {
  let longest = -1;
  for (const end = plan + count * PACKED_BYTES; plan < end; plan += PACKED_BYTES) {
    if (load<i32>(plan) == words) longest = max(longest, load<i32>(plan, PACKED_ORDER));
  }
  return longest;
}

/** Hashes of no byte to the last `longest` ones, after `start`. */
// @ts-ignore: decorator
@inline
function chain(start: v128, longest: i32, past: usize, stride: usize, step: i32, into: usize): void {
  if (longest < 0) return;
  let hash = start;
  v128.store(into, hash);
  for (let order = 1; order <= longest; order++) {
    hash = mixInto(hash, bytesBefore(past, stride, step, order));
    into += 16;
    v128.store(into, hash);
  }
}

/** The finished hash of one context from the chains at `work`. */
// @ts-ignore: decorator
@inline
function hashOf(packed: usize, past: usize, stride: usize, step: i32, work: usize): v128 {
  const words = <usize>load<i32>(packed);
  const order = <usize>load<i32>(packed, PACKED_ORDER);
  let hash = v128.load(work + words * CHAIN_BYTES + order * 16);
  let offset = packed + PACKED_OFFSETS;
  for (const end = offset + (<usize>load<i32>(packed, PACKED_COUNT) << 2); offset < end; offset += 4) {
    hash = mixInto(hash, bytesBefore(past, stride, step, load<i32>(offset)));
  }
  return mix32(hash);
}

/** Hashes of all contexts, and rows of all tables, for streams [from, to), multiples of four. */
function hashContexts(r: usize, step: i32, from: usize, to: usize, work: usize): void {
  const contexts = field(r, CONTEXTS);
  const count = contexts + field(r, TABLES);
  const plan = field(r, PLAN);
  const stride = field(r, PAST_STRIDE);
  const rowBytes = field(r, ROWS) * 4;
  const tableShift = 32 - <i32>field(r, TABLE_BITS);
  const tableBytes = <usize>1024 << field(r, TABLE_BITS);
  const bytesOnly = longestOrder(plan, count, 0);
  const afterWord = longestOrder(plan, count, 1);
  const afterTwo = longestOrder(plan, count, 2);
  for (let b = from; b < to; b += 4) {
    const past = field(r, PAST) + b;
    const words = field(r, WORDS) + b * 4;
    const zero = i32x4.splat(0);
    chain(zero, bytesOnly, past, stride, step, work);
    const word = mixInto(zero, v128.load(words));
    chain(word, afterWord, past, stride, step, work + CHAIN_BYTES);
    chain(mixInto(word, v128.load(words + rowBytes)), afterTwo, past, stride, step, work + 2 * CHAIN_BYTES);
    let into = field(r, HASHES) + b * 4;
    let packed = plan;
    for (let c: usize = 0; c < contexts; c++) {
      v128.store(into, hashOf(packed, past, stride, step, work));
      packed += PACKED_BYTES;
      into += rowBytes;
    }
    into = field(r, TABLE_ROWS) + b * 4;
    let entries = field(r, TABLE_ENTRIES);
    for (let m = contexts; m < count; m++) {
      let row: v128;
      if (load<i32>(packed, PACKED_DIRECT) != 0) {
        row = bytesBefore(past, stride, step, load<i32>(packed, PACKED_ORDER) + load<i32>(packed, PACKED_OFFSETS));
      } else {
        row = i32x4.shr_u(hashOf(packed, past, stride, step, work), tableShift);
      }
      v128.store(into, i32x4.add(i32x4.shl(row, 10), i32x4.splat(<i32>entries)));
      packed += PACKED_BYTES;
      into += rowBytes;
      entries += tableBytes;
    }
  }
}

/** Loads the slots of all hashes of streams [from, to), multiples of four; those of other contexts become 0. */
function findSlots(r: usize, from: usize, to: usize): void {
  const right = 32 - <i32>field(r, SLOT_BITS);
  const rowBytes = field(r, ROWS) * 4;
  const contexts = field(r, CONTEXTS);
  const counts = i32x4.splat(31 << 24);
  const checks = i32x4.splat(255);
  let hashes = field(r, HASHES);
  let found = field(r, FOUND);
  let slots = field(r, SLOTS);
  for (let c: usize = 0; c < contexts; c++) {
    for (let at = from * 4; at < to * 4; at += 16) {
      const hash = v128.load(hashes + at);
      const place = i32x4.shl(i32x4.shr_u(hash, right), 2);
      let word = v128.load32_zero(slots + <usize>i32x4.extract_lane(place, 0));
      word = v128.load32_lane(slots + <usize>i32x4.extract_lane(place, 1), word, 1);
      word = v128.load32_lane(slots + <usize>i32x4.extract_lane(place, 2), word, 2);
      word = v128.load32_lane(slots + <usize>i32x4.extract_lane(place, 3), word, 3);
      const other = v128.and(v128.xor(word, hash), checks);
      const empty = i32x4.eq(v128.and(word, counts), i32x4.splat(0));
      const missed = v128.or(empty, i32x4.ne(other, i32x4.splat(0)));
      v128.store(found + at, v128.andnot(word, missed));
    }
    hashes += rowBytes;
    found += rowBytes;
    slots += <usize>4 << field(r, SLOT_BITS);
  }
}

/** The bits of each remembered byte as plus or minus its confidence, int16, for streams [from, to). */
function makeFeatures(r: usize, from: usize, to: usize): void {
  const contexts = field(r, CONTEXTS);
  const rowBytes = field(r, ROWS) * 4;
  const buckets = field(r, BUCKET_OF);
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  let into = field(r, FEATURES) + from * contexts * 16;
  for (let b = from; b < to; b++) {
    let found = field(r, FOUND) + b * 4;
    for (let c: usize = 0; c < contexts; c++) {
      const word = load<u32>(found);
      const size = FEATURE_UNIT * ((<i32>load<u8>(buckets + (word >> 24)) + 3) >> 2);
      const minus = i16x8.ne(v128.and(i16x8.splat(<i16>((word >> 8) & 255)), bits), bits);
      v128.store(into, i16x8.sub(v128.xor(i16x8.splat(<i16>size), minus), minus));
      into += 16;
      found += rowBytes;
    }
  }
}

/**
 * Hashes, slots, tables' rows and features of one step.
 *
 * @param to end of the streams; toPadded the same, up to a multiple of four
 * @param work 1 KiB
 */
export function lookUpContexts(r: usize, step: i32, from: usize, to: usize, toPadded: usize, work: usize): void {
  hashContexts(r, step, from, toPadded, work);
  findSlots(r, from, toPadded);
  makeFeatures(r, from, to);
}

/** The bytes at the plan's positions, oldest first: rows [from, to) of `positions`. */
export function gatherPositions(r: usize, step: i32, from: usize, to: usize, positions: usize, out: usize): void {
  const places = field(r, PLAN) + (field(r, CONTEXTS) + field(r, TABLES)) * PACKED_BYTES;
  const stride = field(r, PAST_STRIDE);
  for (let t: usize = 0; t < positions; t++) {
    const past = field(r, PAST) + <usize>((step - load<i32>(places + t * 4)) & REACH_MASK) * stride;
    for (let b = from; b < to; b++) store<u8>(out + b * positions + t, load<u8>(past + b));
  }
}

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
export function tableLogits(row: usize): v128 {
  const half = i32x4.splat(1 << (ENTRY_SHIFT - 1));
  const low = i32x4.shr_s(i32x4.add(v128.load(row), half), ENTRY_SHIFT);
  const high = i32x4.shr_s(i32x4.add(v128.load(row, 16), half), ENTRY_SHIFT);
  const limit = i16x8.splat(TABLE_LOGIT_LIMIT);
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

/** mulRound of src/model/fixed.ts. */
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

/** How the loss changes with the scale of a table's logits: #effectOfTable of src/model/reference/recall.ts. */
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

/** The hash of a stream's word after byte y: wordAfter of src/model/recall.ts. */
// @ts-ignore: decorator
@inline
function wordAfter(word: u32, y: u32): u32 {
  const lower = y - 65 < 26 ? y + 32 : y;
  if (lower - 97 >= 26 && y < 128) return 0;
  const mixed: u32 = (word + lower + 1) * 0x9e3779b1;
  return mixed ^ (mixed >> 15);
}

/** The byte of each stream [from, to) in step `step`, to its past and its words. */
export function appendBytes(r: usize, step: i32, from: usize, to: usize, bytes: usize): void {
  const past = field(r, PAST) + <usize>(step & REACH_MASK) * field(r, PAST_STRIDE);
  const rowBytes = field(r, ROWS) * 4;
  for (let b = from; b < to; b++) {
    const y = <u32>load<u8>(bytes + b);
    store<u8>(past + b, <u8>y);
    const word = field(r, WORDS) + b * 4;
    const before = load<u32>(word);
    const after = wordAfter(before, y);
    if (after == 0 && before != 0) store<u32>(word + rowBytes, before);
    store<u32>(word, after);
  }
}

/**
 * The recall stream before a step: src/engine/reference/recall.ts's look-up; and the bytes that came, after it.
 *
 * Hashes are made for four streams at once, and contexts that begin alike share the beginning. Then all slots are
 * loaded in a loop that does nothing else: they lie anywhere in some hundred megabytes, and the processor can wait for
 * twenty of them at once only if they are next to each other in the program.
 *
 * `r` is the address of a record of 32-bit fields: sizes and addresses, RECALL_FIELDS in ../recall-layout.ts, which
 * says what each is. Arrays of a context's or a table's values for all streams have ROWS values, those of its own
 * before those of the next.
 */
import {
  BUCKET_OF,
  CONTEXTS,
  ENTRIES,
  FEATURES,
  FEATURE_UNIT,
  FINISH_MULTIPLIER_1,
  FINISH_MULTIPLIER_2,
  FOUND,
  HASHES,
  MIX_MULTIPLIER,
  ORDER_MAX,
  PAST,
  PAST_PITCH,
  PLAN,
  PLAN_DIRECT,
  PLAN_OFFSETS,
  PLAN_OFFSET_COUNT,
  PLAN_ORDER,
  PLAN_RECORD,
  PLAN_WORDS,
  REACH,
  ROWS,
  SLOTS,
  SLOT_BITS,
  TABLES,
  TABLE_BITS,
  TABLE_ROWS,
  WORDS,
} from "./contract";

const REACH_MASK: i32 = REACH - 1;
/** Hashes after each of the last bytes, 0 to ORDER_MAX of them, for each number of words. */
const CHAIN_BYTES: usize = (ORDER_MAX + 1) * 16;

/** One 32-bit field of the record. */
// @ts-ignore: decorator
@inline
export function field(r: usize, at: usize): usize {
  return load<u32>(r + at);
}

/** mixInto of src/contract/recall.ts, four streams. */
// @ts-ignore: decorator
@inline
function mixInto(hash: v128, value: v128): v128 {
  const mixed = i32x4.mul(i32x4.add(i32x4.add(hash, value), i32x4.splat(1)), i32x4.splat(MIX_MULTIPLIER));
  return v128.xor(mixed, i32x4.shr_u(mixed, 15));
}

/** mix32 of src/contract/fixed.ts, four streams. */
// @ts-ignore: decorator
@inline
function mix32(x: v128): v128 {
  let h = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(FINISH_MULTIPLIER_1));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(FINISH_MULTIPLIER_2));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** The bytes that four streams had `offset` steps before; `past` is that of stream b at step 0. */
// @ts-ignore: decorator
@inline
function bytesBefore(past: usize, pitch: usize, step: i32, offset: i32): v128 {
  const four = v128.load32_zero(past + <usize>((step - offset) & REACH_MASK) * pitch);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(four));
}

/** The most last bytes that a context with `words` words has; -1 if there is no such context. */
function longestOrder(plan: usize, count: usize, words: i32): i32 {
  let longest = -1;
  for (const end = plan + count * PLAN_RECORD; plan < end; plan += PLAN_RECORD) {
    if (load<i32>(plan, PLAN_WORDS) == words) longest = max(longest, load<i32>(plan, PLAN_ORDER));
  }
  return longest;
}

/** Hashes of no byte to the last `longest` ones, after `start`. */
// @ts-ignore: decorator
@inline
function chain(start: v128, longest: i32, past: usize, pitch: usize, step: i32, into: usize): void {
  if (longest < 0) return;
  let hash = start;
  v128.store(into, hash);
  for (let order = 1; order <= longest; order++) {
    hash = mixInto(hash, bytesBefore(past, pitch, step, order));
    into += 16;
    v128.store(into, hash);
  }
}

/** The finished hash of one context from the chains at `work`: contextHash of src/contract/contexts.ts. */
// @ts-ignore: decorator
@inline
function hashOf(packed: usize, past: usize, pitch: usize, step: i32, work: usize): v128 {
  const words = <usize>load<i32>(packed, PLAN_WORDS);
  const order = <usize>load<i32>(packed, PLAN_ORDER);
  let hash = v128.load(work + words * CHAIN_BYTES + order * 16);
  let offset = packed + PLAN_OFFSETS;
  for (const end = offset + (<usize>load<i32>(packed, PLAN_OFFSET_COUNT) << 2); offset < end; offset += 4) {
    hash = mixInto(hash, bytesBefore(past, pitch, step, load<i32>(offset)));
  }
  return mix32(hash);
}

/** Hashes of all contexts, and rows of all tables, for streams [from, to), multiples of four. */
function hashContexts(r: usize, step: i32, from: usize, to: usize, work: usize): void {
  const contexts = field(r, CONTEXTS);
  const count = contexts + field(r, TABLES);
  const plan = field(r, PLAN);
  const pitch = field(r, PAST_PITCH);
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
    chain(zero, bytesOnly, past, pitch, step, work);
    const word = mixInto(zero, v128.load(words));
    chain(word, afterWord, past, pitch, step, work + CHAIN_BYTES);
    chain(mixInto(word, v128.load(words + rowBytes)), afterTwo, past, pitch, step, work + 2 * CHAIN_BYTES);
    let into = field(r, HASHES) + b * 4;
    let packed = plan;
    for (let c: usize = 0; c < contexts; c++) {
      v128.store(into, hashOf(packed, past, pitch, step, work));
      packed += PLAN_RECORD;
      into += rowBytes;
    }
    into = field(r, TABLE_ROWS) + b * 4;
    let entries = field(r, ENTRIES);
    for (let m = contexts; m < count; m++) {
      let row: v128;
      if (load<i32>(packed, PLAN_DIRECT) != 0) {
        row = bytesBefore(past, pitch, step, load<i32>(packed, PLAN_ORDER) + load<i32>(packed, PLAN_OFFSETS));
      } else {
        row = i32x4.shr_u(hashOf(packed, past, pitch, step, work), tableShift);
      }
      v128.store(into, i32x4.add(i32x4.shl(row, 10), i32x4.splat(<i32>entries)));
      packed += PLAN_RECORD;
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
 * @param work room for three chains of CHAIN_BYTES, less than 2 KiB
 */
export function lookUpContexts(r: usize, step: i32, from: usize, to: usize, toPadded: usize, work: usize): void {
  hashContexts(r, step, from, toPadded, work);
  findSlots(r, from, toPadded);
  makeFeatures(r, from, to);
}

/** The bytes at the plan's positions, oldest first: rows [from, to) of `positions`. */
export function gatherPositions(r: usize, step: i32, from: usize, to: usize, positions: usize, out: usize): void {
  const places = field(r, PLAN) + (field(r, CONTEXTS) + field(r, TABLES)) * PLAN_RECORD;
  const pitch = field(r, PAST_PITCH);
  for (let t: usize = 0; t < positions; t++) {
    const past = field(r, PAST) + <usize>((step - load<i32>(places + t * 4)) & REACH_MASK) * pitch;
    for (let b = from; b < to; b++) store<u8>(out + b * positions + t, load<u8>(past + b));
  }
}

/** The hash of a stream's word after byte y: wordAfter of src/contract/recall.ts. */
// @ts-ignore: decorator
@inline
function wordAfter(word: u32, y: u32): u32 {
  const lower = y - 65 < 26 ? y + 32 : y;
  if (lower - 97 >= 26 && y < 128) return 0;
  const mixed: u32 = (word + lower + 1) * MIX_MULTIPLIER;
  return mixed ^ (mixed >> 15);
}

/** The byte of each stream [from, to) in step `step`, to its past and its words. */
export function appendBytes(r: usize, step: i32, from: usize, to: usize, bytes: usize): void {
  const past = field(r, PAST) + <usize>(step & REACH_MASK) * field(r, PAST_PITCH);
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

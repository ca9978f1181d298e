/**
 * What the model will pay for each byte of a block, by estimate: ../estimate.ts says by which rules. Everything here
 * is one pass over the bytes whose time is that of four random looks into tables for each.
 */

/** Bytes that a match must have behind it, and the classes of its length. */
const MATCH_BYTES: u32 = 10;
const MATCH_CLASSES: u32 = 24;
/** Answers right in a row are counted up to this. */
const RUN_MAX: u32 = 15;
const PROBABILITY_BITS: u32 = 12;
const CERTAIN: u32 = 1 << PROBABILITY_BITS;
/** Trust moves by a 64th; it is kept in 2^16ths. */
const TRUST_SHIFT: u32 = 6;
const TRUST_SCALE: u32 = 16 - PROBABILITY_BITS;
const TRUST_LIMIT: u32 = (1 << 16) - 24;
const FREQUENCY_STEP: u32 = 24;
const FREQUENCY_LIMIT: u32 = 4000;
/** Costs are in 32nds of a bit. */
const COST_STEPS: u32 = 5;
/** Sums are kept for one place in 8. */
const SUM_SHIFT: u32 = 3;

/** Where everything lies. Followers and counts are u16, places and totals u32, costs u16. */
let bytes: usize = 0;
let length: u32 = 0;
let blockStart: u32 = 0;
let followers6: usize = 0;
let followers4: usize = 0;
let followers3: usize = 0;
let followers2: usize = 0;
let shift: u32 = 0;
let shift2: u32 = 0;
let places: usize = 0;
let counts: usize = 0;
let totals: usize = 0;
/** For each table a u16 for each run, and one for each class of the match. */
let trusts: usize = 0;
let costs: usize = 0;
let sums: usize = 0;

let position: u32 = 0;
let total: u32 = 0;
let last4: u32 = 0;
let earlier: u32 = 0;
let matchAt: u32 = 0;
let matchLength: u32 = 0;
let matchHash: u32 = 0;

const TRUST_BYTES: usize = 2 * 16;

/** -log2(p / 2^12) in 32nds of a bit, by squaring: a square has the double logarithm. */
function costOf(p: u32): u32 {
  const whole: u32 = 31 - clz(p);
  let mantissa: u32 = p << (15 - whole);
  let fraction: u32 = 0;
  for (let step: u32 = 0; step < COST_STEPS; step++) {
    mantissa = (mantissa * mantissa) >> 15;
    fraction <<= 1;
    if (mantissa >= 1 << 16) {
      fraction++;
      mantissa >>= 1;
    }
  }
  return ((PROBABILITY_BITS - whole) << COST_STEPS) - fraction;
}

function fill16(at: usize, count: u32, value: u16): void {
  for (let i: u32 = 0; i < count; i++) store<u16>(at + 2 * i, value);
}

/**
 * Begins, with nothing learned. Room at `tables`: 2 bytes for each of 2^bits slots of three tables, and of at most 2^16
 * of the fourth, 4 bytes for each of 2^bits places; behind it 2^17 + 2^14 bytes.
 *
 * @param sumsAt u32 for 8 places each; the first is 0
 */
export function startEstimate(bytesAt: usize, blockFrom: u32, bits: u32, tables: usize, sumsAt: usize): void {
  bytes = bytesAt;
  blockStart = blockFrom;
  const bits2 = min<u32>(bits, 16);
  shift = 32 - bits;
  shift2 = 32 - bits2;
  followers6 = tables;
  followers4 = followers6 + (<usize>2 << bits);
  followers3 = followers4 + (<usize>2 << bits);
  followers2 = followers3 + (<usize>2 << bits);
  places = followers2 + (<usize>2 << bits2);
  counts = places + (<usize>4 << bits);
  totals = counts + 2 * 65536;
  trusts = totals + 4 * 256;
  costs = trusts + 5 * TRUST_BYTES + 2 * MATCH_CLASSES;
  sums = sumsAt;
  total = 0;
  for (let p: u32 = 0; p <= CERTAIN; p++) store<u16>(costs + 2 * p, <u16>costOf(max<u32>(1, p)));
  forget();
}

/** Forgets what was learned. */
export function forget(): void {
  memory.fill(followers6, 0, counts - followers6);
  fill16(counts, 65536, 1);
  for (let i: u32 = 0; i < 256; i++) store<u32>(totals + 4 * i, 256);
  fill16(trusts, 4 * 16 + MATCH_CLASSES, 1 << 15);
  last4 = 0;
  earlier = 0;
  matchAt = 0;
  matchLength = 0;
  matchHash = 0;
}

/** Goes on with the bytes from `from` to before `to`; those of the block must come in their order. */
export function goTo(from: u32, to: u32): void {
  position = from;
  length = to;
}

/** The cost of learning whether an answer of the trust at `at` is right. */
// @ts-ignore: decorator
@inline
function learnTrust(at: usize, isRight: bool): u32 {
  const right: u32 = load<u16>(at);
  const p = right >> TRUST_SCALE;
  store<u16>(at, isRight ? right + ((TRUST_LIMIT - right) >> TRUST_SHIFT) : right - (right >> TRUST_SHIFT));
  return load<u16>(costs + 2 * (isRight ? p : CERTAIN - p));
}

/** A right answer counts, a wrong one loses most of its count, and then its place. */
// @ts-ignore: decorator
@inline
function learnFollower(at: usize, slot: u32, byte: u32): void {
  const run = slot >> 8;
  if (run > 0 && (slot & 255) == byte) {
    if (run < RUN_MAX) store<u16>(at, slot + 256);
  } else {
    store<u16>(at, run > 2 ? slot - (((run + 1) >> 1) << 8) : 256 + byte);
  }
}

let isKnown: bool = false;
let wrong: u32 = 0;

/** Asks a table, unless a longer context knew; returns the cost of its answer. */
// @ts-ignore: decorator
@inline
function ask(at: usize, trust: usize, byte: u32): u32 {
  const slot: u32 = load<u16>(at);
  const answer = slot & 255;
  let cost: u32 = 0;
  if (!isKnown && slot >= 256 && answer != wrong) {
    isKnown = answer == byte;
    cost = learnTrust(trust + 2 * (slot >> 8), isKnown);
    wrong = answer;
  }
  learnFollower(at, slot, byte);
  return cost;
}

function halveCounts(before: u32): void {
  let sum: u32 = 0;
  const from = counts + 512 * before;
  for (let i: u32 = 0; i < 256; i++) {
    const count: u32 = (<u32>load<u16>(from + 2 * i) + 1) >> 1;
    store<u16>(from + 2 * i, count);
    sum += count;
  }
  store<u32>(totals + 4 * before, sum);
}

// @ts-ignore: decorator
@inline
function costByFrequency(before: u32, byte: u32): u32 {
  const count: u32 = load<u16>(counts + 512 * before + 2 * byte);
  return load<u16>(costs + 2 * ((count << PROBABILITY_BITS) / load<u32>(totals + 4 * before)));
}

// @ts-ignore: decorator
@inline
function learnFrequency(before: u32, byte: u32): void {
  const at = counts + 512 * before + 2 * byte;
  store<u16>(at, load<u16>(at) + FREQUENCY_STEP);
  const sum = load<u32>(totals + 4 * before) + FREQUENCY_STEP;
  store<u32>(totals + 4 * before, sum);
  if (sum >= FREQUENCY_LIMIT) halveCounts(before);
}

// @ts-ignore: decorator
@inline
function matchClass(): u32 {
  return matchLength < 16 ? matchLength : min<u32>(MATCH_CLASSES - 1, 42 - clz(matchLength));
}

/** Goes on with the match, or looks for one where the last bytes stood before. */
// @ts-ignore: decorator
@inline
function learnMatch(byte: u32): void {
  if (matchLength > 0 && <u32>load<u8>(bytes + matchAt) == byte) {
    matchLength++;
    matchAt++;
  } else {
    matchLength = 0;
  }
  // 32 bits, each byte shifted out after MATCH_BYTES steps by an even factor to the power.
  matchHash = matchHash * (<u32>0x2f0b4c47 << 3) + byte + 1;
  const at = places + 4 * ((matchHash * 0x9e3779b1) >> shift);
  if (matchLength == 0 && position >= MATCH_BYTES) {
    matchAt = load<u32>(at);
    const here = bytes + position;
    const there = bytes + matchAt - 1;
    while (matchLength < 32 && matchAt > matchLength && load<u8>(there - matchLength) == load<u8>(here - matchLength)) {
      matchLength++;
    }
    if (matchLength < MATCH_BYTES) matchLength = 0;
  }
  store<u32>(at, position + 1);
}

// @ts-ignore: decorator
@inline
function slotAt(table: usize, context: u32, bitShift: u32): usize {
  return table + 2 * ((context * 0x9e3779b1) >> bitShift);
}

/** The cost of one byte, from which everything then learns. */
// @ts-ignore: decorator
@inline
function step(byte: u32): u32 {
  const before = last4 & 255;
  let cost: u32 = 0;
  isKnown = false;
  wrong = 256;
  if (matchLength > 0) {
    wrong = load<u8>(bytes + matchAt);
    isKnown = wrong == byte;
    cost = learnTrust(trusts + 4 * TRUST_BYTES + 2 * matchClass(), isKnown);
  }
  const at4 = slotAt(followers4, last4, shift);
  const at3 = slotAt(followers3, last4 & 0xffffff, shift);
  const at2 = slotAt(followers2, last4 & 0xffff, shift2);
  cost += ask(slotAt(followers6, last4 + earlier * 0x2545f491, shift), trusts, byte);
  cost += ask(at4, trusts + TRUST_BYTES, byte);
  cost += ask(at3, trusts + 2 * TRUST_BYTES, byte);
  cost += ask(at2, trusts + 3 * TRUST_BYTES, byte);
  if (!isKnown) cost += costByFrequency(before, byte);
  learnFrequency(before, byte);
  learnMatch(byte);
  earlier = ((earlier << 8) | (last4 >> 24)) & 0xffff;
  last4 = (last4 << 8) | byte;
  return cost;
}

/** Goes on for `count` bytes. @returns false where `goTo` has said */
export function estimate(count: u32): bool {
  const end = min<u32>(length, position + count);
  for (; position < end; position++) {
    const cost = step(load<u8>(bytes + position));
    if (position < blockStart) continue;
    total += cost;
    const place = position - blockStart + 1;
    if (place % (1 << SUM_SHIFT) == 0) store<u32>(sums + 4 * (place >> SUM_SHIFT), total);
  }
  return end < length;
}

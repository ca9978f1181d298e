/**
 * The mixture of adaptive bits by which strides and predictors are tried: ../stride-trial.ts says what for. Its tables
 * are of 64-bit floats, made of sums, products and quotients alone, as in ../logarithm.ts.
 */

/** A bit moves its guess by one part in 2^this. */
const RATE_BITS: u32 = 4;
/** How fast the weights of the guesses follow. */
const MIX_RATE: f32 = 0.02;
const WEIGHT_OF_CONTEXT: f32 = 0.3;
const PROBABILITIES: u32 = 1 << 12;
/** Guesses are mixed as ln(p / (1 - p)), within this. */
const STRETCH_MAX: f64 = 7.99;
const SUM_MAX: f32 = 7.99;
/** Steps of the table that turns them back, to 1. */
const SQUASH_STEPS: u32 = 256;
/** Contexts at most, and bytes that each hashes at most. */
const CONTEXTS_MAX: u32 = 6;
const OFFSETS_MAX: u32 = 4;
/** Each context has so many lines: the 15 bits of half a byte, 16 bits each. */
const LINE_BITS: u32 = 13;
const LINE_BYTES: u32 = 32;
const TABLE_BYTES: u32 = LINE_BYTES << LINE_BITS;

/** Tables of f32: stretched guesses, probabilities of those, bits of a digit by the 2^12ths that it was given. */
const STRETCH: usize = 64;
const SQUASH: usize = STRETCH + 4 * PROBABILITIES;
const COST: usize = SQUASH + 4 * 16 * SQUASH_STEPS;
/** For each context: the hash of the byte at hand, and where the line of the half at hand lies (u32). */
const BASES: usize = COST + 4 * PROBABILITIES;
const LINES: usize = BASES + 4 * (CONTEXTS_MAX + 1);
/** Eight f32 for each beginning of a byte: for each context, an idle one, one for the guess of the bytes before. */
const WEIGHTS: usize = LINES + 4 * (CONTEXTS_MAX + 1);
/** What is hashed, for each context: OFFSETS_MAX distances (u32), 0 behind the last. The caller writes them. */
const OFFSETS: usize = WEIGHTS + 4 * 256 * 8;
/** Adaptive bits (u16). */
const COUNTS: usize = (OFFSETS + 4 * (CONTEXTS_MAX + 1) * OFFSETS_MAX + 63) & ~63;
/** What the first pass made of each digit (f32). */
const GUESSES: usize = COUNTS + CONTEXTS_MAX * TABLE_BYTES;

const LOG_TERMS: i32 = 16;
const EXP_TERMS: i32 = 64;

function logNearOne(x: f64): f64 {
  const z = (x - 1) / (x + 1);
  let sum: f64 = 0;
  for (let term = LOG_TERMS - 1; term >= 0; term--) sum = sum * z * z + 1 / <f64>(2 * term + 1);
  return 2 * z * sum;
}

let ln2: f64 = 0;

function naturalLog(x: f64): f64 {
  let mantissa = x;
  let exponent: f64 = 0;
  for (; mantissa > 1.5; exponent++) mantissa /= 2;
  for (; mantissa < 0.75; exponent--) mantissa *= 2;
  return exponent * ln2 + logNearOne(mantissa);
}

function exponential(x: f64): f64 {
  const size = x < 0 ? -x : x;
  let sum: f64 = 1;
  for (let term = EXP_TERMS; term >= 1; term--) sum = 1 + (sum * size) / <f64>term;
  return x < 0 ? 1 / sum : sum;
}

/** What the mixture takes at the start of the memory, with room for the guesses of so many digits. */
export function mixtureBytes(digitCount: u32): usize {
  return GUESSES + 4 * digitCount;
}

function fillTables(): void {
  ln2 = 2 * logNearOne(<f64>4 / 3) - logNearOne(<f64>8 / 9);
  for (let p: u32 = 0; p < PROBABILITIES; p++) {
    const given = <f64>p + 0.5;
    const stretched = naturalLog(given / (<f64>PROBABILITIES - <f64>p - 0.5));
    store<f32>(STRETCH + 4 * p, <f32>(stretched < -STRETCH_MAX ? -STRETCH_MAX : stretched));
    store<f32>(COST + 4 * p, <f32>(-naturalLog(given / <f64>PROBABILITIES) / ln2));
  }
  for (let i: u32 = 0; i < 16 * SQUASH_STEPS; i++) {
    store<f32>(SQUASH + 4 * i, <f32>(1 / (1 + exponential(8 - <f64>i / <f64>SQUASH_STEPS))));
  }
}

let contexts: u32 = 0;
/** Whether guesses are made, or used. */
let isFirst: bool = false;
/** Digits so far, and what they took. */
let digits: u32 = 0;
let bits: f64 = 0;

/** Begins a pass over the runs. @returns where the contexts' offsets are to be written */
export function beginTrial(contextCount: u32, makesGuesses: bool): usize {
  if (ln2 == 0) fillTables();
  // Those that are missing have no bytes to hash: they say nothing but how often digits are 1.
  contexts = contextCount <= 4 && !makesGuesses ? 4 : CONTEXTS_MAX;
  isFirst = makesGuesses;
  digits = 0;
  bits = 0;
  const end = COUNTS + contexts * TABLE_BYTES;
  for (let at = COUNTS; at < end; at += 16) v128.store(at, i16x8.splat(-32768));
  for (let at = WEIGHTS; at < WEIGHTS + 4 * 256 * 8; at += 32) {
    v128.store(at, f32x4.splat(WEIGHT_OF_CONTEXT));
    v128.store(at, f32x4.replace_lane(f32x4.splat(WEIGHT_OF_CONTEXT), 3, 1), 16);
  }
  return OFFSETS;
}

function hashContexts(at: usize): void {
  for (let i: u32 = 0; i < contexts; i++) {
    let hash: u32 = i + 1;
    const offsets = OFFSETS + 4 * OFFSETS_MAX * i;
    for (let k: u32 = 0; k < OFFSETS_MAX; k++) {
      const offset = load<u32>(offsets + 4 * k);
      if (offset == 0) break;
      hash = (hash ^ (<u32>load<u8>(at - offset) + 0x100)) * 0x2c1b3c6d;
      hash ^= hash >> 15;
    }
    store<u32>(BASES + 4 * i, hash);
  }
}

/** Finds the lines of half a byte. @param node the digits so far, behind a 1: 1, or 16 to 31 */
function findLines(node: u32): void {
  for (let i: u32 = 0; i < contexts; i++) {
    let hash = (load<u32>(BASES + 4 * i) + node) * 0x297a2d39;
    hash ^= hash >> 15;
    store<u32>(LINES + 4 * i, <u32>COUNTS + i * TABLE_BYTES + (hash & ((1 << LINE_BITS) - 1)) * LINE_BYTES);
  }
}

/** The count of context i, `slot` bytes into its line. */
// @ts-ignore: decorator
@inline
function countAt(i: usize, slot: u32): usize {
  return <usize>load<u32>(LINES + 4 * i) + slot;
}

// @ts-ignore: decorator
@inline
function guessAt(i: usize, slot: u32): usize {
  return STRETCH + 4 * (<usize>load<u16>(countAt(i, slot)) >> 4);
}

// @ts-ignore: decorator
@inline
function learnCount(i: usize, slot: u32, target: i32): void {
  const at = countAt(i, slot);
  const guess: i32 = load<u16>(at);
  store<u16>(at, guess + ((target - guess) >> RATE_BITS));
}

// @ts-ignore: decorator
@inline
function sumOf(a: v128): f32 {
  const pairs = f32x4.add(a, v128.shuffle<u32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/**
 * Bits that a digit takes. `n` is a constant wherever this is called, so that of its branches nothing is left.
 *
 * @param slot its place in the lines, in bytes @param weights of the byte's digits so far @param guess where the first
 * pass's guess is, or is to be
 */
// @ts-ignore: decorator
@inline
function codeDigit(n: u32, makes: bool, weights: usize, slot: u32, bit: u32, guess: usize): f32 {
  let near = v128.load_zero<f32>(guessAt(0, slot));
  near = v128.load_lane<f32>(guessAt(1, slot), near, 1);
  near = v128.load_lane<f32>(guessAt(2, slot), near, 2);
  near = v128.load_lane<f32>(guessAt(3, slot), near, 3);
  let far = f32x4.splat(0);
  if (n > 4) far = v128.load_lane<f32>(guessAt(4, slot), far, 0);
  if (n > 5) far = v128.load_lane<f32>(guessAt(5, slot), far, 1);
  if (!makes) far = v128.load_lane<f32>(guess, far, 3);
  const nearWeights = v128.load(weights);
  const farWeights = v128.load(weights, 16);
  const mixed = sumOf(f32x4.add(f32x4.mul(nearWeights, near), f32x4.mul(farWeights, far)));
  const below = mixed < SUM_MAX ? mixed : SUM_MAX;
  const sum = below > -SUM_MAX ? below : -SUM_MAX;
  if (makes) store<f32>(guess, sum);
  const probability = load<f32>(SQUASH + 4 * <usize>((sum + 8) * <f32>SQUASH_STEPS));
  const step = f32x4.splat(MIX_RATE * (<f32>bit - probability));
  v128.store(weights, f32x4.add(nearWeights, f32x4.mul(step, near)));
  v128.store(weights, f32x4.add(farWeights, f32x4.mul(step, far)), 16);
  const target = <i32>(0 - bit) & 0xffff;
  learnCount(0, slot, target);
  learnCount(1, slot, target);
  learnCount(2, slot, target);
  learnCount(3, slot, target);
  if (n > 4) learnCount(4, slot, target);
  if (n > 5) learnCount(5, slot, target);
  const given = bit ? probability : 1 - probability;
  return load<f32>(COST + 4 * <usize>(given * <f32>PROBABILITIES));
}

/** Four digits of a byte. @param node its digits so far, behind a 1 @param half the four, the highest first */
// @ts-ignore: decorator
@inline
function codeHalf(n: u32, makes: bool, node: u32, half: u32, guess: usize): f32 {
  findLines(node);
  let taken: f32 = 0;
  let inHalf: u32 = 1;
  for (let digit: u32 = 0; digit < 4; digit++) {
    const bit = (half >> (3 - digit)) & 1;
    const weights = WEIGHTS + 32 * <usize>((node << digit) | (inHalf & ((1 << digit) - 1)));
    taken += codeDigit(n, makes, weights, 2 * inHalf, bit, guess + 4 * digit);
    inHalf = 2 * inHalf + bit;
  }
  return taken;
}

// @ts-ignore: decorator
@inline
function codeBytes(n: u32, makes: bool, from: usize, count: u32): void {
  let guess = GUESSES + 4 * digits;
  for (let at = from; at < from + count; at++, guess += 32) {
    const byte: u32 = load<u8>(at);
    hashContexts(at);
    bits += codeHalf(n, makes, 1, byte >> 4, guess);
    bits += codeHalf(n, makes, 16 | (byte >> 4), byte & 15, guess + 16);
  }
  digits += 8 * count;
}

/** Codes the next run, `count` bytes behind those that its contexts look at. @returns bits of all runs so far */
export function codeRun(from: usize, count: u32): f64 {
  if (isFirst) codeBytes(CONTEXTS_MAX, true, from, count);
  else if (contexts <= 4) codeBytes(4, false, from, count);
  else codeBytes(CONTEXTS_MAX, false, from, count);
  return bits;
}

/** The probability of a bit, and what the bit teaches. Between the two, what is needed of the first is in memory. */
import { codePlace, isBinary } from "./code";
import { expected, matchLength } from "./contexts";
import { gatherCounters, learnCounters, learnt } from "./counters";
import {
  anotherLikelihood,
  foreseenLikelihood,
  isForeseen,
  likelihoods,
  rowChoice,
  setChoice,
  setChoice2,
  setChoice3,
} from "./foresight";
import { back, last } from "./past";
import { dropRuns, gatherRuns, learnRuns, stretched, towards } from "./runs";
import {
  CHOSEN,
  contexts,
  counted,
  finalBytes,
  finals,
  INPUTS,
  inputs,
  LINES_AT,
  MAP_INPUTS,
  MAPS,
  MATCH_MAP,
  NEXT,
  ORDER0,
  REFINE_NODES,
  made,
  refine,
  refineRow,
  setCount,
  SQUASH,
  STATES,
  STRETCH,
  stride,
  weights,
} from "./state";
import { shape, wordLetters } from "./text";

/** Log odds in Q12 that enter the last probability, and those of a set. */
const ODDS_MAX: i32 = 2900 << 4;
const SET_ODDS_MAX: i32 = 2047 << 4;
const PROBABILITY_MIN: i32 = 2;
const FINAL_LIMIT: i32 = 1 << 29;
/** Choices of the first weights of the second layer; those by node lie behind, and then those of the other two. */
const FINAL_FIRST: u32 = 256;
const FINAL_THIRD: u32 = 512;
const FINAL_FOURTH: u32 = 512 + 4096;
/** Choices of the first six sets, and of the seventh. */
const SEVENTH_SET: u32 = 9472;
const EIGHTH_SET: u32 = 9472 + 4096;

/** Of the bit that is on its way: its node, place in the nibble's lines, match, and the nodes that learn. */
let bitNode: u32 = 0;
let bitNumber: u32 = 0;
let lineNode: u32 = 0;
let matchKind: i32 = 0;
let matchBit: u32 = 0;
/** Weights that the choices of the second layer are; without counters, there are two. */
let final: usize = 0;
let final2: usize = 0;
let final3: usize = 0;
let final4: usize = 0;
/** Probabilities that they have made. */
let mixed: i32 = 0;
let mixed2: i32 = 0;
let mixed3: i32 = 0;
let mixed4: i32 = 0;
/** Of the bit: what the last two bytes choose, and the length of the word, of the sets that counters bring along. */
let pairChoice: u32 = 0;
let lengthChoice: u32 = 0;
let nearest: usize = 0;
/** Rates of the sets' weights and of those that mix them: the host sets them. */
let rate: i32 = 0;
let finalRate: i32 = 0;

export function setRates(ofSets: i32, ofFinals: i32): void {
  rate = ofSets;
  finalRate = ofFinals;
}

// @ts-ignore: decorator
@inline
function clampTo(x: i32, limit: i32): i32 {
  return min(max(x, -limit), limit);
}

/** A match's length, in classes that widen. */
// @ts-ignore: decorator
@inline
function lengthClass(length: u32): u32 {
  const l = min<u32>(length, 400);
  return l < 16 ? l : l < 32 ? 16 + ((l - 16) >> 2) : l < 64 ? 20 + ((l - 32) >> 3) : 24 + min<u32>(7, (l - 64) >> 5);
}

/** Inputs of the contexts' states; returns how many of contexts 1 … 6 have seen anything. */
// @ts-ignore: decorator
@inline
function gather(): u32 {
  let known: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    const state: u32 = load<u8>(load<u32>(LINES_AT + i * 4) + lineNode);
    store<u8>(STATES + i, state);
    store<u16>(INPUTS + i * 4, load<u16>(MAP_INPUTS + (i << 9) + (state << 1)));
    if (i - 1 < 6) known += u32(state != 0);
  }
  return known;
}

/** The same where several likelihoods of the bit are foreseen: they take the place of the runs. */
function gatherForeseen(): u32 {
  dropRuns();
  for (let i: u32 = 0; i < contexts; i++) {
    store<i16>(INPUTS + i * 4, i + 1 < likelihoods ? stretched(anotherLikelihood(i + 1)) : 0, 2);
  }
  return gather();
}

/** The inputs that are no context's, and zeros behind them; returns how long the match is, if it takes part. */
// @ts-ignore: decorator
@inline
function gatherOthers(k: u32, likelihood: u32): u32 {
  let x = INPUTS + contexts * 4;
  store<i16>(x, stretched(likelihood));
  const byte = expected - 1;
  const takesPart = expected > 0 && (byte | 256) >> (8 - k) == bitNode;
  matchBit = (byte >> (7 - k)) & 1;
  matchKind = takesPart ? <i32>lengthClass(matchLength) : -1;
  const p = takesPart ? <i32>load<u16>(MATCH_MAP + matchKind * 2) : 32768;
  const sign = matchBit ? 1 : -1;
  store<i16>(x, takesPart ? sign * stretched(p) : 0, 2);
  store<i16>(x, sign * ((p - 32768) >> 6), 4);
  store<i16>(x, 256, 6);
  const end = INPUTS + inputs * 2;
  for (let behind = x + 8; behind < end; behind += 8) store<u64>(behind, 0);
  gatherCounters(x + 8, lineNode);
  return !takesPart ? 0 : matchLength < 12 ? 1 : matchLength < 24 ? 2 : 3;
}

// @ts-ignore: decorator
@inline
function chooseSet(j: usize, number: u32): void {
  store<u32>(CHOSEN + j * 12, weights + <usize>number * inputs * 2);
}

// @ts-ignore: decorator
@inline
function choose(k: u32, long: u32, known: u32): void {
  const b1 = last & 255;
  const b2 = (last >> 8) & 255;
  const classes = isBinary() ? codePlace() * 8 : (b1 >> 5) * 64 + (b2 >> 5) * 8;
  const fifth = stride > 0 ? back(stride) * 8 : classes;
  chooseSet(0, bitNode);
  chooseSet(1, 256 + (isForeseen ? setChoice : b1) * 8 + k);
  chooseSet(2, 2304 + (long * 8 + k) * 8 + known);
  chooseSet(3, 2816 + (isForeseen ? setChoice3 * 8 + k : shape & (stride > 0 ? 255 : 4095)));
  chooseSet(4, 6912 + (isForeseen ? setChoice2 * 8 : fifth) + k);
  chooseSet(5, 8960 + (matchKind < 0 ? 0 : expected));
  if (counted == 0) return;
  pairChoice = (((last & 65535) * 8 + k) * 0x9e3779b1) >> 20;
  lengthChoice = wordLetters * 256 + bitNode;
  chooseSet(6, SEVENTH_SET + pairChoice);
  chooseSet(7, EIGHTH_SET + lengthChoice);
}

// @ts-ignore: decorator
@inline
function total(sum: v128): i32 {
  const pairs = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** Log odds (Q12) and probability of set j; returns the odds as the second layer takes them. */
// @ts-ignore: decorator
@inline
function mixSet(j: usize, dot: v128): i32 {
  const at = CHOSEN + j * 12;
  const odds = clampTo(total(dot) >> 10, SET_ODDS_MAX);
  store<i32>(at, load<i32>(SQUASH + ((odds >> 4) + 4096) * 4), 4);
  store<i32>(at, odds, 8);
  return odds >> 2;
}

/** Log odds of a choice of the second layer, at `at`. */
// @ts-ignore: decorator
@inline
function mixFinal(at: usize, low: v128, high: v128): i32 {
  // Sets by lanes; of six, the upper two lanes of `high` are 0, whatever weights lie there.
  const first = i32x4.mul(i32x4.shr_s(v128.load(at), 14), low);
  const second = i32x4.mul(i32x4.shr_s(v128.load(at + 16), 14), high);
  return clampTo(total(i32x4.add(first, second)) >> 12, ODDS_MAX);
}

/** Sets 6 and 7, in the upper lanes of what sets 4 and 5 gave. */
// @ts-ignore: decorator
@inline
function mixMore(high: v128): v128 {
  const w6: usize = load<u32>(CHOSEN, 72);
  const w7: usize = load<u32>(CHOSEN, 84);
  let s6 = i32x4.splat(0);
  let s7 = s6;
  const bytes = <usize>inputs * 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(INPUTS + i);
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v128.load(w6 + i), x));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v128.load(w7 + i), x));
  }
  return i32x4.replace_lane(i32x4.replace_lane(high, 2, mixSet(6, s6)), 3, mixSet(7, s7));
}

// @ts-ignore: decorator
@inline
function squashed(odds: i32): i32 {
  return load<i32>(SQUASH + ((odds >> 4) + 4096) * 4);
}

/** Both layers: log odds in Q12, the mean of the choices of the second. An input is loaded once for six sets. */
// @ts-ignore: decorator
@inline
function mix(): i32 {
  const w0: usize = load<u32>(CHOSEN);
  const w1: usize = load<u32>(CHOSEN, 12);
  const w2: usize = load<u32>(CHOSEN, 24);
  const w3: usize = load<u32>(CHOSEN, 36);
  const w4: usize = load<u32>(CHOSEN, 48);
  const w5: usize = load<u32>(CHOSEN, 60);
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  const bytes = <usize>inputs * 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(INPUTS + i);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(w0 + i), x));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(w1 + i), x));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(w2 + i), x));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(w3 + i), x));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v128.load(w4 + i), x));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v128.load(w5 + i), x));
  }
  const low = i32x4(0, 0, 0, 0);
  const firstTwo = i32x4.replace_lane(i32x4.replace_lane(low, 0, mixSet(0, s0)), 1, mixSet(1, s1));
  const first = i32x4.replace_lane(i32x4.replace_lane(firstTwo, 2, mixSet(2, s2)), 3, mixSet(3, s3));
  let second = i32x4.replace_lane(i32x4.replace_lane(low, 0, mixSet(4, s4)), 1, mixSet(5, s5));
  if (counted > 0) second = mixMore(second);
  const o1 = mixFinal(final, first, second);
  const o2 = mixFinal(final2, first, second);
  mixed = squashed(o1);
  mixed2 = squashed(o2);
  if (counted == 0) return (o1 + o2) >> 1;
  const o3 = mixFinal(final3, first, second);
  const o4 = mixFinal(final4, first, second);
  mixed3 = squashed(o3);
  mixed4 = squashed(o4);
  return (o1 + o2 + o3 + o4) >> 2;
}

/** Predicts bit k of the byte; 16 bits. Node: the bits before, behind a leading 1. */
export function predict(k: u32, node: u32): u32 {
  bitNode = node;
  bitNumber = k;
  const bit: u32 = 1 << (k & 3);
  lineNode = bit | (node & (bit - 1));
  const likelihood = isForeseen ? foreseenLikelihood(node) : load<u16>(ORDER0 + node * 2);
  const known = likelihoods > 1 ? gatherForeseen() : gather();
  gatherRuns(k);
  const long = gatherOthers(k, likelihood);
  choose(k, long, known);
  final = finals + ((long * 8 + k) * 8 + known) * finalBytes;
  final2 = finals + (FINAL_FIRST + node) * finalBytes;
  final3 = finals + (FINAL_THIRD + pairChoice) * finalBytes;
  final4 = finals + (FINAL_FOURTH + lengthChoice) * finalBytes;
  const odds = mix();
  const at = SQUASH + ((odds >> 4) + 4096) * 4;
  const low = load<i32>(at);
  const between = low + (((load<i32>(at, 4) - low) * (odds & 15) + 8) >> 4);
  const coarse = clampTo(odds >> 4, 2047) + 2048;
  const rowNumber = ((isForeseen ? rowChoice : last & 255) << 8) | node;
  const row = refine + (rowNumber * REFINE_NODES << 1);
  if (load<u8>(made + rowNumber) == 0) {
    // Most rows of most files are never asked for: made when they are, they cost small files nothing.
    store<u8>(made + rowNumber, 1);
    memory.copy(row, refineRow, REFINE_NODES << 1);
  }
  const below = row + (coarse >> 7) * 2;
  const part = coarse & 127;
  nearest = row + ((coarse + 64) >> 7) * 2;
  const refined = (<i32>load<u16>(below) * (128 - part) + <i32>load<u16>(below, 2) * part) >> 7;
  return min(max((between + refined + 1) >> 1, PROBABILITY_MIN), 65536 - PROBABILITY_MIN);
}

/** What set j made wrong, in units of the rate, eight times over. */
// @ts-ignore: decorator
@inline
function errorOf(j: usize, target: i32): v128 {
  return i16x8.splat(<i16>(((target - load<i32>(CHOSEN + j * 12, 4)) * rate + 32768) >> 16));
}

// @ts-ignore: decorator
@inline
function learnEight(at: usize, x: v128, error: v128): void {
  v128.store(at, i16x8.add_sat_s(v128.load(at), i16x8.q15mulr_sat_s(x, error)));
}

/** The weights of the sets that were chosen, each by its own error. An input is loaded once for six sets. */
// @ts-ignore: decorator
@inline
function learnSets(target: i32): void {
  const w0: usize = load<u32>(CHOSEN);
  const w1: usize = load<u32>(CHOSEN, 12);
  const w2: usize = load<u32>(CHOSEN, 24);
  const w3: usize = load<u32>(CHOSEN, 36);
  const w4: usize = load<u32>(CHOSEN, 48);
  const w5: usize = load<u32>(CHOSEN, 60);
  const e0 = errorOf(0, target);
  const e1 = errorOf(1, target);
  const e2 = errorOf(2, target);
  const e3 = errorOf(3, target);
  const e4 = errorOf(4, target);
  const e5 = errorOf(5, target);
  const bytes = <usize>inputs * 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(INPUTS + i);
    learnEight(w0 + i, x, e0);
    learnEight(w1 + i, x, e1);
    learnEight(w2 + i, x, e2);
    learnEight(w3 + i, x, e3);
    learnEight(w4 + i, x, e4);
    learnEight(w5 + i, x, e5);
  }
  if (counted == 0) return;
  const w6: usize = load<u32>(CHOSEN, 72);
  const w7: usize = load<u32>(CHOSEN, 84);
  const e6 = errorOf(6, target);
  const e7 = errorOf(7, target);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(INPUTS + i);
    learnEight(w6 + i, x, e6);
    learnEight(w7 + i, x, e7);
  }
}

/** The weights of both layers. */
// @ts-ignore: decorator
@inline
function learnWeights(bit: u32): void {
  const target = <i32>bit << 16;
  learnSets(target);
  learnFinal(final, target - mixed);
  learnFinal(final2, target - mixed2);
  if (counted == 0) return;
  learnFinal(final3, target - mixed3);
  learnFinal(final4, target - mixed4);
}

/** The weights of a choice of the second layer, by its error. */
// @ts-ignore: decorator
@inline
function learnFinal(at: usize, error: i32): void {
  const step = (error * finalRate + 32768) >> 16;
  for (let j: usize = 0; j < setCount; j++) {
    const f = load<i32>(at + j * 4) + step * (load<i32>(CHOSEN + j * 12, 8) >> 4);
    store<i32>(at + j * 4, min(max(f, -FINAL_LIMIT), FINAL_LIMIT - 1));
  }
}

/** The histories, and the maps of what they were; the input that an entry makes is kept with it. */
// @ts-ignore: decorator
@inline
function learnHistories(bit: u32): void {
  const target = <i32>bit << 22;
  for (let i: u32 = 0; i < contexts; i++) {
    const state: u32 = load<u8>(STATES + i);
    store<u8>(load<u32>(LINES_AT + i * 4) + lineNode, load<u8>(NEXT + state * 2 + bit));
    if (state == 0) continue;
    const at = (i << 10) + (state << 2);
    const cell = learnt(load<u32>(MAPS + at), target);
    store<u32>(MAPS + at, cell);
    store<i16>(MAP_INPUTS + (at >> 1), load<i16>(STRETCH + ((cell >> 20) << 1)));
  }
}

/** Learns the bit that was predicted last. */
export function learn(bit: u32): void {
  learnWeights(bit);
  learnCounters(bit, lineNode);
  learnRuns(bit, bitNumber);
  learnHistories(bit);
  const target: i32 = bit ? 65535 : 0;
  if (!isForeseen) towards(ORDER0 + bitNode * 2, target, 6);
  towards(nearest, target, 6);
  if (matchKind < 0) return;
  const at = MATCH_MAP + matchKind * 2;
  towards(at, matchBit == bit ? 65535 : 0, 7);
  if (load<u16>(at) < 33000) store<u16>(at, 33000);
}

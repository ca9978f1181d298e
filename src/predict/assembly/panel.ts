/**
 * A panel of predictors of sound, for levels that take their time: least squares over many samples and over few, which
 * forget slowly or fast, and a cascade of adaptive filters behind the first. Least squares again say how far each is to
 * be trusted. The panel's members are heard one by one, too, by what goes along with a lane (panel-likelihoods.ts).
 *
 * What moments count for falls with the error of late: a loud moment says no more than a quiet one.
 */
import { askFilter, filterBytes, HISTORY, startFilter, teachFilter } from "./filter";
import { dot } from "./solve";
import { addSquares, solveSquares, squaresBytes, weightsOf } from "./squares";

/** Members that are least squares: taps in all, taps of the other channel if there is one, pace, solved so often. */
export const MEMBERS: usize = 4;
const TAPS_MAX: usize = 96;
const FILTER_TAPS_0: usize = 256;
const FILTER_TAPS_1: usize = 32;
const FILTER_TAPS_2: usize = 16;
const RATE_0: f64 = 0.002;
const RATE_1: f64 = 0.004;
const RATE_2: f64 = 0.008;
const RIDGE: f64 = 0.3;
/** What the members say besides the first, and the filters. */
const OPINIONS: usize = MEMBERS - 1 + 3;
const TRUST_FORGETTING: f64 = 0.998;
const TRUST_RIDGE: f64 = 1;
const TRUST_SHARE: f64 = 1e-6;
const ERROR_START: f64 = 200;
/** How fast mean errors follow: of members, and three of the panel. */
const MEMBER_PACE: f64 = 0.05;
const PREDICTION_MAX: f64 = 67108864;

/** Of a channel: place in the histories, samples so far, three mean errors, those of members, the last three misses. */
const TIME: usize = 4;
const ERRORS: usize = 16;
const MEMBER_ERRORS: usize = 40;
export const LAST_LEFT: usize = 72;
const OWN: usize = 96;
const SAMPLES_BYTES: usize = (HISTORY + TAPS_MAX) * 8;
const OTHER: usize = OWN + SAMPLES_BYTES;
const PARTS: usize = OTHER + SAMPLES_BYTES;

/** What the panel thinks of the sample at hand: members, filters, differences to the first member; and all together. */
const TAPS: usize = memory.data(96 * 8, 16);
export const SAID: usize = memory.data(8 * 8, 16);
const DIFFERENCES: usize = memory.data(8 * 8, 16);
const SCRATCH: usize = memory.data((96 * 96 + 96) * 8, 16);
export let expected: f64 = 0;

// @ts-ignore: decorator
@inline
function tapsOf(member: usize): usize {
  return member === 0 ? 96 : member === 1 ? 32 : member === 2 ? 20 : 10;
}

// @ts-ignore: decorator
@inline
function otherTapsOf(member: usize): usize {
  return member === 0 ? 32 : member === 1 ? 12 : member === 2 ? 8 : 4;
}

// @ts-ignore: decorator
@inline
function forgettingOf(member: usize): f64 {
  return member === 0 ? 0.996 : member === 1 ? 0.993 : member === 2 ? 0.985 : 0.96;
}

// @ts-ignore: decorator
@inline
function solveEvery(member: usize): u32 {
  return member === 0 ? 32 : member === 1 ? 8 : 4;
}

// @ts-ignore: decorator
@inline
export function memberError(channel: usize, member: usize): f64 {
  return load<f64>(channel + MEMBER_ERRORS + member * 8);
}

/** Mean errors of the panel, the fastest first. */
// @ts-ignore: decorator
@inline
export function panelError(channel: usize, pace: usize): f64 {
  return load<f64>(channel + ERRORS + pace * 8);
}

// @ts-ignore: decorator
@inline
function trustOf(channel: usize): usize {
  let at = channel + PARTS;
  for (let i: usize = 0; i < MEMBERS; i += 1) at += squaresBytes(tapsOf(i));
  return at;
}

// @ts-ignore: decorator
@inline
function filtersOf(channel: usize): usize {
  return trustOf(channel) + squaresBytes(OPINIONS);
}

/** What a channel takes. */
export function panelBytes(): usize {
  const filters = filterBytes(FILTER_TAPS_0) + filterBytes(FILTER_TAPS_1) + filterBytes(FILTER_TAPS_2);
  return (filtersOf(0) + filters + 15) & ~15;
}

/** @param channel panelBytes of zeros */
export function startPanel(channel: usize): void {
  store<u32>(channel, <u32>(HISTORY * 8));
  for (let i: usize = 0; i < 3 + MEMBERS; i += 1) store<f64>(channel + ERRORS + i * 8, ERROR_START);
  let filter = filtersOf(channel);
  startFilter(filter, FILTER_TAPS_0);
  filter += filterBytes(FILTER_TAPS_0);
  startFilter(filter, FILTER_TAPS_1);
  filter += filterBytes(FILTER_TAPS_1);
  startFilter(filter, FILTER_TAPS_2);
}

/** The member's taps, own and other, beside each other. */
function gatherTaps(channel: usize, n: usize, others: usize): void {
  const at = load<u32>(channel);
  const own = (n - others) * 8;
  memory.copy(TAPS, channel + OWN + at, own);
  memory.copy(TAPS + own, channel + OTHER + at, others * 8);
}

// @ts-ignore: decorator
@inline
function bounded(value: f64): f64 {
  return value > -PREDICTION_MAX && value < PREDICTION_MAX ? value : 0;
}

/** All opinions of the next sample. @param other the other channel's state, or the channel's own if there is none */
export function askPanel(channel: usize, other: usize): void {
  const hasOther = other !== channel;
  if (hasOther) {
    store<f64>(channel + OTHER + load<u32>(channel), load<f64>(other + OWN + load<u32>(other)));
  }
  let squares = channel + PARTS;
  for (let i: usize = 0; i < MEMBERS; i += 1) {
    const n = tapsOf(i);
    gatherTaps(channel, n, hasOther ? otherTapsOf(i) : 0);
    store<f64>(SAID + i * 8, bounded(dot(n, weightsOf(squares, n), TAPS)));
    squares += squaresBytes(n);
  }
  const first = load<f64>(SAID);
  for (let i: usize = 1; i < MEMBERS; i += 1) store<f64>(DIFFERENCES + i * 8 - 8, load<f64>(SAID + i * 8) - first);
  const filters = DIFFERENCES + (MEMBERS - 1) * 8;
  let filter = filtersOf(channel);
  store<f64>(filters, askFilter(filter, FILTER_TAPS_0));
  filter += filterBytes(FILTER_TAPS_0);
  store<f64>(filters + 8, askFilter(filter, FILTER_TAPS_1));
  filter += filterBytes(FILTER_TAPS_1);
  store<f64>(filters + 16, askFilter(filter, FILTER_TAPS_2));
  expected = bounded(first + dot(OPINIONS, weightsOf(trustOf(channel), OPINIONS), DIFFERENCES));
}

// @ts-ignore: decorator
@inline
function follow(at: usize, size: f64, pace: f64): void {
  store<f64>(at, load<f64>(at) + (size - load<f64>(at)) * pace);
}

/** The sample is known of which askPanel was the last to be asked. */
export function teachPanel(channel: usize, hasOther: bool, sample: f64): void {
  const time = load<u32>(channel + TIME);
  store<u32>(channel + TIME, time + 1);
  const target = sample - load<f64>(SAID);
  teachTrust(channel, target);
  let squares = channel + PARTS;
  for (let i: usize = 0; i < MEMBERS; i += 1) {
    const n = tapsOf(i);
    const error = channel + MEMBER_ERRORS + i * 8;
    gatherTaps(channel, n, hasOther ? otherTapsOf(i) : 0);
    addSquares(squares, n, TAPS, sample, 1.0 / (1.0 + load<f64>(error)), forgettingOf(i));
    if ((time + 1) % solveEvery(i) === 0) solveSquares(squares, n, SCRATCH, RIDGE, 0);
    follow(error, Math.abs(sample - load<f64>(SAID + i * 8)), MEMBER_PACE);
    squares += squaresBytes(n);
  }
  const size = Math.abs(sample - expected);
  follow(channel + ERRORS, size, 0.2);
  follow(channel + ERRORS + 8, size, 0.05);
  follow(channel + ERRORS + 16, size, 0.0125);
  store<i32>(channel + LAST_LEFT + 8, load<i32>(channel + LAST_LEFT + 4));
  store<i32>(channel + LAST_LEFT + 4, load<i32>(channel + LAST_LEFT));
  store<i32>(channel + LAST_LEFT, <i32>(sample - Math.floor(expected + 0.5)));
  teachFilters(channel, target);
  keepSample(channel, sample);
}

/** How far opinions are trusted, by what they said of the sample. */
function teachTrust(channel: usize, target: f64): void {
  const trust = trustOf(channel);
  const error = load<f64>(channel + ERRORS + 8);
  addSquares(trust, OPINIONS, DIFFERENCES, target, 1.0 / (1.0 + error * error), TRUST_FORGETTING);
  solveSquares(trust, OPINIONS, SCRATCH, TRUST_RIDGE, TRUST_SHARE);
}

function teachFilters(channel: usize, target: f64): void {
  const said = DIFFERENCES + (MEMBERS - 1) * 8;
  const f0 = filtersOf(channel);
  const f1 = f0 + filterBytes(FILTER_TAPS_0);
  const f2 = f1 + filterBytes(FILTER_TAPS_1);
  const left0 = target - load<f64>(said);
  const left1 = left0 - load<f64>(said + 8);
  teachFilter(f0, FILTER_TAPS_0, target, left0, RATE_0);
  teachFilter(f1, FILTER_TAPS_1, left0, left1, RATE_1);
  teachFilter(f2, FILTER_TAPS_2, left1, left1 - load<f64>(said + 16), RATE_2);
}

function keepSample(channel: usize, sample: f64): void {
  let at = <usize>load<u32>(channel);
  if (at === 0) {
    at = HISTORY * 8;
    memory.copy(channel + OWN + at, channel + OWN, TAPS_MAX * 8);
    memory.copy(channel + OTHER + at, channel + OTHER, TAPS_MAX * 8);
  }
  store<u32>(channel, <u32>(at - 8));
  store<f64>(channel + OWN + at - 8, sample);
  store<f64>(channel + OTHER + at - 8, 0);
}

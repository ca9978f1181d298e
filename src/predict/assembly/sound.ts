/**
 * Sound: interleaved samples of 1 to 3 bytes. Each is predicted by least squares over the samples before it, of its own
 * channel and of one other; what is left by a cascade of three adaptive filters, each of which sees what the one before
 * it left. How far each filter is trusted is again a matter of least squares. What remains is written zigzag (0, -1, 1,
 * -2, ...), the high byte first. docs/NUMERICS.md has every step.
 *
 * Least squares need, at time t, the sums over all s <= t of lambda^(t - s) x[s - i] x[s - j]. Those of (i, j) at t are
 * those of (0, j - i) at t - i: so only sums of products with the newest sample are kept, at the last 32 times.
 */
import { askFilter, filterBytes, HISTORY, startFilter, teachFilter } from "./filter";
import { askPanel, expected, panelBytes, startPanel, teachPanel } from "./panel";
import { dot, solve } from "./solve";

/** Samples that least squares see, own and others'. */
const TAPS: usize = 32;
/** Of them the other channel's, where there is one. */
const OTHER_TAPS: usize = 12;
/** Times at which sums are kept, a power of two above TAPS; and the bytes of the sums at one time, of lags 0 to 33. */
const TIMES: usize = 64;
const SUMS_BYTES: usize = 34 * 8;
/** How fast the past is forgotten. */
const LAMBDA: f64 = 0.993;
/** Added to the diagonal, so that silence has a solution. */
const RIDGE: f64 = 30;
/** Samples between two solutions. */
const SOLVE_EVERY: u32 = 8;

const FILTER_TAPS_0: usize = 256;
const FILTER_TAPS_1: usize = 32;
const FILTER_TAPS_2: usize = 16;
const RATE_0: f64 = 0.002;
const RATE_1: f64 = 0.004;
const RATE_2: f64 = 0.008;

/** Of the filters' weights: forgetting, ridge, and how fast the mean error follows. */
const MIX_LAMBDA: f64 = 0.998;
const MIX_RIDGE: f64 = 1;
const MIX_RELATIVE_RIDGE: f64 = 1e-6;
const ERROR_RATE: f64 = 0.05;

/** Beyond this a prediction has gone astray. */
const PREDICTION_MAX: f64 = 67108864;

/** Of one channel. */
const SAMPLES_BYTES: usize = (HISTORY + 64) * 8;
const SUMS_ALL_BYTES: usize = TIMES * SUMS_BYTES;
const OWN: usize = 32;
const OTHER: usize = OWN + SAMPLES_BYTES;
const OWN_OWN: usize = OTHER + SAMPLES_BYTES;
const OTHER_OTHER: usize = OWN_OWN + SUMS_ALL_BYTES;
const OWN_OTHER: usize = OTHER_OTHER + SUMS_ALL_BYTES;
const OTHER_OWN: usize = OWN_OTHER + SUMS_ALL_BYTES;
const WEIGHTS: usize = OTHER_OWN + SUMS_ALL_BYTES;
const MIX: usize = WEIGHTS + TAPS * 8;
/** The mixture: R as 4 rows of 4, b of 4, w of 4, of which 3 each are used. */
const MIX_BYTES: usize = (16 + 4 + 4) * 8;
const FILTERS: usize = MIX + MIX_BYTES;
/** Scratch that channels share: R, b, and the values of the mixture. */
const SCRATCH_BYTES: usize = TAPS * TAPS * 8 + TAPS * 8 + 16 * 8;
const CHANNELS_MAX: usize = 8;

function channelBytes(): usize {
  const bytes = FILTERS + filterBytes(FILTER_TAPS_0) + filterBytes(FILTER_TAPS_1) + filterBytes(FILTER_TAPS_2);
  return (bytes + 15) & ~15;
}

/** What the state of so many channels takes. */
export function soundStateBytes(channels: usize, isByPanel: bool): usize {
  return 64 + SCRATCH_BYTES + channels * (isByPanel ? panelBytes() : channelBytes());
}

/**
 * @param state soundStateBytes long, a multiple of 16 @param channels 1 to 8 @param width bytes of a sample, 1 to 3
 * @param isBig whether their high byte comes first @param isUnsigned whether the middle of their range is silence
 * @param isByPanel whether a panel of predictors (panel.ts) takes the place of this one
 */
export function startSound(
  state: usize,
  channels: usize,
  width: u32,
  isBig: bool,
  isUnsigned: bool,
  isByPanel: bool,
): void {
  memory.fill(state, 0, soundStateBytes(channels, isByPanel));
  store<u32>(state + 20, isByPanel ? 1 : 0);
  store<u32>(state, <u32>channels);
  store<u32>(state + 4, width);
  store<u32>(state + 8, isBig ? 1 : 0);
  store<u32>(state + 12, isUnsigned ? 1 << (8 * width - 1) : 0);
  for (let c: usize = 0; c < channels; c += 1) {
    if (isByPanel) {
      startPanel(panelOf(state, c));
      continue;
    }
    const channel = channelOf(state, c);
    store<u32>(channel, <u32>(HISTORY * 8));
    store<f64>(channel + 16, 200);
    for (let i: usize = 0; i < 3; i += 1) store<f64>(channel + MIX + 160 + i * 8, 1);
    let filter = channel + FILTERS;
    startFilter(filter, FILTER_TAPS_0);
    filter += filterBytes(FILTER_TAPS_0);
    startFilter(filter, FILTER_TAPS_1);
    filter += filterBytes(FILTER_TAPS_1);
    startFilter(filter, FILTER_TAPS_2);
  }
}

// @ts-ignore: decorator
@inline
function channelOf(state: usize, c: usize): usize {
  return state + 64 + SCRATCH_BYTES + c * channelBytes();
}

// @ts-ignore: decorator
@inline
function panelOf(state: usize, c: usize): usize {
  return state + 64 + SCRATCH_BYTES + c * panelBytes();
}

/** The panel of the other channel: the one before, of the first the last. */
export function otherOf(state: usize, c: usize): usize {
  return panelOf(state, c === 0 ? <usize>load<u32>(state) - 1 : c - 1);
}

/** Asks the panel of a channel, whose state it returns. */
export function askPanelOf(state: usize, c: usize): usize {
  const channel = panelOf(state, c);
  askPanel(channel, otherOf(state, c));
  return channel;
}

export function teachPanelOf(state: usize, c: usize, sample: i32): void {
  teachPanel(panelOf(state, c), load<u32>(state) > 1, <f64>sample);
}

/** What a panel expects, as a sample of so many bits. */
export function roundedPrediction(bits: u32): i32 {
  return rounded(expected, bits);
}

/**
 * Goes on through `samples` samples of all channels in turn; a call may end between channels of one moment.
 *
 * @param from plain samples, or with `isBack` what codeSound made of them @param to where the other goes
 */
export function codeSound(state: usize, from: usize, to: usize, samples: usize, isBack: bool): void {
  const channels = <usize>load<u32>(state);
  const width = load<u32>(state + 4);
  const isBig = load<u32>(state + 8) !== 0;
  const middle = <i32>load<u32>(state + 12);
  const bits = 8 * width;
  const isByPanel = load<u32>(state + 20) !== 0;
  let c = <usize>load<u32>(state + 16);
  for (let i: usize = 0; i < samples; i += 1) {
    const channel = isByPanel ? askPanelOf(state, c) : channelOf(state, c);
    const at = i * width;
    const prediction = isByPanel ? roundedPrediction(bits) : predict(state, channel, c, channels, bits);
    let sample: i32;
    if (isBack) {
      const zigzag = read(from + at, width, true);
      sample = signed(((zigzag >>> 1) ^ -(zigzag & 1)) + prediction, bits);
      write(to + at, width, isBig, sample + middle);
    } else {
      sample = signed(read(from + at, width, isBig) - middle, bits);
      const left = signed(sample - prediction, bits);
      write(to + at, width, true, (left << 1) ^ (left >> 31));
    }
    if (isByPanel) teachPanelOf(state, c, sample);
    else learn(state, channel, sample, sample - prediction);
    c = c + 1 === channels ? 0 : c + 1;
  }
  store<u32>(state + 16, <u32>c);
}

// @ts-ignore: decorator
@inline
export function signed(value: i32, bits: u32): i32 {
  return (value << (32 - bits)) >> (32 - bits);
}

// @ts-ignore: decorator
@inline
function read(at: usize, width: u32, isBig: bool): i32 {
  let value = 0;
  for (let i: u32 = 0; i < width; i += 1) value |= <i32>load<u8>(at + i) << (8 * (isBig ? width - 1 - i : i));
  return value;
}

// @ts-ignore: decorator
@inline
function write(at: usize, width: u32, isBig: bool, value: i32): void {
  for (let i: u32 = 0; i < width; i += 1) store<u8>(at + i, <u8>(value >> (8 * (isBig ? width - 1 - i : i))));
}

/** Values of the mixture in the scratch: what least squares say, then the filters, then what they are weighed by. */
// @ts-ignore: decorator
@inline
function valuesOf(state: usize): usize {
  return state + 64 + TAPS * TAPS * 8 + TAPS * 8;
}

function predict(state: usize, channel: usize, c: usize, channels: usize, bits: u32): i32 {
  if (channels > 1) takeOther(state, channel, c, channels);
  addSums(state, channel, channels > 1);
  const samples = channel + OWN + load<u32>(channel);
  const others = channel + OTHER + load<u32>(channel);
  const otherTaps: usize = channels > 1 ? OTHER_TAPS : 0;
  const ownTaps = TAPS - otherTaps;
  const weights = channel + WEIGHTS;
  let first = dot(ownTaps, weights, samples) + dot(otherTaps, weights + ownTaps * 8, others);
  if (!(first > -PREDICTION_MAX && first < PREDICTION_MAX)) first = 0;
  const f0 = channel + FILTERS;
  const f1 = f0 + filterBytes(FILTER_TAPS_0);
  const f2 = f1 + filterBytes(FILTER_TAPS_1);
  const values = valuesOf(state);
  store<f64>(values, first);
  store<f64>(values + 8, askFilter(f0, FILTER_TAPS_0));
  store<f64>(values + 16, askFilter(f1, FILTER_TAPS_1));
  store<f64>(values + 24, askFilter(f2, FILTER_TAPS_2));
  const trust = channel + MIX + 160;
  let sum = first;
  for (let i: usize = 0; i < 24; i += 8) sum += load<f64>(trust + i) * load<f64>(values + 8 + i);
  return rounded(sum, bits);
}

/** The nearest sample. */
function rounded(sum: f64, bits: u32): i32 {
  const limit = <f64>(1 << (bits - 1));
  if (!(sum > -limit)) return -(1 << (bits - 1));
  if (!(sum < limit - 1)) return (1 << (bits - 1)) - 1;
  return <i32>Math.floor(sum + 0.5);
}

/** The newest sample of the other channel: of this moment, if that one's turn came before. */
function takeOther(state: usize, channel: usize, c: usize, channels: usize): void {
  const other = channelOf(state, c === 0 ? channels - 1 : c - 1);
  store<f64>(channel + OTHER + load<u32>(channel), load<f64>(other + OWN + load<u32>(other)));
}

/** The sums at the time of the newest sample; and now and then the weights that follow from all of them. */
function addSums(state: usize, channel: usize, hasOther: bool): void {
  const time = load<u32>(channel + 4);
  const samples = channel + OWN + load<u32>(channel);
  const others = channel + OTHER + load<u32>(channel);
  const now = (<usize>time & (TIMES - 1)) * SUMS_BYTES;
  const before = ((<usize>time - 1) & (TIMES - 1)) * SUMS_BYTES;
  addProducts(channel + OWN_OWN, now, before, samples, samples);
  if (hasOther) {
    addProducts(channel + OTHER_OTHER, now, before, others, others);
    addProducts(channel + OWN_OTHER, now, before, samples, others);
    addProducts(channel + OTHER_OWN, now, before, others, samples);
  }
  if (time % SOLVE_EVERY === 0 && time > <u32>TAPS) solveWeights(state, channel, <usize>time, hasOther);
  store<u32>(channel + 4, time + 1);
}

/** sums[k] of now = lambda * sums[k] of before + a[0] * b[k] */
// @ts-ignore: decorator
@inline
function addProducts(sums: usize, now: usize, before: usize, a: usize, b: usize): void {
  const newest = f64x2.splat(load<f64>(a));
  const lambda = f64x2.splat(LAMBDA);
  for (let i: usize = 0; i < SUMS_BYTES; i += 16) {
    const old = f64x2.mul(lambda, v128.load(sums + before + i));
    v128.store(sums + now + i, f64x2.add(old, f64x2.mul(newest, v128.load(b + i))));
  }
}

function solveWeights(state: usize, channel: usize, time: usize, hasOther: bool): void {
  const r = state + 64;
  const b = r + TAPS * TAPS * 8;
  const own = hasOther ? TAPS - OTHER_TAPS : TAPS;
  const now = (time & (TIMES - 1)) * SUMS_BYTES;
  for (let i: usize = 0; i < own; i += 1) {
    // Tap i has lag i + 1.
    const past = ((time - i - 1) & (TIMES - 1)) * SUMS_BYTES;
    const row = r + i * TAPS * 8;
    memory.copy(row + i * 8, channel + OWN_OWN + past, (own - i) * 8);
    for (let j: usize = 0; j < TAPS - own; j += 1) {
      const late = ((time - j - 1) & (TIMES - 1)) * SUMS_BYTES;
      const cross = j >= i ? channel + OWN_OTHER + past + (j - i) * 8 : channel + OTHER_OWN + late + (i - j) * 8;
      store<f64>(row + (own + j) * 8, load<f64>(cross));
    }
    store<f64>(b + i * 8, load<f64>(channel + OWN_OWN + now + (i + 1) * 8));
  }
  for (let j: usize = 0; j < TAPS - own; j += 1) {
    const late = ((time - j - 1) & (TIMES - 1)) * SUMS_BYTES;
    const row = r + (own + j) * TAPS * 8;
    memory.copy(row + (own + j) * 8, channel + OTHER_OTHER + late, (TAPS - own - j) * 8);
    store<f64>(b + (own + j) * 8, load<f64>(channel + OWN_OTHER + now + (j + 1) * 8));
  }
  for (let i: usize = 0; i < TAPS; i += 1) {
    const at = r + i * (TAPS + 1) * 8;
    store<f64>(at, load<f64>(at) + RIDGE);
  }
  solve(TAPS, r, TAPS * 8, b, channel + WEIGHTS);
}

/** @param left what the prediction missed, before it was wrapped */
function learn(state: usize, channel: usize, sample: i32, left: i32): void {
  const values = valuesOf(state);
  const target = <f64>sample - load<f64>(values);
  learnMixture(state, channel, target);
  const size = <f64>(left < 0 ? -left : left);
  const error = load<f64>(channel + 16);
  store<f64>(channel + 16, error + (size - error) * ERROR_RATE);
  const f0 = channel + FILTERS;
  const f1 = f0 + filterBytes(FILTER_TAPS_0);
  const f2 = f1 + filterBytes(FILTER_TAPS_1);
  const left0 = target - load<f64>(values + 8);
  const left1 = left0 - load<f64>(values + 16);
  const left2 = left1 - load<f64>(values + 24);
  teachFilter(f0, FILTER_TAPS_0, target, left0, RATE_0);
  teachFilter(f1, FILTER_TAPS_1, left0, left1, RATE_1);
  teachFilter(f2, FILTER_TAPS_2, left1, left2, RATE_2);
  keepSample(channel, <f64>sample);
}

/** Sums of what the filters said, weighed by how wrong predictions have been of late. */
function learnMixture(state: usize, channel: usize, target: f64): void {
  const values = valuesOf(state) + 8;
  const mix = channel + MIX;
  const error = load<f64>(channel + 16);
  const weight = 1.0 / (1.0 + error * error);
  for (let i: usize = 0; i < 3; i += 1) {
    const value = weight * load<f64>(values + i * 8);
    for (let j: usize = i; j < 3; j += 1) {
      const at = mix + (i * 4 + j) * 8;
      store<f64>(at, MIX_LAMBDA * load<f64>(at) + value * load<f64>(values + j * 8));
    }
    const at = mix + 128 + i * 8;
    store<f64>(at, MIX_LAMBDA * load<f64>(at) + value * target);
  }
  const time = load<u32>(channel + 4);
  if (time & 1 || time < 100) return;
  const r = state + 64;
  const b = r + TAPS * TAPS * 8;
  memory.copy(r, mix, 128);
  memory.copy(b, mix + 128, 32);
  for (let i: usize = 0; i < 3; i += 1) {
    const at = r + i * 5 * 8;
    store<f64>(at, load<f64>(at) + (MIX_RIDGE + load<f64>(at) * MIX_RELATIVE_RIDGE));
  }
  // The fourth equation says that the fourth weight, which nothing uses, is 0.
  store<f64>(r + 15 * 8, 1);
  solve(4, r, 32, b, mix + 160);
}

function keepSample(channel: usize, sample: f64): void {
  let at = <usize>load<u32>(channel);
  if (at === 0) {
    at = HISTORY * 8;
    memory.copy(channel + OWN + at, channel + OWN, 64 * 8);
    memory.copy(channel + OTHER + at, channel + OTHER, 64 * 8);
  }
  store<u32>(channel, <u32>(at - 8));
  store<f64>(channel + OWN + at - 8, sample);
  store<f64>(channel + OTHER + at - 8, 0);
}

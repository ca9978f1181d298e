/**
 * Pixels: interleaved samples of 8 bits in rows, and if they are the frames of a film, in frames. First the whole plane
 * of one channel (green, if there is one) is gone through, then the other channels, pixel by pixel, with the first one
 * known on all sides. What is predicted comes from least squares over neighbours, which are learned in cells of 16
 * columns: each cell forgets with every row, and a solution takes the cells to both sides into account.
 *
 * What is left goes into a plane for each channel: of the first channel zigzag (0, -1, 1, ...). Of the others, if asked
 * for, the rank of the sample among those near the prediction, in the order of how likely each is (rank.ts). Pictures
 * whose colours come from another colour space have only some of all colours, and a rank skips those that are not
 * there. docs/NUMERICS.md has every step.
 */
import { cellBytes, learnCell, solveCell } from "./cells";
import {
  CANDIDATE_BYTES,
  COUNT_START,
  count,
  rank,
  rankOf,
  rowsOfSecond,
  rowsOfThird,
  sampleOf,
  TABLE_BYTES,
} from "./rank";
import { dot } from "./solve";

/** Columns of a cell; what of a cell's sums is left in the next row; and the ridge. */
const CELL: usize = 16;
const KEPT: f64 = 0.9;
const RIDGE: f64 = 5;

/** Taps of a channel, at most, and even. */
const TAPS_MAX: usize = 34;
/** Groups of taps: own samples, the first channel's, the second's, those of the frame before. */
const GROUPS: usize = 4;
const FIRST: u32 = 1;
const SECOND: u32 = 2;
const FRAME: u32 = 3;

/** How the mean error in a context follows, and its floor; contexts are errors about the sample. */
const ERROR_RATE: f64 = 0.01;
const ERROR_MIN: f64 = 0.15;
const ERROR_START: f64 = 6;
const CONTEXTS: usize = 32;

/** The head of the state, 32-bit numbers. */
export const CHANNELS: usize = 0;
export const WIDTH: usize = 4;
export const PIXELS: usize = 8;
export const FRAME_BYTES: usize = 12;
const IS_RANKED: usize = 16;
/** Where the walk is: its phase (0: the first channel, 1: the others), pixel and column. */
const PHASE: usize = 20;
const PIXEL: usize = 24;
const COLUMN: usize = 28;
/** Whether what is left of the other channels takes turns, as the walk does, instead of lying in planes. */
const IS_IN_TURN: usize = 32;
const R: usize = 64;
const B: usize = R + TAPS_MAX * TAPS_MAX * 8;
const VALUES: usize = B + TAPS_MAX * 8;
export const ROOM: usize = VALUES + TAPS_MAX * 8;
const HEAD_BYTES: usize = ROOM + CANDIDATE_BYTES;

/** Of each channel, behind the head: number of taps, its byte in a pixel, offsets, groups, errors, weights, cells. */
const TAPS: usize = 0;
const BYTE: usize = 4;
const REACH: usize = 8;
const AHEAD: usize = 12;
const OFFSETS: usize = 16;
const GROUP_OF: usize = OFFSETS + TAPS_MAX * 4;
const BASES: usize = GROUP_OF + TAPS_MAX * 4;
const MEANS: usize = BASES + GROUPS * 4;
const SCALES: usize = MEANS + GROUPS * 8;
const WEIGHTS: usize = SCALES + CONTEXTS * 8;
const ERRORS: usize = WEIGHTS + TAPS_MAX * 8;

/** dx and dy of own neighbours, the nearest first. */
const OWN: StaticArray<i32> = [
  -1, 0, 0, -1, -1, -1, 1, -1, -2, 0, 0, -2, -2, -1, 2, -1, -1, -2, 1, -2, -3, 0, 0, -3, -2, -2, 2, -2, 3, -1, -3, -1,
];
/** And of the neighbours of what is known on all sides. */
const AROUND: StaticArray<i32> = [0, 0, -1, 0, 1, 0, 0, -1, 0, 1, -1, -1, 1, -1, -1, 1, 1, 1];
/** And of a channel that is known before, but not behind. */
const BEFORE: StaticArray<i32> = [0, 0, -1, 0, 0, -1, -1, -1, 1, -1];

// @ts-ignore: decorator
@inline
function even(n: usize): usize {
  return (n + 1) & ~1;
}

function tapsOf(place: usize, hasFrames: bool): usize {
  if (place === 0) return even(16 + (hasFrames ? 9 : 0));
  return even(10 + 9 + (place > 1 ? 5 : 0) + (hasFrames ? 5 : 0));
}

// @ts-ignore: decorator
@inline
function errorsBytes(width: usize): usize {
  return (width + 2 + 7) & ~7;
}

function channelBytes(place: usize, width: usize, hasFrames: bool): usize {
  const taps = tapsOf(place, hasFrames);
  return ERRORS + errorsBytes(width) + ((width + CELL - 1) / CELL + 2) * cellBytes(taps);
}

/** What the state of such pixels takes. @param width pixels of a row */
export function pixelStateBytes(channels: usize, width: usize, hasFrames: bool, isRanked: bool): usize {
  let bytes = HEAD_BYTES + (isRanked ? 4 * TABLE_BYTES : 0);
  for (let place: usize = 0; place < channels; place += 1) bytes += channelBytes(place, width, hasFrames);
  return bytes;
}

export function channelAt(state: usize, place: usize): usize {
  const width = <usize>load<u32>(state + WIDTH);
  const hasFrames = load<u32>(state + FRAME_BYTES) > 0;
  let at = state + HEAD_BYTES + (load<u32>(state + IS_RANKED) ? 4 * TABLE_BYTES : 0);
  for (let before: usize = 0; before < place; before += 1) at += channelBytes(before, width, hasFrames);
  return at;
}

/** The byte of the channel that comes at a place: of three or four the second first. */
function byteOf(place: usize, channels: usize): usize {
  if (channels < 3 || place > 1) return place;
  return 1 - place;
}

/**
 * @param state pixelStateBytes long, a multiple of 16 @param channels 1 to 4 @param width pixels of a row, 1 or more
 * @param pixels in all @param frameBytes 0 if there are no frames @param isRanked with three or four channels only
 * @param isInTurn whether what is left of all channels but the first takes turns, pixel by pixel
 */
export function startPixels(
  state: usize,
  channels: usize,
  width: usize,
  pixels: usize,
  frameBytes: usize,
  isRanked: bool,
  isInTurn: bool,
): void {
  const hasFrames = frameBytes > 0;
  memory.fill(state, 0, pixelStateBytes(channels, width, hasFrames, isRanked));
  store<u32>(state + CHANNELS, <u32>channels);
  store<u32>(state + WIDTH, <u32>width);
  store<u32>(state + PIXELS, <u32>pixels);
  store<u32>(state + FRAME_BYTES, <u32>frameBytes);
  store<u32>(state + IS_RANKED, isRanked ? 1 : 0);
  store<u32>(state + IS_IN_TURN, isInTurn ? 1 : 0);
  if (isRanked) {
    for (let i: usize = 0; i < 4 * TABLE_BYTES; i += 4) store<f32>(state + HEAD_BYTES + i, COUNT_START);
  }
  for (let place: usize = 0; place < channels; place += 1) startChannel(state, place, channels, width, frameBytes);
}

function startChannel(state: usize, place: usize, channels: usize, width: usize, frameBytes: usize): void {
  const channel = channelAt(state, place);
  const byte = <i32>byteOf(place, channels);
  store<u32>(channel + BYTE, byte);
  for (let i: usize = 0; i < CONTEXTS; i += 1) store<f64>(channel + SCALES + i * 8, ERROR_START);
  store<f64>(channel + WEIGHTS, 1);
  addTaps(channel, OWN, place === 0 ? 16 : 10, 0, 0, channels, width);
  if (place > 0) addTaps(channel, AROUND, 9, FIRST, <i32>byteOf(0, channels) - byte, channels, width);
  if (place > 1) addTaps(channel, BEFORE, 5, SECOND, <i32>byteOf(1, channels) - byte, channels, width);
  if (frameBytes > 0) addTaps(channel, AROUND, place === 0 ? 9 : 5, FRAME, -(<i32>frameBytes), channels, width);
}

/** @param base bytes from a sample to the one of the group at the same place */
function addTaps(
  channel: usize,
  places: StaticArray<i32>,
  count: i32,
  group: u32,
  base: i32,
  channels: usize,
  width: usize,
): void {
  store<i32>(channel + BASES + group * 4, base);
  let taps = <usize>load<u32>(channel + TAPS);
  for (let i = 0; i < count; i += 1, taps += 1) {
    const offset = base + (unchecked(places[2 * i]) + unchecked(places[2 * i + 1]) * <i32>width) * <i32>channels;
    store<i32>(channel + OFFSETS + taps * 4, offset);
    store<u32>(channel + GROUP_OF + taps * 4, group);
    if (-offset > load<i32>(channel + REACH)) store<i32>(channel + REACH, -offset);
    if (offset > load<i32>(channel + AHEAD)) store<i32>(channel + AHEAD, offset);
  }
  store<u32>(channel + TAPS, <u32>taps);
}

/**
 * Goes on through so many samples. @returns whether more are left
 *
 * @param plain interleaved pixels @param left what is left of them, in planes; one is read, the other written
 */
export function codePixels(state: usize, plain: usize, left: usize, samples: usize, isBack: bool): bool {
  const channels = <usize>load<u32>(state + CHANNELS);
  const width = load<u32>(state + WIDTH);
  const pixels = load<u32>(state + PIXELS);
  const first = channelAt(state, 0);
  for (let done: usize = 0; done < samples; ) {
    const phase = load<u32>(state + PHASE);
    if (phase > 1 || (phase === 1 && channels === 1)) return false;
    const pixel = load<u32>(state + PIXEL);
    if (pixel >= pixels) {
      store<u32>(state + PHASE, phase + 1);
      store<u32>(state + PIXEL, 0);
      store<u32>(state + COLUMN, 0);
      continue;
    }
    const column = load<u32>(state + COLUMN);
    if (phase === 0) {
      codeSample(state, first, 0, plain, left, pixel, column, isBack);
      done += 1;
    } else {
      let channel = first + channelBytes(0, width, load<u32>(state + FRAME_BYTES) > 0);
      for (let place: usize = 1; place < channels; place += 1) {
        codeSample(state, channel, place, plain, left, pixel, column, isBack);
        channel += channelBytes(place, width, load<u32>(state + FRAME_BYTES) > 0);
      }
      done += channels - 1;
    }
    store<u32>(state + PIXEL, pixel + 1);
    store<u32>(state + COLUMN, column + 1 === width ? 0 : column + 1);
  }
  return true;
}

function codeSample(
  state: usize,
  channel: usize,
  place: usize,
  plain: usize,
  left: usize,
  pixel: u32,
  column: u32,
  isBack: bool,
): void {
  foreseeSample(state, channel, place, plain, left, pixel, column);
  takeSample(state, channel, isBack);
}

/** Of the sample at hand: where it and what is left of it lie, and what is thought of it before it is known. */
export let sampleAt: usize = 0;
export let leftAt: usize = 0;
export let prediction: f64 = 0;
export let isRank: bool = false;
let mean: f64 = 0;
let column: u32 = 0;
let cell: usize = 0;
let scale: usize = 0;
export let rows: u64 = 0;

/** The mean error of late in the context of the sample at hand. */
export function spread(): f64 {
  return load<f64>(scale);
}

/** Makes the prediction of a sample, and its candidates if it is ranked; all before it is known. */
export function foreseeSample(
  state: usize,
  channel: usize,
  place: usize,
  plain: usize,
  left: usize,
  pixel: u32,
  columnOfPixel: u32,
): void {
  const channels = <usize>load<u32>(state + CHANNELS);
  const width = load<u32>(state + WIDTH);
  const pixels = <usize>load<u32>(state + PIXELS);
  const taps = even(load<u32>(channel + TAPS));
  column = columnOfPixel;
  sampleAt = plain + <usize>pixel * channels + load<u32>(channel + BYTE);
  leftAt = left + pixel;
  if (place > 0) {
    const isInTurn = load<u32>(state + IS_IN_TURN) !== 0;
    leftAt = isInTurn ? left + pixels + <usize>pixel * (channels - 1) + place - 1 : left + place * pixels + pixel;
  }
  cell = channel + ERRORS + errorsBytes(width) + (<usize>column / CELL + 1) * cellBytes(taps);
  if (<usize>column % CELL === 0) solveCell(cell, taps, KEPT, RIDGE, 0, state + R, channel + WEIGHTS);
  gather(state, channel, sampleAt, plain, plain + pixels * channels);
  mean = load<f64>(channel + MEANS);
  prediction = mean + dot(taps, channel + WEIGHTS, state + VALUES);
  if (!(prediction > 0)) prediction = 0;
  if (!(prediction < 255)) prediction = 255;
  scale = channel + SCALES + contextOf(channel + ERRORS, column, width) * 8;
  isRank = load<u32>(state + IS_RANKED) !== 0 && (place === 1 || place === 2);
  if (!isRank) return;
  rows = rowsOf(state, sampleAt, place, channels, width, pixel);
  if (load<u32>(state + IS_IN_TURN) === 0) rank(state + ROOM, prediction, load<f64>(scale), rows);
}

/** Between the sample at hand and what is left of it, one of which is there; and all learn it. */
export function takeSample(state: usize, channel: usize, isBack: bool): void {
  const rounded = <i32>Math.floor(prediction + 0.5);
  if (isRank && load<u32>(state + IS_IN_TURN) === 0) {
    if (isBack) store<u8>(sampleAt, <u8>sampleOf(state + ROOM, prediction, load<u8>(leftAt)));
    else store<u8>(leftAt, <u8>rankOf(state + ROOM, prediction, load<u8>(sampleAt)));
  } else if (isBack) {
    const zigzag = <i32>load<u8>(leftAt);
    store<u8>(sampleAt, <u8>(rounded + ((zigzag >> 1) ^ -(zigzag & 1))));
  } else {
    const miss = ((<i32>load<u8>(sampleAt) - rounded) << 24) >> 24;
    store<u8>(leftAt, <u8>((miss << 1) ^ (miss >> 7)));
  }
  if (isRank) count(rows, load<u8>(sampleAt));
  const sample = <i32>load<u8>(sampleAt);
  learnCell(cell, state + VALUES, even(load<u32>(channel + TAPS)), <f64>sample - mean, 1);
  const size = Math.abs(<f64>sample - prediction);
  const error = load<f64>(scale) + (size - load<f64>(scale)) * ERROR_RATE;
  store<f64>(scale, error > ERROR_MIN ? error : ERROR_MIN);
  const miss = sample > rounded ? sample - rounded : rounded - sample;
  keepError(channel + ERRORS, column, load<u32>(state + WIDTH), miss);
}

/** Errors of a row are kept by column; the two places before them have the last errors of the row before. */
function contextOf(errors: usize, column: u32, width: u32): usize {
  const at = errors + 2 + column;
  const above = load<u8>(at);
  const aboveNext = column + 1 < width ? <u32>load<u8>(at + 1) : <u32>above;
  const sum = 2 * <u32>load<u8>(at - 1) + 2 * <u32>above + aboveNext + <u32>load<u8>(at - 2);
  if (sum < 12) return sum;
  if (sum < 24) return 12 + ((sum - 12) >> 1);
  if (sum < 48) return 18 + ((sum - 24) >> 2);
  return sum < 96 ? 24 + (sum - 48) / 12 : 30;
}

function keepError(errors: usize, column: u32, width: u32, error: i32): void {
  store<u8>(errors + 2 + column, <u8>error);
  if (column + 1 < width) return;
  store<u16>(errors, load<u16>(errors + width));
}

/** Every tap's value less the mean of its group; what lies outside is like the mean. */
function gather(state: usize, channel: usize, at: usize, start: usize, end: usize): void {
  const channels = <usize>load<u32>(state + CHANNELS);
  const rowBytes = <usize>load<u32>(state + WIDTH) * channels;
  const hasFrames = load<u32>(state + FRAME_BYTES) > 0;
  const taps = <usize>load<u32>(channel + TAPS);
  for (let group: usize = 0; group < GROUPS; group += 1) {
    const base = load<i32>(channel + BASES + group * 4);
    if (group > 0 && base === 0 && !(group === FRAME && hasFrames)) continue;
    store<f64>(channel + MEANS + group * 8, meanAt(at + base, channels, rowBytes, start));
  }
  const isInside = at >= start + load<u32>(channel + REACH) && at + load<u32>(channel + AHEAD) < end;
  for (let i: usize = 0; i < taps; i += 1) {
    const mean = load<f64>(channel + MEANS + load<u32>(channel + GROUP_OF + i * 4) * 8);
    const place = at + load<i32>(channel + OFFSETS + i * 4);
    const isThere = isInside || (<isize>place >= <isize>start && place < end);
    store<f64>(state + VALUES + i * 8, isThere ? <f64>load<u8>(place) - mean : 0);
  }
}

/** The mean of the sample before and the one above, as far as they are there. */
// @ts-ignore: decorator
@inline
function meanAt(at: usize, channels: usize, rowBytes: usize, start: usize): f64 {
  if (<isize>at < <isize>(start + channels)) return 128;
  const before = <f64>load<u8>(at - channels);
  if (at < start + rowBytes) return before;
  return (before + <f64>load<u8>(at - rowBytes)) * 0.5;
}

/** The rows of counts for a sample of the second channel or the third. */
function rowsOf(state: usize, at: usize, place: usize, channels: usize, width: u32, pixel: u32): u64 {
  const tables = state + HEAD_BYTES;
  const here = at - byteOf(place, channels);
  const first = <i32>load<u8>(here + 1);
  if (place === 2) return rowsOfThird(tables, first, load<u8>(here));
  let sum = 512;
  if (pixel > 0) {
    const left = here - channels;
    const above = pixel >= width ? here - <usize>width * channels : left;
    sum += <i32>load<u8>(left + 2) - <i32>load<u8>(left + 1);
    sum += <i32>load<u8>(above + 2) - <i32>load<u8>(above + 1);
  }
  return rowsOfSecond(tables, first, sum);
}

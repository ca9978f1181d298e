/**
 * What is known of a pixel before it is decoded, for a lane of the bit mixer: the predictor goes along with the lane
 * that codes what is left, sample by sample, always on the way back. Before a byte it makes contexts, choices of weight
 * sets, and how likely each byte is; after it, the pixel is known, and all learn it.
 *
 * docs/NUMERICS.md has every value; docs/MIXER.md says what the mixer does with them.
 */
import { CHOICES, CONTEXTS } from "./context-values";
import { beginPanelForesight, foreseePanel, panelLikelihoodAt, tellPanel } from "./panel-foresight";
import { LIKELIHOODS, shareAt } from "./panel-likelihoods";
import { chooseAndHash } from "./pixel-contexts";
import { beginNeighbours, gatherNeighbours } from "./neighbours";
import {
  CHANNELS,
  channelAt,
  foreseeSample,
  isRank,
  leftAt,
  PIXELS,
  prediction,
  ROOM,
  rows,
  spread,
  takeSample,
  WIDTH,
} from "./pixels";
import { CANDIDATES, pairOf, RANKED, rank } from "./rank";

/** Counts of samples that nothing is known of, and sums of how likely bytes are, by the bits that they begin with. */
const ONES: usize = memory.data(256 * 4);
const SUMS: usize = memory.data(512 * 4);
/** What all candidates have together. */
const UNIT: f64 = 4194304;

/** Whether it is sound by a panel (panel-foresight.ts), and no pixels. */
let isSound: bool = false;
let state: usize = 0;
let plain: usize = 0;
let left: usize = 0;
let channels: usize = 0;
let width: usize = 0;
let pixels: usize = 0;
/** Where the walk is. */
let place: usize = 0;
let pixel: usize = 0;
let column: usize = 0;
let channel: usize = 0;

/** Classes of how unlikely the three likeliest candidates are, each among those that are left. */
export let first: u32 = 0;
export let second: u32 = 0;
let third: u32 = 0;
/** The bytes of the two likeliest. */
export let best: u32 = 0;
export let nextBest: u32 = 0;

/** Goes along with pixels that startPixels has begun, in turn; `plainAt` and `leftStart` have room for all of them. */
export function beginForesight(stateAt: usize, plainAt: usize, leftStart: usize): void {
  isSound = false;
  state = stateAt;
  plain = plainAt;
  left = leftStart;
  channels = load<u32>(state + CHANNELS);
  width = load<u32>(state + WIDTH);
  pixels = load<u32>(state + PIXELS);
  place = 0;
  pixel = 0;
  column = 0;
  channel = channelAt(state, 0);
  beginNeighbours(state, plain, left);
  for (let i: usize = 0; i < 256; i += 1) store<f32>(ONES + i * 4, 1);
}

/** Goes along with sound that startSound has begun, by a panel. */
export function beginSoundForesight(stateAt: usize): void {
  isSound = true;
  beginPanelForesight(stateAt);
}

/** How many likelihoods of a bit there are. */
export function likelihoodCount(): u32 {
  return isSound ? <u32>LIKELIHOODS : 1;
}

/** Likelihood number i, of the bit for which likelihoodAt was asked last; the first is what that said. */
export function likelihood(i: u32): u32 {
  return shareAt(i);
}

/** The context number i of the byte that comes; 32 bits. */
export function contextAt(i: u32): u32 {
  return load<u32>(CONTEXTS + (<usize>i << 2));
}

/** The choice number i, below 256. */
export function choiceAt(i: u32): u32 {
  return load<u32>(CHOICES + (<usize>i << 2));
}

/** How likely a 1 is behind the bits of the byte so far, which stand behind a leading 1; below 2^16. */
export function likelihoodAt(node: u32): u32 {
  if (isSound) return panelLikelihoodAt(node);
  const at = SUMS + (<usize>node << 3);
  const ones = <u64>load<u32>(at, 4);
  return min<u32>(65535, <u32>((ones << 16) / (<u64>load<u32>(at) + ones)));
}

/** What is left of the pixel has been decoded: the pixel becomes known, and all learn it. */
export function tell(byte: u32): void {
  if (isSound) {
    tellPanel(byte);
    return;
  }
  store<u8>(leftAt, <u8>byte);
  takeSample(state, channel, true);
  if (place > 0 && place + 1 < channels) place += 1;
  else {
    pixel += 1;
    column = column + 1 === width ? 0 : column + 1;
    if (place > 0) place = 1;
    if (pixel === pixels) {
      place = 1;
      pixel = 0;
      column = 0;
    }
  }
  if (place < channels) channel = channelAt(state, place);
}

/** Makes all that is said of the byte that comes. */
export function foresee(): void {
  if (isSound) {
    foreseePanel();
    return;
  }
  foreseeSample(state, channel, place, plain, left, <u32>pixel, <u32>column);
  judgeCandidates();
  gatherNeighbours(place, pixel);
  chooseAndHash(<u32>place, <u32>column);
}

/** The byte that is left of a pixel: by how much it differs from the prediction, 0, -1, 1, …. */
// @ts-ignore: decorator
@inline
function missOf(sample: i32, expected: i32): u32 {
  const miss = ((sample - expected) << 24) >> 24;
  return <u32>((miss << 1) ^ (miss >> 7)) & 255;
}

/** Classes of the share that is not `part`, from none (0) to all of it (48). */
function shareOf(part: f64, all: f64): u32 {
  if (!(all > 0)) return 0;
  const rest = 1.0 - part / all;
  if (!(rest > 0)) return 0;
  const x = <u32>Math.floor(rest * 16384.0) + 4;
  const e = 29 - clz(x);
  return (e << 2) + (x >> e) - 4;
}

/** How likely the candidates are: by their distance, and where samples are counted, by the counts. */
function judgeCandidates(): void {
  const room = state + ROOM;
  rank(room, prediction, spread(), isRank ? rows : pairOf(ONES, ONES));
  let a: f64 = 0;
  let b: f64 = 0;
  let c: f64 = 0;
  let bestAt: usize = 0;
  let nextAt: usize = 0;
  let all: f64 = 0;
  for (let i: usize = 0; i < <usize>RANKED; i += 1) {
    // Scores are squares.
    const x = Math.sqrt(load<f64>(room + i * 8));
    store<f64>(room + i * 8, x);
    all += x;
    if (x > a) {
      c = b;
      b = a;
      nextAt = bestAt;
      a = x;
      bestAt = i;
    } else if (x > b) {
      c = b;
      b = x;
      nextAt = i;
    } else if (x > c) c = x;
  }
  first = shareOf(a, all);
  second = shareOf(b, all - a);
  third = shareOf(c, all - a - b);
  const expected = <i32>Math.floor(prediction + 0.5);
  best = missOf(<i32>load<u8>(room + CANDIDATES + bestAt), expected);
  nextBest = missOf(<i32>load<u8>(room + CANDIDATES + nextAt), expected);
  sumUp(room, all, expected);
}

/** Every byte has a little, candidates what is theirs. */
function sumUp(room: usize, all: f64, expected: i32): void {
  for (let i: usize = 256; i < 512; i += 1) store<u32>(SUMS + (i << 2), 1);
  if (all > 0) {
    const unit = UNIT / all;
    for (let i: usize = 0; i < <usize>RANKED; i += 1) {
      const byte = <usize>missOf(<i32>load<u8>(room + CANDIDATES + i), expected);
      store<u32>(SUMS + ((256 + byte) << 2), 1 + <u32>Math.floor(load<f64>(room + i * 8) * unit));
    }
  }
  for (let i: usize = 255; i > 0; i -= 1) {
    store<u32>(SUMS + (i << 2), load<u32>(SUMS + (i << 3)) + load<u32>(SUMS + (i << 3), 4));
  }
}

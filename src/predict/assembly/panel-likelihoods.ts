/**
 * How likely each bit of what is left of a sample is, by each of several distributions: around what the panel expects,
 * as wide as its errors of late, of the last moments and of longer ago; and around what each member says.
 *
 * A distribution is Student's t of four degrees of freedom, whose cumulative form needs no more than a square root:
 * wider in its tails than what is normal, as errors are. What is left is zigzag, so a range of it is two ranges of
 * samples, one on each side; every bit halves both.
 */
import { expected, MEMBERS, memberError, panelError, SAID } from "./panel";

export const LIKELIHOODS: usize = 3 + MEMBERS;
const WIDTH: f64 = 0.9;
const WIDTH_MIN: f64 = 0.25;
const LITTLE: f64 = 1e-7;

/** By distribution: centre, 1 / width; below and above each side's range; halves of these; likelihoods of 16 bits. */
const CENTRES: usize = memory.data(8 * 8, 16);
const SCALES: usize = memory.data(8 * 8, 16);
const ENDS: usize = memory.data(8 * 32, 16);
const HALVES: usize = memory.data(8 * 16, 16);
const SHARES: usize = memory.data(8 * 4, 16);

/** The range of what is left: from `start` on, 2^bits numbers; above `base` and below it. */
let base: f64 = 0;
let start: u32 = 0;
let bits: u32 = 0;

/** Of both values: the share of the distribution that lies below. */
// @ts-ignore: decorator
@inline
function below(t: v128): v128 {
  const one = f64x2.splat(1);
  const square = f64x2.mul(t, t);
  const q = f64x2.div(one, f64x2.add(one, f64x2.mul(square, f64x2.splat(0.25))));
  const inner = f64x2.sub(one, f64x2.div(f64x2.mul(square, q), f64x2.splat(12)));
  const half = f64x2.mul(f64x2.mul(f64x2.splat(0.375), t), f64x2.mul(f64x2.sqrt(q), inner));
  return f64x2.add(f64x2.splat(0.5), half);
}

/** Of distribution i: what lies below two ends. */
// @ts-ignore: decorator
@inline
function belowEnds(i: usize, left: f64, right: f64): v128 {
  const ends = f64x2.replace_lane(f64x2.splat(left), 1, right);
  const offset = f64x2.sub(ends, f64x2.splat(load<f64>(CENTRES + i * 8)));
  return below(f64x2.mul(offset, f64x2.splat(load<f64>(SCALES + i * 8))));
}

/** @param rounded what is expected @param sampleBits of a sample */
export function beginLikelihoods(channel: usize, rounded: i32, sampleBits: u32): void {
  base = <f64>rounded;
  start = 0;
  bits = sampleBits;
  const reach = <f64>(1 << (sampleBits - 1));
  for (let i: usize = 0; i < LIKELIHOODS; i += 1) {
    const pace: usize = i === 0 ? 1 : i === 1 ? 0 : 2;
    const error = i < 3 ? panelError(channel, pace) : memberError(channel, i - 3);
    store<f64>(CENTRES + i * 8, i < 3 ? expected : load<f64>(SAID + (i - 3) * 8));
    store<f64>(SCALES + i * 8, 1.0 / (WIDTH * error + WIDTH_MIN));
    const middle = belowEnds(i, base - 0.5, base - 0.5);
    const outer = belowEnds(i, base - reach - 0.5, base + reach - 0.5);
    // The side of 0 and above: from its lower end to its upper; the side below 0: from its upper end to its lower.
    store<f64>(ENDS + i * 32, f64x2.extract_lane(middle, 0));
    store<f64>(ENDS + i * 32, f64x2.extract_lane(outer, 1), 8);
    store<f64>(ENDS + i * 32, f64x2.extract_lane(middle, 0), 16);
    store<f64>(ENDS + i * 32, f64x2.extract_lane(outer, 0), 24);
  }
}

/** Makes the likelihoods that the next bit is 1. */
export function weighBit(): void {
  const half = <f64>((start + (1 << (bits - 1))) >>> 1);
  for (let i: usize = 0; i < LIKELIHOODS; i += 1) {
    const ends = ENDS + i * 32;
    const near = load<f64>(ends);
    const far = load<f64>(ends, 8);
    const nearBelow = load<f64>(ends, 16);
    const farBelow = load<f64>(ends, 24);
    let zeros: f64;
    let ones: f64;
    if (bits > 1) {
      const halves = belowEnds(i, base - half - 0.5, base + half - 0.5);
      v128.store(HALVES + i * 16, halves);
      const left = f64x2.extract_lane(halves, 0);
      const right = f64x2.extract_lane(halves, 1);
      zeros = right - near + (nearBelow - left);
      ones = far - right + (left - farBelow);
    } else {
      zeros = far - near;
      ones = nearBelow - farBelow;
    }
    const share = (ones + LITTLE) / (zeros + ones + 2 * LITTLE);
    store<u32>(SHARES + i * 4, <u32>(min(max(share, 0.0), 0.9999) * 65536.0));
  }
}

/** The bit is known. */
export function narrow(bit: u32): void {
  bits -= 1;
  if (bit) start += 1 << bits;
  if (bits === 0) return;
  for (let i: usize = 0; i < LIKELIHOODS; i += 1) {
    const ends = ENDS + i * 32;
    const left = load<f64>(HALVES + i * 16);
    const right = load<f64>(HALVES + i * 16, 8);
    const side: usize = bit ? 0 : 8;
    store<f64>(ends + side, right);
    store<f64>(ends + side, left, 16);
  }
}

/** How likely a 1 is by distribution i; 16 bits. */
// @ts-ignore: decorator
@inline
export function shareAt(i: u32): u32 {
  return load<u32>(SHARES + (<usize>i << 2));
}

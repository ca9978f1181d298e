/**
 * What lies about a sample that a lane foresees: of what is left of the samples before, and of the pixels themselves.
 * What is left nearby tells how well prediction does here, the pixels by how much other predictions differ from it.
 */
import { CHANNELS, FRAME_BYTES, leftAt, PIXELS, prediction, sampleAt, WIDTH } from "./pixels";

let plain: usize = 0;
let left: usize = 0;
let channels: usize = 0;
let width: usize = 0;
let pixels: usize = 0;
/** Bytes of a frame, or 0. */
let frameBytes: usize = 0;

/** What is left of the sample before and of the one above. */
export let leftBefore: u32 = 0;
export let leftAbove: u32 = 0;
/** Sizes of what is left: above and the next of it; two before; two above; across. */
export let sizeAbove: u32 = 0;
export let sizeAboveNext: u32 = 0;
export let sizesBefore: u32 = 0;
export let sizesAbove: u32 = 0;
export let sizesAcross: u32 = 0;
/** A weighted sum of all nearby. */
export let near: u32 = 0;
/** Of the same pixel in the first channel or in the frame before, and a sum of sizes about it. */
export let leftOther: u32 = 0;
export let sizesOther: u32 = 0;
/** Of the channel before the third or fourth. */
export let leftChannel: u32 = 0;

/** By how much known pixels, and planes and lines through them, differ from the rounded prediction. */
export let ofBefore: i32 = 0;
export let ofAbove: i32 = 0;
export let ofAboveBefore: i32 = 0;
export let ofAboveNext: i32 = 0;
export let ofPlane: i32 = 0;
export let ofLine: i32 = 0;
export let ofLineAbove: i32 = 0;
export let ofOther: i32 = 0;
/** The same pixel in the first channel or in the frame before, and in the channel before. */
export let other: u32 = 0;
export let channelBefore: u32 = 0;
/**
 * Of three channels or more, by how much samples differ from the first channel's: this channel's before and above,
 * those of the channel that comes before it or, of the second channel, after it, and here of the channel before.
 */
export let ownBefore: u32 = 0;
export let ownAbove: u32 = 0;
export let thirdBefore: u32 = 0;
export let thirdAbove: u32 = 0;
export let secondHere: u32 = 0;

export function beginNeighbours(state: usize, plainAt: usize, leftStart: usize): void {
  plain = plainAt;
  left = leftStart;
  channels = load<u32>(state + CHANNELS);
  width = load<u32>(state + WIDTH);
  pixels = load<u32>(state + PIXELS);
  frameBytes = load<u32>(state + FRAME_BYTES);
}

/** Looks about the sample at hand. @param place of its channel */
export function gatherNeighbours(place: usize, pixel: usize): void {
  gatherLeft(place, pixel);
  gatherPlain(place, pixel);
  const base = plain + pixel * channels;
  channelBefore = place > 1 ? <u32>load<u8>(base + (place === 2 ? 0 : 2)) : 0;
  if (place > 0 && channels > 2) gatherColours(place, base);
}

/** The size of a difference that is written 0, -1, 1, …. */
// @ts-ignore: decorator
@inline
export function sizeOf(byte: u32): u32 {
  return (byte + 1) >> 1;
}

// @ts-ignore: decorator
@inline
function leftBack(samples: usize, start: usize): u32 {
  const at = leftAt - samples;
  return <isize>at >= <isize>start ? <u32>load<u8>(at) : 0;
}

// @ts-ignore: decorator
@inline
function sizeBack(samples: usize, start: usize): u32 {
  return sizeOf(leftBack(samples, start));
}

function gatherLeft(place: usize, pixel: usize): void {
  const step: usize = place > 0 ? channels - 1 : 1;
  const row = step * width;
  const start = place > 0 ? left + pixels : left;
  leftBefore = leftBack(step, start);
  leftAbove = leftBack(row, start);
  sizeAbove = sizeOf(leftAbove);
  sizeAboveNext = sizeBack(row - step, start);
  sizesBefore = sizeOf(leftBefore) + sizeBack(2 * step, start);
  sizesAbove = sizeAbove + sizeAboveNext;
  sizesAcross = sizeBack(row + step, start) + sizeBack(2 * row, start);
  const far =
    sizeBack(row - 2 * step, start) +
    sizeBack(2 * row - step, start) +
    sizeBack(3 * step, start) +
    sizeBack(row + 2 * step, start);
  near = 2 * (sizesBefore + sizesAbove + sizesAcross + sizeOf(leftBefore) + sizeAbove) + far;
  leftChannel = place > 1 ? <u32>load<u8>(leftAt - 1) : 0;
  gatherOther(place, pixel);
}

function gatherOther(place: usize, pixel: usize): void {
  leftOther = 0;
  sizesOther = 0;
  let at = left + pixel;
  if (place === 0) {
    const frame = frameBytes / channels;
    if (frame === 0 || pixel < frame) return;
    at -= frame;
  }
  leftOther = load<u8>(at);
  const about = otherSize(at - 1) + otherSize(at + 1) + otherSize(at - width) + otherSize(at + width);
  sizesOther = 4 * sizeOf(leftOther) + 2 * about;
}

/** A frame lies more than a row behind, so all that is about the same pixel in it is known. */
// @ts-ignore: decorator
@inline
function otherSize(at: usize): u32 {
  return <isize>at >= <isize>left && at < left + pixels ? sizeOf(load<u8>(at)) : 0;
}

// @ts-ignore: decorator
@inline
function plainBack(back: usize, otherwise: i32): i32 {
  const at = sampleAt - back * channels;
  return <isize>at >= <isize>plain ? <i32>load<u8>(at) : otherwise;
}

function gatherPlain(place: usize, pixel: usize): void {
  const expected = <i32>Math.floor(prediction + 0.5);
  const before = plainBack(1, expected);
  const above = plainBack(width, before);
  const aboveBefore = plainBack(width + 1, above);
  ofBefore = before - expected;
  ofAbove = above - expected;
  ofAboveBefore = aboveBefore - expected;
  ofAboveNext = plainBack(width - 1, above) - expected;
  ofPlane = min(max(before + above - aboveBefore, 0), 255) - expected;
  ofLine = 2 * before - plainBack(2, before) - expected;
  ofLineAbove = 2 * above - plainBack(2 * width, above) - expected;
  other = 0;
  if (place > 0) other = load<u8>(plain + pixel * channels + (channels > 2 ? 1 : 0));
  else if (frameBytes > 0 && pixel * channels >= frameBytes) other = load<u8>(sampleAt - frameBytes);
  ofOther = <i32>other - expected;
}

/** A sample less the first channel's, of a pixel that lies so many bytes before the one that begins at `base`. */
// @ts-ignore: decorator
@inline
function colourBack(base: usize, bytes: usize, byte: usize): u32 {
  const at = base - bytes;
  return <isize>at >= <isize>plain ? <u32>load<u8>(at + byte) - <u32>load<u8>(at + 1) : 0;
}

function gatherColours(place: usize, base: usize): void {
  const own = sampleAt - base;
  const third: usize = place === 1 ? 2 : 0;
  const row = width * channels;
  ownBefore = colourBack(base, channels, own);
  ownAbove = colourBack(base, row, own);
  thirdBefore = colourBack(base, channels, third);
  thirdAbove = colourBack(base, row, third);
  secondHere = place > 1 ? colourBack(base, 0, 0) : 0;
}

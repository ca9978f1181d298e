/**
 * Stretches of made pictures, which no predictor needs to guess: pixels of few colours become numbers of a palette, and
 * bytes that rise in steps become differences. Sums modulo 256 and tables, so that any bytes have a way there and back.
 *
 * What is left is as long as what was there. Of colours, first come the numbers of all pixels, then the palette, and
 * zeros to the end, which cost a model nothing. docs/NUMERICS.md has every step.
 */
import { type Colours, type Differences, PALETTE_MAX } from "./list.ts";

/** In place. @param isBack from what is left to what was there */
export function transformExactly(bytes: Uint8Array, numbers: Colours | Differences, isBack: boolean): void {
  if (numbers.kind === "differences") {
    const { distances } = numbers;
    if (isBack) for (const distance of distances.toReversed()) sumUp(bytes, distance);
    else for (const distance of distances) subtract(bytes, distance);
    return;
  }
  const { channels, isRelative } = numbers;
  const whole = bytes.subarray(0, bytes.length - (bytes.length % channels));
  const pixels = whole.subarray(0, whole.length / channels);
  if (!isBack) numberColours(whole, channels);
  if (isRelative) makeRelative(pixels, isBack);
  if (isBack) paint(whole, channels);
}

/** A byte that is the one before becomes 0, and those below that one more; before the first one is 0. */
function makeRelative(bytes: Uint8Array, isBack: boolean): void {
  let before = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    if (isBack) bytes[i] = byte === 0 ? before : byte <= before ? byte - 1 : byte;
    else bytes[i] = byte === before ? 0 : byte < before ? byte + 1 : byte;
    before = isBack ? (bytes[i] as number) : byte;
  }
}

function subtract(bytes: Uint8Array, distance: number): void {
  for (let i = bytes.length - 1; i >= distance; i -= 1) {
    bytes[i] = (bytes[i] as number) - (bytes[i - distance] as number);
  }
}

function sumUp(bytes: Uint8Array, distance: number): void {
  for (let i = distance; i < bytes.length; i += 1) {
    bytes[i] = (bytes[i] as number) + (bytes[i - distance] as number);
  }
}

/** The bytes of a pixel as one number, its first byte highest. */
export function colourAt(bytes: Uint8Array, at: number, channels: number): number {
  let colour = 0;
  for (let channel = 0; channel < channels; channel += 1) colour = colour * 256 + (bytes[at + channel] as number);
  return colour;
}

/** The colours of whole pixels, in rising order; undefined if there are more than a palette has. */
export function paletteOf(bytes: Uint8Array, channels: number): readonly number[] | undefined {
  const found = new Set<number>();
  let last = -1;
  for (let at = 0; at + channels <= bytes.length; at += channels) {
    const colour = colourAt(bytes, at, channels);
    if (colour === last) continue;
    last = colour;
    found.add(colour);
    if (found.size > PALETTE_MAX) return undefined;
  }
  return [...found].sort((a, b) => a - b);
}

/** @throws RangeError if there are more colours than a palette has, or less room than it takes */
function numberColours(bytes: Uint8Array, channels: number): void {
  const palette = paletteOf(bytes, channels);
  const pixels = bytes.length / channels;
  if (!palette || palette.length * channels > bytes.length - pixels) {
    throw new RangeError(`too many colours in ${pixels} pixels`);
  }
  const numbers = new Map(palette.map((colour, number) => [colour, number]));
  // A number is written where the pixel was, or before.
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    bytes[pixel] = numbers.get(colourAt(bytes, pixel * channels, channels)) as number;
  }
  bytes.fill(0, pixels);
  let at = pixels;
  let before = 0;
  for (const colour of palette) {
    for (let shift = 256 ** (channels - 1); shift >= 1; shift /= 256) {
      bytes[at] = Math.floor(colour / shift) - Math.floor(before / shift);
      at += 1;
    }
    before = colour;
  }
}

/** Numbers without a colour, which only a damaged or forged archive has, get what the bytes behind the palette say. */
function paint(bytes: Uint8Array, channels: number): void {
  const pixels = bytes.length / channels;
  const palette = new Uint8Array(PALETTE_MAX * channels);
  palette.set(bytes.subarray(pixels, pixels + palette.length));
  sumUp(palette, channels);
  const numbers = bytes.slice(0, pixels);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const from = (numbers[pixel] as number) * channels;
    for (let channel = 0; channel < channels; channel += 1) {
      bytes[pixel * channels + channel] = palette[from + channel] as number;
    }
  }
}

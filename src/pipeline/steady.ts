/**
 * Tells whether bytes rise in even steps, as those of gradients and of drawings do: few differences at a short distance
 * take most of the places. Nothing that was measured, and no text, comes near that.
 */
import { integerLog2, LOG_BITS } from "./logarithm.ts";
import { WINDOW_BYTES } from "./window-runs.ts";

/** Of a window, so many bytes are counted. */
const COUNTED_BYTES = 2 ** 10;
/** Bytes from a sample to the next one of its channel. */
const STEADY_DISTANCES = [1, 2, 3, 4, 6, 8] as const;
/** Bits of a byte that may be left, and how many times as many there must have been. */
const STEADY_BITS_MAX = 2;
const STEADY_FACTOR = 2;

/** Bits of a byte of a window, by how often each occurs. */
export const byteBits = (window: Uint8Array) => entropyOf(window, Math.floor((window.length - COUNTED_BYTES) / 2), 0);

/** The short distances, if any, at which differences are few, and much fewer than bytes. */
export function steadyDistances(window: Uint8Array): number[] {
  const from = Math.max(Math.max(...STEADY_DISTANCES), Math.floor((window.length - COUNTED_BYTES) / 2));
  const bits = entropyOf(window, from, 0);
  return STEADY_DISTANCES.filter((distance) => {
    const left = entropyOf(window, from, distance);
    return left <= STEADY_BITS_MAX && left * STEADY_FACTOR <= bits;
  });
}

/** Whether nearly all windows of a piece are steady: at least so many of a hundred. */
export function isMostlySteady(bytes: Uint8Array, percent: number): boolean {
  const windows = Math.ceil(bytes.length / WINDOW_BYTES);
  let steady = 0;
  for (let i = 0; i < windows; i += 1) {
    const window = bytes.subarray(i * WINDOW_BYTES, (i + 1) * WINDOW_BYTES);
    if (steadyDistances(window).length > 0) steady += 1;
  }
  return steady * 100 >= windows * percent;
}

const counts = new Uint32Array(256);

/** Bits of a byte, by how often each occurs; of differences at a distance, if that is not 0. */
function entropyOf(bytes: Uint8Array, from: number, distance: number): number {
  counts.fill(0);
  const end = Math.min(bytes.length, from + COUNTED_BYTES);
  for (let i = from; i < end; i += 1) {
    const before = distance > 0 ? (bytes[i - distance] as number) : 0;
    const difference = ((bytes[i] as number) - before) & 255;
    counts[difference] = (counts[difference] as number) + 1;
  }
  const all = Math.max(1, end - from);
  const most = integerLog2(all);
  let bits = 0;
  for (let value = 0; value < 256; value += 1) {
    const count = counts[value] as number;
    if (count > 0) bits += count * (most - integerLog2(count));
  }
  return bits / all / 2 ** LOG_BITS;
}

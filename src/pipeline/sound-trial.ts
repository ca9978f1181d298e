/**
 * Finds sound in bytes: runs of windows in which samples of some width, order and number of channels lie near the line
 * through the two before them, nearer than their bytes by themselves would tell. This only proposes; numbers.ts tries
 * in earnest. Integers alone, so that all machines propose the same.
 */
import type { Sound } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { bitsOf } from "./content.ts";
import { trialKernels } from "./trial-kernels.ts";
import { firstAt, WINDOW_BYTES, type WindowReadings, windowRuns } from "./window-runs.ts";

export interface FoundSound extends Range {
  readonly sound: Sound;
}

/** Samples that are looked at in a window, in bursts all over it; their sizes are in so many parts of a bit. */
const BURSTS = 8;
const BURST_SAMPLES = 32;
const SIZE_UNITS = 4;
/** In 100ths of what the bytes take by themselves: to begin a run, and to go on with it. */
const BEGIN_SHARE = 92;
const GO_ON_SHARE = 100;
/** Bits of a byte, in 100ths, below which a window says nothing: silence. */
const QUIET = 100;
/** A channel is chance if its samples take all their bits but so many, in 100ths: as the low halves of floats do. */
const CHANCE_BITS = 100;

/** A way to read samples: of `width` bytes, from `phase` on, which is less than the width. */
interface Reading {
  readonly sound: Sound;
  readonly phase: number;
}

const readingsOf = (width: number, isBig: boolean): Reading[] =>
  [1, 2].flatMap((channels) =>
    Array.from({ length: width }, (_, phase) => ({
      sound: { kind: "sound", channels, width, isBig, isUnsigned: false } as const,
      phase,
    })),
  );
const READINGS = [2, 3].flatMap((width) => [false, true].flatMap((isBig) => readingsOf(width, isBig)));
const BYTE_READINGS = readingsOf(1, false);

/** Runs that look like sound of 16 or 24 bits, in order. */
export function findSound(bytes: Uint8Array): FoundSound[] {
  const runs = windowRuns(bytes, (start) => new WindowView(bytes, start, READINGS));
  return runs.map(({ reading: { sound, phase }, start, end }) => {
    return { start: firstAt(start, phase, sound.width), end, sound };
  });
}

/** The same of 8 bits. */
export function findByteSound(bytes: Uint8Array): FoundSound[] {
  const runs = windowRuns(bytes, (start) => new WindowView(bytes, start, BYTE_READINGS));
  return runs.map(({ reading: { sound }, start, end }) => {
    const isUnsigned = isNearMiddle(bytes.subarray(start, end));
    return { start, end, sound: { ...sound, isUnsigned } };
  });
}

/** Whether bytes lie nearer to 128 than to 0 and 256. */
function isNearMiddle(bytes: Uint8Array): boolean {
  let away = 0;
  for (let i = 0; i < bytes.length; i += 1) away += Math.abs((bytes[i] as number) - 128);
  return away < 64 * bytes.length;
}

/** One window, and what is known of it. */
class WindowView implements WindowReadings<Reading> {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #readings: readonly Reading[];
  /** Bits of a byte by the counts alone, in 100ths. */
  readonly #plain: number;

  constructor(bytes: Uint8Array, start: number, readings: readonly Reading[]) {
    this.#bytes = bytes;
    this.#start = start;
    this.#readings = readings;
    const counts = new Uint32Array(256);
    for (let at = start; at < start + WINDOW_BYTES; at += 1) {
      const byte = bytes[at] as number;
      counts[byte] = (counts[byte] as number) + 1;
    }
    this.#plain = Math.floor((100 * bitsOf(counts, WINDOW_BYTES)) / WINDOW_BYTES);
  }

  /** Whether this may be the same sound: it is silent, or no worse than its bytes by themselves. */
  goesOn(reading: Reading): boolean {
    if (this.#plain < QUIET) return true;
    return this.#costOf(reading) * 100 <= this.#plain * reading.sound.width * GO_ON_SHARE;
  }

  /** The reading that takes least, if that is clearly less than the bytes by themselves. */
  best(): Reading | undefined {
    if (this.#plain < QUIET) return undefined;
    let best: Reading | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const reading of this.#readings) {
      // For each byte of the window.
      const cost = this.#costOf(reading) / reading.sound.width;
      if (cost >= least) continue;
      least = cost;
      best = reading;
    }
    return least * 100 <= this.#plain * BEGIN_SHARE ? best : undefined;
  }

  /** What a sample takes, about, in 100ths of a bit. Infinite where one of two channels is chance: that is no sound. */
  #costOf({ sound, phase }: Reading): number {
    const { width, channels, isBig } = sound;
    const skip = firstAt(this.#start, phase, width) - this.#start;
    const window = this.#bytes.subarray(this.#start, this.#start + WINDOW_BYTES);
    const [first, second] = trialKernels().measureSound(window, skip, width, channels, isBig);
    const unit = BURSTS * BURST_SAMPLES * SIZE_UNITS;
    const worst = Math.floor((200 * Math.max(first, second)) / unit);
    if (
      channels === 2 &&
      worst > 800 * width - CHANCE_BITS &&
      4 * Math.min(first, second) < 3 * Math.max(first, second)
    )
      return Number.POSITIVE_INFINITY;
    return Math.floor((100 * (first + second)) / unit);
  }
}

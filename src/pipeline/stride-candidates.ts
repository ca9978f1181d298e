/**
 * Distances at which a block's bytes seem to resemble themselves, for stride.ts to try: bytes from all over the block
 * are compared with those at every distance. Records resemble each other at every multiple of their length, so a length
 * is judged by its first multiples together; and of lengths that are multiples of each other the shortest is meant.
 */
import { BURST_BYTES, trialKernels } from "./trial-kernels.ts";

/** Bytes that are compared at every distance: bursts all over the block. */
const BURSTS = 48;
/** Distances that are taken, by either measure. */
const TAKEN_PER_MEASURE = 3;
/** Roots of how many multiples are looked at together: rows of an image resemble the next, records of a table all. */
const MULTIPLES_ROOTS = [1, 2, 3, 4];
/** What a distance must have, in units of what distances rise in the middle: noise has up to 6. */
const PROMINENCE_MIN = 8;
/** A distance is meant instead of a multiple of it if its first multiples rise so much of what those of that one do. */
const DIVISOR_SHARE = 0.85;
const COMPARED_MULTIPLES = 4;

interface Candidates {
  /** Distances that stand out among their neighbours, the shortest first. */
  readonly candidates: readonly number[];
  /** The distance at which bytes resemble each other least. */
  readonly decoy: number;
}

/** @param strideMax above `strideMin` */
export function strideCandidates(bytes: Uint8Array, strideMin: number, strideMax: number): Candidates {
  const { near, equal } = resemblances(bytes, strideMax);
  const found = new Set([near, equal].flatMap((values) => prominent(values, strideMin, strideMax)));
  let decoy = strideMax;
  for (let distance = strideMin; distance < strideMax; distance += 1) {
    if ((near[distance] as number) < (near[decoy] as number)) decoy = distance;
  }
  return { candidates: [...found].sort((a, b) => a - b), decoy };
}

/** For every distance: how near bytes are to those above on average, and how often they are equal. */
function resemblances(bytes: Uint8Array, strideMax: number): { near: Float64Array; equal: Float64Array } {
  const most = strideMax + 1;
  const span = bytes.length - most - BURST_BYTES;
  const starts = Array.from({ length: BURSTS }, (_, burst) => most + Math.floor((span * burst) / (BURSTS - 1)));
  const { apart, equal } = trialKernels().compareBursts(bytes, starts, most);
  return { near: Float64Array.from(apart, (sum) => -sum), equal: Float64Array.from(equal) };
}

/**
 * The distances whose multiples stand out most among their neighbours. What one explains is taken away before the next
 * is looked for: records of 24 bytes may be made of numbers of 8, which resemble each other, too.
 */
function prominent(values: Float64Array, strideMin: number, strideMax: number): number[] {
  const rises = risesOf(values, strideMin, strideMax);
  const sizes = rises.subarray(strideMin).map(Math.abs).sort();
  // Bytes that are all alike rise nowhere.
  const least = PROMINENCE_MIN * Math.max(1, sizes[sizes.length >> 1] as number);
  const found: number[] = [];
  while (found.length < TAKEN_PER_MEASURE) {
    let best = 0;
    let most = least;
    for (let distance = strideMin; distance <= strideMax; distance += 1) {
      const rise = togetherAt(rises, distance);
      if (rise < most) continue;
      most = rise;
      best = distance;
    }
    if (best === 0) break;
    const shortest = shortestOf(best, rises, strideMin);
    const mean = meanOf(rises, shortest);
    for (let at = shortest; at <= strideMax; at += shortest) rises[at] = (rises[at] as number) - mean;
    found.push(shortest);
  }
  return found;
}

/** How far each distance lies above its neighbours. */
function risesOf(values: Float64Array, strideMin: number, strideMax: number): Float64Array {
  const rises = new Float64Array(strideMax + 1);
  for (let distance = strideMin; distance <= strideMax; distance += 1) {
    const [below, here, above] = [values[distance - 1], values[distance], values[distance + 1]] as number[];
    rises[distance] = (here as number) - ((below as number) + (above as number)) / 2;
  }
  return rises;
}

/** Of as many multiples as say most. */
function togetherAt(rises: Float64Array, distance: number): number {
  let sum = 0;
  let most = 0;
  let count = 0;
  for (const root of MULTIPLES_ROOTS) {
    if (root * root * distance >= rises.length) break;
    for (; count < root * root; count += 1) sum += rises[(count + 1) * distance] as number;
    most = Math.max(most, sum / root);
  }
  return most;
}

/** The shortest of which a distance is a multiple, and whose multiples stand out about as much. */
function shortestOf(distance: number, rises: Float64Array, strideMin: number): number {
  const least = DIVISOR_SHARE * meanOf(rises, distance);
  for (let divisor = strideMin; 2 * divisor <= distance; divisor += 1) {
    if (distance % divisor === 0 && meanOf(rises, divisor) >= least) return divisor;
  }
  return distance;
}

/** Of a distance and its first multiples. */
function meanOf(rises: Float64Array, distance: number): number {
  let sum = 0;
  let count = 0;
  for (let at = distance; at < rises.length && count < COMPARED_MULTIPLES; at += distance) {
    sum += rises[at] as number;
    count += 1;
  }
  return sum / count;
}

/**
 * Finds the stride of a block: the distance at which its bytes resemble themselves, such as the rows of an image or
 * the records of a table. The model is told (src/contract/contexts.ts), and looks at the byte above besides the bytes
 * before. This is the encoder's guess; a decoder reads it from the block, so nothing here has to be exact, only quick.
 *
 * In two steps. Bytes from all over the block are compared with those at every distance; a few distances stand out.
 * Each of these is then tried in earnest, by a small model that mixes what the bytes before say with what the bytes
 * above say: only its code length tells what is news. What it takes with a stride that does not stand out at all is
 * what the others are held against. See docs/MODEL.md, "Strides".
 */
import { SEQUENCE, STRIDE_MAX } from "../contract/contexts.ts";
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import { isOfFewLetters } from "../repeats/byte-statistics.ts";
import { StrideTrial } from "./stride-trial.ts";
import { BURST_BYTES, trialKernels } from "./trial-kernels.ts";

/** Blocks below this have too few bytes to judge, and to gain. */
const JUDGED_BYTES_MIN = 1 << 14;
/** The first bytes of each stream have nothing above them: a stride must fit into a stream so many times. */
const ROWS_PER_STREAM_MIN = 3;
/** What is nearer, the network sees anyway: to be told gains nothing, or makes it worse (docs/MODEL.md). */
const NETWORK_STRIDE_MIN = 8;
/** A mixer has contexts of their own for records, as short as a number of four bytes. */
const MIXER_STRIDE_MIN = 4;
/** Bytes that are compared at every distance: bursts all over the block. */
const BURSTS = 48;
/** Distances that are tried in earnest, by either measure. */
const TRIED_PER_MEASURE = 3;
/** How far above its neighbours such a distance is, in units of what distances rise on average. Prose has up to 5. */
const PROMINENCE_MIN = 5.5;
/** A stride must save one part in so many of what the small model takes without it. */
const SAVING_SHARE = 22;
/** And of the first runs one part in so many; else the others are not looked at. */
const EARLY_SHARE = 2 * SAVING_SHARE;
/** Two to four times another stride must save so many times what that one saves. */
const MULTIPLE_FACTOR = 1.15;
const MULTIPLE_MAX = 4;

/**
 * @param bytes what the model will see of a block
 * @param hyper the model that will be told
 * @returns 0, SEQUENCE, or 4 to STRIDE_MAX
 */
export function findStride(bytes: Uint8Array, hyper: Pick<HyperParameters, "streams" | "history">): number {
  if (bytes.length >= JUDGED_BYTES_MIN && isOfFewLetters(bytes)) return SEQUENCE;
  return findRecords(bytes, hyper);
}

/** The same of what may have few letters, and is no sequence. @returns 0, or 4 to STRIDE_MAX */
export function findRecords(bytes: Uint8Array, hyper: Pick<HyperParameters, "streams" | "history">): number {
  const { streams } = hyper;
  const strideMin = hasNetwork(hyper) ? NETWORK_STRIDE_MIN : MIXER_STRIDE_MIN;
  const streamBytes = Math.floor(bytes.length / Math.max(1, streams));
  const strideMax = Math.min(STRIDE_MAX, Math.floor(streamBytes / ROWS_PER_STREAM_MIN));
  if (bytes.length < JUDGED_BYTES_MIN || strideMax <= strideMin) return 0;
  const { candidates, decoy } = candidatesOf(bytes, strideMin, strideMax);
  if (candidates.length === 0) return 0;
  const trial = new StrideTrial(bytes);
  const bitsWithout = trial.bitsWithout(decoy);
  let best = 0;
  let bestSaving = bitsWithout / SAVING_SHARE;
  for (const stride of candidates) {
    const bits = trial.bitsIfSaving(stride, EARLY_SHARE);
    if (bits === undefined) continue;
    // What stands above is unknown in the first row of every stream.
    const saving = (bitsWithout - bits) * (1 - stride / streamBytes);
    const isMultiple = best > 0 && stride % best === 0 && stride <= MULTIPLE_MAX * best;
    const factor = isMultiple ? MULTIPLE_FACTOR : 1;
    if (saving <= bestSaving * factor) continue;
    best = stride;
    bestSaving = saving;
  }
  return best;
}

interface Candidates {
  /** Distances that stand out among their neighbours, the shortest first. */
  readonly candidates: readonly number[];
  /** The distance at which bytes resemble each other least. */
  readonly decoy: number;
}

/** @param strideMax above `strideMin` */
function candidatesOf(bytes: Uint8Array, strideMin: number, strideMax: number): Candidates {
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

/** Distances whose value is higher than those beside them, by how far it is above both. */
function prominent(values: Float64Array, strideMin: number, strideMax: number): number[] {
  const rises: { distance: number; rise: number }[] = [];
  let sum = 0;
  for (let distance = strideMin; distance <= strideMax; distance += 1) {
    const [below, here, above] = [values[distance - 1], values[distance], values[distance + 1]] as number[];
    const rise = 2 * (here as number) - (below as number) - (above as number);
    rises.push({ distance, rise });
    sum += Math.abs(rise);
  }
  const riseMin = (PROMINENCE_MIN * sum) / rises.length;
  return rises
    .filter(({ rise }) => rise > 0 && rise >= riseMin)
    .sort((a, b) => b.rise - a.rise)
    .slice(0, TRIED_PER_MEASURE)
    .map(({ distance }) => distance);
}

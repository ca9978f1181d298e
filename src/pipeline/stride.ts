/**
 * Finds the stride of a block: the distance at which its bytes resemble themselves, such as the rows of an image or
 * the records of a table. The model is told (src/contract/contexts.ts), and looks at the byte above besides the bytes
 * before. This is the encoder's guess; a decoder reads it from the block, so nothing here has to be exact, only quick.
 *
 * A few distances stand out (stride-candidates.ts). Each of these is tried by a small model that mixes what the bytes
 * before say with what the bytes above say: only its code length tells what is news. What it takes with a stride that
 * does not stand out at all is what the others are held against. That proposes one; whether it is news to the real
 * model, too, says records-trial.ts. See docs/MODEL.md, "Strides".
 */
import { SEQUENCE, STRIDE_MAX } from "../contract/contexts.ts";
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import { isOfFewLetters } from "../repeats/byte-statistics.ts";
import { strideCandidates } from "./stride-candidates.ts";
import { StrideTrial } from "./stride-trial.ts";

/** Blocks below this have too few bytes to judge, and to gain. */
const JUDGED_BYTES_MIN = 1 << 14;
/** The first bytes of each stream have nothing above them: a stride must fit into a stream so many times. */
const ROWS_PER_STREAM_MIN = 3;
/** What is nearer, the network sees anyway: to be told gains nothing, or makes it worse (docs/MODEL.md). */
const NETWORK_STRIDE_MIN = 8;
/** A mixer has contexts of their own for records, as short as a number of four bytes. */
const MIXER_STRIDE_MIN = 4;
/** A stride must save one part in so many of what the small model takes without it; of a mixer, more is asked then. */
const NETWORK_SAVING_SHARE = 22;
const MIXER_SAVING_SHARE = 30;
/** Of the first runs it must save such a part of that share; else the others are not looked at. */
const EARLY_PART = 1 / 2;
/** A multiple of another stride must save so many times what that one saves: up to four times it, and beyond. */
const MULTIPLE_FACTOR = 1.15;
const MULTIPLE_MAX = 4;
const FAR_MULTIPLE_FACTOR = 1.05;
/** Alike parts that records are supposed to have. */
const PARTS = [2, 3, 4, 6];

/**
 * @param bytes what the model will see of a block
 * @param hyper the model that will be told
 * @returns 0, SEQUENCE, or 4 to STRIDE_MAX
 */
export function findStride(bytes: Uint8Array, hyper: Pick<HyperParameters, "streams" | "history">): number {
  return isSequence(bytes) ? SEQUENCE : findRecords(bytes, hyper);
}

/** Whether a block may be told that it is a sequence of few letters. */
export function isSequence(bytes: Uint8Array): boolean {
  return bytes.length >= JUDGED_BYTES_MIN && isOfFewLetters(bytes);
}

/** The same of what may have few letters, and is no sequence. @returns 0, or 4 to STRIDE_MAX */
export function findRecords(bytes: Uint8Array, hyper: Pick<HyperParameters, "streams" | "history">): number {
  const { streams } = hyper;
  const [strideMin, savingShare] = hasNetwork(hyper)
    ? [NETWORK_STRIDE_MIN, NETWORK_SAVING_SHARE]
    : [MIXER_STRIDE_MIN, MIXER_SAVING_SHARE];
  const streamBytes = Math.floor(bytes.length / Math.max(1, streams));
  const strideMax = Math.min(STRIDE_MAX, Math.floor(streamBytes / ROWS_PER_STREAM_MIN));
  if (bytes.length < JUDGED_BYTES_MIN || strideMax <= strideMin) return 0;
  const { candidates, decoy } = strideCandidates(bytes, strideMin, strideMax);
  if (candidates.length === 0) return 0;
  const trial = new StrideTrial(bytes);
  const bitsWithout = trial.bitsWithout(decoy);
  let best = 0;
  let bestSaving = bitsWithout / savingShare;
  const tried = (stride: number, factor: number) => {
    const bits = trial.bitsIfSaving(stride, savingShare / EARLY_PART);
    if (bits === undefined) return;
    // What stands above is unknown in the first row of every stream.
    const saving = (bitsWithout - bits) * (1 - stride / streamBytes);
    if (saving <= bestSaving * factor) return;
    best = stride;
    bestSaving = saving;
  };
  for (const stride of candidates) tried(stride, factorFor(stride, best));
  for (const divisor of divisorsOf(best, strideMin)) if (!candidates.includes(divisor)) tried(divisor, 1);
  return best;
}

/** @param best the shorter stride that is best so far, or 0 */
function factorFor(stride: number, best: number): number {
  if (best === 0 || stride % best > 0) return 1;
  return stride <= MULTIPLE_MAX * best ? MULTIPLE_FACTOR : FAR_MULTIPLE_FACTOR;
}

/** Of records that are made of alike parts, such a part may be the better stride. */
function divisorsOf(stride: number, strideMin: number): number[] {
  return PARTS.filter((parts) => stride % parts === 0)
    .map((parts) => stride / parts)
    .filter((part) => part >= strideMin);
}

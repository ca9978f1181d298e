/**
 * Tells bytes that no model can shrink: what is compressed or encrypted already. Such blocks are stored without asking
 * the model, which saves the time, keeps them out of what it has learned, and lets a decoder skip them too. It must
 * never give up a block that could shrink, so it asks four witnesses: the counts of the bytes in all, those in each
 * part, pairs of bytes, and repeats. They count in integers, so that all machines and runtimes decide alike.
 */
import { integerLog2, LOG_BITS } from "./logarithm.ts";

/** Blocks below this have too few bytes to judge by their counts. */
const JUDGED_BYTES_MIN = 1 << 10;
/** Counts of chance fall short of 8 bits a byte by 255 / (2 ln 2) bits in all, on average, and 16 bits around that. */
const BIAS_BITS = 184;
const DEVIATION_BITS = 16;
/** A saving of less than one byte in this many is no saving. */
const SAVING_SHARE = 512;
/** Parts whose bytes are counted for themselves. */
const PART_BYTES = 1 << 15;
/** Pairs of bytes that are counted, at each of some distances. */
const PAIRS = 1 << 16;
const PAIR_DISTANCES = [1, 2, 3, 4] as const;
/** In 100ths: so many more pairs are met in what deflate writes of some kinds of data. */
const PAIR_SLACK = 30;
/** Repeats are found by four bytes, in up to eight parts of a block; short ones are chance, or cost what they save. */
const REPEAT_BITS = 16;
const REPEAT_PARTS = 8;
const REPEAT_BYTES_MIN = 7;
const REPEAT_COST_BYTES = 4;
/** As SAVING_SHARE: there are such repeats in what dictionary coders write, too. */
const REPEAT_SHARE = 256;

/** Whether storing `plain` loses nothing. */
export function looksIncompressible(plain: Uint8Array): boolean {
  if (plain.length < JUDGED_BYTES_MIN) return false;
  return !countsSave(plain) && !pairsSave(plain) && !repeatsSave(plain);
}

/** What `bytes` take by their counts alone, in bits. */
export function bitsOf(counts: Uint32Array, length: number): number {
  let bits = length * integerLog2(length);
  // By index: an iterator leaves an object for each count until the loop is compiled, and trials ask this very often.
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] as number;
    if (count > 0) bits -= count * integerLog2(count);
  }
  return Math.floor(bits / 2 ** LOG_BITS);
}

/** By the counts of all bytes, or of those in each part. */
function countsSave(plain: Uint8Array): boolean {
  const { length } = plain;
  const all = new Uint32Array(256);
  const counts = new Uint32Array(256);
  let savedBits = 0;
  for (let start = 0; start < length; start += PART_BYTES) {
    const end = Math.min(length, start + PART_BYTES);
    counts.fill(0);
    for (let at = start; at < end; at += 1) {
      const byte = plain[at] as number;
      counts[byte] = (counts[byte] as number) + 1;
    }
    for (let byte = 0; byte < 256; byte += 1) all[byte] = (all[byte] as number) + (counts[byte] as number);
    const surplus = 8 * (end - start) - bitsOf(counts, end - start) - BIAS_BITS;
    if (end - start === PART_BYTES && surplus > 4 * DEVIATION_BITS) savedBits += surplus;
  }
  const slackBits = Math.max(Math.floor(length / 250), BIAS_BITS / 4);
  const chanceBits = 8 * length - BIAS_BITS - slackBits;
  return bitsOf(all, length) < chanceBits || savedBits * SAVING_SHARE > 8 * length;
}

/** Whether some pairs of bytes are met more often than by chance. */
function pairsSave(plain: Uint8Array): boolean {
  const step = Math.max(1, Math.floor(plain.length / PAIRS));
  return PAIR_DISTANCES.some((distance) => {
    const counts = new Uint32Array(1 << 16);
    const pairs = Math.min(PAIRS, Math.floor((plain.length - distance) / step));
    let met = 0;
    for (let i = 0, at = distance; i < pairs; i += 1, at += step) {
      const pair = ((plain[at - distance] as number) << 8) | (plain[at] as number);
      const before = counts[pair] as number;
      met += before;
      counts[pair] = before + 1;
    }
    // Chance meets a pair again that often, within a root.
    const expected = Math.floor((pairs * (pairs - 1)) / 2 ** 17);
    const surplus = met - expected - Math.floor((expected * PAIR_SLACK) / 100);
    return surplus > 0 && surplus * surplus > 36 * expected;
  });
}

/** Whether repeats save more than they cost. */
function repeatsSave(plain: Uint8Array): boolean {
  const places = new Int32Array(1 << REPEAT_BITS).fill(-1);
  const examined = Math.min(plain.length, REPEAT_PARTS * PART_BYTES);
  const parts = Math.ceil(examined / PART_BYTES);
  const startOf = (part: number) => Math.floor((part * plain.length) / parts);
  let saved = 0;
  for (let part = 0; part < parts; part += 1) {
    saved += savedIn(plain, startOf(part), Math.min(startOf(part + 1), startOf(part) + PART_BYTES), places);
    if (saved * REPEAT_SHARE > examined) return true;
  }
  return false;
}

/** Bytes that repeats save from `start` to `end`. @param places where four bytes stood, by their hash */
function savedIn(plain: Uint8Array, start: number, end: number, places: Int32Array): number {
  let saved = 0;
  let free = start;
  let word =
    ((plain[start] as number) << 8) | ((plain[start + 1] as number) << 16) | ((plain[start + 2] as number) << 24);
  for (let at = start; at + 4 <= end; at += 1) {
    word = (word >>> 8) | ((plain[at + 3] as number) << 24);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - REPEAT_BITS);
    const place = places[slot] as number;
    places[slot] = at;
    if (at < free || place < 0 || plain[place] !== plain[at] || plain[place + 1] !== plain[at + 1]) continue;
    let same = 2;
    while (at + same < end && plain[place + same] === plain[at + same]) same += 1;
    if (same < REPEAT_BYTES_MIN) continue;
    saved += same - REPEAT_COST_BYTES;
    free = at + same;
  }
  return saved;
}

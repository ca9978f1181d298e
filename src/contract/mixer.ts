/**
 * The bit mixer's part of the numeric contract: tables, families of contexts, and the shape of a lane's memory.
 *
 * The mixer needs no network. A block is cut into lanes that share nothing, and a lane into streams that advance
 * together, a byte each. Every byte is eight binary decisions, highest bit first. For each decision, bit histories that
 * hashed contexts have led to, and a match, are inputs of a gated linear mix of log odds; an adaptive map refines it.
 *
 * All is integers. Qn: the integer v stands for v / 2^n. Log odds are Q8 in tables and Q12 between layers;
 * probabilities that the bit is 1 have 16 bits; weights are Q28, and Q14 when they are used.
 */

/** Log odds in Q8 are kept within this. */
export const STRETCH_MAX = 2047;
/** Log odds in Q12 that enter the last probability are kept within this (11.3). */
export const SQUASH_MAX = 2900 << 4;
/** Entry x + SQUASH_ZERO of the squash table is the probability of log odds x / 256. */
export const SQUASH_ZERO = 4096;
/** Probabilities that reach the coder are within PROBABILITY_MIN … 65536 - PROBABILITY_MIN. */
export const PROBABILITY_MIN = 8;
/** Bytes of a context's memory for four bits: a check and 15 histories. */
export const LINE_BYTES = 16;
/** Weight sets that are mixed for every bit, and how many choices each has. */
export const SETS = [256, 2048, 512, 256, 2048, 512] as const;
/** Choices of the weights that mix the sets. */
export const FINAL_SETS = 256;
/** Interpolated nodes of an adaptive map, 128 units of Q8 apart. */
export const REFINE_NODES = 33;
export const MATCH_LENGTH_CLASSES = 32;
export const MATCH_LENGTH_MAX = 400;
/** A match starts when this many bytes agree. */
export const MATCH_MIN = 6;
export const STREAMS_MAX = 32;
/** Adaptive maps of histories: p in Q22 above a count of COUNT_BITS. */
export const COUNT_BITS = 10;

/** What a context is made of: the hash of all its parts chooses its line. */
export interface Context {
  /** The last so many bytes. */
  readonly order: number;
  /** 1: letters of the word so far; 2: those of the word before, too. */
  readonly words: number;
  /** Single bytes, so many places back; 0 stands for none. At most four. */
  readonly offsets: readonly number[];
  /** Whether the stream's number is part, so that streams do not share it. */
  readonly own: boolean;
}

const order = (bytes: number, ...offsets: number[]): Context => ({ order: bytes, words: 0, offsets, own: false });
const word = (words: number, bytes: number): Context => ({ order: bytes, words, offsets: [], own: false });
const own = (bytes: number): Context => ({ order: bytes, words: 0, offsets: [], own: true });

/** Kinds of data, each with contexts of its own. More of a list's contexts are smaller and slower. */
export type Family = "plain" | "records" | "genome";

const PLAIN: readonly Context[] = [
  order(1),
  order(2),
  order(3),
  order(4),
  order(6),
  word(1, 0),
  order(5),
  word(2, 0),
  own(2),
  order(0, 2, 3),
  order(0, 1, 3),
  order(8),
  own(1),
  word(1, 1),
  order(0, 2, 3, 4),
  own(3),
  order(0, 3, 4),
  order(12),
];

const records = (stride: number): readonly Context[] => [
  order(1),
  order(2),
  order(1, stride),
  order(0, stride),
  order(0, stride, 2 * stride),
  order(2, stride),
  order(0, stride, stride + 1),
  order(1, stride, stride + 1),
  order(0, 3, stride),
  order(0, 3, stride, stride + 3),
  order(3),
  order(4),
  order(0, 3, 6),
  order(0, 3, stride, stride - 3),
  order(0, 3),
  order(0, stride, stride - 3),
  own(1),
  own(2),
];

const GENOME: readonly Context[] = [12, 16, 11, 20, 2, 3, 4, 6, 8, 9, 10, 14, 13, 18, 24, 1, 7, 5].map((bytes) =>
  order(bytes),
);

/**
 * The contexts of a family: the first `count` of its list.
 *
 * @param stride bytes from one record to the next, 4 or more, for records only
 */
export function contextsOf(family: Family, count: number, stride = 0): readonly Context[] {
  const all = family === "records" ? records(stride) : family === "genome" ? GENOME : PLAIN;
  return all.slice(0, count);
}

/** All that decides a lane's model. */
export interface MixerShape {
  readonly contexts: readonly Context[];
  /** 1 … STREAMS_MAX. */
  readonly streams: number;
  /** 2^lineBits lines for every context; 4 … 22. */
  readonly lineBits: number;
  /** 0, or how far back the byte lies that chooses the fifth weight set. */
  readonly stride: number;
  /** Rate of the weights in units of 2^-20; at most 16384. */
  readonly rate: number;
  /** Rate of the weights that mix the sets, likewise. */
  readonly finalRate: number;
}

/** Inputs of a bit: two of each context, order 0, two of the match, a constant; zeros up to a multiple of eight. */
export function inputsOf(contexts: number): number {
  return (2 * contexts + 4 + 7) & ~7;
}

const WORK_BITS = 128n;
const ONE = 1n << WORK_BITS;

/** 65536 / (1 + e^-x), rounded, x = (k - SQUASH_ZERO) / 256; within 1 … 65535. */
export function squashTable(): Int32Array {
  const table = new Int32Array(2 * SQUASH_ZERO + 1);
  let ratio = ONE;
  let term = ONE;
  for (let k = 1n; term !== 0n; k++) {
    term /= 256n * k;
    ratio += term;
  }
  let power = ONE;
  for (let x = 0; x <= SQUASH_ZERO; x++) {
    const total = power + ONE;
    const p = Math.min(65535, Number(((power << 17n) + total) / (2n * total)));
    table[SQUASH_ZERO + x] = p;
    table[SQUASH_ZERO - x] = 65536 - p;
    power = (power * ratio) >> WORK_BITS;
  }
  return table;
}

/** For every probability k + 1/2 of 4096: the smallest log odds (Q8) whose squash is as large, within STRETCH_MAX. */
export function stretchTable(squash: Int32Array): Int32Array {
  let x = -STRETCH_MAX;
  return Int32Array.from({ length: 4096 }, (_, k) => {
    while (x < STRETCH_MAX && (squash[SQUASH_ZERO + x] as number) < 16 * k + 8) x++;
    return x;
  });
}

/** 2^15 / (n + 1.5), rounded down: the rate of an adaptive map that has seen n bits. */
export function reciprocalTable(): Int32Array {
  return Int32Array.from({ length: 1 << COUNT_BITS }, (_, n) => Math.floor(65536 / (2 * n + 3)));
}

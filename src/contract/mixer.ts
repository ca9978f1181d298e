/**
 * The bit mixer's part of the numeric contract: tables, families of contexts, and the shape of a lane's memory.
 *
 * The mixer needs no network. A block is cut into lanes that share nothing; a lane codes its bytes one after another.
 * Every byte is eight binary decisions, highest bit first. For each decision, bit histories and runs that hashed
 * contexts have led to, and a match, are inputs of a gated linear mix of log odds; an adaptive map refines it. What the
 * bit teaches is learnt before the next.
 *
 * All is integers. Qn: the integer v stands for v / 2^n. Log odds are Q8 in tables and Q12 between layers;
 * probabilities that the bit is 1 have 16 bits; weights are Q14, those of the second layer Q28.
 */

/** Log odds in Q8 are kept within this. */
export const STRETCH_MAX = 2047;
/** Log odds in Q12 that enter the last probability are kept within this (11.3). */
export const SQUASH_MAX = 2900 << 4;
/** Entry x + SQUASH_ZERO of the squash table is the probability of log odds x / 256. */
export const SQUASH_ZERO = 4096;
/** Probabilities that reach the coder are within PROBABILITY_MIN … 65536 - PROBABILITY_MIN. */
export const PROBABILITY_MIN = 2;
/** Bytes of a context's memory for four bits: a check and 15 histories. */
export const LINE_BYTES = 16;
/** The same with its run. */
export const LINE_MEMORY_BYTES = 18;
/** Of a line whose context has counters: 32 bits for each of its nodes, of which there is no first. */
export const COUNTER_LINE_BYTES = 64;
/** Weight sets that are mixed for every bit, and how many choices each has. */
const SETS = [256, 2048, 512, 4096, 2048, 512] as const;
/** Choices of the weights that mix the sets, of which each kind gives one. */
const FINALS = [256, 256] as const;
/** What a mixer with counters has besides, of both. */
const MORE_CHOICES = [4096, 4096] as const;

/** How many choices each weight set of a bit has. @param counters contexts that have them */
export const setsOf = (counters: number): readonly number[] => (counters > 0 ? [...SETS, ...MORE_CHOICES] : SETS);
/** The same of the weights that mix the sets. */
export const finalsOf = (counters: number): readonly number[] => (counters > 0 ? [...FINALS, ...MORE_CHOICES] : FINALS);

/** All choices of a list. */
export const choicesOf = (list: readonly number[]) => list.reduce((sum, count) => sum + count, 0);

/** Lengths of runs that are told apart. */
export const RUN_CLASSES = 32;
/** Interpolated nodes of an adaptive map, 128 units of Q8 apart. */
export const REFINE_NODES = 33;
export const MATCH_LENGTH_CLASSES = 32;
export const MATCH_LENGTH_MAX = 400;
/** A match starts when this many bytes agree. */
export const MATCH_MIN = 5;
/** Adaptive maps of histories: p in Q22 above a count of COUNT_BITS. */
export const COUNT_BITS = 10;

/**
 * Values beside bytes that a context can have as parts; each is one bit of its record, in this order. docs/MIXER.md
 * says how each is made.
 */
export const PARTS = [
  "word",
  "wordBefore",
  "wordThird",
  "followers1",
  "followers2",
  "shape",
  "shortShape",
  "opened",
  "column",
  "above",
  "expected",
  "phase",
  "gradient1",
  "gradient3",
  "colour",
  "mean1",
  "mean3",
  "sample1",
  "sample2",
  "fine2",
  "sample3",
  "coarseGuess",
  "guess",
  "fineGuess",
  "x86",
  "x86Opcode",
  "wasm",
  "wasmOpcode",
] as const;
export type Part = (typeof PARTS)[number];

/** What a context is made of: the hash of all its parts chooses its lines. */
export interface Context {
  /** The last so many bytes, at most ORDER_MAX. */
  readonly order: number;
  readonly parts: readonly Part[];
  /** Single bytes, so many places back; at most four. */
  readonly offsets: readonly number[];
}

export const ORDER_MAX = 31;
export const OFFSETS_MAX = 4;

/** What an error of 2^16 moves a set's weights by, in units of an input's Q15. @param counters contexts with them */
export const rateOf = (counters: number) => (counters > 0 ? 14000 : 20000);
/** The same of those that mix the sets, in Q16 of the error. */
export const FINAL_RATE = 2000;

/** The same while bytes are foreseen: what is left of pixels is mostly noise, which teaches little. */
export const FORESEEN_RATE = 3000;
export const FORESEEN_FINAL_RATE = 1000;
/** Of sound, where several likelihoods are weighed. */
export const SOUND_RATE = 6000;
export const SOUND_FINAL_RATE = 1000;

const order = (bytes: number, ...offsets: number[]): Context => ({ order: bytes, parts: [], offsets });
const withParts = (bytes: number, ...parts: Part[]): Context => ({ order: bytes, parts, offsets: [] });
const withOffsets = (parts: readonly Part[], ...offsets: number[]): Context => ({ order: 0, parts, offsets });

/** Kinds of data, each with contexts of its own. More of a list's contexts are smaller and slower. */
export type Family = "plain" | "records" | "samples" | "genome";

const PLAIN: readonly Context[] = [
  order(1),
  order(2),
  order(3),
  order(4),
  order(6),
  withParts(0, "word"),
  withParts(0, "shape"),
  withParts(0, "word", "wordBefore"),
  withOffsets(["phase"], 2, 4),
  withParts(0, "shortShape", "above"),
  withParts(2, "opened"),
  order(0, 2, 3),
  withParts(1, "expected"),
  withOffsets(["phase"], 4),
  order(5),
  order(0, 1, 3),
  withParts(1, "word"),
  withParts(0, "followers2"),
  withParts(0, "above", "column"),
  withParts(1, "shortShape"),
  order(0, 2, 3, 4),
  withParts(1, "above"),
  withParts(1, "followers1"),
  order(0, 3, 4),
  withParts(0, "word", "wordThird"),
  withParts(2, "followers2"),
  order(12),
  order(8),
];

/** By place in PLAIN: what takes it while the last bytes are not text, where words say little. */
const IN_BINARY: Readonly<Record<number, Context>> = {
  5: withParts(0, "x86Opcode"),
  7: withParts(0, "x86"),
  10: withParts(0, "wasmOpcode"),
  16: withParts(0, "wasm"),
  17: withParts(0, "word"),
};

const records = (stride: number): readonly Context[] => [
  order(1),
  order(2),
  order(1, stride),
  order(0, stride, 2 * stride),
  withOffsets(["phase"], stride),
  withParts(0, "gradient1"),
  withParts(0, "colour"),
  withParts(0, "mean1"),
  withOffsets(["gradient1"], stride),
  withParts(0, "colour", "gradient3"),
  withParts(0, "colour", "mean3"),
  withParts(0, "gradient1", "mean1"),
  withParts(1, "colour"),
  order(2, stride),
  order(3),
  withOffsets(["phase"], stride, 2 * stride),
  withOffsets(["colour"], stride),
  withParts(0, "shape"),
  order(4),
  order(0, stride, stride + 1),
  withParts(0, "word"),
  withParts(0, "gradient3"),
  order(0, 3, 6),
  order(0, 3, stride),
  withParts(1, "mean1"),
  withParts(0, "mean3"),
  order(6),
  order(1, stride, stride + 1),
];

const SAMPLES: readonly Context[] = [
  withParts(0, "guess"),
  withParts(0, "fineGuess"),
  withParts(0, "sample3"),
  withParts(0, "coarseGuess"),
  withParts(0, "sample2"),
  withParts(0, "sample1"),
  withParts(0, "sample2", "guess"),
  withParts(0, "sample1", "coarseGuess"),
  withParts(0, "sample3", "guess"),
  order(2),
  withParts(0, "fine2"),
  order(1),
  withParts(1, "guess"),
  order(3),
  withParts(2, "guess"),
  order(0, 2, 4),
  withParts(0, "shape"),
  order(4),
  withParts(0, "sample1", "sample2"),
  order(6),
  withOffsets(["coarseGuess"], 2),
  withOffsets(["sample2"], 4),
  order(0, 2),
  withParts(0, "sample3", "fineGuess"),
  withParts(1, "sample2"),
  withParts(0, "sample1", "sample2", "coarseGuess"),
  withOffsets(["phase"], 4),
  withParts(1, "expected"),
];

const GENOME: readonly Context[] = [
  12, 16, 11, 20, 1, 2, 3, 4, 6, 9, 14, 24, 18, 13, 8, 10, 22, 7, 5, 15, 17, 19, 21, 23, 26, 28, 30, 31,
].map((bytes) => order(bytes));

/** The fewest and the most contexts that a model takes of a family. */
export const MIXER_CONTEXTS_MIN = 4;
export const MIXER_CONTEXTS_MAX = 28;
/**
 * Lanes of a model, at most: each has a payload of its own. So many that every multiprocessor of a large GPU has some
 * dozens; what they take of memory is held against the limit for it, as all that a header asks for.
 */
export const LANES_MAX = 4096;

/** What a block's stride says of its kind: 0 nothing, 1 few letters, 2 and 3 samples of one and two channels. */
export function familyOf(stride: number): Family {
  if (stride >= 4) return "records";
  return (["plain", "genome", "samples", "samples"] as const)[stride] ?? "plain";
}

/**
 * The contexts of a family: the first `count` of its list.
 *
 * @param stride bytes from one record to the next, 4 or more, for records only
 * @param isBinary whether the last bytes are not text: some plain contexts then are others
 * @throws RangeError if the list has fewer
 */
export function mixerContexts(family: Family, count: number, stride = 0, isBinary = false): readonly Context[] {
  const all = { plain: PLAIN, samples: SAMPLES, genome: GENOME, records: records(stride) }[family];
  if (count > all.length) throw new RangeError(`${count} contexts, of which there are ${all.length}`);
  const some = all.slice(0, count);
  return isBinary && family === "plain" ? some.map((context, i) => IN_BINARY[i] ?? context) : some;
}

/**
 * Inputs of a bit: two of each context, order 0, two of the match, a constant, and one of each context with counters;
 * zeros up to a multiple of eight.
 */
export function inputsOf(contexts: number, counters = 0): number {
  return (2 * contexts + 4 + counters + 7) & ~7;
}

const WORK_BITS = 128n;
const ONE = 1n << WORK_BITS;

let squash: Int32Array | undefined;

/** 65536 / (1 + e^-x), rounded, x = (k - SQUASH_ZERO) / 256; within 1 … 65535. Made once: for reading alone. */
export function squashTable(): Int32Array {
  squash ??= makeSquash();
  return squash;
}

function makeSquash(): Int32Array {
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

let stretch: Int16Array | undefined;

/**
 * For every probability k + 1/2 of 4096: the smallest log odds (Q8) whose squash is as large, within STRETCH_MAX. Made
 * once: for reading alone.
 */
export function stretchTable(): Int16Array {
  stretch ??= makeStretch(squashTable());
  return stretch;
}

function makeStretch(squash: Int32Array): Int16Array {
  let x = -STRETCH_MAX;
  return Int16Array.from({ length: 4096 }, (_, k) => {
    while (x < STRETCH_MAX && (squash[SQUASH_ZERO + x] as number) < 16 * k + 8) x++;
    return x;
  });
}

/** 2^15 / (n + 1.5), rounded down: the rate of an adaptive map that has seen n bits. */
export function reciprocalTable(): Uint16Array {
  return Uint16Array.from({ length: 1 << COUNT_BITS }, (_, n) => Math.floor(65536 / (2 * n + 3)));
}

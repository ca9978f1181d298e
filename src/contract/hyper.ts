/**
 * Hyper-parameters: the numbers that fix the shape of the network and how it learns.
 *
 * They travel in every archive's header, so a decoder is never told them by hand, and they decide every shape in
 * docs/NUMERICS.md. One table says of each what is legal, since which model contract it is there, and what stands for
 * it in models of older contracts; headers are read and written by the table (src/archive/hyper-fields.ts), and the
 * tables in docs/FORMAT.md and docs/NUMERICS.md are made of it. So a new one is a row here, and what it does.
 * Which values serve an input best is the business of src/model.
 */
import { CONTEXTS_MAX, TABLES_MAX } from "./contexts.ts";
import { LANES_MAX, MIXER_CONTEXTS_MAX, MIXER_CONTEXTS_MIN } from "./mixer.ts";

/** Moves when docs/NUMERICS.md changes so that an older program would predict other frequencies. */
export const MODEL_CONTRACT_VERSION = 5;
/** The oldest contract whose models can still be decoded. */
export const MODEL_CONTRACT_OLDEST = 3;

interface HyperField {
  /** How docs/NUMERICS.md calls it. */
  readonly letter: string;
  readonly meaning: string;
  readonly rule: string;
  readonly holds: (value: number) => boolean;
  /** The part of the rule that depends on other fields. */
  readonly fits?: (value: number, hyper: HyperParameters) => boolean;
  /** The first model contract that has it. */
  readonly since: number;
  /** What models have that were made before, or that do without. */
  readonly off?: number;
}

const within = (n: number, low: number, high: number) => Number.isInteger(n) && n >= low && n <= high;
const isPowerOfTwo = (n: number) => n > 0 && (n & (n - 1)) === 0;
const multiple = (n: number, of: number, low: number, high: number) => within(n, low, high) && n % of === 0;
/** Of a field that only a network has: it is there if the network's history is. */
const goesWith = (n: number, { history }: { readonly history: number }) => (n === 0) === (history === 0);

/** In the order of the header, where each is a varint. */
const FIELDS = {
  history: {
    letter: "T",
    meaning: "bytes of history that a step sees",
    rule: "a power of two, 4 to 64; 0 without a network",
    holds: (n: number) => n === 0 || (within(n, 4, 64) && isPowerOfTwo(n)),
    since: 1,
  },
  embedding: {
    letter: "D",
    meaning: "values per embedded byte",
    rule: "a power of two, 8 to 64, at most 1024 / history",
    holds: (n: number) => n === 0 || (within(n, 8, 64) && isPowerOfTwo(n)),
    fits: (n: number, hyper: { readonly history: number }) => goesWith(n, hyper) && hyper.history * n <= 1024,
    since: 1,
  },
  globalHidden: {
    letter: "G",
    meaning: "values in the rolling cache of the global stream",
    rule: "a multiple of cacheStep and of 32, at most 8192",
    holds: (n: number) => n === 0 || multiple(n, 32, 32, 8192),
    fits: (n: number, hyper: { readonly cacheStep: number; readonly history: number }) =>
      goesWith(n, hyper) && (n === 0 || n % hyper.cacheStep === 0),
    since: 1,
  },
  cacheStep: {
    letter: "S",
    meaning: "new values of the cache per step",
    rule: "a multiple of 4, 4 to 256",
    holds: (n: number) => n === 0 || multiple(n, 4, 4, 256),
    fits: goesWith,
    since: 1,
  },
  fineHidden: {
    letter: "F",
    meaning: "hidden values of the fine refiner",
    rule: "a multiple of 32, 32 to 8192",
    holds: (n: number) => n === 0 || multiple(n, 32, 32, 8192),
    fits: goesWith,
    since: 1,
  },
  /** Also the side of each stream's own matrix. */
  coarseHidden: {
    letter: "C",
    meaning: "hidden values of the coarse refiner",
    rule: "a multiple of 16, 16 to 128",
    holds: (n: number) => n === 0 || multiple(n, 16, 16, 128),
    fits: goesWith,
    since: 1,
  },
  streams: {
    letter: "B",
    meaning: "parallel streams; lanes of a mixer",
    rule: `1 to 16384, with a mixer to ${LANES_MAX}`,
    holds: (n: number) => within(n, 1, 16384),
    fits: (n: number, { mixerContexts }: { readonly mixerContexts: number }) => mixerContexts === 0 || n <= LANES_MAX,
    since: 1,
  },
  learningRate: {
    letter: "peak",
    meaning: "peak learning rate, in units of 2^-24",
    rule: "64 to 65535",
    holds: (n: number) => n === 0 || within(n, 64, 65535),
    fits: goesWith,
    since: 1,
  },
  contexts: {
    letter: "N",
    meaning: "contexts of the recall stream",
    rule: `a multiple of 4, 0 to ${CONTEXTS_MAX}`,
    holds: (n: number) => multiple(n, 4, 0, CONTEXTS_MAX),
    since: 2,
    off: 0,
  },
  slotBits: {
    letter: "slotBits",
    meaning: "log2 of the slots of each context",
    rule: "8 to 24",
    holds: (n: number) => within(n, 8, 24),
    since: 2,
    off: 8,
  },
  /** Without these and contexts there is no recall stream. */
  tables: {
    letter: "M",
    meaning: "logit tables",
    rule: `0 to ${TABLES_MAX}`,
    holds: (n: number) => within(n, 0, TABLES_MAX),
    since: 2,
    off: 0,
  },
  /** A table of one byte has 256. */
  tableBits: {
    letter: "tableBits",
    meaning: "log2 of the rows of each table",
    rule: "8 to 18",
    holds: (n: number) => within(n, 8, 18),
    since: 2,
    off: 8,
  },
  trainEvery: {
    letter: "trainEvery",
    meaning: "after the first 2048 steps, every so many-th trains",
    rule: "1 to 64",
    holds: (n: number) => within(n, 1, 64),
    since: 3,
    off: 1,
  },
  mixerContexts: {
    letter: "K",
    meaning: "contexts of the bit mixer",
    rule: `${MIXER_CONTEXTS_MIN} to ${MIXER_CONTEXTS_MAX} without a network, 0 with one`,
    holds: (n: number) => n === 0 || within(n, MIXER_CONTEXTS_MIN, MIXER_CONTEXTS_MAX),
    fits: (n: number, { history }: { readonly history: number }) => (n === 0) !== (history === 0),
    since: 4,
    off: 0,
  },
  mixerBits: {
    letter: "mixerBits",
    meaning: "log2 of the lines of each of them",
    rule: "8 to 22",
    holds: (n: number) => within(n, 8, 22),
    since: 4,
    off: 8,
  },
  /** They are the first of the list. */
  mixerCounters: {
    letter: "counters",
    meaning: "contexts of the bit mixer that have counters; if there are any, two more weight sets are mixed",
    rule: "0 to mixerContexts",
    holds: (n: number) => within(n, 0, MIXER_CONTEXTS_MAX),
    fits: (n: number, { mixerContexts }: { readonly mixerContexts: number }) => n <= mixerContexts,
    since: 5,
    off: 0,
  },
} as const;

/** The shape of one model. Every field is stored in the archive header. */
export type HyperParameters = { readonly [K in keyof typeof FIELDS]: number };
type HyperName = keyof HyperParameters;

export const HYPER_NAMES = Object.keys(FIELDS) as readonly HyperName[];
export const HYPER_FIELDS: Readonly<Record<HyperName, HyperField>> = FIELDS;

type Optional = { [K in HyperName]: (typeof FIELDS)[K] extends { readonly off: number } ? K : never }[HyperName];

/** Whether a model has a network; one without is a mixer alone. */
export function hasNetwork({ history }: Pick<HyperParameters, "history">): boolean {
  return history > 0;
}

/** What stands for the network in a model without. */
export const NO_NETWORK = {
  history: 0,
  embedding: 0,
  globalHidden: 0,
  cacheStep: 0,
  fineHidden: 0,
  coarseHidden: 0,
  learningRate: 0,
} as const;

/** What stands for the recall stream, and whatever else came later, in a model that does without. */
export const WITHOUT = Object.fromEntries(
  HYPER_NAMES.flatMap((name) => {
    const { off } = HYPER_FIELDS[name];
    return off === undefined ? [] : [[name, off]];
  }),
) as { readonly [K in Optional]: number };

/** The contract that priors are trained by, and the least that a header states. */
export const MODEL_CONTRACT_USUAL = 4;

/** The oldest contract that has all that a model uses, from MODEL_CONTRACT_USUAL on: what its header states. */
export function contractOf(hyper: HyperParameters): number {
  return HYPER_NAMES.reduce((contract, name) => {
    const { since, off } = HYPER_FIELDS[name];
    return hyper[name] === off ? contract : Math.max(contract, since);
  }, MODEL_CONTRACT_USUAL);
}

/** Steps from the start in which every model trains. */
export const TRAIN_ALWAYS_STEPS = 2048;

/** Whether the network trains in step `step` (from 0). */
export function trainsIn(hyper: Pick<HyperParameters, "trainEvery">, step: number): boolean {
  return step < TRAIN_ALWAYS_STEPS || step % hyper.trainEvery === 0;
}

/** H: the width of the network, one embedded history. */
export function widthOf(hyper: Pick<HyperParameters, "history" | "embedding">): number {
  return hyper.history * hyper.embedding;
}

/** Thrown when hyper-parameters from a header or a caller lie outside what the engines implement. */
export class HyperParameterError extends Error {
  constructor(
    readonly field: HyperName,
    readonly value: number,
    readonly rule: string,
  ) {
    super(`hyper-parameter ${field} = ${value} is not allowed (${rule})`);
    this.name = "HyperParameterError";
  }
}

/** @throws HyperParameterError naming the first field that breaks its rule, by itself or else together with others */
export function checkHyperParameters(hyper: HyperParameters): void {
  const check = (rule: "holds" | "fits") => {
    for (const name of HYPER_NAMES) {
      const field = HYPER_FIELDS[name];
      if (field[rule]?.(hyper[name], hyper) === false) throw new HyperParameterError(name, hyper[name], field.rule);
    }
  };
  check("holds");
  check("fits");
}

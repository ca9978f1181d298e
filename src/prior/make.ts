/**
 * Makes a prior of samples, within a size: chooses content of them, trains values, and says what a tenth of the samples
 * gain, of which neither has seen anything.
 */
import { lessonWords } from "../contract/prior.ts";
import { chooseContent } from "./content.ts";
import { decodePrior, encodePrior, type Prior } from "./file.ts";
import { chooseLessons } from "./lessons.ts";
import { type Coarseness, decodeTrained, encodeTrained, FINE } from "./state.ts";
import { codedBytesWith, type Fold, laneMemoryBytes, type TrainOptions, trainValues } from "./train.ts";

/** Fewer samples say little of others like them, and fewer bytes are no more than one file. */
const SAMPLES_MIN = 8;
const SAMPLE_BYTES_MIN = 2048;
/** Of a sample, more is left out: a prior is for the beginning of files. */
export const SAMPLE_PART_BYTES = 1 << 17;
/** A prior has room for less than this, or it is none. */
export const PRIOR_BYTES_MIN = 1024;

/** One sample in so many is held back; of fewer, one. */
const HELD_ONE_OF = 10;
/** Samples are studied behind content of the others in so many parts. */
const FOLDS = 4;
/** Bytes that are studied: some ten seconds. */
const STUDIED_BYTES_MAX = 500_000;
/** Of the room, what trained values may take, and what pieces of content have. */
const TRAINED_SHARE = 0.25;
const PIECE_BYTES = 1024;
/** Units that are tried until trained values fit: of weights, of the refining map, of what mixes the sets. */
const COARSER: readonly Partial<Coarseness>[] = [
  { weights: 9 },
  { weights: 9, refine: 7 },
  { weights: 10, refine: 7 },
  { weights: 10, refine: 31 },
  { weights: 11, refine: 31, rowUnitsMin: 2 },
  { weights: 11, refine: 31, finals: 23, maps: 6, runMap: 6 },
  { weights: 20, refine: 31, finals: 28, maps: 7, runMap: 7 },
];

/** There are not enough samples to train anything. */
class SamplesError extends Error {
  constructor(
    readonly samples: number,
    readonly sampleBytes: number,
  ) {
    super(
      samples < SAMPLES_MIN
        ? `${samples} sample${samples === 1 ? " is" : "s are"} too few to train a prior: ${SAMPLES_MIN} are the least`
        : `${sampleBytes} bytes of samples are too few to train a prior: ${SAMPLE_BYTES_MIN} are the least`,
    );
    this.name = "SamplesError";
  }
}

/** Of a byte of samples, its strings are counted; of lanes, one may still be there when the next is made. */
const COUNTED_BYTES = 24;
const LANES = 2;

/** What training takes, about. @param longest bytes of a sample */
export function trainingMemoryBytes(sampleBytes: number, longest: number, contexts: number, bytesMax: number): number {
  return COUNTED_BYTES * sampleBytes + LANES * laneMemoryBytes(contexts, bytesMax, longest);
}

interface MakeOptions {
  readonly name: string;
  /** Of the mixer that the prior is for. */
  readonly contexts: number;
  /** Of the whole file, at least PRIOR_BYTES_MIN. */
  readonly bytesMax: number;
  /** Called now and then with the share that is done, 0 to 1; may throw to end the training. */
  readonly onProgress?: (share: number) => void;
}

interface MadePrior {
  readonly file: Uint8Array;
  readonly contentBytes: number;
  readonly trainedBytes: number;
  /** What was held back, and what it takes without and with the prior, frames left out. */
  readonly held: { readonly samples: number; readonly plainBytes: number; withoutBytes: number; withBytes: number };
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
const lengthOf = (samples: readonly Uint8Array[]) => sum(samples.map(({ length }) => length));

/** @throws SamplesError */
export function makePrior(all: readonly Uint8Array[], options: MakeOptions): MadePrior {
  const { name, contexts, bytesMax, onProgress } = options;
  const samples = all.map((sample) => sample.subarray(0, SAMPLE_PART_BYTES)).filter(({ length }) => length > 0);
  if (samples.length < SAMPLES_MIN || lengthOf(samples) < SAMPLE_BYTES_MIN) {
    throw new SamplesError(samples.length, lengthOf(samples));
  }
  const oneOf = Math.min(HELD_ONE_OF, samples.length);
  const held = samples.filter((_, i) => i % oneOf === oneOf - 1);
  const others = samples.filter((_, i) => i % oneOf !== oneOf - 1);
  const headBytes = encodePrior({ name, contexts, stride: 0, content: EMPTY, trained: EMPTY }).length + 8;
  const room = bytesMax - headBytes;
  const trained = fittingValues(others, room, { contexts, stride: 0, ...(onProgress && { onProgress }) });
  const lessonBytes = 4 * lessonWords(contexts, room - trained.length);
  const content = chooseContent(others, room - trained.length - lessonBytes, PIECE_BYTES);
  const lessons = trained.length > 0 && chooseLessons(content, contexts, decodeTrained(trained, contexts));
  const file = encodePrior({ name, contexts, stride: 0, content, ...(lessons && { lessons }), trained });
  const prior = decodePrior(file);
  const without: Omit<Prior, "trained"> = { ...prior, content: EMPTY };
  const withoutBytes = sum(codedBytesWith({ contexts, stride: 0, content: without.content }, held));
  const withBytes = sum(codedBytesWith(prior, held));
  return {
    file,
    contentBytes: content.length,
    trainedBytes: trained.length,
    held: { samples: held.length, plainBytes: lengthOf(held), withoutBytes, withBytes },
  };
}

const EMPTY = new Uint8Array(0);

/** Trained values in at most their share of the room; none if the room is too small for any. */
function fittingValues(
  samples: readonly Uint8Array[],
  room: number,
  { onProgress, ...options }: TrainOptions & { onProgress?: (share: number) => void },
): Uint8Array {
  const contentRoom = Math.floor(room * (1 - TRAINED_SHARE));
  const studied = foldsOf(samples, contentRoom);
  const totalBytes = Math.max(1, 2 * sum(studied.map((fold) => lengthOf(fold.samples))));
  const onSample = (doneBytes: number) => onProgress?.(doneBytes / totalBytes);
  const coarseness = { ...FINE, weights: 4, finals: 16 };
  const fine = trainValues(studied, { ...options, coarseness, lessonsOf: chooseLessons, onSample });
  const values = decodeTrained(fine, options.contexts);
  for (const coarser of COARSER) {
    const encoded = encodeTrained(values, options.contexts, { ...FINE, ...coarser });
    if (encoded.length <= TRAINED_SHARE * room) return encoded;
  }
  return EMPTY;
}

/** Each part of the samples, as many as there is time for, behind content of the others. */
function foldsOf(samples: readonly Uint8Array[], contentRoom: number): Fold[] {
  const every = Math.max(1, lengthOf(samples) / STUDIED_BYTES_MAX);
  return Array.from({ length: FOLDS }, (_, f) => {
    const content = chooseContent(
      samples.filter((__, i) => i % FOLDS !== f),
      contentRoom,
      PIECE_BYTES,
    );
    const own = samples.filter((__, i) => i % FOLDS === f);
    return { content, samples: own.filter((__, i) => Math.floor(i / every) !== Math.floor((i - 1) / every)) };
  });
}

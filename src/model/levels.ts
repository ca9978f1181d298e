/**
 * Which model serves an input: levels and presets, and how streams and memories follow from the size of the input.
 *
 * An archive states all that is chosen here, so these numbers may change at any time; what they mean is the contract's.
 */
import { bitLength, ceilLog2 } from "../contract/fixed.ts";
import { type HyperParameters, hasNetwork, NO_NETWORK, WITHOUT } from "../contract/hyper.ts";
import { COUNTER_LINE_BYTES, LANES_MAX, LINE_MEMORY_BYTES } from "../contract/mixer.ts";

/** A model without its number of streams; its memories are the smallest, and grow with the input's size. */
type Shape = Omit<HyperParameters, "streams">;

/** 2^-10 in units of 2^-24: the learning rate of the paper, 1e-3, to the nearest power of two. */
const RATE_PAPER = 1 << 14;
/** 2^-9: on 200 kB of text 0.9 to 2.3 % smaller than 1e-3, over four draws of weights (docs/MODEL.md). */
const RATE_LEVELS = 1 << 15;
/** 2^-9.5: wide networks on few streams. */
const RATE_WIDE = 23170;

/** 4 KiB a context and 4 MiB a table. */
const SLOT_BITS_MIN = 10;
const TABLE_BITS_MIN = 12;

interface Widths {
  readonly history: number;
  readonly embedding: number;
  readonly global: number;
  readonly cacheStep: number;
  readonly coarse: number;
  readonly fine: number;
  readonly contexts: number;
  readonly tables: number;
}

function shape(width: Widths, rate = RATE_LEVELS): Shape {
  return {
    ...WITHOUT,
    history: width.history,
    embedding: width.embedding,
    globalHidden: width.global,
    cacheStep: width.cacheStep,
    fineHidden: width.fine,
    coarseHidden: width.coarse,
    learningRate: rate,
    contexts: width.contexts,
    tables: width.tables,
    slotBits: SLOT_BITS_MIN,
    tableBits: TABLE_BITS_MIN,
  };
}

/** A network, and how it is sized for an input. */
interface NetworkLevel {
  readonly shape: Shape;
  /** Bytes that a stream should hold: many streams share the cost of training a step, few learn sooner. */
  readonly streamBytes: number;
  readonly slotBitsMax: number;
  readonly tableBitsMax: number;
}

/** A mixer, and how it is sized for an input. */
interface MixerLevel {
  readonly shape: Shape;
  /** Bytes that a lane should hold: several share the work, few learn more. */
  readonly laneBytes: number;
  readonly lanesMax: number;
  /** Bytes that the lines of all lanes may take, with their counters. */
  readonly linesBytesMax: number;
  /** Of inputs up to SMALL_BYTES: small frames name a level's model by its number, which stands for these for ever. */
  readonly smallContexts: number;
  /** Of a block, at most, where nobody names it: a run takes about nine times as much besides the lanes. */
  readonly blockBytes: number;
}

export type Level = NetworkLevel | MixerLevel;

export const isMixer = (level: Level): level is MixerLevel => !hasNetwork(level.shape);

/** 4 MiB a context and 8 MiB a table: with more, level 5 would not stay below 400 MB (docs/ARCHITECTURE.md). */
const SMALL_MEMORY = { slotBitsMax: 20, tableBitsMax: 13 } as const;
/** 16 MiB a context and 64 MiB a table. */
const LARGE_MEMORY = { slotBitsMax: 22, tableBitsMax: 16 } as const;

/** FADE as published: arXiv 2604.07239, section 4 (15.5 million shared parameters, 512 streams). */
export const PAPER: Shape = shape(
  { history: 16, embedding: 32, global: 4096, cacheStep: 64, coarse: 64, fine: 8192, contexts: 0, tables: 0 },
  RATE_PAPER,
);
export const PAPER_STREAMS = 512;
export const PAPER_LEVEL: NetworkLevel = { shape: PAPER, streamBytes: 8192, ...SMALL_MEMORY };

export const DEFAULT_LEVEL = 5;

const narrow = { history: 8, embedding: 8, global: 32, cacheStep: 4, coarse: 16, fine: 32, contexts: 8, tables: 2 };
const medium = { history: 8, embedding: 16, global: 64, cacheStep: 4, coarse: 16, fine: 64, contexts: 12, tables: 3 };
const remembering = { ...medium, contexts: 20, tables: 6 };
const wide = { ...remembering, history: 16, coarse: 32 };

const KIB = 2 ** 10;
const MIB = 2 ** 20;
/** Of the built-in priors. */
export const PRIOR_CONTEXTS = 20;

/** Up to here counters do not pay, and a frame may be a small one, which knows none. */
const SMALL_BYTES = 64 * KIB;

function mixer(
  contexts: number,
  laneBytes: number,
  lanesMax: number,
  linesBytesMax: number,
  { mixerCounters = 0, smallContexts = contexts, blockBytes = 8 * MIB } = {},
): MixerLevel {
  const shape = { ...WITHOUT, ...NO_NETWORK, mixerContexts: contexts, mixerCounters };
  return { shape, laneBytes, lanesMax, linesBytesMax, smallContexts, blockBytes };
}

/**
 * Levels 1 to 9. Index 0 is unused so that LEVELS[n] is level n (docs/MODEL.md). Level 1 is to run in 200 MB, and
 * level 5 in 400: their blocks are shorter.
 */
const LEVELS: readonly (MixerLevel | undefined)[] = [
  undefined,
  mixer(6, 256 * KIB, 4, 16 * MIB, { smallContexts: 8, blockBytes: 4.75 * MIB }),
  mixer(8, 384 * KIB, 4, 96 * MIB, { smallContexts: 10 }),
  mixer(12, 480 * KIB, 4, 128 * MIB),
  mixer(16, MIB, 4, 192 * MIB),
  mixer(20, 2 * MIB, 4, 320 * MIB, { blockBytes: 7 * MIB }),
  mixer(22, 4 * MIB, 2, 480 * MIB, { mixerCounters: 1 }),
  mixer(24, 8 * MIB, 1, 400 * MIB, { mixerCounters: 2 }),
  mixer(26, 8 * MIB, 1, 724 * MIB, { mixerCounters: 4 }),
  mixer(28, 8 * MIB, 1, 1016 * MIB, { mixerCounters: 8 }),
];

/** @throws RangeError if there is no such level. */
export function levelOf(level: number): MixerLevel {
  const found = LEVELS[level];
  if (found === undefined) throw new RangeError(`there is no level ${level}: levels are 1 to ${LEVELS.length - 1}`);
  return found;
}

/**
 * The network in nine sizes, for GPUs. Index 0 is unused. The recall stream does most of the work, so narrow
 * networks lose little, and contexts, tables and fewer streams are worth more than width (docs/MODEL.md). Small frames
 * of version 6 name one by its number, so up to SMALL_BYTES each stands as it is for ever.
 */
const NETWORKS: readonly (NetworkLevel | undefined)[] = [
  undefined,
  { shape: { ...shape(narrow), trainEvery: 8 }, streamBytes: 4096, ...SMALL_MEMORY },
  { shape: shape({ ...narrow, contexts: 12, tables: 3 }), streamBytes: 8192, ...SMALL_MEMORY },
  { shape: shape(medium), streamBytes: 8192, ...SMALL_MEMORY },
  { shape: shape({ ...medium, tables: 4 }), streamBytes: 16384, ...SMALL_MEMORY },
  { shape: shape({ ...medium, fine: 256, contexts: 16, tables: 5 }), streamBytes: 16384, ...SMALL_MEMORY },
  { shape: shape({ ...remembering, fine: 256 }), streamBytes: 32768, ...LARGE_MEMORY },
  { shape: shape({ ...remembering, fine: 512 }), streamBytes: 32768, ...LARGE_MEMORY },
  { shape: shape({ ...wide, global: 128, fine: 256 }, RATE_WIDE), streamBytes: 32768, ...LARGE_MEMORY },
  { shape: shape({ ...wide, global: 256, fine: 512 }, RATE_WIDE), streamBytes: 32768, ...LARGE_MEMORY },
];

/** @throws RangeError if there is no such size. */
export function networkOf(size: number): NetworkLevel {
  const found = NETWORKS[size];
  if (found === undefined) throw new RangeError(`there is no network ${size}: sizes are 1 to ${NETWORKS.length - 1}`);
  return found;
}

/** @throws RangeError if there is no such size. */
export const networkShape = (size: number): Shape => networkOf(size).shape;

const STREAMS_MAX = 4096;
/** Engines work on streams in such groups. */
const STREAM_GROUP = 8;

/**
 * Chooses B from the input's size: size / streamBytes, down to a multiple of 8, 8 to 4096, and never more streams than
 * bytes.
 */
export function streamsForSize(sizeBytes: number, streamBytes: number): number {
  const groups = Math.floor(sizeBytes / streamBytes / STREAM_GROUP);
  const wanted = Math.max(1, Math.min(STREAMS_MAX / STREAM_GROUP, groups)) * STREAM_GROUP;
  return Math.max(1, Math.min(wanted, sizeBytes));
}

/** As many lanes as `laneBytes` go into the size: a power of two, so that threads get as many each. */
function lanesForSize({ laneBytes, lanesMax }: MixerLevel, sizeBytes: number): number {
  return Math.min(lanesMax, 2 ** Math.max(0, bitLength(Math.floor(sizeBytes / laneBytes)) - 1));
}

/** A smaller memory is made and cleared sooner. */
const LINE_BITS_MIN = 10;
const LINE_BITS_MAX = 22;

/** Bytes that one line of each context takes. */
export function lineBytesOf({ mixerContexts, mixerCounters }: Shape): number {
  return LINE_MEMORY_BYTES * mixerContexts + COUNTER_LINE_BYTES * mixerCounters;
}

/** Half as many lines of each context as a lane has bytes, as far as the level's memory goes. */
function mixerForSize(level: MixerLevel, sizeBytes: number, wanted: number | undefined): HyperParameters {
  const { linesBytesMax, smallContexts } = level;
  const isSmall = sizeBytes <= SMALL_BYTES;
  const shape = isSmall ? { ...level.shape, mixerContexts: smallContexts, mixerCounters: 0 } : level.shape;
  const lanes = Math.max(1, Math.min(wanted ?? lanesForSize(level, sizeBytes), LANES_MAX, sizeBytes));
  const room = Math.floor(linesBytesMax / (lanes * lineBytesOf(shape)));
  const bits = Math.min(LINE_BITS_MAX, bitLength(room) - 1, ceilLog2(Math.max(1, sizeBytes / lanes)) - 1);
  return { ...shape, streams: lanes, mixerBits: Math.max(LINE_BITS_MIN, bits) };
}

/**
 * The model of a level for an input. A network gets a slot for every byte of a block, and a table's row for every 16,
 * within the level's bounds.
 *
 * @param wanted streams, or lanes, whatever the size
 */
export function hyperForSize(level: Level, sizeBytes: number, wanted?: number): HyperParameters {
  if (isMixer(level)) return mixerForSize(level, sizeBytes, wanted);
  const { shape, slotBitsMax, tableBitsMax } = level;
  const streams = wanted ?? streamsForSize(sizeBytes, level.streamBytes);
  const bits = ceilLog2(Math.max(1, sizeBytes));
  return {
    ...shape,
    streams,
    slotBits: shape.contexts === 0 ? shape.slotBits : Math.max(shape.slotBits, Math.min(slotBitsMax, bits)),
    tableBits: shape.tables === 0 ? shape.tableBits : Math.max(shape.tableBits, Math.min(tableBitsMax, bits - 4)),
  };
}

/** How many contexts a prior for a level has: small inputs are what most are for. A network has none. */
export const priorContextsOf = (level: Level) => (isMixer(level) ? level.smallContexts : 0);

/** Whether a model is a level's, whatever input it was sized for; that it was a small one is seen by its memory. */
export function isOfLevel(hyper: HyperParameters, { shape, smallContexts }: MixerLevel): boolean {
  const isSmall = hyper.streams === 1 && hyper.mixerBits < bitLength(SMALL_BYTES) - 1;
  return hasShape(hyper, isSmall ? { ...shape, mixerContexts: smallContexts } : shape);
}

/** Whether a model is of this shape, whatever input its streams and memories were sized for. */
export function hasShape(hyper: HyperParameters, shape: Shape): boolean {
  const { slotBits, tableBits, mixerBits } = hyper;
  const mixerCounters = Math.min(shape.mixerCounters, hyper.mixerCounters);
  const sized: Shape = { ...shape, slotBits, tableBits, mixerBits, mixerCounters };
  return (Object.keys(sized) as (keyof Shape)[]).every((field) => sized[field] === hyper[field]);
}

/**
 * Hyper-parameters: the numbers that fix the shape of the network and how it learns.
 *
 * They travel in every archive's header, so a decoder is never told them by hand, and they decide every shape in
 * docs/NUMERICS.md. This file says which values are legal, names the levels and presets, and chooses the number of
 * streams from the size of the input. It holds no arithmetic of the network.
 */

import { CONTEXTS_MAX, TABLES_MAX } from "./contexts.ts";
import { ceilLog2 } from "./fixed.ts";

/** The shape of one model. Every field is stored in the archive header. */
export interface HyperParameters {
  /** T: bytes of history that a step sees; a power of two, 4 to 64. */
  readonly history: number;
  /** D: values per embedded byte; a power of two, 8 to 64. */
  readonly embedding: number;
  /** G: values in the rolling cache of the global stream; a multiple of `slot` and of 32. */
  readonly globalHidden: number;
  /** S: new cache values per step; a multiple of 4. */
  readonly slot: number;
  /** F: hidden values of the fine refiner; a multiple of 32. */
  readonly fineHidden: number;
  /** C: hidden values of the coarse refiner, the side of each stream's own matrix; a multiple of 16. */
  readonly coarseHidden: number;
  /** B: parallel streams, 1 to 16,384. */
  readonly streams: number;
  /** Peak learning rate of the optimizer in units of 2^-24. */
  readonly learningRate: number;
  /** N: contexts of the recall stream, a multiple of 4; 0 for none. */
  readonly contexts: number;
  /** log2 of the slots of each context. */
  readonly slotBits: number;
  /** M: logit tables; 0 for none. Without contexts and tables there is no recall stream. */
  readonly tables: number;
  /** log2 of the rows of each table; a table of one byte has 256. */
  readonly tableBits: number;
  /** The network trains in the first 2048 steps, then in every step whose number this divides. */
  readonly trainEvery: number;
}

/** Steps from the start in which every model trains. */
export const TRAIN_ALWAYS_STEPS = 2048;

/** Whether the network trains in step `step` (from 0). */
export function trainsIn(hyper: Pick<HyperParameters, "trainEvery">, step: number): boolean {
  return step < TRAIN_ALWAYS_STEPS || step % hyper.trainEvery === 0;
}

/** H: the width of the network, one embedded history. */
export function widthOf(hyper: HyperParameters): number {
  return hyper.history * hyper.embedding;
}

/** Thrown when hyper-parameters from a header or a caller lie outside what the engines implement. */
export class HyperParameterError extends Error {
  constructor(
    readonly field: keyof HyperParameters,
    readonly value: number,
    readonly rule: string,
  ) {
    super(`hyper-parameter ${field} = ${value} is not allowed (${rule})`);
    this.name = "HyperParameterError";
  }
}

const isPowerOfTwo = (n: number) => n > 0 && (n & (n - 1)) === 0;

interface Rule {
  readonly field: keyof HyperParameters;
  readonly says: string;
  readonly holds: (h: HyperParameters) => boolean;
}

const within = (n: number, low: number, high: number) => Number.isInteger(n) && n >= low && n <= high;

const RULES: readonly Rule[] = [
  {
    field: "history",
    says: "a power of two, 4 to 64",
    holds: (h) => within(h.history, 4, 64) && isPowerOfTwo(h.history),
  },
  {
    field: "embedding",
    says: "a power of two, 8 to 64, at most 1024 / history",
    holds: (h) => within(h.embedding, 8, 64) && isPowerOfTwo(h.embedding) && widthOf(h) <= 1024,
  },
  {
    field: "slot",
    says: "a multiple of 4, 4 to 256",
    holds: (h) => within(h.slot, 4, 256) && h.slot % 4 === 0,
  },
  {
    field: "globalHidden",
    says: "a multiple of slot and of 32, at most 8192",
    holds: (h) => within(h.globalHidden, 32, 8192) && h.globalHidden % 32 === 0 && h.globalHidden % h.slot === 0,
  },
  {
    field: "fineHidden",
    says: "a multiple of 32, 32 to 8192",
    holds: (h) => within(h.fineHidden, 32, 8192) && h.fineHidden % 32 === 0,
  },
  {
    field: "coarseHidden",
    says: "a multiple of 16, 16 to 128",
    holds: (h) => within(h.coarseHidden, 16, 128) && h.coarseHidden % 16 === 0,
  },
  { field: "streams", says: "1 to 16384", holds: (h) => within(h.streams, 1, 16384) },
  { field: "learningRate", says: "64 to 65535", holds: (h) => within(h.learningRate, 64, 65535) },
  {
    field: "contexts",
    says: `a multiple of 4, 0 to ${CONTEXTS_MAX}`,
    holds: (h) => within(h.contexts, 0, CONTEXTS_MAX) && h.contexts % 4 === 0,
  },
  { field: "slotBits", says: "8 to 24", holds: (h) => within(h.slotBits, 8, 24) },
  { field: "tables", says: `0 to ${TABLES_MAX}`, holds: (h) => within(h.tables, 0, TABLES_MAX) },
  { field: "tableBits", says: "8 to 18", holds: (h) => within(h.tableBits, 8, 18) },
  { field: "trainEvery", says: "1 to 64", holds: (h) => within(h.trainEvery, 1, 64) },
];

/** @throws HyperParameterError naming the first field that breaks its rule. */
export function checkHyperParameters(hyper: HyperParameters): void {
  for (const rule of RULES) {
    if (!rule.holds(hyper)) throw new HyperParameterError(rule.field, hyper[rule.field], rule.says);
  }
}

/** A model without its number of streams; its memories are the smallest, and grow with the input's size. */
export type Shape = Omit<HyperParameters, "streams">;

/** What a model without a recall stream has in place of it. */
export const NO_RECALL = { contexts: 0, slotBits: 8, tables: 0, tableBits: 8, trainEvery: 1 } as const;

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
  readonly slot: number;
  readonly coarse: number;
  readonly fine: number;
  readonly contexts: number;
  readonly tables: number;
}

function shape(width: Widths, rate = RATE_LEVELS): Shape {
  return {
    history: width.history,
    embedding: width.embedding,
    globalHidden: width.global,
    slot: width.slot,
    fineHidden: width.fine,
    coarseHidden: width.coarse,
    learningRate: rate,
    contexts: width.contexts,
    tables: width.tables,
    slotBits: SLOT_BITS_MIN,
    tableBits: TABLE_BITS_MIN,
    trainEvery: 1,
  };
}

/** A model, and how it is sized for an input. */
export interface Level {
  readonly shape: Shape;
  /** Bytes that a stream should hold: many streams share the cost of training a step, few learn sooner. */
  readonly streamBytes: number;
  readonly slotBitsMax: number;
  readonly tableBitsMax: number;
}

/** 4 MiB a context and 8 MiB a table: with more, level 5 would not stay below 400 MB (docs/ARCHITECTURE.md). */
const SMALL_MEMORY = { slotBitsMax: 20, tableBitsMax: 13 } as const;
/** 16 MiB a context and 64 MiB a table. */
const LARGE_MEMORY = { slotBitsMax: 22, tableBitsMax: 16 } as const;

/** FADE as published: arXiv 2604.07239, section 4 (15.5 million shared parameters, 512 streams). */
export const PAPER: Shape = shape(
  { history: 16, embedding: 32, global: 4096, slot: 64, coarse: 64, fine: 8192, contexts: 0, tables: 0 },
  RATE_PAPER,
);
export const PAPER_STREAMS = 512;
export const PAPER_LEVEL: Level = { shape: PAPER, streamBytes: 8192, ...SMALL_MEMORY };

export const DEFAULT_LEVEL = 5;

const narrow = { history: 8, embedding: 8, global: 32, slot: 4, coarse: 16, fine: 32, contexts: 8, tables: 2 };
const medium = { history: 8, embedding: 16, global: 64, slot: 4, coarse: 16, fine: 64, contexts: 12, tables: 3 };
const remembering = { ...medium, contexts: 20, tables: 6 };
const wide = { ...remembering, history: 16, coarse: 32 };

/**
 * Levels 1 to 9. Index 0 is unused so that LEVELS[n] is level n. The recall stream does most of the work, so narrow
 * networks lose little, and contexts, tables and fewer streams are worth more than width (docs/MODEL.md).
 */
const LEVELS: readonly (Level | undefined)[] = [
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

/** @throws RangeError if there is no such level. */
export function levelOf(level: number): Level {
  const found = LEVELS[level];
  if (found === undefined) throw new RangeError(`there is no level ${level}: levels are 1 to ${LEVELS.length - 1}`);
  return found;
}

/** @throws RangeError if there is no such level. */
export const shapeOfLevel = (level: number): Shape => levelOf(level).shape;

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

/** A slot for every byte of a block, and a table's row for every 16, within the level's bounds. */
export function hyperForSize(
  level: Level,
  sizeBytes: number,
  streams = streamsForSize(sizeBytes, level.streamBytes),
): HyperParameters {
  const { shape, slotBitsMax, tableBitsMax } = level;
  const bits = ceilLog2(Math.max(1, sizeBytes));
  return {
    ...shape,
    streams,
    slotBits: shape.contexts === 0 ? shape.slotBits : Math.max(shape.slotBits, Math.min(slotBitsMax, bits)),
    tableBits: shape.tables === 0 ? shape.tableBits : Math.max(shape.tableBits, Math.min(tableBitsMax, bits - 4)),
  };
}

/** Whether a model is of this shape, whatever input its streams and memories were sized for. */
export function hasShape(hyper: HyperParameters, shape: Shape): boolean {
  const { slotBits, tableBits } = hyper;
  const sized: Shape = { ...shape, slotBits, tableBits };
  return (Object.keys(sized) as (keyof Shape)[]).every((field) => sized[field] === hyper[field]);
}

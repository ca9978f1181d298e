/**
 * The arena: one buffer on the device for all that belongs to the streams, activations, operands and gradients between
 * the boxes of the network, each at a place of its own; and the boosts, which are few.
 *
 * Kernels that do one box bind the parts that they work on; fused kernels bind the whole, because a stage may bind few
 * buffers. They find a part by what a stream has before it, which depends on the model's shape only, times the number
 * of streams, rounded up so that every part can be bound.
 */
import { type HyperParameters, widthOf } from "../../contract/hyper.ts";
import {
  GRADIENT_NAMES,
  gateCount,
  gradientColumns,
  NORM_NAMES,
  normRows,
  operandColumns,
  QUANTISED_ACTIVATIONS,
} from "../../contract/network.ts";
import { BUCKETS } from "../../contract/recall.ts";

/** A part of a buffer, as a kernel binds it. */
export interface Slice {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
  /** Other parts of the same buffer may be written by the dispatch that reads this one. */
  readonly isShared: boolean;
}

/** Every device can bind a part of a buffer that starts at a multiple of so many words. */
const ALIGNMENT_WORDS = 64;

/** Where each part of a buffer starts, and how long all of them are, in words. */
export interface Places {
  readonly starts: Readonly<Record<string, number>>;
  readonly words: number;
}

/** The same for the arena. */
export interface ArenaPlaces extends Places {
  /** The number of streams, rounded up: a part starts at so many times the words that a stream has before it. */
  readonly pitch: number;
  readonly before: Readonly<Record<string, number>>;
}

/** A part of no words takes some, too: nothing empty can be bound. */
const aligned = (words: number) => Math.ceil(Math.max(1, words) / ALIGNMENT_WORDS) * ALIGNMENT_WORDS;

/** Parts of so many words, one after the other. */
export function placesOf(parts: Readonly<Record<string, number>>): Places {
  const starts: Record<string, number> = {};
  let words = 0;
  for (const [name, size] of Object.entries(parts)) {
    starts[name] = words;
    words += aligned(size);
  }
  return { starts, words };
}

export function arenaPlaces(hyper: HyperParameters): ArenaPlaces {
  const pitch = aligned(hyper.streams);
  const before: Record<string, number> = {};
  let words = 0;
  for (const [name, size] of Object.entries(streamWords(hyper))) {
    before[name] = words;
    words += Math.max(1, size);
  }
  before.boosts = words;
  const starts = Object.fromEntries(Object.entries(before).map(([name, each]) => [name, each * pitch]));
  return { pitch, before, starts, words: words * pitch + aligned(boostWords(hyper)) };
}

/** Most rows that a norm makes of a stream. */
export const rowsMax = (hyper: HyperParameters) => Math.max(...NORM_NAMES.map((name) => normRows(hyper, name)));

/** Values of each stream between the boxes that have the width of the network. */
const WIDE =
  "far local near alpha mixed up gate gatePre router global coarse fineOut last embedded dLast dSkipped dFineOut " +
  "dThroughGelu dFine dCoarse dMixed dFar dNear dRouter dInput dGlobal dLocal dEmbedded dGateIn dDownIn";

/** 32-bit words of every intermediate buffer. */
export function intermediateWords(hyper: HyperParameters): Record<string, number> {
  const ofStream = Object.entries(streamWords(hyper)).map(([name, words]) => [name, hyper.streams * words]);
  return { ...Object.fromEntries(ofStream), boosts: boostWords(hyper) };
}

const boostWords = ({ contexts }: HyperParameters) => 2 * contexts * BUCKETS;

/** What one stream has of each of them. Operands of int8 are packed, all else is one number to a word. */
function streamWords(hyper: HyperParameters): Record<string, number> {
  const { globalHidden: G, fineHidden: F, coarseHidden: C, cacheStep: S } = hyper;
  const H = widthOf(hyper);
  const norms = NORM_NAMES.flatMap((name) => [
    [`${name}.normalised`, H],
    [`${name}.deviations`, 2 * normRows(hyper, name)],
    [`${name}.out`, H],
  ]);
  const operands = [...QUANTISED_ACTIVATIONS, "feature" as const].map((name) => [
    `operand.${name}`,
    operandColumns(hyper, name) / 4,
  ]);
  const gradients = GRADIENT_NAMES.map((name) => [`gradient.${name}`, gradientColumns(hyper, name)]);
  return {
    ...Object.fromEntries(WIDE.split(" ").map((name) => [name, H])),
    ...Object.fromEntries([...norms, ...operands, ...gradients]),
    newest: 2 * S,
    down: 2 * C,
    recalled: 2 * C,
    fine: 2 * F,
    hidden: F,
    logits: 256,
    ends: 256,
    cache: G,
    dUpGate: 2 * H,
    dHidden: F,
    dHiddenPre: 2 * F,
    dRecalled: 2 * C,
    dDown: 2 * C,
    dCache: G,
    dNewest: 2 * S,
    dNewestIn: hyper.embedding,
    rowSums: 2 * rowsMax(hyper), // of the norm that is on its way back
    ...recallWords(hyper),
  };
}

/** The same for the recall stream. */
function recallWords(hyper: HyperParameters): Record<string, number> {
  const { contexts: N, tables: M } = hyper;
  return {
    lookups: 2 * N + M,
    remembered: N > 0 ? widthOf(hyper) : 0,
    recallGate: gateCount(hyper),
    dGates: gateCount(hyper),
    difference: N + M > 0 ? 256 : 0,
    words: 2,
  };
}

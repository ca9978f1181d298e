/**
 * The arena: one buffer on the device for all that belongs to the streams, activations, operands and gradients between
 * the boxes of the network, each at a place of its own; and the boosts, which are few.
 *
 * Kernels that do one box bind the parts that they work on; fused kernels bind the whole and find the parts by
 * constants, because a stage may bind few buffers.
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

/** Where each part of the arena starts, and how long all of them are, in words. */
export interface ArenaPlaces {
  readonly starts: Readonly<Record<string, number>>;
  readonly words: number;
}

export function arenaPlaces(parts: Readonly<Record<string, number>>): ArenaPlaces {
  const starts: Record<string, number> = {};
  let words = 0;
  for (const [name, size] of Object.entries(parts)) {
    starts[name] = words;
    words += Math.ceil(Math.max(1, size) / ALIGNMENT_WORDS) * ALIGNMENT_WORDS;
  }
  return { starts, words };
}

/** Most rows that a norm makes of a stream. */
export const rowsMax = (hyper: HyperParameters) => Math.max(...NORM_NAMES.map((name) => normRows(hyper, name)));

/** Values of each stream between the boxes that have the width of the network. */
const WIDE =
  "far local near alpha mixed up gate gatePre router global coarse fineOut last embedded dLast dSkipped dFineOut " +
  "dThroughGelu dFine dCoarse dMixed dFar dNear dRouter dInput dGlobal dLocal dEmbedded dGateIn dDownIn";

/** 32-bit words of every intermediate buffer. Operands of int8 are packed, all else is one number to a word. */
export function intermediateWords(hyper: HyperParameters): Record<string, number> {
  const { streams: B, globalHidden: G, fineHidden: F, coarseHidden: C, cacheStep: S } = hyper;
  const H = widthOf(hyper);
  const norms = NORM_NAMES.flatMap((name) => [
    [`${name}.normalised`, B * H],
    [`${name}.deviations`, 2 * B * normRows(hyper, name)],
    [`${name}.out`, B * H],
  ]);
  const operands = [...QUANTISED_ACTIVATIONS, "feature" as const].map((name) => [
    `operand.${name}`,
    (B * operandColumns(hyper, name)) / 4,
  ]);
  const gradients = GRADIENT_NAMES.map((name) => [`gradient.${name}`, B * gradientColumns(hyper, name)]);
  return {
    ...Object.fromEntries(WIDE.split(" ").map((name) => [name, B * H])),
    ...Object.fromEntries([...norms, ...operands, ...gradients]),
    newest: 2 * B * S,
    down: 2 * B * C,
    recalled: 2 * B * C,
    fine: 2 * B * F,
    hidden: B * F,
    logits: 256 * B,
    ends: 256 * B,
    cache: B * G,
    dUpGate: 2 * B * H,
    dHidden: B * F,
    dHiddenPre: 2 * B * F,
    dRecalled: 2 * B * C,
    dDown: 2 * B * C,
    dCache: B * G,
    dNewest: 2 * B * S,
    dNewestIn: B * hyper.embedding,
    rowSums: 2 * B * rowsMax(hyper), // of the norm that is on its way back
    ...recallWords(hyper),
  };
}

/** The same for the recall stream. */
function recallWords(hyper: HyperParameters): Record<string, number> {
  const { streams: B, contexts: N, tables: M } = hyper;
  return {
    lookups: 2 * B * N + B * M,
    remembered: N > 0 ? B * widthOf(hyper) : 0,
    boosts: 2 * N * BUCKETS,
    recallGate: B * gateCount(hyper),
    dGates: B * gateCount(hyper),
    difference: N + M > 0 ? 256 * B : 0,
    words: 2 * B,
  };
}

/**
 * The arena: one buffer on the device for all that belongs to the streams, activations, operands and gradients between
 * the boxes of the network, each at a place of its own; and the boosts, which are few.
 *
 * Kernels that do one box bind the parts that they work on; fused kernels bind the whole and find the parts by
 * constants, because a stage may bind few buffers.
 */
import { type HyperParameters, widthOf } from "../../model/hyper.ts";
import { BUCKETS, FEATURES_PER_CONTEXT } from "../../model/recall.ts";
import { gateCount } from "../../model/tensors.ts";

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

/** Most rows that a norm makes of a stream: a row to each byte of the history, or to each of two branches. */
export const rowsMax = ({ history }: HyperParameters) => Math.max(2, history);

/** 32-bit words of every intermediate buffer. Operands of int8 are packed, all else is one number to a word. */
export function intermediateWords(hyper: HyperParameters): Record<string, number> {
  const { streams: B, globalHidden: G, fineHidden: F, coarseHidden: C, slot: S } = hyper;
  const H = widthOf(hyper);
  const normRows = { inputNorm: 1, localNorm: hyper.history, coarseNorm: 2, fineNorm: 1, lastNorm: 1 };
  const norms = Object.entries(normRows).flatMap(([name, rows]) => [
    [`${name}.normalised`, B * H],
    [`${name}.deviations`, 2 * B * rows],
    [`${name}.out`, B * H],
  ]);
  const wide = "far local near alpha mixed up gate gatePre router global coarse fineOut last embedded".split(" ");
  const wideGradients =
    "dLast dSkipped dFineOut dThroughGelu dFine dCoarse dMixed dFar dNear dRouter dInput dGlobal dLocal " +
    "dEmbedded dGateIn";
  return {
    ...Object.fromEntries([...wide, ...wideGradients.split(" ")].map((name) => [name, B * H])),
    ...Object.fromEntries(norms),
    newest: 2 * B * S,
    down: 2 * B * C,
    recalled: 2 * B * C,
    fine: 2 * B * F,
    hidden: B * F,
    logits: 256 * B,
    ends: 256 * B,
    cache: B * G,
    "operand.input": (B * H) / 4,
    "operand.cache": (B * G) / 4,
    "operand.coarse": (B * H) / 4,
    "operand.downOut": (2 * B * C) / 4,
    "operand.memoryOut": (2 * B * C) / 4,
    "operand.fineIn": (B * H) / 4,
    "operand.fineHidden": (B * F) / 4,
    "operand.last": (B * H) / 4,
    "gradient.newest": 2 * B * S,
    "gradient.global": B * H,
    "gradient.router": B * H,
    "gradient.down": 2 * B * C,
    "gradient.memory": 2 * B * C,
    "gradient.up": B * H,
    "gradient.gate": B * H,
    "gradient.fine": 2 * B * F,
    "gradient.fineOut": B * H,
    "gradient.logits": 256 * B,
    dUpGate: 2 * B * H,
    dHidden: B * F,
    dHiddenPre: 2 * B * F,
    dRecalled: 2 * B * C,
    dDown: 2 * B * C,
    dDownIn: B * H,
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
  const wide = N > 0 ? B * widthOf(hyper) : 0;
  return {
    lookups: 2 * B * N + B * M,
    "operand.feature": (B * FEATURES_PER_CONTEXT * N) / 4,
    "gradient.feature": wide,
    remembered: wide,
    boosts: 2 * N * BUCKETS,
    recallGate: B * gateCount(hyper),
    dGates: B * gateCount(hyper),
    "gradient.recallGate": B * gateCount(hyper),
    difference: N + M > 0 ? 256 * B : 0,
    words: 2 * B,
  };
}

/** What a frame's compressor knows of a block on its way, and what it makes of it in the end. */
import { type Fill, type PlainBlock, windowBytesOf } from "../archive/format.ts";
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import { type ForeseenBlock, foresightMemoryBytes } from "../predict/foresight.ts";
import { decodeStretches } from "../predict/list.ts";
import { transformMemoryBytes } from "../predict/transform.ts";
import type { Prior } from "../prior/file.ts";
import { windowRoomBytes } from "../repeats/window.ts";
import { type CueFacts, cueFactsOf } from "./cues.ts";
import { modelMemoryBytes } from "./memory.ts";
import { restoreNumbers } from "./numbers-back.ts";
import { type FoundNumbers, type LaneForesight, NO_FORESIGHT } from "./predicted.ts";
import type { Cut } from "./repeats.ts";

/** What a model is shown of a block. */
export interface ShownBytes {
  readonly bytes: Uint8Array;
  /** The coded list of stretches that are predicted, if there are any. */
  readonly stretches?: Uint8Array;
  /** What lanes are told if they foresee pixels among them. */
  readonly foreseen?: ForeseenBlock;
  /** The stride, if predictors know it. */
  readonly stride?: number;
}

/** What is left of a block, from what predictors made of it; the bytes are the same. @throws the abort reason */
export async function beforePrediction({ bytes, stretches, foreseen }: ShownBytes, signal?: AbortSignal) {
  const isForeseen = foreseen !== undefined;
  const list = stretches ? decodeStretches(stretches, bytes.length, isForeseen) : [];
  await restoreNumbers(bytes, list, isForeseen, signal);
  return bytes;
}

/** What was found in a block. */
export interface Found {
  readonly isChance: boolean;
  readonly numbers: readonly FoundNumbers[];
  readonly cut?: Cut;
}

/** What a model is shown, and told. */
export interface Shown {
  readonly bytes: ShownBytes;
  readonly stride: number;
}

/** What is known of a block before the model has seen it. */
export interface BlockPlan extends Found {
  /** Without what fills give. */
  readonly plainBytes: number;
  readonly isLast: boolean;
  /** Whether it is for a small frame. */
  readonly isSmall?: boolean;
  /** If another thread has asked `show` already: what it answered. */
  readonly shown?: Shown | undefined;
  readonly fills?: readonly Fill[];
  /** Of the plain bytes, with what fills give. */
  readonly check: bigint;
  /** What a coded block must save to be smaller than a stored one. */
  readonly gainMin: number;
}

/** @param seen what is left of the block when repeats are cut out */
export function plainBlock(
  kind: "stored" | "learned",
  seen: Uint8Array,
  facts: BlockPlan,
  stride = 0,
  shown: ShownBytes = { bytes: seen },
): PlainBlock {
  return { kind, ...factsOf(facts, stride, shown), payload: shown.bytes };
}

export function factsOf(
  { plainBytes, cut, fills, check }: BlockPlan,
  stride: number,
  { stretches, foreseen }: ShownBytes,
) {
  const facts = { plainBytes, check, ...(fills && { fills }), ...(stretches && { stretches }) };
  return {
    ...facts,
    ...(foreseen && { isForeseen: true }),
    ...(cut && { copies: cut.copies }),
    ...(stride > 0 && { stride }),
  };
}

/** How many know nothing of each other: streams of a network share what they learn. */
export const lanesOf = (hyper: HyperParameters) => (hasNetwork(hyper) ? 1 : hyper.streams);

/**
 * Lanes of less than this learn too little of pixels, but one alone. No level has shorter ones, unless repeats take
 * many of their bytes: it is who wants many lanes, such as for a GPU, that goes without.
 */
const FORESEEING_LANE_BYTES_MIN = 3 * 2 ** 16;

/** Models of so many contexts take their time: they have a panel of predictors for sound. */
const PANEL_CONTEXTS_MIN = 28;
/** The same for samples of 8 bits, which gain most by it, and of 24, for whose bytes it takes the least time. */
const SOME_PANEL_CONTEXTS_MIN = 20;
const SOME_PANEL_WIDTHS = [1, 3];

/** What lanes foresee of a block. */
export function foresightOf({ streams, mixerContexts }: HyperParameters, seenBytes: number): LaneForesight {
  if (mixerContexts === 0) return NO_FORESIGHT;
  const isLong = streams === 1 || seenBytes >= streams * FORESEEING_LANE_BYTES_MIN;
  if (!isLong) return NO_FORESIGHT;
  if (mixerContexts < SOME_PANEL_CONTEXTS_MIN) return { ...NO_FORESIGHT, lanes: streams };
  return { lanes: streams, panelWidths: mixerContexts < PANEL_CONTEXTS_MIN ? SOME_PANEL_WIDTHS : [1, 2, 3] };
}

/** What a decoder takes for a block that is predicted, before the model or in its lanes, with the model. */
export function predictedMemoryBytes(
  hyper: HyperParameters,
  priorBytes: number,
  seenBytes: number,
  blockBytes: number,
): number {
  const { lanes } = foresightOf(hyper, seenBytes);
  const predictorBytes = transformMemoryBytes(seenBytes) + (lanes > 0 ? foresightMemoryBytes(blockBytes, lanes) : 0);
  const besideBytes = 5 * blockBytes + windowRoomBytes(windowBytesOf(blockBytes));
  return modelMemoryBytes(hyper) + priorBytes + predictorBytes + besideBytes;
}

/** What lanes are reminded of in a block of which repeats were cut out. */
export function cuesFor(
  prior: Prior | undefined,
  plainBytes: number,
  { copies, places, windowBytes }: Cut,
  { bytes, stretches, foreseen }: ShownBytes,
): CueFacts | undefined {
  const list = stretches ? decodeStretches(stretches, bytes.length, foreseen !== undefined) : [];
  return cueFactsOf(prior, { plainBytes, copies }, { copies: places, windowBytes }, list);
}

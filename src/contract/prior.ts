/**
 * What a prior gives a lane of the bit mixer before its first byte: bytes that it goes through without predicting
 * them, tallies of contexts (tally.ts), and values that training has changed. This table says which values those are;
 * how they are stored is the business of src/prior/state.ts, how a lane takes them that of the engines.
 */
import { finalsOf, inputsOf, MATCH_LENGTH_CLASSES, REFINE_NODES, RUN_CLASSES, setsOf } from "./mixer.ts";
import { REFINE_ROWS } from "./mixer-initial.ts";
import { tallyRoomBytes } from "./tally.ts";

/** Areas of a lane that training changes, by their names in MixerLane.area. */
export const TRAINED_NAMES = ["maps", "runMap", "matchMap", "weights", "finals", "order0", "refine"] as const;
export type TrainedName = (typeof TRAINED_NAMES)[number];

/**
 * What an area's values are: weights, i16 or i32; probabilities of 16 bits; or cells of maps, a probability (Q22) above
 * a count, where 0 stands for a state that there is not.
 */
export type TrainedKind = "weights" | "probabilities" | "cells";

export interface TrainedArea {
  readonly name: TrainedName;
  readonly kind: TrainedKind;
  /** Values of a row. */
  readonly rowLength: number;
  /** Rows of each family: what they have in common is stored once. */
  readonly families: readonly number[];
}

/** In the order in which a prior stores them. @param contexts of the lane, which has no counters */
export function trainedAreas(contexts: number): readonly TrainedArea[] {
  const [sets, finals] = [setsOf(0), finalsOf(0)];
  return [
    { name: "maps", kind: "cells", rowLength: 256, families: [contexts] },
    { name: "runMap", kind: "probabilities", rowLength: RUN_CLASSES, families: [contexts] },
    { name: "matchMap", kind: "probabilities", rowLength: MATCH_LENGTH_CLASSES, families: [1] },
    { name: "weights", kind: "weights", rowLength: inputsOf(contexts), families: sets },
    { name: "finals", kind: "weights", rowLength: sets.length, families: finals },
    { name: "order0", kind: "probabilities", rowLength: 256, families: [1] },
    { name: "refine", kind: "probabilities", rowLength: REFINE_NODES, families: [REFINE_ROWS] },
  ];
}

export const rowsOf = ({ families }: TrainedArea) => families.reduce((sum, rows) => sum + rows, 0);

export type TrainedValues = Int16Array | Int32Array | Uint16Array;

/** Values of an area that training has changed. */
export interface TrainedRows {
  /** Numbers of the rows whose values these are, ascending; absent: all rows. */
  readonly rows?: Uint32Array;
  readonly values: TrainedValues;
}

/** All of a lane that training changes. */
export type TrainedState = Readonly<Record<TrainedName, TrainedRows>>;

/** Bytes that a lane goes through before a frame's first block, at most. */
export const PRIOR_CONTENT_BYTES_MAX = 1 << 22;

/** What a context learns or leaves out as a whole, and the bytes whose bits share a word of LanePrior.lessons. */
export const LESSON_BYTES = 1024;
export const LESSONS_BYTES = 32 * LESSON_BYTES;

/** Words of LanePrior.lessons. @param linedBytes content that is not skimmed */
export const lessonWords = (contexts: number, linedBytes: number) => contexts * Math.ceil(linedBytes / LESSONS_BYTES);

/** Whether a context learns byte t of the content that is not skimmed. */
export function isLearnt(lessons: Uint32Array | undefined, contexts: number, context: number, t: number): boolean {
  if (!lessons) return true;
  const word = lessons[contexts * Math.floor(t / LESSONS_BYTES) + context] as number;
  return ((word >>> ((t % LESSONS_BYTES) / LESSON_BYTES)) & 1) === 1;
}

/** A lane of more bytes is not kept for the next file: with a copy of its beginning it would take twice as many. */
const KEPT_LANE_BYTES_MAX = 48 * 2 ** 20;
/** The same behind content that is skimmed, which takes little longer than to copy the lane. */
const KEPT_SKIMMED_BYTES_MAX = 16 * 2 ** 20;

/** What a lane takes of a prior. */
export interface LanePrior {
  /** The lane's number of contexts. */
  readonly contexts: number;
  /** How many of them have counters. Absent: 0. */
  readonly counters?: number;
  /** What `content` is like (MixerLane.describe). */
  readonly stride: number;
  /** Up to PRIOR_CONTENT_BYTES_MAX bytes that stand before the first block. */
  readonly content: Uint8Array;
  /** The first so many of them are skimmed: matches, words and so on see them, lines do not. Absent: 0. */
  readonly skimmedBytes?: number;
  /**
   * Which contexts learn which pieces of the rest, of LESSON_BYTES: for each LESSONS_BYTES of it a word for each
   * context, the first piece's bit lowest. Absent: all learn all.
   */
  readonly lessons?: Uint32Array;
  /** What lines begin with, as a prior's file has it (tally.ts), and sound. */
  readonly tallies?: Uint8Array;
  /** Without it, a lane begins with its initial values. */
  readonly trained?: TrainedState;
}

/** Bytes of a lane that is kept for the next file, at most. */
export function keptLaneBytesMax({ content, skimmedBytes = 0 }: LanePrior): number {
  return content.length > skimmedBytes ? KEPT_LANE_BYTES_MAX : KEPT_SKIMMED_BYTES_MAX;
}

/** What a lane takes for a prior besides what lanes have anyway: its content and its tallies. */
export function roomBytesOf({ contexts, content, tallies }: LanePrior): number {
  return content.length + (tallies ? tallyRoomBytes(tallies, contexts) : 0);
}

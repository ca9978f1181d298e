/**
 * Trains what a lane begins with: it goes through samples, each of them the first block of a frame behind the same
 * content, and keeps what they teach of weights and maps. What it has seen of a sample is forgotten after it, so that
 * the weights are those for the beginning of a file.
 *
 * Content that was taken of a sample would make the model trust it too much: callers give samples that the content does
 * not come from, or folds, each of them samples with content taken of the others.
 */
import { ceilLog2 } from "../contract/fixed.ts";
import type { LanePrior, TrainedState } from "../contract/prior.ts";
import { MixerLane } from "../engine/mixer/lane.ts";
import { collectAfter } from "../platform/release.ts";
import { type Coarseness, decodeTrained, encodeTrained, FINE } from "./state.ts";

/** What a prior has besides trained values. */
export type Start = Pick<LanePrior, "content" | "skimmedBytes" | "lessons" | "tallies">;

/** Samples, and content and tallies that none of them comes from. */
export interface Fold extends Start {
  readonly samples: readonly Uint8Array[];
}

export interface TrainOptions {
  /** Of the lane; what a prior is for. */
  readonly contexts: number;
  readonly stride: number;
  /** Times that the samples are gone through; the second time, rows begin as their family's mean. Default: 2. */
  readonly passes?: number;
  readonly coarseness?: Coarseness;
  /** Which contexts learn what of content, by what a pass has trained; absent: all of it. */
  readonly lessonsOf?: (content: Uint8Array, contexts: number, trained: TrainedState) => Uint32Array | undefined;
  /** Called after each sample; may throw to end the training. */
  readonly onSample?: (doneBytes: number) => void;
}

const LINE_BITS_MIN = 10;
const LINE_BITS_MAX = 22;

/** Lines that a lane needs for so many bytes: as mixerForSize has it. */
function lineBitsFor(bytes: number): number {
  return Math.min(LINE_BITS_MAX, Math.max(LINE_BITS_MIN, ceilLog2(Math.max(1, bytes)) - 1));
}

/** What a lane takes besides its lines, and a line of a context with its run. */
const LANE_BYTES = 8 * 2 ** 20;
const LINE_BYTES = 18;

/** What a lane of training takes, with the copy of what it was before a sample, about. */
export function laneMemoryBytes(contexts: number, contentBytes: number, longest: number): number {
  return 2 * (LANE_BYTES + LINE_BYTES * contexts * 2 ** lineBitsFor(contentBytes + longest));
}

/** A lane behind content and tallies, whose lines have twice the room. */
function seededLane(start: Start, longest: number, options: TrainOptions, trained?: TrainedState): MixerLane {
  const { contexts, stride } = options;
  const { content, skimmedBytes = 0, lessons, tallies } = start;
  const linedBytes = content.length - skimmedBytes + longest;
  const lane = new MixerLane({ contexts, lineBits: lineBitsFor(tallies ? 2 * linedBytes : linedBytes) });
  const part = { contexts, stride, content, skimmedBytes, ...(lessons && { lessons }), ...(tallies && { tallies }) };
  lane.seed({ ...part, ...(trained && { trained }) });
  return lane;
}

const longestOf = (samples: readonly Uint8Array[]) => samples.reduce((most, { length }) => Math.max(most, length), 0);

/**
 * Trains weights and maps. Takes about 15 microseconds for each byte of the samples and each pass.
 *
 * @returns trained values as a prior's file holds them
 */
export function trainValues(folds: readonly Fold[], options: TrainOptions): Uint8Array {
  const { contexts, passes = 2, coarseness = FINE, lessonsOf, onSample } = options;
  let encoded: Uint8Array = new Uint8Array(0);
  let trained: TrainedState | undefined;
  let doneBytes = 0;
  for (let pass = 0; pass < passes; pass++) {
    const before = trained;
    for (const { samples, ...start } of folds) {
      const lessons = before && lessonsOf?.(start.content, contexts, before);
      const lane = seededLane({ ...start, ...(lessons && { lessons }) }, longestOf(samples), options, trained);
      const kept = lane.keep();
      for (const sample of samples) {
        lane.begin();
        lane.study(sample);
        lane.recall(kept, true);
        doneBytes += sample.length;
        onSample?.(doneBytes);
      }
      trained = lane.trained();
      collectAfter(2 * lane.memoryBytes);
    }
    if (!trained) break;
    encoded = encodeTrained(trained, contexts, coarseness);
    trained = decodeTrained(encoded, contexts);
  }
  return encoded;
}

/** Payload bytes of a sample as a frame's first block behind a prior. */
export function codedBytesWith(prior: Parameters<MixerLane["seed"]>[0], samples: readonly Uint8Array[]): number[] {
  const { contexts, stride, trained } = prior;
  const lane = seededLane(prior, longestOf(samples), { contexts, stride }, trained);
  const kept = lane.keep();
  return samples.map((sample) => {
    lane.begin();
    lane.encode(sample);
    const { length } = lane.finishEncoding();
    lane.recall(kept);
    return length;
  });
}

/**
 * What the lanes of a patch are reminded of. What is left of a block when its copies are cut out is torn from what
 * stood around it; but the list of copies says where in the old file each piece has its place, and decoders know both
 * before the first bit. So before each piece a lane goes through what stands there, which the piece often resembles,
 * and then through the end of the copy before, which is what really stands before the piece (docs/PRIORS.md).
 */
import type { Block } from "../archive/format.ts";
import type { Cue, Model } from "../engine/engine.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import type { Stretch } from "../predict/list.ts";
import type { Prior } from "../prior/file.ts";
import type { Copies } from "../repeats/copies.ts";
import { layoutOf, streamStart } from "./streams.ts";

/** Bytes of the old file on either side of the place that a piece has in it. */
export const CUE_MARGIN_BYTES = 12;
/** Of a longer piece, no more of the old file than so many bytes. */
export const CUE_PLACE_BYTES_MAX = 128;
/** Bytes of the copy before. */
export const CUE_TAIL_BYTES = 24;

/** What is gone through for a copy, at most. */
export const CUE_BYTES_MAX = 2 * CUE_MARGIN_BYTES + CUE_PLACE_BYTES_MAX + CUE_TAIL_BYTES;

/** What cues of a block take, beside the old file: lanes keep them behind its bytes, threads have copies of them. */
export const cueMemoryBytes = (plainBytes: number) => 2 * plainBytes;

export interface CueFacts {
  readonly copies: Copies;
  readonly restBytes: number;
  /** What is replaced by what predictors leave of it, which resembles nothing. */
  readonly stretches: readonly Stretch[];
  /** Bytes before the block that copies reach: the old file, and behind it what is kept of blocks before. */
  readonly windowBytes: number;
  readonly old: Uint8Array;
}

/** What lanes are told of a block beside its kind. */
export interface ToldBlock {
  readonly foreseen?: ForeseenBlock | undefined;
  readonly cues?: CueFacts | undefined;
}

/**
 * The cues of each lane, whose bytes are views of the old file. All together are no more than the block's plain bytes:
 * what would be more is left out from there on.
 */
export function cuesOf(facts: CueFacts, streams: number): Cue[][] {
  const layout = layoutOf(facts.restBytes, streams);
  const cues = Array.from({ length: streams }, (): Cue[] => []);
  let lane = 0;
  let leftBytes = facts.restBytes + facts.copies.lengths.reduce((sum, length) => sum + length, 0);
  const startOf = (stream: number) => (stream < streams ? streamStart(layout, stream) : Number.POSITIVE_INFINITY);
  for (const { from, to, placeInOld, copyBytes } of piecesOf(facts)) {
    while (startOf(lane + 1) <= from) lane += 1;
    for (let at = from; at < to; at = startOf(++lane)) {
      const place = placeInOld + at - from;
      const about = around(facts.old, place, Math.min(to, startOf(lane + 1)) - at);
      // Another lane has what stands before a piece that is cut.
      const tail = at === from ? facts.old.subarray(place - Math.min(CUE_TAIL_BYTES, copyBytes), place) : NOTHING;
      leftBytes -= about.length + tail.length;
      if (leftBytes < 0) return cues;
      for (const bytes of [about, tail]) {
        if (bytes.length > 0) cues[lane]?.push({ at: at - startOf(lane), bytes });
      }
      if (startOf(lane + 1) >= to) break;
    }
  }
  return cues;
}

/**
 * What follows from a block and its prior; undefined if nothing does.
 *
 * @param open the block's copies, and how far back they reach
 */
export function cueFactsOf(
  prior: Prior | undefined,
  block: Pick<Block, "plainBytes" | "copies">,
  { copies, windowBytes }: Pick<CueFacts, "copies" | "windowBytes">,
  stretches: readonly Stretch[],
): CueFacts | undefined {
  if (!prior?.old || !block.copies) return undefined;
  return { copies, restBytes: block.copies.restBytes, stretches, windowBytes, old: prior.old };
}

const NOTHING = new Uint8Array(0);

/** Tells a model, whose block has just begun, its cues. @throws Error if the model is a network */
export async function tellCues(model: Model, facts: CueFacts | undefined): Promise<void> {
  if (!facts) return;
  if (!model.cue) throw new Error("a network cannot be reminded of anything");
  await model.cue(cuesOf(facts, model.hyper.streams));
}

/** What stands at a place of the old file, and on either side of it. */
function around(old: Uint8Array, place: number, lengthBytes: number): Uint8Array {
  const end = place + Math.min(lengthBytes, CUE_PLACE_BYTES_MAX) + CUE_MARGIN_BYTES;
  return old.subarray(Math.max(0, place - CUE_MARGIN_BYTES), Math.min(old.length, end));
}

/** Bytes of the rest between two copies, of which the first came from the old file. */
interface Piece {
  /** In the rest. */
  readonly from: number;
  readonly to: number;
  /** Where the copy before ends in the old file. */
  readonly placeInOld: number;
  readonly copyBytes: number;
}

function* piecesOf({ copies, restBytes, stretches, windowBytes, old }: CueFacts): Generator<Piece> {
  const { count, gaps, lengths, distances } = copies;
  const predicted = rangesOf(stretches);
  let taken = gaps[0] ?? 0;
  let position = taken;
  for (let i = 0; i < count; i += 1) {
    const copyBytes = lengths[i] as number;
    const distance = distances[i] as number;
    const placeInOld = windowBytes + position - distance + copyBytes;
    const to = i + 1 < count ? taken + (gaps[i + 1] as number) : restBytes;
    const isFree = distance > 0 && placeInOld <= old.length && to > taken && !predicted(taken, to);
    if (isFree) yield { from: taken, to, placeInOld, copyBytes };
    position += copyBytes + to - taken;
    taken = to;
  }
}

/** Whether ranges, asked for in their order, touch a stretch. */
function rangesOf(stretches: readonly Stretch[]): (from: number, to: number) => boolean {
  let next = 0;
  let start = stretches[0]?.gapBytes ?? Number.POSITIVE_INFINITY;
  return (from, to) => {
    for (let end = endOf(stretches[next], start); end <= from; end = endOf(stretches[next], start)) {
      next += 1;
      start = end + (stretches[next]?.gapBytes ?? Number.POSITIVE_INFINITY);
    }
    return start < to;
  };
}

const endOf = (stretch: Stretch | undefined, start: number) => start + (stretch?.lengthBytes ?? 0);

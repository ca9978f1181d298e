/**
 * A block as the model sees it, with what predictors left in place of numbers: of the stretches that were found in it
 * (numbers.ts), as far as copies that were cut out of it have left any.
 */
import { STRIDE_MAX } from "../contract/contexts.ts";
import { laneRange } from "../engine/mixer/model.ts";
import { type ForeseenBlock, isForeseeable } from "../predict/foresight.ts";
import { encodeStretches, type Numbers, STRETCH_BYTES_MAX, STRETCH_BYTES_MIN, type Stretch } from "../predict/list.ts";
import type { Copies } from "../repeats/copies.ts";
import { type Piece, type Range, rangesInRest, type SparedRange } from "../repeats/spare.ts";
import { transform, unitOf } from "./number-costs.ts";
import { Pacer } from "./pacer.ts";

/** A stretch as it lies in a block. */
export interface FoundNumbers extends SparedRange {
  readonly numbers: Numbers;
  /** Of colours and differences: in which distance what is left resembles itself; 0: in none. */
  readonly stride?: number;
}

/** A block as the model sees it. */
interface SeenBlock {
  readonly bytes: Uint8Array;
  readonly stretches: Uint8Array;
  /** What lanes are told if they foresee pixels among these. */
  readonly foreseen?: ForeseenBlock;
  /** Where most of the bytes are pixels: the width of a row, in which bytes are like those above. */
  readonly stride?: number;
}

/** Nearer bytes the network sees anyway. */
const STRIDE_MIN = 8;
/** What takes the place of others must lie over all of them but for so much. */
const RIVAL_SHARE = 0.9;

export const overlaps = (a: Range, b: Range) => a.start < b.end && a.end > b.start;

/** Where numbers lie over a rival; undefined if too much of that lies elsewhere. */
export function sharedBy(rival: Range, other: Range): Range | undefined {
  const shared = { start: Math.max(rival.start, other.start), end: Math.min(rival.end, other.end) };
  return shared.end - shared.start < RIVAL_SHARE * (rival.end - rival.start) ? undefined : shared;
}

/** Where the first whole unit of numbers begins in a range. */
export function firstWithin(range: Range, { start, numbers }: FoundNumbers): number {
  const unit = unitOf(numbers);
  return range.start + ((unit - ((range.start - start) % unit)) % unit);
}

/**
 * Transforms what is left of the stretches in the rest of a block; undefined if nothing is.
 *
 * @param copies that were cut out of the block
 * @param foresight what lanes foresee
 * @throws the abort reason
 */
export async function predictNumbers(
  rest: Uint8Array,
  found: readonly FoundNumbers[],
  copies: Copies,
  { lanes, panelWidths }: LaneForesight = NO_FORESIGHT,
  signal?: AbortSignal,
): Promise<SeenBlock | undefined> {
  const asPanel = (numbers: Numbers) =>
    numbers.kind === "sound" && lanes > 0 && panelWidths.includes(numbers.width)
      ? { ...numbers, isByPanel: true }
      : numbers;
  const pieces = rangesInRest(found, copies).map((piece) => {
    const aligned = alignedPiece(piece, found);
    return { ...aligned, numbers: asPanel(aligned.numbers) };
  });
  const isForeseen = lanes > 0 && pieces.some(({ numbers }) => isForeseeable(numbers));
  const ranges = isForeseen ? pieces.flatMap((piece) => withinLanes(piece, rest.length, lanes)) : pieces;
  const stretches = stretchesOf(ranges);
  if (stretches.length === 0) return undefined;
  const bytes = rest.slice();
  await transform(bytes, stretches, new Pacer(signal), isForeseen);
  const foreseen = isForeseen && { foreseen: { stretches, seenBytes: rest.length } };
  return { bytes, stretches: encodeStretches(stretches), ...foreseen, ...strideOf(ranges, rest.length) };
}

/** What lanes foresee of a block. */
export interface LaneForesight {
  /** Those that do; 0 if none does. */
  readonly lanes: number;
  /** Bytes of samples of sound that they foresee, too, by a panel of predictors. */
  readonly panelWidths: readonly number[];
}

export const NO_FORESIGHT: LaneForesight = { lanes: 0, panelWidths: [] };

/** Cuts pixels and sound where lanes begin: a lane foresees what lies wholly among its bytes. */
function withinLanes(piece: FoundNumbers, seenBytes: number, lanes: number): FoundNumbers[] {
  if (!isForeseeable(piece.numbers)) return [piece];
  const unit = unitOf(piece.numbers);
  const pieces: FoundNumbers[] = [];
  let start = piece.start;
  for (let lane = 0; lane < lanes; lane++) {
    const [, laneEnd] = laneRange(seenBytes, lanes, lane);
    const end = Math.min(piece.end, laneEnd);
    if (end <= start) continue;
    pieces.push({ ...piece, start, end });
    start += Math.ceil((end - start) / unit) * unit;
  }
  return pieces;
}

/** What is left of pixels lies in planes, where counting finds no stride, but the model does. */
function strideOf(ranges: readonly FoundNumbers[], seenBytes: number): { stride?: number } {
  const bytesOf = new Map<number, number>();
  for (const range of ranges) {
    const stride = strideLeft(range);
    if (stride !== undefined) bytesOf.set(stride, (bytesOf.get(stride) ?? 0) + range.end - range.start);
  }
  const [most] = [...bytesOf].sort((a, b) => b[1] - a[1]);
  return most && 2 * most[1] > seenBytes ? { stride: most[0] } : {};
}

/** At what distance the bytes that a predictor left resemble themselves, if that is known. */
function strideLeft({ numbers, stride }: FoundNumbers): number | undefined {
  if (numbers.kind === "sound" || numbers.kind === "colours" || numbers.kind === "differences") return stride;
  if (numbers.kind === "table") {
    const tupleBytes = unitOf(numbers);
    return tupleBytes > 2 ? tupleBytes : undefined;
  }
  return numbers.width >= STRIDE_MIN && numbers.width <= STRIDE_MAX ? numbers.width : undefined;
}

/** What is left of a stretch that was cut may begin somewhere in a sample. */
function alignedPiece({ start, end, of, into }: Piece, found: readonly FoundNumbers[]): FoundNumbers {
  const { numbers, stride } = found[of] as FoundNumbers;
  const unit = unitOf(numbers);
  return { start: start + ((unit - (into % unit)) % unit), end, numbers, ...(stride !== undefined && { stride }) };
}

/** Pieces of what a stretch may hold. */
function stretchesOf(ranges: readonly FoundNumbers[]): Stretch[] {
  const stretches: Stretch[] = [];
  let done = 0;
  for (const { start, end, numbers } of ranges) {
    const unit = unitOf(numbers);
    const most = Math.floor(STRETCH_BYTES_MAX / unit) * unit;
    for (let at = start; end - at >= STRETCH_BYTES_MIN; ) {
      const lengthBytes = Math.min(most, end - at);
      stretches.push({ gapBytes: at - done, lengthBytes, numbers });
      at += lengthBytes;
      done = at;
    }
  }
  return stretches;
}

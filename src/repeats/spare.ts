/**
 * Copies and ranges that must stay whole: numbers that a predictor goes through (src/predict) lose their order where a
 * few bytes are cut out of them. Copies that touch such a range are dropped, unless they are long.
 */
import type { Copies } from "./copies.ts";

/** Bytes of a block, from `start` to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A range that copies are kept away from. */
export interface SparedRange extends Range {
  /** Copies that are shorter are dropped; by default, and at least, LONG_COPY_BYTES. */
  readonly copyBytesMin?: number;
}

/** A copy of so many bytes saves more than a predictor would. */
const LONG_COPY_BYTES = 2 ** 12;

/** The copies without short ones that touch a range. @param ranges in order, apart from each other */
export function spare(copies: Copies, ranges: readonly SparedRange[]): Copies {
  if (ranges.length === 0 || copies.count === 0) return copies;
  const kept: { gap: number; length: number; distance: number }[] = [];
  let at = 0;
  let gap = 0;
  let next = 0;
  for (let i = 0; i < copies.count; i += 1) {
    const start = at + (copies.gaps[i] as number);
    const length = copies.lengths[i] as number;
    gap += copies.gaps[i] as number;
    at = start + length;
    while (next < ranges.length && (ranges[next] as Range).end <= start) next += 1;
    const range = ranges[next];
    const lengthMin = Math.max(LONG_COPY_BYTES, range?.copyBytesMin ?? 0);
    if (range && range.start < at && length < lengthMin) {
      gap += length;
      continue;
    }
    kept.push({ gap, length, distance: copies.distances[i] as number });
    gap = 0;
  }
  return {
    count: kept.length,
    gaps: Uint32Array.from(kept, (copy) => copy.gap),
    lengths: Uint32Array.from(kept, (copy) => copy.length),
    distances: Int32Array.from(kept, (copy) => copy.distance),
  };
}

/** A piece of the range number `of`, with `into` bytes of it before. */
export interface Piece extends Range {
  readonly of: number;
  readonly into: number;
}

/** What is left of ranges when copies were cut out, as ranges of the rest. */
export function rangesInRest(ranges: readonly Range[], copies: Copies): Piece[] {
  const left: Piece[] = [];
  let from = 0;
  let cutBytes = 0;
  // The pieces of the block between copies.
  for (let i = 0; i <= copies.count; i += 1) {
    const end = i < copies.count ? from + (copies.gaps[i] as number) : Number.POSITIVE_INFINITY;
    ranges.forEach((range, of) => {
      const start = Math.max(range.start, from);
      const last = Math.min(range.end, end);
      if (start >= last) return;
      left.push({ start: start - cutBytes, end: last - cutBytes, of, into: start - range.start });
    });
    if (i === copies.count) break;
    cutBytes += copies.lengths[i] as number;
    from = end + (copies.lengths[i] as number);
  }
  return left;
}

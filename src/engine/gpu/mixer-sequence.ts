/**
 * What a lane goes through in some steps: its own bytes, and before some of them those that it is reminded of
 * (../mixer/cued-lane.ts), which the device learns like a replay. Cut into dispatches the two are one sequence.
 */
import type { CueCursor } from "../mixer/cue-cursor.ts";

export interface Sequence {
  readonly bytes: Uint8Array;
  /** By byte, 1 for one that the lane is reminded of; absent if none is. */
  readonly isCue?: Uint8Array;
}

/** A lane's bytes of step-major ones. */
function laneBytesOf(rows: Uint8Array, streams: number, lane: number, count: number): Uint8Array {
  if (streams === 1) return rows.subarray(0, count);
  const bytes = new Uint8Array(count);
  for (let t = 0; t < count; t++) bytes[t] = rows[t * streams + lane] as number;
  return bytes;
}

/** The next `count` bytes of a lane, with the cues that come before them. */
export function sequenceOf(
  rows: Uint8Array,
  streams: number,
  lane: number,
  count: number,
  cursor: CueCursor | undefined,
): Sequence {
  const own = laneBytesOf(rows, streams, lane, count);
  if (!cursor || cursor.isDone) return { bytes: own };
  const pieces = Array.from(cursor.turns(count), (turn) =>
    "cue" in turn ? { bytes: turn.cue, isCue: true } : { bytes: own.subarray(turn.from, turn.until), isCue: false },
  );
  const length = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const [bytes, isCue] = [new Uint8Array(length), new Uint8Array(length)];
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.bytes, at);
    if (piece.isCue) isCue.fill(1, at, at + piece.bytes.length);
    at += piece.bytes.length;
  }
  return { bytes, isCue };
}

/** A part of a sequence. */
export function partOf({ bytes, isCue }: Sequence, from: number, count: number): Sequence {
  return { bytes: bytes.subarray(from, from + count), ...(isCue && { isCue: isCue.subarray(from, from + count) }) };
}

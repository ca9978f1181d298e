/**
 * What a lane goes through in some steps: its own bytes, and before some of them those that it is reminded of
 * (../mixer/cued-lane.ts), which the device learns like a replay. Cut into dispatches the two are one sequence.
 */
import type { Cue } from "../engine.ts";

/** The cues of a lane in this block, and how far it has come. */
export interface CueState {
  readonly cues: readonly Cue[];
  next: number;
  doneBytes: number;
}

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
  state: CueState | undefined,
): Sequence {
  const own = laneBytesOf(rows, streams, lane, count);
  if (!state || state.next === state.cues.length) return { bytes: own };
  const pieces: { readonly bytes: Uint8Array; readonly isCue: boolean }[] = [];
  let from = 0;
  do {
    let until = count;
    for (let cue = state.cues[state.next]; cue; cue = state.cues[++state.next]) {
      if (cue.at > state.doneBytes) {
        until = Math.min(count, from + cue.at - state.doneBytes);
        break;
      }
      pieces.push({ bytes: cue.bytes, isCue: true });
    }
    pieces.push({ bytes: own.subarray(from, until), isCue: false });
    state.doneBytes += until - from;
    from = until;
  } while (from < count);
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

/**
 * What a lane of the mixer makes of bytes: the last word where the small model has proposed something that is rare. It
 * takes longer, but knows of repeats and of what a level knows else.
 */
import { MixerLane } from "../engine/mixer/lane.ts";
import type { Pacer } from "./pacer.ts";

/** As the default level has them. */
const CONTEXTS = 20;
const LINE_BITS = 13;
/** Bytes between two pauses. */
const PIECE_BYTES = 2 ** 14;

/** Coded bytes. @param stride as of a block @throws the abort reason */
export async function laneBytes(bytes: Uint8Array, stride: number, pacer: Pacer): Promise<number> {
  const lane = new MixerLane({ contexts: CONTEXTS, lineBits: LINE_BITS });
  lane.describe(stride);
  lane.begin();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    lane.encode(bytes.subarray(at, at + PIECE_BYTES));
    await pacer.turn(() => {});
  }
  return lane.finishEncoding().length;
}

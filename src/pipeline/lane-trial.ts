/**
 * What a lane of the mixer makes of bytes: the last word where the small model has proposed something that is rare. It
 * takes longer, but knows of repeats and of what a level knows else.
 */
import { ceilLog2 } from "../contract/fixed.ts";
import { MixerLane } from "../engine/mixer/lane.ts";
import type { ForeseenNumbers } from "../predict/foresight.ts";
import type { Numbers } from "../predict/list.ts";
import { transform } from "./number-costs.ts";
import type { Pacer } from "./pacer.ts";

/** What is tried, at most. */
export const LANE_BYTES = 3 * 2 ** 15;

/** As the default level has them: with 12, three of 31 made pictures take 7 to 45 % more. */
const CONTEXTS = 20;
const LINE_BITS_MIN = 10;
const LINE_BITS_MAX = 14;
/** Bytes between two pauses. */
const PIECE_BYTES = 2 ** 14;

/** Coded bytes. @param stride as of a block @param foreseen what the lane foresees @throws the abort reason */
export async function laneBytes(
  bytes: Uint8Array,
  stride: number,
  pacer: Pacer,
  foreseen: readonly ForeseenNumbers[] = [],
): Promise<number> {
  const bits = ceilLog2(Math.max(1, bytes.length)) - 1;
  const lineBits = Math.min(LINE_BITS_MAX, Math.max(LINE_BITS_MIN, bits));
  const lane = new MixerLane({ contexts: CONTEXTS, lineBits });
  lane.describe(stride, foreseen);
  lane.begin();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    lane.encode(bytes.subarray(at, at + PIECE_BYTES));
    await pacer.turn(() => {});
  }
  return lane.finishEncoding().length;
}

/** The same of what a predictor leaves of a sample, which takes its place. */
export async function laneBytesAs(sample: Uint8Array, numbers: Numbers, stride: number, pacer: Pacer): Promise<number> {
  await transform(sample, [{ gapBytes: 0, lengthBytes: sample.length, numbers }], pacer);
  return await laneBytes(sample, stride, pacer);
}

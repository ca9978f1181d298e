/**
 * Drawings among the numbers of a block: whether what exact-trial.ts finds is worth its place. Copies of less than some
 * kilobytes are given up there, and predictors that were found before, so the only sure way to know is to go both ways:
 * cut repeats, predict what is left, and ask a lane what it makes of that.
 */
import { foreseenWithin } from "../predict/foresight.ts";
import { NO_COPIES } from "../repeats/copies.ts";
import { MIXER_POLICY } from "../repeats/policy.ts";
import { findExact } from "./exact-trial.ts";
import { laneBytes } from "./lane-trial.ts";
import type { Pacer } from "./pacer.ts";
import { type FoundNumbers, firstWithin, NO_FORESIGHT, overlaps, predictNumbers, sharedBy } from "./predicted.ts";
import { provenStride } from "./records-trial.ts";
import { searchRepeats } from "./repeats.ts";

/** Both ways are gone by so much of a block, from shortly before the first drawing on. */
const SAMPLE_BYTES = 2 ** 19;
const BEFORE_BYTES = 2 ** 12;
/** What is saved must be more than a lane errs by: such a share, and so many bytes. */
const LANE_BETTER = 0.998;
const SAVED_BYTES_MIN = 4;
/** As of lane-trial.ts. */
const ALONE = { streams: 1, history: 0, mixerContexts: 20, mixerCounters: 0 };

/**
 * What was found in a block, with drawings in place of what they lie over; or without them, if that is less.
 *
 * @param isForeseen whether lanes foresee pixels @throws the abort reason
 */
export async function withDrawings(
  plain: Uint8Array,
  found: readonly FoundNumbers[],
  pacer: Pacer,
  isForeseen: () => boolean,
): Promise<FoundNumbers[]> {
  const exact = await findExact(plain, pacer);
  const isWhole = (drawing: FoundNumbers) =>
    found.every((rival) => !overlaps(rival, drawing) || sharedBy(rival, drawing) !== undefined);
  const drawings = exact.filter(isWhole);
  const first = Math.min(...drawings.map(({ start }) => start));
  if (drawings.length === 0) return [...found];
  const all = [...found.filter((rival) => !drawings.some((drawing) => overlaps(rival, drawing))), ...drawings];
  const start = Math.max(0, Math.min(first - BEFORE_BYTES, plain.length - SAMPLE_BYTES));
  const sample = plain.subarray(start, start + SAMPLE_BYTES);
  const lanes = isForeseen() ? 1 : 0;
  const without = await takenFor(sample, within(found, start, sample.length), lanes, pacer);
  const taken = await takenFor(sample, within(all, start, sample.length), lanes, pacer);
  return taken + SAVED_BYTES_MIN < LANE_BETTER * without ? all : [...found];
}

/** What lies in a part of the block, as it lies there. */
function within(found: readonly FoundNumbers[], start: number, sizeBytes: number): FoundNumbers[] {
  const part = { start, end: start + sizeBytes };
  return found
    .filter((range) => overlaps(range, part))
    .map((range) => {
      const end = Math.min(range.end, part.end);
      const first = firstWithin({ start: Math.max(range.start, start), end }, range);
      return { ...range, start: first - start, end: end - start };
    })
    .sort((a, b) => a.start - b.start);
}

/** Bytes that a block takes if such numbers are found in it. */
async function takenFor(
  plain: Uint8Array,
  found: readonly FoundNumbers[],
  lanes: number,
  pacer: Pacer,
): Promise<number> {
  const window = new Uint8Array(0);
  const cut = await searchRepeats(plain, { window, policy: MIXER_POLICY, isChance: false, spared: found });
  const rest = cut?.rest ?? plain;
  const seen = await predictNumbers(rest, found, cut?.places ?? NO_COPIES, { ...NO_FORESIGHT, lanes });
  const bytes = seen?.bytes ?? rest;
  const foreseen = foreseenWithin(seen?.foreseen?.stretches ?? [], 0, bytes.length);
  const stride = seen?.stride ?? (await provenStride(bytes, ALONE, pacer));
  const taken = await laneBytes(bytes, stride, pacer, foreseen);
  return taken + (cut?.copies.list.length ?? 0) + (seen?.stretches.length ?? 0);
}

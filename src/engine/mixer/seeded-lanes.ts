/**
 * Lanes behind a prior, for the next file: to go through the prior's content again would take longer than a small file
 * itself. One is kept, with a copy of what it was before its first block, if it is not large: from the second lane on,
 * as the copy would be for nothing where one file is all.
 */
import { KEPT_LANE_BYTES_MAX, type LanePrior } from "../../contract/prior.ts";
import { type KeptLane, type LaneShape, MixerLane } from "./lane.ts";

export interface SeededLane {
  readonly lane: MixerLane;
  readonly prior: LanePrior;
  readonly shape: LaneShape;
  /** Absent if the lane is too large to be kept, or the first one. */
  readonly kept?: KeptLane;
}

let idle: SeededLane | undefined;
/** What the last lane was asked for. */
let last: Pick<SeededLane, "prior" | "shape"> | undefined;

/** A lane that has just been seeded, or is as if it had been. @throws RangeError */
export function takeLane(prior: LanePrior, shape: LaneShape): SeededLane {
  const found = idle;
  idle = undefined;
  const isSame = (other: typeof last) => other?.prior === prior && other.shape.lineBits === shape.lineBits;
  if (found?.kept && isSame(found)) {
    found.lane.recall(found.kept);
    return found;
  }
  const isAgain = isSame(last);
  last = { prior, shape };
  const lane = new MixerLane(shape);
  lane.seed(prior);
  const isKept = isAgain && lane.memoryBytes <= KEPT_LANE_BYTES_MAX;
  return { lane, prior, shape, ...(isKept && { kept: lane.keep() }) };
}

/** Takes a lane back that is not needed any more. */
export function leaveLane(seeded: SeededLane): void {
  if (seeded.kept) idle = seeded;
}

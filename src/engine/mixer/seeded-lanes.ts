/**
 * Lanes behind a prior, for the next files: to go through the prior's content again would take longer than a small file
 * itself. A few are kept, those that were used last, since files of several kinds and lengths take turns; each with a
 * copy of what it was before its first block, and from the second that is asked for on, as the copy would be for
 * nothing where one file is all.
 */
import { keptLaneBytesMax, type LanePrior } from "../../contract/prior.ts";
import { idleBytesMax } from "../../platform/idle-room.ts";
import { type KeptLane, type LaneShape, MixerLane } from "./lane.ts";

interface SeededLane {
  readonly lane: MixerLane;
  readonly prior: LanePrior;
  readonly shape: LaneShape;
  /** Absent if the lane is too large to be kept, or the first one. */
  readonly kept?: KeptLane;
}

/** Those that wait, the last used one last. */
const idle: SeededLane[] = [];
/** What lanes were asked for, by their lines. */
const asked = new WeakMap<LanePrior, Set<number>>();

const bytesOf = ({ lane, kept }: SeededLane) => lane.memoryBytes + (kept?.bytes.length ?? 0);

function dropBeyond(bytesMax: number): void {
  let bytes = idle.reduce((sum, each) => sum + bytesOf(each), 0);
  for (; bytes > bytesMax; bytes -= bytesOf(idle.shift() as SeededLane));
}

/** A lane that has just been seeded, or is as if it had been. @throws RangeError */
export function takeLane(prior: LanePrior, shape: LaneShape): SeededLane {
  const { lineBits } = shape;
  const at = idle.findLastIndex((other) => other.prior === prior && other.shape.lineBits === lineBits);
  const [found] = at < 0 ? [] : idle.splice(at, 1);
  dropBeyond(idleBytesMax());
  if (found?.kept) {
    found.lane.recall(found.kept);
    return found;
  }
  const lineBitsAsked = asked.get(prior) ?? new Set();
  const isAgain = lineBitsAsked.has(lineBits);
  asked.set(prior, lineBitsAsked.add(lineBits));
  const lane = new MixerLane(shape, prior);
  lane.seed(prior);
  const isKept = isAgain && lane.memoryBytes <= keptLaneBytesMax(prior);
  return { lane, prior, shape, ...(isKept && { kept: lane.keep() }) };
}

/** Takes a lane back that is not needed any more. The last one waits in any case: it was there with its copy before. */
export function leaveLane(seeded: SeededLane): void {
  if (!seeded.kept) return;
  idle.push(seeded);
  dropBeyond(Math.max(idleBytesMax(), bytesOf(seeded)));
}

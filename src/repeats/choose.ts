/**
 * Chooses among overlapping repeats which ones to cut out, and what their sources are.
 *
 * A copy takes some bits of its list, and saves what the network would take for its bytes (estimate.ts). The choice is
 * the one that saves most in sum. The repeats come with rising starts and rising ends; of two that overlap, the second
 * one gives up what the first has. With that, the best choice that ends with repeat j follows from the best ones before
 * it: one pass over the overlapping ones.
 */
import { COPY_BYTES_MIN, type Copies, NO_COPIES } from "./copies.ts";
import { COST_UNITS, CostEstimate, estimateBytes } from "./estimate.ts";
import { finderBytes, type Repeat, RepeatFinder, startingAt } from "./find.ts";
import { roomBytes, type SearchRoom } from "./kernels.ts";
import { COMPLEMENT } from "./mirror.ts";
import type { SparedRange } from "./spare.ts";

export interface CutOptions {
  /** Repeats of fewer bytes stay where they are; at least COPY_BYTES_MIN. */
  readonly minLength: number;
  /** The last bytes of each copy that stay in the rest, so that the network meets what follows in its context. */
  readonly seamBytes?: number;
  /**
   * Where a repeat is broken by a few changed bytes and goes on in the same distance, it may go on for only so many
   * bytes: such a copy costs little. Default: half of minLength. At least COPY_BYTES_MIN.
   */
  readonly resumeLength?: number;
  /** What a copy must save, by estimate. Without it, every repeat of minLength counts as worth a copy. */
  readonly worth?: Worth;
  /** With `worth`: whether repeats are many enough to ask what they cost. Default: they are. */
  readonly glance?: Glance;
  /** With `glance`: how many lanes share what is left of a block, if that are so many bytes. Default: one has all. */
  readonly lanesFor?: (restBytes: number) => number;
  /** Mirrored copies, too: for genomes. */
  readonly mirrored?: boolean;
  /** Ranges of the block that only long copies may touch, in order and apart from each other. */
  readonly spared?: readonly SparedRange[];
}

/** What copies cost and save, in bits. */
interface Worth {
  /** What a copy costs besides its distance. */
  readonly copyBits: number;
  /** What each byte saves that the network need not see, besides its bits: time. In 32nds of a bit. */
  readonly timeUnits: number;
}

/** Where repeats cover little of a block, nothing is estimated: only long ones are cut. */
export interface Glance {
  /** Repeats of so many bytes are looked at: more than minLength, so that the look is quick. */
  readonly minLength: number;
  /** What is estimated: blocks of which they cover so many hundredths. */
  readonly sharePercent: number;
  /** Of other blocks, repeats of so many bytes are cut. */
  readonly longBytes: number;
}

/** Changed bytes behind a copy across which it is looked whether it goes on. */
const CHANGED_BYTES_MAX = 32;
/** Of copyBits, what a copy still costs that goes on in the same distance: as a fraction of 4. */
const RESUMED_QUARTERS = 3;
/** What repeats itself after fewer bytes is a pattern rather than a repeat. */
const PERIOD_BYTES_MAX = 4096;
/** So many overlapping repeats are chosen from at once; memory and time stay bounded on the strangest input. */
const OVERLAPPING_MAX = 4096;
const RECENT = 4;
/** Bytes between two pauses: some hundredths of a second. */
const SLICE_BYTES = 2 ** 16;

/** What copies save and cost, in units of the same kind. */
interface Prices {
  saved(start: number, end: number): number;
  cost(distance: number): number;
  resumedCost(): number;
}

/** Without an estimate, every byte counts the same. */
function pricesOf({ minLength, worth }: CutOptions, blockStart: number, estimate: CostEstimate | undefined): Prices {
  if (!worth || !estimate) return { saved: (start, end) => end - start, cost: () => minLength, resumedCost: () => 0 };
  const { copyBits, timeUnits } = worth;
  return {
    saved: (start, end) => estimate.cost(start - blockStart, end - blockStart) + timeUnits * (end - start),
    cost: (distance) => COST_UNITS * (copyBits + 32 - Math.clz32(distance)),
    resumedCost: () => (COST_UNITS * copyBits * RESUMED_QUARTERS) / 4,
  };
}

/** What a room must have for chooseCopies. */
export function searchBytes(byteCount: number, blockStart: number, { minLength, worth }: CutOptions): number {
  const finder = roomBytes(finderBytes(byteCount, minLength));
  if (!worth) return roomBytes([byteCount, finder]);
  const { sums, tables } = estimateBytes(byteCount, blockStart);
  return roomBytes([byteCount, sums, Math.max(roomBytes([tables]), finder)]);
}

/**
 * Copies of the block that is at the end of the room's bytes, behind the window. Pauses every now and then.
 *
 * @param room has what searchBytes says
 */
export function* chooseCopies(room: SearchRoom, blockStart: number, options: CutOptions): Generator<void, Copies> {
  const { glance, worth, lanesFor, ...plain } = options;
  if (!worth || !glance) return yield* chooseAmong(room, blockStart, options);
  const { coveredBytes, longestBytes } = yield* glanceAt(room, blockStart, glance.minLength);
  const blockBytes = room.plain.length - blockStart;
  if (100 * coveredBytes >= glance.sharePercent * blockBytes) {
    return yield* chooseAmong(room, blockStart, options, lanesFor?.(blockBytes - coveredBytes));
  }
  if (longestBytes < glance.longBytes) return NO_COPIES;
  const long = { ...plain, minLength: glance.longBytes, resumeLength: glance.longBytes >> 1 };
  return yield* chooseAmong(room, blockStart, long);
}

/** How much of a block repeats cover. Patterns, such as zeros, do not count: any model foresees them. */
function* glanceAt(room: SearchRoom, blockStart: number, minLength: number) {
  const start = room.topBytes;
  const finder = new RepeatFinder(room, room.plain.length, blockStart, minLength);
  let [coveredBytes, longestBytes] = [0, 0];
  let [since, reach] = [blockStart, blockStart];
  for (;;) {
    const repeat = finder.next(since, reach, SLICE_BYTES);
    if (!repeat) {
      if (finder.isDone) break;
      yield;
      continue;
    }
    const { end, distance } = repeat;
    const lengthBytes = end - repeat.start;
    if (distance >= Math.min(lengthBytes, PERIOD_BYTES_MAX)) coveredBytes += end - Math.max(reach, repeat.start);
    longestBytes = Math.max(longestBytes, lengthBytes);
    [since, reach] = [repeat.start, end];
  }
  room.giveBack(start);
  return { coveredBytes, longestBytes };
}

function* chooseAmong(
  room: SearchRoom,
  blockStart: number,
  options: CutOptions,
  lanes?: number,
): Generator<void, Copies> {
  const { minLength, worth, mirrored = false } = options;
  const bytes = room.plain;
  const estimate = worth && new CostEstimate(room, bytes.length, blockStart, lanes);
  while (estimate?.advance(SLICE_BYTES)) yield;
  const prices = pricesOf(options, blockStart, estimate);
  // Not earlier: of the estimate, only the sums are left by now.
  const finder = new RepeatFinder(room, bytes.length, blockStart, minLength, mirrored);
  const chosen = new ChosenCopies(bytes, blockStart, options, prices);
  let floor = blockStart;
  const group: Repeat[] = [];
  const choice = new ChoiceRoom(OVERLAPPING_MAX);
  const choose = () => {
    for (const repeat of bestOf(group, prices, choice)) chosen.add(repeat);
    floor = Math.max(floor, group.at(-1)?.end ?? 0);
    finder.setFloor(floor);
    group.length = 0;
  };
  for (;;) {
    const last = group.at(-1);
    let repeat = finder.next(last?.start ?? blockStart, last?.end ?? blockStart, SLICE_BYTES);
    if (!repeat) {
      if (finder.isDone) break;
      yield;
      continue;
    }
    if (last && (repeat.start >= last.end || group.length >= OVERLAPPING_MAX)) choose();
    // The finder may still be before the end of a group that had to end early.
    repeat = startingAt(repeat, Math.max(repeat.start, floor));
    if (repeat.end - repeat.start < minLength) continue;
    // What starts later and ends earlier is of no use any more.
    const { start } = repeat;
    while (group.length > 0 && (group.at(-1) as Repeat).start >= start) group.pop();
    group.push(repeat);
  }
  choose();
  return chosen.finish();
}

/** Of so many repeats that overlap, all that the choice keeps: one room for all groups, which are many and short. */
class ChoiceRoom {
  /** The best that ends with repeat j: its value, what comes before it, and the best one of all up to j. */
  readonly values: Float64Array;
  readonly before: Int32Array;
  readonly bestUpTo: Int32Array;
  /** Of those that overlap the one at hand, in order and with falling merits. */
  readonly queue: Int32Array;
  readonly merits: Float64Array;

  constructor(count: number) {
    this.values = new Float64Array(count);
    this.before = new Int32Array(count);
    this.bestUpTo = new Int32Array(count);
    this.queue = new Int32Array(count);
    this.merits = new Float64Array(count);
  }
}

/**
 * Of repeats with rising starts and ends, those that save most; each begins where the one before it ends.
 *
 * Which one comes best before a repeat that overlaps several is asked of a queue: what counts is the value up to the
 * end of each, less what is saved up to there, whoever asks; a repeat that is worse in that than a later one is never
 * needed again. So the time is linear, however many overlap.
 */
export function bestOf(group: readonly Repeat[], prices: Prices, room = new ChoiceRoom(group.length)): Repeat[] {
  const { values, before, bestUpTo, queue, merits } = room;
  const first = group[0]?.start ?? 0;
  let [queueStart, queueEnd] = [0, 0];
  let apart = -1;
  for (let j = 0; j < group.length; j += 1) {
    const { start, end, distance } = group[j] as Repeat;
    while ((group[apart + 1] as Repeat).end <= start) apart += 1;
    while (queueStart < queueEnd && (queue[queueStart] as number) <= apart) queueStart += 1;
    let previous = apart < 0 ? -1 : (bestUpTo[apart] as number);
    const cost = prices.cost(distance);
    let value = prices.saved(start, end) - cost + (previous < 0 ? 0 : (values[previous] as number));
    const savedBefore = prices.saved(first, end);
    if (queueStart < queueEnd) {
      const overlapping = queue[queueStart] as number;
      const joined = (merits[overlapping] as number) + savedBefore - cost;
      if (joined > value) {
        value = joined;
        previous = overlapping;
      }
    }
    values[j] = value;
    before[j] = previous;
    const best = j > 0 ? (bestUpTo[j - 1] as number) : -1;
    bestUpTo[j] = value >= (best < 0 ? 0 : (values[best] as number)) ? j : best;
    merits[j] = value - savedBefore;
    while (queueEnd > queueStart && (merits[queue[queueEnd - 1] as number] as number) < value - savedBefore) {
      queueEnd -= 1;
    }
    queue[queueEnd++] = j;
  }
  const chosen: Repeat[] = [];
  for (let j = bestUpTo[group.length - 1] ?? -1; j >= 0; j = before[j] as number) chosen.push(group[j] as Repeat);
  chosen.reverse();
  let from = 0;
  return chosen.map((repeat) => {
    const start = Math.max(repeat.start, from);
    from = repeat.end;
    return startingAt(repeat, start);
  });
}

/** Collects what was chosen: gives it the sources that cost least, resumes broken repeats, leaves seams. */
class ChosenCopies {
  readonly #bytes: Uint8Array;
  readonly #resumeLength: number;
  readonly #seamBytes: number;
  readonly #blockStart: number;
  readonly #prices: Prices;
  /** Distances in the order of their last use. */
  readonly #recent: number[] = [];
  readonly #copies: Repeat[] = [];

  constructor(bytes: Uint8Array, blockStart: number, options: CutOptions, prices: Prices) {
    this.#bytes = bytes;
    this.#prices = prices;
    this.#blockStart = blockStart;
    this.#resumeLength = Math.max(COPY_BYTES_MIN, options.resumeLength ?? options.minLength >> 1);
    this.#seamBytes = options.seamBytes ?? 0;
  }

  add(repeat: Repeat): void {
    this.#resume(repeat.start);
    const isMirrored = repeat.axis !== undefined;
    const recent = isMirrored ? undefined : this.#recent.find((each) => this.#holds(repeat, each));
    this.#push({ ...repeat, distance: recent ?? repeat.distance });
  }

  finish(): Copies {
    this.#resume(this.#bytes.length);
    const gaps: number[] = [];
    const lengths: number[] = [];
    const distances: number[] = [];
    let done = this.#blockStart;
    for (const [i, { start, end, distance, axis }] of this.#copies.entries()) {
      const next = this.#copies[i + 1]?.start ?? this.#bytes.length;
      const length = end - start - (next > end ? this.#seamBytes : 0);
      if (length < COPY_BYTES_MIN) continue;
      gaps.push(start - done);
      lengths.push(length);
      distances.push(axis === undefined ? distance : -distance);
      done = start + length;
    }
    return {
      count: gaps.length,
      gaps: Uint32Array.from(gaps),
      lengths: Uint32Array.from(lengths),
      distances: Int32Array.from(distances),
    };
  }

  /** Behind the last copy, up to `limit`: does it go on in the same distance or axis, after some changed bytes? */
  #resume(limit: number): void {
    for (let last = this.#copies.at(-1); last; ) {
      const broken: Repeat = last;
      const first = last.end;
      last = undefined;
      for (
        let start = first + 1;
        start <= Math.min(limit - this.#resumeLength, first + CHANGED_BYTES_MAX);
        start += 1
      ) {
        let end = start;
        while (end < limit && this.#goesOn(broken, end)) end += 1;
        if (end - start >= this.#resumeLength && this.#prices.saved(start, end) >= this.#prices.resumedCost()) {
          last = startingAt({ ...broken, end }, start);
          this.#push(last);
          break;
        }
        start = end;
      }
    }
  }

  /** Whether the byte at `place` is what the copy would have there. */
  #goesOn({ distance, axis }: Repeat, place: number): boolean {
    if (axis === undefined) return this.#bytes[place] === this.#bytes[place - distance];
    return axis >= place && this.#bytes[place] === COMPLEMENT[this.#bytes[axis - place] as number];
  }

  #holds({ start, end }: Repeat, distance: number): boolean {
    if (distance > start) return false;
    for (let i = start; i < end; i += 1) if (this.#bytes[i] !== this.#bytes[i - distance]) return false;
    return true;
  }

  #push(copy: Repeat): void {
    this.#copies.push(copy);
    if (copy.axis !== undefined) return;
    const at = this.#recent.indexOf(copy.distance);
    if (at >= 0) this.#recent.splice(at, 1);
    this.#recent.unshift(copy.distance);
    if (this.#recent.length > RECENT) this.#recent.pop();
  }
}

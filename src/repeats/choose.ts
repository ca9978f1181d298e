/**
 * Chooses among overlapping repeats which ones to cut out, and what their sources are.
 *
 * A copy costs as much as the network would take for so many bytes of a repeat that it recognises; `minLength` says how
 * many. So the choice is the one with most bytes cut out after paying `minLength` bytes per copy. The repeats come with
 * rising starts and rising ends; of two that overlap, the second one then gives up what the first has. With that, the
 * best choice that ends with repeat j follows from the best ones before it: one pass over the overlapping ones.
 */
import { COPY_BYTES_MIN, type Copies } from "./copies.ts";
import { type Repeat, RepeatFinder } from "./find.ts";

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
}

/** Changed bytes behind a copy across which it is looked whether it goes on. */
const CHANGED_BYTES_MAX = 32;
/** So many overlapping repeats are chosen from at once; memory and time stay bounded on the strangest input. */
const OVERLAPPING_MAX = 4096;
const RECENT = 4;

/** Copies of the block that is at the end of `bytes`, behind the window. */
export function chooseCopies(bytes: Uint8Array, blockStart: number, options: CutOptions): Copies {
  const { minLength } = options;
  const finder = new RepeatFinder(bytes, blockStart, minLength);
  const chosen = new ChosenCopies(bytes, blockStart, options);
  let group: Repeat[] = [];
  const choose = () => {
    for (const repeat of bestOf(group, minLength)) chosen.add(repeat);
    finder.floor = Math.max(finder.floor, group.at(-1)?.end ?? 0);
    group = [];
  };
  for (;;) {
    const last = group.at(-1);
    const repeat = finder.next(last?.start ?? blockStart, last?.end ?? blockStart);
    if (!repeat) break;
    if (last && (repeat.start >= last.end || group.length >= OVERLAPPING_MAX)) {
      choose();
      repeat.start = Math.max(repeat.start, finder.floor);
      if (repeat.end - repeat.start < minLength) continue;
    }
    // What starts later and ends earlier is of no use any more.
    while (group.length > 0 && (group.at(-1) as Repeat).start >= repeat.start) group.pop();
    group.push(repeat);
  }
  choose();
  return chosen.finish();
}

/** Of repeats with rising starts and ends, those that cut out most; each begins where the one before it ends. */
export function bestOf(group: readonly Repeat[], costBytes: number): Repeat[] {
  if (group.length <= 1) return [...group];
  // The best that ends with repeat j: its value, what comes before it, and the best value of all up to j.
  const values: number[] = [];
  const before: number[] = [];
  const bestUpTo: number[] = [];
  let apart = -1;
  for (const [j, { start, end }] of group.entries()) {
    while ((group[apart + 1] as Repeat).end <= start) apart += 1;
    let from = apart < 0 ? -1 : (bestUpTo[apart] as number);
    let value = end - start - costBytes + (from < 0 ? 0 : (values[from] as number));
    for (let i = apart + 1; i < j; i += 1) {
      const joined = (values[i] as number) + end - (group[i] as Repeat).end - costBytes;
      if (joined > value) {
        value = joined;
        from = i;
      }
    }
    values.push(value);
    before.push(from);
    const best = bestUpTo[j - 1];
    bestUpTo.push(best !== undefined && (values[best] as number) > value ? best : j);
  }
  const chosen: Repeat[] = [];
  for (let j = bestUpTo.at(-1) as number; j >= 0; j = before[j] as number) chosen.push(group[j] as Repeat);
  chosen.reverse();
  let end = 0;
  return chosen.map((repeat) => {
    const start = Math.max(repeat.start, end);
    end = repeat.end;
    return { ...repeat, start };
  });
}

/** Collects what was chosen: gives it the sources that cost least, resumes broken repeats, leaves seams. */
class ChosenCopies {
  readonly #bytes: Uint8Array;
  readonly #resumeLength: number;
  readonly #seamBytes: number;
  readonly #blockStart: number;
  /** Distances in the order of their last use. */
  readonly #recent: number[] = [];
  readonly #copies: Repeat[] = [];

  constructor(bytes: Uint8Array, blockStart: number, options: CutOptions) {
    this.#bytes = bytes;
    this.#blockStart = blockStart;
    this.#resumeLength = Math.max(COPY_BYTES_MIN, options.resumeLength ?? options.minLength >> 1);
    this.#seamBytes = options.seamBytes ?? 0;
  }

  add(repeat: Repeat): void {
    this.#resume(repeat.start);
    const distance = this.#recent.find((each) => this.#holds(repeat, each)) ?? repeat.distance;
    this.#push({ ...repeat, distance });
  }

  finish(): Copies {
    this.#resume(this.#bytes.length);
    const gaps: number[] = [];
    const lengths: number[] = [];
    const distances: number[] = [];
    let done = this.#blockStart;
    for (const [i, { start, end, distance }] of this.#copies.entries()) {
      const next = this.#copies[i + 1]?.start ?? this.#bytes.length;
      const length = end - start - (next > end ? this.#seamBytes : 0);
      if (length < COPY_BYTES_MIN) continue;
      gaps.push(start - done);
      lengths.push(length);
      distances.push(distance);
      done = start + length;
    }
    return {
      count: gaps.length,
      gaps: Uint32Array.from(gaps),
      lengths: Uint32Array.from(lengths),
      distances: Uint32Array.from(distances),
    };
  }

  /** Behind the last copy, up to `limit`: does it go on in the same distance, after some changed bytes? */
  #resume(limit: number): void {
    for (let last = this.#copies.at(-1); last; ) {
      const { distance } = last;
      const first = last.end;
      last = undefined;
      for (
        let start = first + 1;
        start <= Math.min(limit - this.#resumeLength, first + CHANGED_BYTES_MAX);
        start += 1
      ) {
        let end = start;
        while (end < limit && this.#bytes[end] === this.#bytes[end - distance]) end += 1;
        if (end - start >= this.#resumeLength) {
          last = { start, end, distance };
          this.#push(last);
          break;
        }
        start = end;
      }
    }
  }

  #holds({ start, end }: Repeat, distance: number): boolean {
    if (distance > start) return false;
    for (let i = start; i < end; i += 1) if (this.#bytes[i] !== this.#bytes[i - distance]) return false;
    return true;
  }

  #push(copy: Repeat): void {
    this.#copies.push(copy);
    const at = this.#recent.indexOf(copy.distance);
    if (at >= 0) this.#recent.splice(at, 1);
    this.#recent.unshift(copy.distance);
    if (this.#recent.length > RECENT) this.#recent.pop();
  }
}

/** What lines begin with behind a prior, written to be read: docs/MIXER.md has the same in words. */
import { ceilLog2 } from "../../contract/fixed.ts";
import {
  bucketBitsOf,
  LEVELS_AT,
  TALLY_BITS,
  TALLY_COUNTS,
  TALLY_LEVELS,
  tallyCounts,
  tallyLayout,
  tallyStates,
} from "../../contract/tally.ts";

/** How often each byte followed. */
type Followers = readonly (readonly [byte: number, count: number])[];

/** For 16 counts of a half, the states of the 15 nodes above them; the first is none. */
function statesOf(leaves: readonly number[]): Uint8Array {
  const states = new Uint8Array(16);
  const sums = [...Array<number>(16).fill(0), ...leaves];
  for (let node = 15; node >= 1; node--) {
    const [zeros, ones] = [sums[2 * node] as number, sums[2 * node + 1] as number];
    sums[node] = zeros + ones;
    states[node] = stateOf(zeros, ones);
  }
  return states;
}

/** The state that stands for so many zeros and ones. */
function stateOf(zeros: number, ones: number): number {
  let shift = 0;
  while ((Math.max(zeros, ones) >> shift) >> TALLY_BITS > 0) shift++;
  const levelOf = (n: number) => tallyStates()[LEVELS_AT + (n >> shift)] as number;
  return tallyStates()[TALLY_LEVELS.length * levelOf(zeros) + levelOf(ones)] as number;
}

/** All tallies of a prior. */
export class TallyBook {
  /** By context and bucket: marks with what followed, the first of a mark first. */
  readonly #buckets: readonly (readonly { readonly mark: number; readonly followers: Followers }[])[][];

  /** @param bytes sound tallies */
  constructor(bytes: Uint8Array, contexts: number) {
    const layout = tallyLayout(tallyCounts(bytes, contexts), 0);
    const { perContext, sizesAt, marksAt, followersAt } = layout;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const followers = bytes.subarray(sizesAt, marksAt).reduce((sum, size) => sum + size + 1, 0);
    const countOf = (f: number) => ((bytes[followersAt + followers + (f >> 1)] as number) >> (4 * (f & 1))) & 15;
    let [bucket, tally, follower] = [layout.bucketsAt, 0, 0];
    const nextTally = () => {
      const mark = view.getUint16(marksAt + 2 * tally, true);
      const size = 1 + (bytes[sizesAt + tally++] as number);
      const all = Array.from({ length: size }, (): [number, number] => {
        const f = follower++;
        return [bytes[followersAt + f] as number, TALLY_COUNTS[countOf(f)] as number];
      });
      return { mark, followers: all };
    };
    this.#buckets = perContext.map((count) => {
      const buckets = count === 0 ? 0 : 2 ** bucketBitsOf(count);
      return Array.from({ length: buckets }, () => Array.from({ length: bytes[bucket++] as number }, nextTally));
    });
  }

  /** @param half 0, or the byte's high half + 1 @returns states by node, if the context has a tally */
  states(context: number, hash: number, half: number): Uint8Array | undefined {
    const buckets = this.#buckets[context] ?? [];
    const bits = ceilLog2(Math.max(1, buckets.length));
    const own = buckets[Math.floor(hash / 2 ** (32 - bits))];
    const found = own?.find(({ mark }) => mark === (hash << bits) >>> 16);
    if (!found) return undefined;
    const leaves = Array<number>(16).fill(0);
    for (const [byte, count] of found.followers) {
      const leaf = half === 0 ? byte >> 4 : byte & 15;
      if (half === 0 || byte >> 4 === half - 1) leaves[leaf] = (leaves[leaf] as number) + count;
    }
    return statesOf(leaves);
  }
}

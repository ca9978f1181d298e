/** Tallies as the bytes that a prior's file has, which are those that lanes look them up in. */
import { CorruptError } from "../archive/errors.ts";
import { bucketBitsOf, TALLY_COUNTS, tallyLayout } from "../contract/tally.ts";
import { openKernels } from "./kernels.ts";

/** A context's tally. */
export interface Tally {
  readonly hash: number;
  /** Each byte with one of TALLY_COUNTS. */
  readonly followers: readonly (readonly [byte: number, count: number])[];
}

/** @param contexts for each, its tallies, of at least one byte, in the order of their hashes */
export function encodeTallies(contexts: readonly (readonly Tally[])[]): Uint8Array {
  const all = contexts.flat();
  const followers = all.flatMap((tally) => tally.followers);
  const layout = tallyLayout(
    contexts.map(({ length }) => length),
    followers.length,
  );
  const bytes = new Uint8Array(layout.end);
  const view = new DataView(bytes.buffer);
  let bucket = layout.bucketsAt;
  let tally = 0;
  for (const [context, tallies] of contexts.entries()) {
    view.setUint32(4 * context, tallies.length, true);
    if (tallies.length === 0) continue;
    const bits = bucketBitsOf(tallies.length);
    for (const { hash, followers } of tallies) {
      const own = bucket + Math.floor(hash / 2 ** (32 - bits));
      bytes[own] = (bytes[own] as number) + 1;
      bytes[layout.sizesAt + tally] = followers.length - 1;
      view.setUint16(layout.marksAt + 2 * tally, (hash << bits) >>> 16, true);
      tally += 1;
    }
    bucket += 2 ** bits;
  }
  for (const [f, [byte, count]] of followers.entries()) {
    bytes[layout.followersAt + f] = byte;
    const at = layout.countsAt + (f >> 1);
    const number = TALLY_COUNTS.indexOf(count as (typeof TALLY_COUNTS)[number]);
    bytes[at] = (bytes[at] as number) | (number << (4 * (f & 1)));
  }
  return bytes;
}

/** @param baseBytes where they lie, for errors @throws CorruptError unless a lane can take them */
export function checkTallies(bytes: Uint8Array, contexts: number, baseBytes: number): void {
  const { kernels } = openKernels(bytes);
  if (kernels.areTallies(kernels.codeAddress(), bytes.length, contexts)) return;
  throw new CorruptError(baseBytes, "the tallies of a prior", "parts that fit each other", "others");
}

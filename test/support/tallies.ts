/** Tallies for tests of lanes: most of them of contexts that are met, and sure of what does not come. */
import { mix32 } from "../../src/contract/fixed.ts";
import { TALLY_COUNTS } from "../../src/contract/tally.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import type { Tally } from "../../src/prior/tally-bytes.ts";

/** Tallies of contexts that a text has, with bytes that mostly are not those that follow there. */
export function wildTallies(bytes: Uint8Array, contexts: number): Tally[][] {
  const lane = new MixerLane({ contexts, lineBits: 4 });
  lane.begin();
  const hashes = lane.hashesOf(bytes);
  return Array.from({ length: contexts }, (_, context) => {
    if (context === 2) return [];
    const own = new Set(hashes.subarray(context * bytes.length, (context + 1) * bytes.length));
    return [...own].sort((a, b) => a - b).map((hash) => ({ hash, followers: wildFollowers(hash) }));
  });
}

function wildFollowers(seed: number): (readonly [number, number])[] {
  const size = mix32(seed) % 9 === 0 ? 256 : 1 + (mix32(seed) % 5);
  const bytes = new Set(Array.from({ length: size }, (_, i) => (size === 256 ? i : mix32(seed + i) % 256)));
  return [...bytes].sort((a, b) => a - b).map((byte) => [byte, TALLY_COUNTS[mix32(seed ^ byte) % 16] as number]);
}

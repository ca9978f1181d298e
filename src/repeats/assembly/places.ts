/**
 * Places of a block and its window, by a hash of the bytes that begin there. An entry is a place's number + 1, and
 * above it some bits of its hash, which spare most vain looks at the bytes. Places with one hash are linked, newest
 * first.
 */

/** Links of one hash that are followed, right ones and others. */
const CHAIN_MAX: u32 = 24;
/** The filter has 2^3 bits for each slot. */
const FILTER_BITS: u32 = 3;
/** Spreads the low bits of the hash, which know little, over all. */
export const SPREAD: u32 = 0x85ebca6b;

/** 2^bits entries. */
let heads: usize = 0;
/** For each place, and one. */
let links: usize = 0;
/** A bit for each of 8 to 16 times as many hashes as there are places: most places are new, and end here. */
let isKnown: usize = 0;
let shift: u32 = 0;
let placeMask: u32 = 0;

/** Memory from `at` on must be 0: 4 bytes for each of 2^bits slots, for each place and one; 2^bits bytes. */
export function startPlaces(at: usize, bits: u32, places: u32): void {
  heads = at;
  links = heads + (<usize>4 << bits);
  isKnown = links + 4 * (<usize>places + 1);
  shift = 32 - bits;
  placeMask = ~0 >>> clz(places);
}

/** Hash bits that the slot does not tell, where the entry has room. */
// @ts-ignore: decorator
@inline
function tagOf(hash: u32): u32 {
  return (hash * SPREAD) & ~placeMask;
}

export function addPlace(hash: u32, place: u32): void {
  const slot = heads + (<usize>(hash >> shift) << 2);
  const known = hash >> (shift - FILTER_BITS);
  const word = isKnown + (<usize>(known >> 3));
  store<u8>(word, <u32>load<u8>(word) | (1 << (known & 7)));
  store<u32>(links + 4 * (<usize>place + 1), load<u32>(slot));
  store<u32>(slot, tagOf(hash) | (place + 1));
}

/** Links that may still be followed for the hash at hand. */
let left: u32 = 0;

function next(head: u32, tag: u32): u32 {
  for (let entry = head; entry != 0 && left > 0; left--) {
    if (((entry ^ tag) & ~placeMask) == 0) return entry & placeMask;
    entry = load<u32>(links + 4 * <usize>(entry & placeMask));
  }
  return 0;
}

/** The newest place that may have this hash, plus 1; 0 if there is none. */
// @ts-ignore: decorator
@inline
export function firstPlace(hash: u32): u32 {
  const known = hash >> (shift - FILTER_BITS);
  if (((<u32>load<u8>(isKnown + (<usize>(known >> 3))) >> (known & 7)) & 1) == 0) return 0;
  left = CHAIN_MAX;
  return next(load<u32>(heads + (<usize>(hash >> shift) << 2)), tagOf(hash));
}

/** The one before `entry`, as `firstPlace`. */
export function placeBefore(entry: u32, hash: u32): u32 {
  if (left == 0) return 0;
  left--;
  return next(load<u32>(links + 4 * <usize>entry), tagOf(hash));
}

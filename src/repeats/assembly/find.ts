/**
 * The pass that finds repeats: ../find.ts says what is found. Bytes are compared eight at a time, so that the longest
 * candidates of a strange input cost little; how many are compared for a place is bounded (CHAIN_MAX).
 */
import { addPlace, firstPlace, placeBefore, SPREAD, startPlaces } from "./places";

/** Deep inside a repeat that goes on for long, nobody looks for a still longer one. */
const CONTENT_BYTES: u32 = 1024;
const MULTIPLIER: u32 = 0x9e3779b1;
/** MULTIPLIER times this is 1, modulo 2^32. */
const INVERSE: u32 = 0x0e8b2f51;

let bytes: usize = 0;
let length: u32 = 0;
let blockStart: u32 = 0;
let minLength: u32 = 0;
let strideBits: u32 = 0;
let anchorBytes: u32 = 0;
/** 256 bytes: the partner of each; 0 where no mirrored repeats are looked for. */
let partners: usize = 0;
/** What the byte that leaves the hash is multiplied by. */
let leaving: u32 = 1;
let hash: u32 = 0;
/** Of the same bytes on the other strand, where the last of them comes first. */
let mirrorHash: u32 = 0;
let at: u32 = 0;
/** No repeat begins before this place. */
let floor: u32 = 0;
/** The repeat at hand: its source, or the axis of a mirrored one; its end. */
let source: u32 = 0;
let end: u32 = 0;
/** Three u32: start, end, source or axis. */
let found: usize = 0;

export function setFloor(place: u32): void {
  floor = place;
}

export function isFinderDone(): bool {
  return length < anchorBytes || at > length - anchorBytes;
}

// @ts-ignore: decorator
@inline
function partner(place: u32): u32 {
  return load<u8>(partners + load<u8>(bytes + place));
}

/** Of the bytes that begin at `from`; near the end, of those that are there. */
function hashAt(from: u32): u32 {
  const until = min<u32>(from + anchorBytes, length);
  let sum: u32 = 0;
  for (let i = from; i < until; i++) sum = sum * MULTIPLIER + load<u8>(bytes + i);
  return sum;
}

function mirrorHashAt(from: u32): u32 {
  let sum: u32 = 0;
  for (let i = min<u32>(from + anchorBytes, length); i > from; ) sum = sum * MULTIPLIER + partner(--i);
  return sum;
}

/** Begins. @param placesAt memory as startPlaces wants it @param foundAt for findRepeat @param partnersAt 0: none */
export function startFinder(
  bytesAt: usize,
  byteCount: u32,
  blockFrom: u32,
  least: u32,
  stride: u32,
  anchor: u32,
  placesAt: usize,
  placeBits: u32,
  foundAt: usize,
  partnersAt: usize,
): void {
  bytes = bytesAt;
  length = byteCount;
  blockStart = blockFrom;
  floor = blockFrom;
  minLength = least;
  strideBits = ctz(stride);
  anchorBytes = anchor;
  found = foundAt;
  partners = partnersAt;
  leaving = 1;
  for (let i: u32 = 0; i < anchorBytes; i++) leaving *= MULTIPLIER;
  startPlaces(placesAt, placeBits, ((length + stride - 1) >> strideBits));
  at = 0;
  // Remembers the places of the window without moving the hash through all of it, where that is less work.
  if (anchorBytes <= stride) {
    const places = blockStart >> strideBits;
    for (let place: u32 = 0; place < places; place++) addPlace(hashAt(place << strideBits) * SPREAD, place);
    at = places << strideBits;
  }
  hash = hashAt(at);
  if (partners) mirrorHash = mirrorHashAt(at);
}

/** Where the bytes from `here` end to be those from `place`, which is before it. */
function follow(place: u32, here: u32): u32 {
  const distance = here - place;
  let to = here;
  for (; to + 8 <= length; to += 8) {
    const differing = load<u64>(bytes + to) ^ load<u64>(bytes + to - distance);
    if (differing != 0) return to + (<u32>ctz(differing) >> 3);
  }
  while (to < length && load<u8>(bytes + to - distance) == load<u8>(bytes + to)) to++;
  return to;
}

function backwards(place: u32, here: u32): u32 {
  let left = here > floor ? min<u32>(place, here - floor) : 0;
  let from = here;
  const distance = here - place;
  for (; left >= 8; left -= 8, from -= 8) {
    const differing = load<u64>(bytes + from - 8) ^ load<u64>(bytes + from - 8 - distance);
    if (differing != 0) return from - (<u32>clz(differing) >> 3);
  }
  for (; left > 0 && load<u8>(bytes + from - 1) == load<u8>(bytes + from - 1 - distance); left--) from--;
  return from;
}

function followMirrored(axis: u32, here: u32): u32 {
  const limit = min<u32>(length, axis + 1);
  let to = here;
  while (to < limit && partner(axis - to) == <u32>load<u8>(bytes + to)) to++;
  return to;
}

function backwardsMirrored(axis: u32, here: u32): u32 {
  let from = here;
  while (from > floor && axis + 2 < 2 * from && partner(axis - from + 1) == <u32>load<u8>(bytes + from - 1)) from--;
  return from;
}

/** Of the places with this hash, the one whose bytes go on farthest as those here do, and behind `reach`. */
function findPlain(here: u32, key: u32, reach: u32): bool {
  let entry = firstPlace(key);
  if (entry == 0) return false;
  let isFound = false;
  end = max<u32>(reach, here + anchorBytes - 1);
  for (; entry != 0 && end < length; entry = placeBefore(entry, key)) {
    const place = (entry - 1) << strideBits;
    if (load<u8>(bytes + place + end - here) != load<u8>(bytes + end)) continue;
    const to = follow(place, here);
    if (to <= end) continue;
    end = to;
    source = place;
    isFound = true;
    if (end - here >= CONTENT_BYTES) break;
  }
  if (!isFound) return false;
  const start = backwards(source, here);
  if (end - start < minLength) return false;
  store<u32>(found, start);
  store<u32>(found + 4, end);
  store<u32>(found + 8, here - source);
  return true;
}

/** The same on the other strand; the source ends before the repeat begins. */
function findMirrored(here: u32, reach: u32): bool {
  const key = mirrorHash * SPREAD;
  let entry = firstPlace(key);
  if (entry == 0) return false;
  let isFound = false;
  end = max<u32>(reach, here + anchorBytes - 1);
  for (; entry != 0; entry = placeBefore(entry, key)) {
    const last = ((entry - 1) << strideBits) + anchorBytes - 1;
    if (last >= here) continue;
    const to = followMirrored(here + last, here);
    if (to <= end) continue;
    end = to;
    source = here + last;
    isFound = true;
    if (end - here >= CONTENT_BYTES) break;
  }
  if (!isFound) return false;
  const start = backwardsMirrored(source, here);
  if (end - start < minLength) return false;
  store<u32>(found, start);
  store<u32>(found + 4, end);
  store<u32>(found + 8, source);
  return true;
}

/** Moves the hashes on by one byte. */
// @ts-ignore: decorator
@inline
function roll(): void {
  const comes = at + anchorBytes;
  if (comes < length) {
    hash = hash * MULTIPLIER - <u32>load<u8>(bytes + at) * leaving + load<u8>(bytes + comes);
    if (partners) {
      // On the other strand a byte leaves behind, and comes in front.
      mirrorHash = (mirrorHash - partner(at)) * INVERSE + partner(comes) * (leaving * INVERSE);
    }
  }
  at++;
}

/**
 * The next repeat that ends behind `reach`, if one is met within `count` bytes: written to `found`.
 *
 * @param since where the repeat that ends at `reach` starts
 * @returns 0 for none, 1 for a plain one, 2 for a mirrored one
 */
export function findRepeat(since: u32, reach: u32, count: u32): u32 {
  if (isFinderDone()) return 0;
  const last = min<u32>(length - anchorBytes, at + count - 1);
  const strideMask = (1 << strideBits) - 1;
  let kind: u32 = 0;
  while (at <= last && kind == 0) {
    const key = hash * SPREAD;
    if (at >= blockStart && (at < since + 2 * minLength || reach < at + CONTENT_BYTES)) {
      if (findPlain(at, key, reach)) kind = 1;
      if (partners && findMirrored(at, kind == 1 ? end : reach)) kind = 2;
    }
    if ((at & strideMask) == 0) addPlace(key, at >> strideBits);
    roll();
  }
  return kind;
}

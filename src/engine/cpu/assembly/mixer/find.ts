/** Contexts' hashes and the lines that they lead to; the match. */
import {
  checkAt,
  contexts,
  data,
  hashes,
  lineAt,
  lineBits,
  lines,
  ownPlaces,
  PLACE_BITS,
  places,
  specs,
  STREAM_BYTES,
  streams,
  table,
  total,
} from "./state";

export const MATCH_MIN: u32 = 6;
/** Bytes whose agreement is counted when a match starts. */
const VERIFY_MAX: u32 = 64;

// @ts-ignore: decorator
@inline
export function into(h: u32, v: u32): u32 {
  const x = (h + v + 1) * 0x9e3779b1;
  return x ^ (x >> 15);
}

// @ts-ignore: decorator
@inline
export function finish(h: u32): u32 {
  let x = h ^ (h >> 16);
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

// @ts-ignore: decorator
@inline
export function back(start: usize, t: u32, o: u32): u32 {
  return o <= t ? <u32>load<u8>(start + t - o) : 0;
}

/** Hashes of the last 0 … 24 bytes of a stream, while its contexts are made. */
const ORDERS: usize = 64;
/** The longest of them that a context asks for. */
const ORDER_MAX: usize = 448;

/** The hashes of a stream's contexts at step t. */
export function hashContexts(b: u32, t: u32): void {
  const s = table + b * STREAM_BYTES;
  const start = data + load<u32>(s);
  const word = load<u32>(s, 20);
  const before = load<u32>(s, 24);
  let h: u32 = 0;
  store<u32>(ORDERS, h);
  const most = load<u32>(ORDER_MAX);
  for (let o: u32 = 1; o <= most; o++) {
    h = into(h, back(start, t, o));
    store<u32>(ORDERS + o * 4, h);
  }
  for (let i: u32 = 0; i < contexts; i++) {
    const spec = specs + i * 32;
    let k = load<u32>(ORDERS + load<u32>(spec) * 4) + i * 0x2c1b3c6d;
    const words = load<u32>(spec, 4);
    if (words > 0) k = into(k, word);
    if (words > 1) k = into(k, before);
    if (load<u32>(spec, 8)) k = into(k, b);
    for (let o: usize = 12; o < 28; o += 4) {
      const far = load<u32>(spec + o);
      if (far == 0) break;
      k = into(k, back(start, t, far));
    }
    store<u32>(hashes + (b * contexts + i) * 4, finish(k));
  }
}

// @ts-ignore: decorator
@inline
function bucketOf(i: u32, h: u32): usize {
  return lines + (((<usize>i << lineBits) + ((h >> 8) & ((1 << lineBits) - 4))) << 4);
}

// @ts-ignore: decorator
@inline
function nibbleHash(h: u32, high: u32): u32 {
  return high == 0 ? h : finish(h + high * 0x9e3779b1);
}

/** Reads something of every line that a nibble may need, so that the misses overlap. */
// @ts-ignore: decorator
@inline
function touch(b: u32, high: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    seen += load<u8>(bucketOf(i, nibbleHash(load<u32>(hashes + (b * contexts + i) * 4), high)));
  }
  return seen;
}

/** The line with this check, else the emptiest of its bucket; the lowest bit says that it is to be taken over. */
// @ts-ignore: decorator
@inline
function lineOf(bucket: usize, check: u32): usize {
  if (load<u8>(bucket) == check) return bucket;
  if (load<u8>(bucket, 16) == check) return bucket + 16;
  if (load<u8>(bucket, 32) == check) return bucket + 32;
  if (load<u8>(bucket, 48) == check) return bucket + 48;
  let worst = bucket;
  let least: u32 = load<u8>(total + load<u8>(bucket, 1));
  for (let at = bucket + 16; at < bucket + 64; at += 16) {
    const n: u32 = load<u8>(total + load<u8>(at, 1));
    if (n < least) {
      least = n;
      worst = at;
    }
  }
  return worst | 1;
}

/** Finds the lines of one nibble of streams [0, live); highs: the bytes' high halves + 1, or nothing for the first. */
export function findLines(live: u32, nibble: u32, bytes: usize): u32 {
  let seen: u32 = 0;
  for (let b: u32 = 0; b < live; b++) seen += touch(b, nibble == 0 ? 0 : 1 + (<u32>load<u8>(bytes + b) & 15));
  for (let b: u32 = 0; b < live; b++) {
    const high = nibble == 0 ? 0 : 1 + (<u32>load<u8>(bytes + b) & 15);
    for (let i: u32 = 0; i < contexts; i++) {
      const h = nibbleHash(load<u32>(hashes + (b * contexts + i) * 4), high);
      const check = max<u32>(1, h & 255);
      const at = ((b * contexts + i) * 2 + nibble) * 4;
      store<u32>(lineAt + at, lineOf(bucketOf(i, h), check));
      store<u32>(checkAt + at, check);
    }
  }
  return seen;
}

function agreeing(end: usize, here: usize, room: u32): u32 {
  let n: u32 = 0;
  while (n < room && load<u8>(end - 1 - n) == load<u8>(here - 1 - n)) n++;
  return n;
}

/** Tries the place that a table names: stream above step. */
function tryPlace(s: usize, place: u32, here: usize, t: u32): void {
  if (place == 0) return;
  const other = table + (place >> 24) * STREAM_BYTES;
  const step = place & 0xffffff;
  const n = agreeing(data + load<u32>(other) + step, here, min(min(step, t), VERIFY_MAX));
  if (n < MATCH_MIN) return;
  store<u32>(s, place >> 24, 8);
  store<u32>(s, step, 12);
  store<u32>(s, n, 16);
}

/** After step t - 1: streams without a match look for one, own bytes first, and all note where they are. */
export function findMatches(live: u32, t: u32): void {
  if (t < MATCH_MIN) return;
  for (let b: u32 = 0; b < live; b++) {
    const s = table + b * STREAM_BYTES;
    const here = data + load<u32>(s) + t;
    let k: u32 = 0;
    for (let o: u32 = 1; o <= MATCH_MIN; o++) k = into(k, load<u8>(here - o));
    const own = ownPlaces + (finish(into(k, b)) >> (32 - PLACE_BITS)) * 4;
    const any = places + (finish(k) >> (32 - PLACE_BITS)) * 4;
    if (load<u32>(s, 16) == 0) tryPlace(s, load<u32>(own), here, t);
    if (load<u32>(s, 16) == 0) tryPlace(s, load<u32>(any), here, t);
    store<u32>(own, (b << 24) | t);
    store<u32>(any, (b << 24) | t);
  }
}

/** The byte that each stream's match expects + 1, or 0: one of the same step is not known yet. */
export function expectBytes(live: u32, t: u32): void {
  for (let b: u32 = 0; b < live; b++) {
    const s = table + b * STREAM_BYTES;
    let expected: u32 = 0;
    if (load<u32>(s, 16) > 0) {
      const other = table + load<u32>(s, 8) * STREAM_BYTES;
      const step = load<u32>(s, 12);
      if (step < min(t, load<u32>(other, 4))) expected = 1 + load<u8>(data + load<u32>(other) + step);
    }
    store<u32>(s, expected, 28);
  }
}

/** What a byte does to the match and the words of its stream. */
export function follow(b: u32, y: u32): void {
  const s = table + b * STREAM_BYTES;
  const goesOn = load<u32>(s, 16) > 0 && load<u32>(s, 28) == y + 1;
  store<u32>(s, goesOn ? min<u32>(load<u32>(s, 16) + 1, 65535) : 0, 16);
  if (goesOn) store<u32>(s, load<u32>(s, 12) + 1, 12);
  const upper = y >= 65 && y <= 90;
  if (upper || (y >= 97 && y <= 122) || y >= 128) {
    store<u32>(s, into(load<u32>(s, 20), upper ? y + 32 : y), 20);
  } else {
    if (load<u32>(s, 20) != 0) store<u32>(s, load<u32>(s, 20), 24);
    store<u32>(s, 0, 20);
  }
}

/** Begins a block of `length` bytes: streams are contiguous and as long as each other, the first ones by one more. */
export function beginStreams(length: u32): void {
  memory.fill(ownPlaces, 0, 4 << PLACE_BITS);
  memory.fill(places, 0, 4 << PLACE_BITS);
  let most: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) most = max(most, load<u32>(specs + i * 32));
  store<u32>(ORDER_MAX, most);
  let start: u32 = 0;
  for (let b: u32 = 0; b < streams; b++) {
    const s = table + b * STREAM_BYTES;
    memory.fill(s, 0, STREAM_BYTES);
    const bytes = length / streams + u32(b < length % streams);
    store<u32>(s, start);
    store<u32>(s, bytes, 4);
    start += bytes;
  }
}

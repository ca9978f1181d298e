/** What the bit mixer's contexts lead to: their hashes, lines of histories, matches, and the words of a stream. */
import { LINE_BYTES, MATCH_MIN, type MixerShape } from "../../contract/mixer.ts";

/** Lines of a bucket: any may hold a context. */
const BUCKET_LINES = 4;
/** 2^PLACE_BITS places of each of the two tables in which matches are looked for. */
const PLACE_BITS = 18;
const VERIFY_MAX = 64;
const MATCH_LENGTH_LIMIT = 65535;
const GOLDEN = 0x9e3779b1;

/** One value more into a hash; u32. */
export function into(h: number, v: number): number {
  const x = Math.imul(h + v + 1, GOLDEN);
  return (x ^ (x >>> 15)) >>> 0;
}

/** Mixes all bits of a hash; u32. */
export function finish(h: number): number {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** One of the lane's streams in a block. */
export interface Stream {
  readonly bytes: Uint8Array;
  word: number;
  wordBefore: number;
  /** The match: where the byte lies that it expects next; length 0 is none. */
  match: { stream: number; step: number; length: number };
  /** The byte that the match expects at this step + 1, or 0. */
  expected: number;
}

/** Contiguous streams, the first ones a byte longer if the length does not divide. */
export function streamsOf(block: Uint8Array, count: number): Stream[] {
  let start = 0;
  return Array.from({ length: count }, (_, b) => {
    const length = Math.floor(block.length / count) + (b < block.length % count ? 1 : 0);
    const bytes = block.subarray(start, start + length);
    start += length;
    return { bytes, word: 0, wordBefore: 0, match: { stream: 0, step: 0, length: 0 }, expected: 0 };
  });
}

/** The byte `o` places before step t, 0 before the first. */
export function back(stream: Stream, t: number, o: number): number {
  return o <= t ? (stream.bytes[t - o] as number) : 0;
}

/** The hash of every context of stream b at step t. */
export function hashesOf(shape: MixerShape, stream: Stream, b: number, t: number): number[] {
  return shape.contexts.map((context, i) => {
    let k = 0;
    for (let o = 1; o <= context.order; o++) k = into(k, back(stream, t, o));
    k = (k + Math.imul(i, 0x2c1b3c6d)) >>> 0;
    if (context.words > 0) k = into(k, stream.word);
    if (context.words > 1) k = into(k, stream.wordBefore);
    if (context.own) k = into(k, b);
    for (const o of context.offsets) k = into(k, back(stream, t, o));
    return finish(k);
  });
}

/** A line that a context has found, or the one that it will take over. */
export interface Found {
  readonly at: number;
  readonly check: number;
  readonly fresh: boolean;
}

/** Lines of histories, 2^lineBits for every context. */
export class Lines {
  readonly bytes: Uint8Array;
  readonly #lineBits: number;
  readonly #total: Uint8Array;
  readonly #next: Uint8Array;

  constructor(contexts: number, lineBits: number, total: Uint8Array, next: Uint8Array) {
    this.bytes = new Uint8Array((LINE_BYTES * contexts) << lineBits);
    this.#lineBits = lineBits;
    this.#total = total;
    this.#next = next;
  }

  /** @param high the byte's high half + 1 for its second nibble, else 0 */
  find(context: number, hash: number, high: number): Found {
    const h = high === 0 ? hash : finish(hash + Math.imul(high, GOLDEN));
    const check = Math.max(1, h & 255);
    const index = (h >>> 8) & ((1 << this.#lineBits) - BUCKET_LINES);
    const bucket = ((context << this.#lineBits) + index) * LINE_BYTES;
    let at = bucket;
    let least = 256;
    for (let line = 0; line < BUCKET_LINES; line++) {
      const here = bucket + line * LINE_BYTES;
      if (this.bytes[here] === check) return { at: here, check, fresh: false };
      const seen = this.#total[this.bytes[here + 1] as number] as number;
      if (seen < least) {
        least = seen;
        at = here;
      }
    }
    return { at, check, fresh: true };
  }

  state(found: Found, node: number): number {
    return found.fresh ? 0 : (this.bytes[found.at + node] as number);
  }

  /** Four bits, highest first; nothing if another context has taken the line since it was found. */
  learn({ at, check, fresh }: Found, half: number): void {
    if (this.bytes[at] !== check) {
      if (!fresh) return;
      this.bytes.fill(0, at, at + LINE_BYTES);
      this.bytes[at] = check;
    }
    for (let k = 3, node = 1; k >= 0; k--) {
      const bit = (half >> k) & 1;
      const state = this.bytes[at + node] as number;
      this.bytes[at + node] = this.#next[2 * state + bit] as number;
      node = 2 * node + bit;
    }
  }
}

/** Where the same MATCH_MIN bytes were last, in the stream itself and in any. */
export class Matches {
  readonly #own = new Uint32Array(1 << PLACE_BITS);
  readonly #any = new Uint32Array(1 << PLACE_BITS);
  readonly #streams: readonly Stream[];

  constructor(streams: readonly Stream[]) {
    this.#streams = streams;
  }

  /** What a match expects at step t: one that has reached the present of its stream expects nothing. */
  expect(live: number, t: number): void {
    for (const stream of this.#streams.slice(0, live)) {
      const { length, step } = stream.match;
      const other = this.#streams[stream.match.stream] as Stream;
      const known = length > 0 && step < Math.min(t, other.bytes.length);
      stream.expected = known ? 1 + (other.bytes[step] as number) : 0;
    }
  }

  /** After step t - 1: streams without a match look for one, own bytes first, and all note where they are. */
  find(live: number, t: number): void {
    if (t < MATCH_MIN) return;
    for (let b = 0; b < live; b++) {
      const stream = this.#streams[b] as Stream;
      let k = 0;
      for (let o = 1; o <= MATCH_MIN; o++) k = into(k, back(stream, t, o));
      const own = finish(into(k, b)) >>> (32 - PLACE_BITS);
      const any = finish(k) >>> (32 - PLACE_BITS);
      this.#try(stream, this.#own[own] as number, t);
      this.#try(stream, this.#any[any] as number, t);
      this.#own[own] = (b << 24) | t;
      this.#any[any] = (b << 24) | t;
    }
  }

  #try(stream: Stream, place: number, t: number): void {
    if (place === 0 || stream.match.length > 0) return;
    const step = place & 0xffffff;
    const other = this.#streams[place >>> 24] as Stream;
    const room = Math.min(step, t, VERIFY_MAX);
    let length = 0;
    while (length < room && other.bytes[step - 1 - length] === stream.bytes[t - 1 - length]) length++;
    if (length >= MATCH_MIN) stream.match = { stream: place >>> 24, step, length };
  }
}

/** What a byte does to the match and the words of its stream. */
export function follow(stream: Stream, byte: number): void {
  const { match } = stream;
  const goesOn = match.length > 0 && stream.expected === byte + 1;
  match.length = goesOn ? Math.min(match.length + 1, MATCH_LENGTH_LIMIT) : 0;
  if (goesOn) match.step++;
  const upper = byte >= 65 && byte <= 90;
  if (upper || (byte >= 97 && byte <= 122) || byte >= 128) {
    stream.word = into(stream.word, upper ? byte + 32 : byte);
    return;
  }
  if (stream.word !== 0) stream.wordBefore = stream.word;
  stream.word = 0;
}

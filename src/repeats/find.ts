/**
 * Finds bytes that were there before: at each place of a block, whether some earlier place, in the block or in the
 * window before it, goes on with the same bytes for long.
 *
 * Only every S-th place is remembered, under a hash of the A bytes that begin there, and every place is looked up. A
 * repeat of A + S - 1 bytes holds a remembered place wherever it lies, and is then followed to both of its ends, so
 * none of the least length is missed. S is a quarter to an eighth of the least length. Memory: 9 to 14 bytes for each
 * place that is remembered, so for a least length of 32 bytes at most 1.8 bytes per byte of window and block.
 *
 * For mirrored repeats each place is looked up a second time, under the hash that its bytes would have on the other
 * strand; the places that are remembered are the same.
 *
 * Nothing here decides what a decoder does: it only makes a list of copies, and any true list restores the block.
 */
import { release } from "../platform/release.ts";
import { COMPLEMENT } from "./mirror.ts";

/** Candidates of one hash that are looked at. The newest come first. */
const CHAIN_MAX = 24;
/** Deep inside a repeat that goes on for long, nobody looks for a still longer one. */
const CONTENT_BYTES = 1024;
/** Longer ones would tell little more. */
const ANCHOR_BYTES_MAX = 48;
/** The filter has 2^3 bits for each slot. */
const FILTER_BITS = 3;
const MULTIPLIER = 0x9e3779b1;
/** MULTIPLIER times this is 1, modulo 2^32. */
const INVERSE = 0x0e8b2f51;
/** Spreads the low bits of the hash, which know little, over all. */
const SPREAD = 0x85ebca6b;

/** A stretch of bytes that stand `distance` bytes before, too. */
export interface Repeat {
  readonly start: number;
  readonly end: number;
  readonly distance: number;
  /** Of a mirrored repeat (mirror.ts): the byte at p is the partner of the one at axis - p. */
  readonly axis?: number;
}

/** What is left of a repeat that begins later. The source of a mirrored one moves the other way. */
export function startingAt(repeat: Repeat, start: number): Repeat {
  const { axis, distance } = repeat;
  return { ...repeat, start, distance: axis === undefined ? distance : 2 * start - axis };
}

/** How often places are remembered, for repeats of at least `minLength` bytes. */
export function strideFor(minLength: number): number {
  return Math.max(1, 2 ** (29 - Math.clz32(minLength)));
}

/** Remembers places by the bytes that begin there. */
class PlaceIndex {
  readonly #heads: Uint32Array;
  readonly #links: Uint32Array;
  /** A bit for each of 8 to 16 times as many hashes as there are places: most places are new, and end here. */
  readonly #isKnown: Uint32Array;
  readonly #shift: number;
  /** An entry is a place's number + 1, and above it some bits of its hash, which spare most vain looks at the bytes. */
  readonly #placeMask: number;

  constructor(places: number) {
    const bits = Math.min(32 - FILTER_BITS, Math.max(8, 32 - Math.clz32(Math.max(0, places - 1))));
    this.#heads = new Uint32Array(2 ** bits);
    this.#links = new Uint32Array(places + 1);
    this.#isKnown = new Uint32Array(2 ** (bits - 2));
    this.#shift = 32 - bits;
    this.#placeMask = 2 ** (32 - Math.clz32(places)) - 1;
  }

  add(hash: number, place: number): void {
    const slot = hash >>> this.#shift;
    const known = hash >>> (this.#shift - FILTER_BITS);
    this.#isKnown[known >>> 5] = (this.#isKnown[known >>> 5] as number) | (1 << (known & 31));
    this.#links[place + 1] = this.#heads[slot] as number;
    this.#heads[slot] = ((this.#tagOf(hash) | (place + 1)) >>> 0) as number;
  }

  close(): void {
    for (const array of [this.#heads, this.#links, this.#isKnown]) release(array);
  }

  /** The newest place that may have this hash, plus 1; 0 if there is none. */
  first(hash: number): number {
    const known = hash >>> (this.#shift - FILTER_BITS);
    if ((((this.#isKnown[known >>> 5] as number) >>> (known & 31)) & 1) === 0) return 0;
    return this.#next(this.#heads[hash >>> this.#shift] as number, this.#tagOf(hash));
  }

  /** The one before `entry`, as `first`. */
  before(entry: number, hash: number): number {
    return this.#next(this.#links[entry] as number, this.#tagOf(hash));
  }

  #next(head: number, tag: number): number {
    let entry = head;
    for (let i = 0; i < CHAIN_MAX && entry !== 0; i += 1) {
      if (((entry ^ tag) & ~this.#placeMask) === 0) return entry & this.#placeMask;
      entry = this.#links[entry & this.#placeMask] as number;
    }
    return 0;
  }

  /** Hash bits that the slot does not tell, where the entry has room. */
  #tagOf(hash: number): number {
    return Math.imul(hash, SPREAD) & ~this.#placeMask;
  }
}

/**
 * Goes through a block once and gives the repeats in it that reach farther than all before them, in the order of their
 * starts: any place of the block is best served by one of these.
 */
export class RepeatFinder {
  readonly #bytes: Uint8Array;
  readonly #minLength: number;
  readonly #stride: number;
  readonly #anchorBytes: number;
  readonly #index: PlaceIndex;
  /** What the byte that leaves the hash is multiplied by. */
  readonly #leaving: number;
  readonly #mirrored: boolean;
  #hash = 0;
  /** Of the same bytes on the other strand, where the last of them comes first. */
  #mirrorHash = 0;
  #at = 0;
  readonly #blockStart: number;
  /** No repeat begins before this place. */
  floor: number;

  /** @param bytes the window and behind it the block, which starts at `blockStart` */
  constructor(bytes: Uint8Array, blockStart: number, minLength: number, mirrored = false) {
    this.#bytes = bytes;
    this.#mirrored = mirrored;
    this.#minLength = minLength;
    this.#stride = strideFor(minLength);
    this.#anchorBytes = Math.min(ANCHOR_BYTES_MAX, minLength - this.#stride + 1);
    this.#index = new PlaceIndex(Math.ceil(bytes.length / this.#stride));
    this.#blockStart = blockStart;
    this.floor = blockStart;
    let leaving = 1;
    for (let i = 0; i < this.#anchorBytes; i += 1) leaving = Math.imul(leaving, MULTIPLIER);
    this.#leaving = leaving;
    if (this.#anchorBytes <= this.#stride) this.#skipWindow();
    this.#hash = this.#hashAt(this.#at);
    if (mirrored) this.#mirrorHash = this.#mirrorHashAt(this.#at);
  }

  /** Remembers the places of the window without moving the hash through all of it. */
  #skipWindow(): void {
    const places = Math.floor(this.#blockStart / this.#stride);
    for (let place = 0; place < places; place += 1) {
      this.#index.add(Math.imul(this.#hashAt(place * this.#stride), SPREAD) >>> 0, place);
    }
    this.#at = places * this.#stride;
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#index.close();
  }

  /** Of the bytes that begin at `at`; near the end, of those that are there. */
  #hashAt(at: number): number {
    const bytes = this.#bytes;
    const end = Math.min(at + this.#anchorBytes, bytes.length);
    let hash = 0;
    for (let i = at; i < end; i += 1) hash = (Math.imul(hash, MULTIPLIER) + (bytes[i] as number)) | 0;
    return hash;
  }

  #mirrorHashAt(at: number): number {
    const bytes = this.#bytes;
    let hash = 0;
    for (let i = Math.min(at + this.#anchorBytes, bytes.length) - 1; i >= at; i -= 1) {
      hash = (Math.imul(hash, MULTIPLIER) + (COMPLEMENT[bytes[i] as number] as number)) | 0;
    }
    return hash;
  }

  /** Whether the end of the block was reached. */
  get isDone(): boolean {
    return this.#at > this.#bytes.length - this.#anchorBytes;
  }

  /**
   * The next repeat that ends behind `reach`; undefined at the end of the block, or if none was met for `count` bytes.
   *
   * @param since where the repeat that ends at `reach` starts
   */
  next(since: number, reach: number, count: number): Repeat | undefined {
    const bytes = this.#bytes;
    const last = Math.min(bytes.length - this.#anchorBytes, this.#at + count - 1);
    const strideMask = this.#stride - 1;
    let found: Repeat | undefined;
    while (this.#at <= last && !found) {
      const at = this.#at;
      const hash = Math.imul(this.#hash, SPREAD) >>> 0;
      if (at >= this.#blockStart && (at < since + 2 * this.#minLength || reach < at + CONTENT_BYTES)) {
        found = this.#longest(at, hash, reach);
        if (this.#mirrored) found = this.#longestMirrored(at, found?.end ?? reach) ?? found;
      }
      if ((at & strideMask) === 0) this.#index.add(hash, at / this.#stride);
      this.#roll(at);
    }
    return found;
  }

  /** Of the places with this hash, the one whose bytes go on farthest as those at `at` do, and behind `reach`. */
  #longest(at: number, hash: number, reach: number): Repeat | undefined {
    const bytes = this.#bytes;
    let end = Math.max(reach, at + this.#anchorBytes - 1);
    let from = -1;
    let entry = this.#index.first(hash);
    for (let i = 0; i < CHAIN_MAX && entry !== 0 && end < bytes.length; i += 1) {
      const place = (entry - 1) * this.#stride;
      if (bytes[place + end - at] === bytes[end]) {
        const candidateEnd = this.#follow(place, at);
        if (candidateEnd > end) {
          end = candidateEnd;
          from = place;
          if (end - at >= CONTENT_BYTES) break;
        }
      }
      entry = this.#index.before(entry, hash);
    }
    if (from < 0) return undefined;
    const start = this.#backwards(from, at);
    return end - start >= this.#minLength ? { start, end, distance: at - from } : undefined;
  }

  /** The same on the other strand; the source ends before the repeat begins. */
  #longestMirrored(at: number, reach: number): Repeat | undefined {
    const hash = Math.imul(this.#mirrorHash, SPREAD) >>> 0;
    let end = Math.max(reach, at + this.#anchorBytes - 1);
    let axis = -1;
    let entry = this.#index.first(hash);
    for (let i = 0; i < CHAIN_MAX && entry !== 0; i += 1) {
      const last = (entry - 1) * this.#stride + this.#anchorBytes - 1;
      const candidateEnd = last < at ? this.#followMirrored(at + last, at) : 0;
      if (candidateEnd > end) {
        end = candidateEnd;
        axis = at + last;
        if (end - at >= CONTENT_BYTES) break;
      }
      entry = this.#index.before(entry, hash);
    }
    if (axis < 0) return undefined;
    const start = this.#backwardsMirrored(axis, at);
    return end - start >= this.#minLength ? { start, end, distance: 2 * start - axis, axis } : undefined;
  }

  #followMirrored(axis: number, at: number): number {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, axis + 1);
    let end = at;
    while (end < limit && COMPLEMENT[bytes[axis - end] as number] === bytes[end]) end += 1;
    return end;
  }

  #backwardsMirrored(axis: number, at: number): number {
    const bytes = this.#bytes;
    let start = at;
    while (start > this.floor && axis - start + 1 < start - 1) {
      if (COMPLEMENT[bytes[axis - start + 1] as number] !== bytes[start - 1]) break;
      start -= 1;
    }
    return start;
  }

  /** Where the bytes from `at` end to be those from `place`. */
  #follow(place: number, at: number): number {
    const bytes = this.#bytes;
    const distance = at - place;
    let end = at;
    while (end < bytes.length && bytes[end - distance] === bytes[end]) end += 1;
    return end;
  }

  #backwards(place: number, at: number): number {
    const bytes = this.#bytes;
    const steps = Math.min(place, at - this.floor);
    let back = 0;
    while (back < steps && bytes[place - back - 1] === bytes[at - back - 1]) back += 1;
    return at - back;
  }

  /** Moves the hash on by one byte. */
  #roll(at: number): void {
    const bytes = this.#bytes;
    const comes = at + this.#anchorBytes;
    const taken = Math.imul(this.#hash, MULTIPLIER) - Math.imul(bytes[at] as number, this.#leaving);
    if (comes < bytes.length) this.#hash = (taken + (bytes[comes] as number)) | 0;
    if (this.#mirrored && comes < bytes.length) this.#rollMirrored(bytes[at] as number, bytes[comes] as number);
    this.#at = at + 1;
  }

  /** On the other strand a byte leaves behind, and comes in front. */
  #rollMirrored(leaves: number, comes: number): void {
    const others = Math.imul(this.#mirrorHash - (COMPLEMENT[leaves] as number), INVERSE);
    const first = Math.imul(COMPLEMENT[comes] as number, Math.imul(this.#leaving, INVERSE));
    this.#mirrorHash = (others + first) | 0;
  }
}

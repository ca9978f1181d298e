/**
 * Whether training data and other files have anything in common: every piece of PIECE_BYTES of the files, at every
 * place, is looked for at every place of a sample. What has few different bytes (runs, padding) says nothing.
 */
import { PACKAGES_MIN } from "./strings.ts";

const PIECE_BYTES = 32;
const DISTINCT_MIN = 6;
const MULTIPLIER = 0x2545f491;
/** Slots for each byte of the files, at least: a search ends at an empty one. */
const SLOTS_PER_BYTE = 2;

/** MULTIPLIER^PIECE_BYTES, to take the oldest byte out of a rolling hash. */
const OLDEST = Array.from({ length: PIECE_BYTES }).reduce<number>((power) => Math.imul(power, MULTIPLIER), 1);

const seenBytes = new Int32Array(256).fill(-1);
let looks = 0;

function isVaried(bytes: Uint8Array, from: number): boolean {
  looks++;
  let distinct = 0;
  for (let at = from; at < from + PIECE_BYTES; at++) {
    const byte = bytes[at] as number;
    if (seenBytes[byte] === looks) continue;
    seenBytes[byte] = looks;
    if (++distinct >= DISTINCT_MIN) return true;
  }
  return false;
}

/** Calls back with each piece's place and hash. */
function eachPiece(bytes: Uint8Array, call: (from: number, hash: number) => void): void {
  let hash = 0;
  for (let at = 0; at < bytes.length; at++) {
    hash = (Math.imul(hash, MULTIPLIER) + (bytes[at] as number) + 1) | 0;
    if (at >= PIECE_BYTES) hash = (hash - Math.imul(OLDEST, (bytes[at - PIECE_BYTES] as number) + 1)) | 0;
    if (at >= PIECE_BYTES - 1) call(at + 1 - PIECE_BYTES, hash);
  }
}

/** What so many packages have is common property: a phrase of licences, the end of a loop. As strings of priors. */
const COMMON_PACKAGES = PACKAGES_MIN;

export class SharedPieces {
  /** All files, one behind the other. */
  readonly #bytes: Uint8Array;
  /** A piece's place + 1, from the slot of its hash on. */
  readonly #places: Uint32Array;
  /** Pieces that samples have, and the packages of these. */
  readonly #found = new Map<string, Set<number>>();

  constructor(files: readonly Uint8Array[]) {
    this.#bytes = new Uint8Array(Buffer.concat(files));
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(SLOTS_PER_BYTE * this.#bytes.length + 1)));
    let start = 0;
    for (const file of files) {
      eachPiece(file, (from, hash) => this.#add(start + from, hash));
      start += file.length;
    }
  }

  #add(place: number, hash: number): void {
    if (!isVaried(this.#bytes, place)) return;
    const slot = this.#slotOf(this.#bytes, place, hash);
    if (this.#places[slot] === 0) this.#places[slot] = place + 1;
  }

  /** Where the piece is, or where it would be. */
  #slotOf(bytes: Uint8Array, from: number, hash: number): number {
    const mask = this.#places.length - 1;
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const place = this.#places[slot] as number;
      if (place === 0 || this.#isSame(place - 1, bytes, from)) return slot;
    }
  }

  #isSame(place: number, bytes: Uint8Array, from: number): boolean {
    for (let i = 0; i < PIECE_BYTES; i++) if (this.#bytes[place + i] !== bytes[from + i]) return false;
    return true;
  }

  /** Pieces of the files that occur in a sample of a package. */
  in(bytes: Uint8Array, packageNumber: number): string[] {
    const found = new Set<string>();
    eachPiece(bytes, (from, hash) => {
      if (this.#places[this.#slotOf(bytes, from, hash)] === 0) return;
      const piece = Buffer.from(bytes.subarray(from, from + PIECE_BYTES)).toString("latin1");
      const packages = this.#found.get(piece) ?? new Set();
      this.#found.set(piece, packages.add(packageNumber));
      found.add(piece);
    });
    return [...found];
  }

  /** Whether a piece has been found in so few packages that it may be a part of one work. */
  isRare(piece: string): boolean {
    return (this.#found.get(piece)?.size ?? 0) < COMMON_PACKAGES;
  }
}

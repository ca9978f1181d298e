/**
 * Whether training data and other files have anything in common, by hashes of pieces: every aligned piece of
 * PIECE_BYTES of the files is looked for at every place of a sample. What has few different bytes (runs, padding)
 * says nothing.
 */
import { PACKAGES_MIN } from "./strings.ts";

const PIECE_BYTES = 32;
const DISTINCT_MIN = 6;
const MULTIPLIER = 0x2545f491;
const TABLE_BITS = 24;

/** MULTIPLIER^PIECE_BYTES, to take the oldest byte out of a rolling hash. */
const OLDEST = Array.from({ length: PIECE_BYTES }).reduce<number>((power) => Math.imul(power, MULTIPLIER), 1);

const slotOf = (hash: number) => Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> (32 - TABLE_BITS);

const seenBytes = new Int32Array(256).fill(-1);
let looks = 0;

function isVaried(piece: Uint8Array): boolean {
  looks++;
  let distinct = 0;
  for (const byte of piece) {
    if (seenBytes[byte] === looks) continue;
    seenBytes[byte] = looks;
    if (++distinct >= DISTINCT_MIN) return true;
  }
  return false;
}

/** What so many packages have is common property: a phrase of licences, the end of a loop. As strings of priors. */
const COMMON_PACKAGES = PACKAGES_MIN;

export class SharedPieces {
  /** Each piece, and packages that have been seen with it. */
  readonly #pieces = new Map<string, Set<number>>();
  readonly #slots = new Uint8Array(1 << TABLE_BITS);

  add(bytes: Uint8Array): void {
    for (let at = 0; at + PIECE_BYTES <= bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (!isVaried(piece)) continue;
      let hash = 0;
      for (const byte of piece) hash = (Math.imul(hash, MULTIPLIER) + byte + 1) | 0;
      this.#slots[slotOf(hash)] = 1;
      this.#pieces.set(Buffer.from(piece).toString("latin1"), new Set());
    }
  }

  /** Pieces of the files that occur in a sample of a package. */
  in(bytes: Uint8Array, packageNumber: number): string[] {
    const found = new Set<string>();
    let hash = 0;
    for (let at = 0; at < bytes.length; at++) {
      hash = (Math.imul(hash, MULTIPLIER) + (bytes[at] as number) + 1) | 0;
      if (at >= PIECE_BYTES) hash = (hash - Math.imul(OLDEST, (bytes[at - PIECE_BYTES] as number) + 1)) | 0;
      if (at < PIECE_BYTES - 1 || this.#slots[slotOf(hash)] === 0) continue;
      const piece = Buffer.from(bytes.subarray(at + 1 - PIECE_BYTES, at + 1)).toString("latin1");
      const packages = this.#pieces.get(piece);
      if (!packages) continue;
      packages.add(packageNumber);
      found.add(piece);
    }
    return [...found];
  }

  /** Whether a piece has been found in so few packages that it may be a part of one work. */
  isRare(piece: string): boolean {
    return (this.#pieces.get(piece)?.size ?? 0) < COMMON_PACKAGES;
  }
}

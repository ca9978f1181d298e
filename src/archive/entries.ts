/**
 * Two lists of entries, compared without either of them in memory: what a frame's blocks were, and what its index says
 * they were. An archive may claim as many entries as it has bytes; each side takes the same room for a million as for a
 * hundred. Short lists are compared as they are, longer ones by SHA-256, for which nobody can make two alike.
 */
import { host, type Sha256 } from "../platform/host.ts";
import { BLOCK_CUT, BLOCK_TAGS, type IndexEntry } from "./format.ts";

/** Numbers that wait to be hashed: those of 256 entries. */
const ROOM_NUMBERS = 3 * 256;

export class EntryTally {
  #count = 0;
  #waiting: number[] = [];
  #hash: Sha256 | undefined;

  get count(): number {
    return this.#count;
  }

  add({ kind, isCut, plainBytes, codedBytes }: IndexEntry): void {
    this.#count += 1;
    this.#waiting.push(BLOCK_TAGS[kind] + (isCut ? BLOCK_CUT : 0), plainBytes, codedBytes);
    if (this.#waiting.length < ROOM_NUMBERS) return;
    this.#hash ??= host.sha256();
    this.#hash.update(Float64Array.from(this.#waiting));
    this.#waiting.length = 0;
  }

  /** Whether both were given the same entries in the same order. */
  equals(other: EntryTally): boolean {
    if (this.#count !== other.#count) return false;
    const digest = (tally: EntryTally) => tally.#hash?.digestHex();
    return this.#waiting.every((number, i) => number === other.#waiting[i]) && digest(this) === digest(other);
  }
}

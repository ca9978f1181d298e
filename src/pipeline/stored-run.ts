/**
 * Stored blocks that wait for each other: what no model shrinks goes out in long pieces, so that gigabytes of chance
 * cost a few bytes of heads. The first one of a run goes out by itself, since mostly no other one follows.
 */
import { CHECK_START } from "../archive/checksum.ts";
import { STORED_RUN_BYTES_MAX } from "../archive/format.ts";
import type { CompressOptions } from "./frame-options.ts";

/** Of the memory that may be used, so much may wait. */
const MEMORY_SHARE = 1 / 4;

export class StoredRun {
  readonly #blockBytes: number;
  #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #check = CHECK_START;
  #isBehindStored = false;

  constructor(blockBytes: number, { runBytes, memoryBytesMax }: CompressOptions) {
    this.#blockBytes = blockBytes;
    const wantedBytes = Math.min(runBytes ?? STORED_RUN_BYTES_MAX, STORED_RUN_BYTES_MAX);
    this.#bytesMax = Math.min(wantedBytes, Math.floor(memoryBytesMax * MEMORY_SHARE));
  }

  /** No more than so many bytes may wait. */
  limit(bytesMax: number): void {
    this.#bytesMax = Math.min(this.#bytesMax, bytesMax);
  }

  /** @param check of all plain bytes up to its end @returns whether the run is to go out now */
  add(plain: Uint8Array, check: bigint, isLast: boolean): boolean {
    this.#pieces.push(plain);
    this.#waitingBytes += plain.length;
    this.#check = check;
    const isFull = this.#waitingBytes + this.#blockBytes > this.#bytesMax;
    // Checks of a run are of full pieces: only its last may be shorter.
    const isOdd = plain.length !== this.#blockBytes;
    const isFirst = !this.#isBehindStored;
    this.#isBehindStored = true;
    return isLast || isFull || isOdd || isFirst;
  }

  /** What waits, for whoever sends it. */
  take(): { readonly pieces: Uint8Array[]; readonly check: bigint } {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#waitingBytes = 0;
    return { pieces, check: this.#check };
  }

  /** A block of another kind comes next. */
  end(): void {
    this.#isBehindStored = false;
  }
}

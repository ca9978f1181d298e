/**
 * Back to the state before the first step, so that the memory of a model that has ended serves the next one: in a run
 * over many small files, making a memory anew would cost more than the files.
 *
 * What has a fixed size is overwritten by a copy of its first state, a few megabytes. Slots are cleared as far as the
 * last model had any. Tables are too large for that, and a small input touches few of their rows: those are noted.
 */
import type { CpuLayout } from "./layout.ts";
import { clearSlots, ROW_BYTES } from "./recall-layout.ts";
import { writeInitialState } from "./weights.ts";

/** Thread 0's. */
export class Rewinder {
  readonly #at: CpuLayout;
  readonly #buffer: ArrayBufferLike;
  /** All that has a fixed size, but the control words, by which the threads meet. */
  readonly #fixed: Uint8Array;
  #image: Uint8Array | undefined;
  /** Addresses of the rows that a step has looked up: tables x padded streams. */
  readonly #rows: Uint32Array;
  /** 1 for each row of the tables that may not be 0 any more. */
  readonly #touched: Uint8Array;

  constructor(at: CpuLayout, buffer: ArrayBufferLike) {
    const { tables, tableBits, rows, tableRows, entries } = at.recall;
    this.#at = at;
    this.#buffer = buffer;
    this.#fixed = new Uint8Array(buffer, at.seen, entries - at.seen);
    this.#rows = new Uint32Array(buffer, tableRows, tables * rows);
    this.#touched = new Uint8Array(tables * 2 ** tableBits);
  }

  /** The rows of this step are about to learn. */
  noteRows(): void {
    const { tables, streams, rows, entries } = this.#at.recall;
    for (let m = 0; m < tables; m++) {
      for (let b = 0; b < streams; b++) {
        this.#touched[((this.#rows[m * rows + b] as number) - entries) / ROW_BYTES] = 1;
      }
    }
  }

  /** Everything but what `keep` is for: that is written if it was kept, else made, and then to be prepared. */
  rewind(): void {
    clearSlots(this.#at.recall, this.#buffer);
    this.#clearRows();
    if (this.#image) {
      this.#fixed.set(this.#image);
    } else {
      this.#fixed.fill(0);
      writeInitialState(this.#at, this.#buffer);
    }
  }

  /** Keeps the state before the first step, weights prepared. */
  keep(): void {
    this.#image ??= this.#fixed.slice();
  }

  #clearRows(): void {
    const all = new Uint8Array(this.#buffer, this.#at.recall.entries, this.#touched.length * ROW_BYTES);
    for (let row = this.#touched.indexOf(1); row >= 0; row = this.#touched.indexOf(1, row)) {
      const found = this.#touched.indexOf(0, row);
      const end = found < 0 ? this.#touched.length : found;
      all.fill(0, row * ROW_BYTES, end * ROW_BYTES);
      this.#touched.fill(0, row, end);
      row = end;
    }
  }
}

/**
 * Back to the state before the first step, so that the memory of a model that has ended serves the next one: in a run
 * over many small files, making a memory anew would cost more than the files.
 *
 * What changes in every step is overwritten by a copy of its first state, a few megabytes. The tables of functions
 * never change. Of slots and of the streams' past as much is cleared as the last model had. Tables of logits are too
 * large for that, and a small input touches few of their rows: those are noted.
 */
import { REACH } from "../../contract/contexts.ts";
import type { CpuLayout } from "./layout.ts";
import { clearSlots, ROW_BYTES } from "./recall-layout.ts";
import { writeInitialState } from "./weights.ts";

/** Thread 0's. */
export class Rewinder {
  readonly #at: CpuLayout;
  readonly #buffer: ArrayBufferLike;
  /** What changes in every step, but the control words, by which the threads meet. */
  readonly #changing: readonly Uint8Array[];
  #images: readonly Uint8Array[] | undefined;
  /** Addresses of the rows that a step has looked up: tables x padded streams. */
  readonly #rows: Uint32Array;
  /** 1 for each row of the tables that may not be 0 any more. */
  readonly #touched: Uint8Array;

  constructor(at: CpuLayout, buffer: ArrayBufferLike) {
    const { tables, tableBits, rows, tableRows, entries } = at.recall;
    this.#at = at;
    this.#buffer = buffer;
    const part = (from: number, to: number) => new Uint8Array(buffer, from, to - from);
    const { start, end } = at.tables;
    const { past, pastPitch } = at.recall;
    this.#changing = [part(at.seen, start), part(end, past), part(past + REACH * pastPitch, entries)];
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

  /**
   * Leaves the first state if it was kept, else one in which the weights are still to be prepared.
   *
   * @param steps that the last model has made
   */
  rewind(steps: number): void {
    const { recall } = this.#at;
    clearSlots(recall, this.#buffer);
    new Uint8Array(this.#buffer, recall.past, Math.min(REACH, steps) * recall.pastPitch).fill(0);
    this.#clearRows();
    for (const [i, part] of this.#changing.entries()) {
      const image = this.#images?.[i];
      if (image) part.set(image);
      else part.fill(0);
    }
    if (!this.#images) writeInitialState(this.#at, this.#buffer);
  }

  /** Keeps the state before the first step, weights prepared. */
  keep(): void {
    this.#images ??= this.#changing.map((part) => part.slice());
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

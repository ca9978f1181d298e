/**
 * One thread's part in the recall stream: src/engine/reference/recall.ts, a few kernel calls each.
 *
 * Before a step it works for the thread's streams. What it learns afterwards is split in other ways, because any stream
 * may meet any slot or row: tables by columns, slots and boosts by contexts. So learning comes after the meeting at the
 * end of the backward pass, when all streams' look-ups and differences are there and nobody reads the memory any more,
 * and the meeting at the end of the step comes before the next look-up.
 */
import { share } from "./control.ts";
import type { EngineThread } from "./thread.ts";

/** Columns of a table. */
const COLUMNS = 256;
/** Columns in a cache line: no two threads write to the same one. */
const LINE_COLUMNS = 16;

export class RecallPart {
  readonly #contexts: readonly [from: number, to: number];
  readonly #columns: readonly [from: number, to: number];

  constructor(readonly thread: EngineThread) {
    const { hyper, index, threads } = thread;
    this.#contexts = share(hyper.contexts, index, threads);
    const [fromLine, toLine] = share(COLUMNS / LINE_COLUMNS, index, threads);
    this.#columns = [LINE_COLUMNS * fromLine, LINE_COLUMNS * toLine];
  }

  /** Hashes, slots, tables' rows and features of this thread's streams. */
  lookUp(): void {
    const { kernels, at, hyper, from, to, toPadded, index, step } = this.thread;
    if (hyper.contexts + hyper.tables === 0) return;
    kernels.lookUpContexts(at.recall.record, step, from, to, toPadded, at.threads[index]!.work);
  }

  /** From frequencies to what everything learns from; then the bytes belong to the past of this thread's streams. */
  take(bytes: number): void {
    const { kernels, at, from, to, step } = this.thread;
    kernels.differ(at.frequencies, bytes, from, to);
    kernels.appendBytes(at.recall.record, step, from, to, bytes);
  }

  /** This thread's share of what all streams have to teach. */
  learn(bytes: number): void {
    const { kernels, at, hyper, index } = this.thread;
    const { record } = at.recall;
    this.thread.rewinder?.noteRows();
    if (hyper.tables > 0) kernels.learnTables(record, at.frequencies, ...this.#columns);
    const [from, to] = this.#contexts;
    if (from === to) return;
    kernels.learnBoosts(record, at.frequencies, from, to);
    kernels.learnSlots(record, bytes, from, to, at.threads[index]!.taken);
  }
}

/**
 * What the recall stream keeps from step to step: slots, logit tables, boosts, and the bytes and words of each stream.
 * docs/NUMERICS.md section 12.
 */
import { type ContextPlan, PLAIN_DATA, planFor, REACH } from "./contexts.ts";
import type { HyperParameters } from "./hyper.ts";
import { initialBoosts, wordAfter } from "./recall.ts";

/** All that the recall stream keeps from step to step. */
export class RecallState {
  /** N x 2^slotBits packed slots. */
  readonly slots: Uint32Array;
  /** M tables of 2^tableBits rows (256 if that is more) of 256 logits, Q20. */
  readonly tables: readonly Int32Array[];
  /** N x 33 x 2: boosts of a and of b, Q20. */
  readonly boosts: Int32Array;
  /** Hashes of the word that each stream is in, and of the one before; 0 is none. */
  readonly word: Uint32Array;
  readonly previousWord: Uint32Array;
  /** B rings of REACH bytes: the byte of step t is at t mod REACH. */
  readonly past: Uint8Array;
  plan: ContextPlan;

  constructor(readonly hyper: HyperParameters) {
    const { contexts, slotBits, tables, tableBits, streams } = hyper;
    this.slots = new Uint32Array(contexts << slotBits);
    this.tables = Array.from({ length: tables }, () => new Int32Array(2 ** (tableBits + 8)));
    this.boosts = initialBoosts(contexts);
    this.word = new Uint32Array(streams);
    this.previousWord = new Uint32Array(streams);
    this.past = new Uint8Array(streams * REACH);
    this.plan = planFor(hyper, PLAIN_DATA);
  }

  /** The byte that stream b had `offset` steps before step `step`. */
  byteBefore(b: number, step: number, offset: number): number {
    return this.past[b * REACH + ((step - offset) & (REACH - 1))] as number;
  }

  /** The byte of each stream in step `step`. */
  append(step: number, bytes: Uint8Array): void {
    for (let b = 0; b < this.hyper.streams; b++) {
      const y = bytes[b] as number;
      this.past[b * REACH + (step & (REACH - 1))] = y;
      const before = this.word[b] as number;
      const after = wordAfter(before, y);
      if (after === 0 && before !== 0) this.previousWord[b] = before;
      this.word[b] = after;
    }
  }
}

/**
 * In which order a lane comes by a block's bytes and by what it is reminded of. The lanes of the host and those on a
 * GPU go by this; it does not depend on how callers cut a block into pieces.
 */
import type { Cue } from "../engine.ts";

/** Bytes that a lane is reminded of, or a piece of those that are its own. */
type Turn = { readonly cue: Uint8Array } | { readonly from: number; readonly until: number };

export class CueCursor {
  readonly #cues: readonly Cue[];
  /** Of the cues, the next one. */
  #next = 0;
  /** Bytes of the block so far. */
  #doneBytes = 0;

  /** @param cues of a lane in a block, in ascending order of `at` */
  constructor(cues: readonly Cue[] = []) {
    this.#cues = cues;
  }

  /** Whether no cue is left. */
  get isDone(): boolean {
    return this.#next === this.#cues.length;
  }

  /** The next `count` bytes, with the cues that come before them; one behind the last comes with what follows it. */
  *turns(count: number): Generator<Turn> {
    for (let from = 0; from < count; ) {
      let until = count;
      for (let cue = this.#cues[this.#next]; cue; cue = this.#cues[++this.#next]) {
        if (cue.at > this.#doneBytes) {
          until = Math.min(count, from + cue.at - this.#doneBytes);
          break;
        }
        yield { cue: cue.bytes };
      }
      yield { from, until };
      this.#doneBytes += until - from;
      from = until;
    }
  }
}

/**
 * A lane that is reminded: before some bytes of a block it goes through others, which a decoder has, too, and which the
 * ones to come resemble. Only the order matters, so that it is the same however callers cut a block into pieces.
 */
import type { ForeseenPixels } from "../../predict/foresight.ts";
import type { Cue } from "../engine.ts";

/** A lane: MixerLane, or the reference's. */
export interface Lane {
  readonly memoryBytes: number;
  describe(stride: number, pixels?: readonly ForeseenPixels[]): void;
  begin(): void;
  encode(bytes: Uint8Array): number;
  finishEncoding(): Uint8Array;
  beginDecoding(payload: Uint8Array): void;
  decode(bytes: Uint8Array): void;
  finishDecoding(): number;
  study(bytes: Uint8Array): void;
  /** Goes through bytes that are not the block's: neither predicts nor codes them. */
  rehearse(bytes: Uint8Array): void;
}

export class CuedLane {
  readonly #lane: Lane;
  #cues: readonly Cue[] = [];
  /** Of the cues, the next one. */
  #next = 0;
  /** Bytes of the block so far. */
  #doneBytes = 0;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  describe(stride: number, pixels?: readonly ForeseenPixels[]): void {
    this.#lane.describe(stride, pixels);
  }

  begin(): void {
    this.cue([]);
    this.#lane.begin();
  }

  beginDecoding(payload: Uint8Array): void {
    this.cue([]);
    this.#lane.beginDecoding(payload);
  }

  /** What the block that has just begun is reminded of, in the order of its bytes. */
  cue(cues: readonly Cue[]): void {
    this.#cues = cues;
    this.#next = 0;
    this.#doneBytes = 0;
  }

  /** @returns coded bytes of the block so far */
  encode(bytes: Uint8Array): number {
    let codedBytes = 0;
    this.#inPieces(bytes, (piece) => {
      codedBytes = this.#lane.encode(piece);
    });
    return codedBytes;
  }

  finishEncoding(): Uint8Array {
    return this.#lane.finishEncoding();
  }

  decode(bytes: Uint8Array): void {
    this.#inPieces(bytes, (piece) => this.#lane.decode(piece));
  }

  finishDecoding(): number {
    return this.#lane.finishDecoding();
  }

  study(bytes: Uint8Array): void {
    this.#inPieces(bytes, (piece) => this.#lane.study(piece));
  }

  #inPieces(bytes: Uint8Array, work: (piece: Uint8Array) => void): void {
    let from = 0;
    do {
      const due = this.#takeDue();
      const piece = bytes.subarray(from, Math.min(bytes.length, from + due));
      work(piece);
      from += piece.length;
      this.#doneBytes += piece.length;
    } while (from < bytes.length);
  }

  /** Goes through what is due now. @returns bytes until the next cue */
  #takeDue(): number {
    for (let cue = this.#cues[this.#next]; cue; cue = this.#cues[++this.#next]) {
      if (cue.at > this.#doneBytes) return cue.at - this.#doneBytes;
      this.#lane.rehearse(cue.bytes);
    }
    return Number.POSITIVE_INFINITY;
  }
}

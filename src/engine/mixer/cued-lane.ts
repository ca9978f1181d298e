/**
 * A lane that is reminded: before some bytes of a block it goes through others, which a decoder has, too, and which the
 * ones to come resemble.
 */
import type { ForeseenNumbers } from "../../predict/foresight.ts";
import type { Cue } from "../engine.ts";
import { CueCursor } from "./cue-cursor.ts";
import type { LearntArea } from "./lane.ts";

/** A lane: MixerLane, or the reference's. */
export interface Lane {
  readonly memoryBytes: number;
  describe(stride: number, pixels?: readonly ForeseenNumbers[]): void;
  begin(): void;
  encode(bytes: Uint8Array): number;
  finishEncoding(): Uint8Array;
  beginDecoding(payload: Uint8Array): void;
  decode(bytes: Uint8Array): void;
  finishDecoding(): number;
  study(bytes: Uint8Array): void;
  /** Goes through bytes that are not the block's: neither predicts nor codes them. */
  rehearse(bytes: Uint8Array): void;
  /** Takes what another lane has learnt; the reference has no such lanes. */
  resume?(areas: readonly LearntArea[]): void;
}

export class CuedLane {
  readonly #lane: Lane;
  #cursor = new CueCursor();

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** @param pixels of the lane's bytes that it foresees */
  describe(stride: number, pixels: readonly ForeseenNumbers[] = []): void {
    this.#lane.describe(stride, pixels);
  }

  /** @throws Error if the lane is the reference's */
  resume(areas: readonly LearntArea[]): void {
    if (!this.#lane.resume) throw new Error("this lane cannot go on with what another one has learnt");
    this.#lane.resume(areas);
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
    this.#cursor = new CueCursor(cues);
  }

  /** @returns coded bytes of the block so far */
  encode(bytes: Uint8Array): number {
    if (bytes.length === 0) return this.#lane.encode(bytes);
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
    for (const turn of this.#cursor.turns(bytes.length)) {
      if ("cue" in turn) this.#lane.rehearse(turn.cue);
      else work(bytes.subarray(turn.from, turn.until));
    }
  }
}

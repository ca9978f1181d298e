/** What a listing says of a frame: sums, because a frame may have as many blocks as it has bytes. */
import { CHECK_START } from "./checksum.ts";
import type { FrameHeader, IndexEntry } from "./format.ts";

/** A frame without its payloads. */
export interface FrameSummary {
  /** With the model, wherever it stands. */
  readonly header: FrameHeader;
  /** Without the model and fills. */
  readonly blockCount: number;
  readonly storedCount: number;
  /** Steps that the model makes to decode the frame; an index alone does not know what copies spare it. */
  readonly modelSteps: number;
  /** The check of the last block, which is one of the whole frame. */
  readonly check: bigint;
  readonly plainBytes: number;
  /** Plain bytes that are repetitions of a pattern, outside of blocks. */
  readonly fillBytes: number;
  /** Where the frame lies in the archive. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Where its first block is, and where its end mark. */
  readonly blocksOffset: number;
  readonly markOffset: number;
}

/** Sums while a frame's blocks go by. */
export class FrameTotals {
  readonly #sums = { blockCount: 0, storedCount: 0, modelSteps: 0, plainBytes: 0, fillBytes: 0 };
  /** Of the blocks so far, and the model. */
  codedBytes = 0;

  constructor(public header: FrameHeader) {}

  get plainBytes(): number {
    return this.#sums.plainBytes;
  }

  set model(model: FrameHeader["model"]) {
    this.header = { ...this.header, ...(model && { model }) };
  }

  /** @param seenBytes that the model sees of a block; default: all */
  add({ kind, plainBytes, codedBytes }: IndexEntry, seenBytes = plainBytes): void {
    const sums = this.#sums;
    this.codedBytes += codedBytes;
    if (kind === "model") return;
    sums.plainBytes += plainBytes;
    if (kind === "fills") {
      sums.fillBytes += plainBytes;
      return;
    }
    sums.blockCount += 1;
    if (kind === "stored") sums.storedCount += 1;
    else sums.modelSteps += Math.ceil(seenBytes / (this.header.model?.hyper.streams ?? 1));
  }

  summary(
    places: Pick<FrameSummary, "offsetBytes" | "lengthBytes" | "blocksOffset" | "markOffset">,
    check = CHECK_START,
  ): FrameSummary {
    return { header: this.header, check, ...this.#sums, ...places };
  }
}

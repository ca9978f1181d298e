/**
 * Behind the model, in the pipeline: puts the repeats back into blocks (src/repeats). A file of its own, so that a
 * program that only decodes has nothing of what looks for repeats.
 */
import type { Block, BlockCopies } from "../archive/format.ts";
import { type Copies, decodeCopies } from "../repeats/copies.ts";
import { restore } from "../repeats/paste.ts";
import { PatchWindow, Window, windowRoomBytes } from "../repeats/window.ts";

/** A block's list of copies, read. */
interface OpenCopies {
  readonly copies: Copies;
  /** Bytes before the block that they reach. */
  readonly windowBytes: number;
  /** Makes the block of its rest. */
  join(rest: Uint8Array): Uint8Array;
}

/** Puts the copies back into the blocks of a frame. */
export class RepeatRestorer {
  readonly #window: Window | PatchWindow;

  /**
   * @param windowBytes how far back copies may reach
   * @param mirrored whether lists of copies may have mirrored ones
   * @param old of a patch: bytes before those, into which copies may reach, too
   */
  constructor(
    readonly windowBytes: number,
    readonly mirrored: boolean,
    old?: Uint8Array,
  ) {
    this.#window = old ? new PatchWindow(windowBytes, old) : new Window(windowBytes);
  }

  /**
   * Reads the list of a block's copies.
   *
   * @throws CorruptError, TruncatedError
   */
  open({ plainBytes }: Block, { restBytes, list }: BlockCopies, offsetBytes: number): OpenCopies {
    const { mirrored } = this;
    const windowBytes = this.#window.lengthBytes;
    const copies = decodeCopies(list, { blockBytes: plainBytes, restBytes, windowBytes, mirrored }, offsetBytes);
    return { copies, windowBytes, join: (rest) => restore(rest, copies, this.#window.bytes) };
  }

  /** Keeps the plain bytes of a block, whatever its kind. */
  keep(plain: Uint8Array): void {
    this.#window.add(plain);
  }

  /** What the window takes once it has `plainBytes` more. */
  roomBytesWith(plainBytes: number): number {
    return Math.min(windowRoomBytes(this.windowBytes), 2 * (this.#window.lengthBytes + plainBytes));
  }

  /** Gives the window's memory back. */
  close(): void {
    this.#window.close();
  }
}

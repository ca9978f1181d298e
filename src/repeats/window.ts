/**
 * The plain bytes before a block, as far back as copies reach. They are copied into one room that stays: what came may
 * be overwritten by its owner, and no garbage grows with the length of a pipe. Moving the room's bytes up costs little,
 * because a window is at most two blocks long. A room has its full size at once, and takes memory as it is filled.
 */
export class Window {
  readonly #room: Uint8Array;
  #length = 0;

  /** @param bytesMax how far back copies reach */
  constructor(bytesMax: number) {
    this.#room = new Uint8Array(bytesMax);
  }

  /** Bytes that copies can reach. */
  get lengthBytes(): number {
    return this.#length;
  }

  /** The last bytes of all that came: a view, which the next `add` changes. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /** Takes what comes next. */
  add(plain: Uint8Array): void {
    const fresh = plain.subarray(Math.max(0, plain.length - this.#room.length));
    const kept = Math.min(this.#length, this.#room.length - fresh.length);
    this.#room.copyWithin(0, this.#length - kept, this.#length);
    this.#room.set(fresh, kept);
    this.#length = kept + fresh.length;
  }
}

/** For who cuts: the window and the block behind it in one piece, in a room that stays from block to block. */
export class BlockRoom {
  readonly #windowBytesMax: number;
  readonly #room: Uint8Array;
  #length = 0;

  constructor(windowBytesMax: number, blockBytesMax: number) {
    this.#windowBytesMax = windowBytesMax;
    this.#room = new Uint8Array(windowBytesMax + blockBytesMax);
  }

  /** Puts the next block behind what is left of those before it: a view, good until the next block. */
  place(block: Uint8Array): { readonly bytes: Uint8Array; readonly blockStart: number } {
    const blockStart = Math.min(this.#length, this.#windowBytesMax);
    this.#room.copyWithin(0, this.#length - blockStart, this.#length);
    this.#room.set(block, blockStart);
    this.#length = blockStart + block.length;
    return { bytes: this.#room.subarray(0, this.#length), blockStart };
  }
}

/**
 * The plain bytes before a block, as far back as copies reach. They are copied into one room that stays: what came may
 * be overwritten by its owner, and no garbage grows with the length of a pipe. Moving the room's bytes up costs little,
 * because a window is at most two blocks long.
 */
export class Window {
  readonly #bytesMax: number;
  #room = new Uint8Array(0);
  #length = 0;

  /** @param bytesMax how far back copies reach */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
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
    const fresh = plain.subarray(Math.max(0, plain.length - this.#bytesMax));
    const kept = Math.min(this.#length, this.#bytesMax - fresh.length);
    const needed = kept + fresh.length;
    const old = this.#room.subarray(this.#length - kept, this.#length);
    if (needed > this.#room.length) {
      this.#room = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#room.length)));
      this.#room.set(old);
    } else {
      this.#room.copyWithin(0, this.#length - kept, this.#length);
    }
    this.#room.set(fresh, kept);
    this.#length = needed;
  }
}

/** For who cuts: the window and the block behind it in one piece, in a room that stays from block to block. */
export class BlockRoom {
  readonly #windowBytesMax: number;
  #room = new Uint8Array(0);
  #length = 0;

  constructor(windowBytesMax: number) {
    this.#windowBytesMax = windowBytesMax;
  }

  /** Puts the next block behind what is left of those before it: a view, good until the next block. */
  place(block: Uint8Array): { readonly bytes: Uint8Array; readonly blockStart: number } {
    const blockStart = Math.min(this.#length, this.#windowBytesMax);
    const window = this.#room.subarray(this.#length - blockStart, this.#length);
    const length = blockStart + block.length;
    const room = length > this.#room.length ? new Uint8Array(length) : this.#room;
    room.set(window);
    room.set(block, blockStart);
    this.#room = room;
    this.#length = length;
    return { bytes: room.subarray(0, length), blockStart };
  }
}

/**
 * The plain bytes before a block, as far back as copies reach. They are copied into one room that stays: what came may
 * be overwritten by its owner, and no garbage grows with the length of a pipe. The room grows with what is in it, and
 * has a fourth more than the window: then what is kept moves once for many blocks, however short they are.
 */
import { release } from "../platform/release.ts";

const ROOM_BYTES_MIN = 1024;
const SPARE = 1 / 4;

/** What a full window takes. */
export const windowRoomBytes = (windowBytes: number) => windowBytes + Math.ceil(SPARE * windowBytes);

export class Window {
  readonly #bytesMax: number;
  #room = new Uint8Array(0);
  #start = 0;
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
    return this.#room.subarray(this.#start, this.#start + this.#length);
  }

  /** Takes what comes next. */
  add(plain: Uint8Array): void {
    const fresh = plain.subarray(Math.max(0, plain.length - this.#bytesMax));
    const kept = Math.min(this.#length, this.#bytesMax - fresh.length);
    this.#start += this.#length - kept;
    this.#length = kept + fresh.length;
    if (this.#start + this.#length > this.#room.length) this.#move(kept, 2 * fresh.length < this.#bytesMax);
    this.#room.set(fresh, this.#start + kept);
  }

  /** Gives the memory back; the window is empty then. */
  close(): void {
    release(this.#room);
    this.#room = new Uint8Array(0);
    this.#start = 0;
    this.#length = 0;
  }

  /**
   * Moves what is kept to the start of the room, or of a larger one while that is not full-grown.
   *
   * @param isSpared whether the room has more than the window: of long blocks, little is kept
   */
  #move(kept: number, isSpared: boolean): void {
    const mostBytes = isSpared ? windowRoomBytes(this.#bytesMax) : this.#bytesMax;
    const roomBytes = Math.min(mostBytes, Math.max(ROOM_BYTES_MIN, 2 * this.#length));
    const room = roomBytes > this.#room.length ? new Uint8Array(roomBytes) : this.#room;
    room.set(this.#room.subarray(this.#start, this.#start + kept));
    if (room !== this.#room) release(this.#room);
    this.#room = room;
    this.#start = 0;
  }
}

/** The same behind old bytes, which stay in reach however much comes: they stand right before the window. */
export class PatchWindow {
  readonly #bytesMax: number;
  readonly #oldBytes: number;
  #room: Uint8Array;
  /** Bytes behind the old ones. */
  #length = 0;

  constructor(bytesMax: number, old: Uint8Array) {
    this.#bytesMax = bytesMax;
    this.#oldBytes = old.length;
    this.#room = old;
  }

  get lengthBytes(): number {
    return this.#oldBytes + this.#length;
  }

  /** A view, which the next `add` changes. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.lengthBytes);
  }

  add(plain: Uint8Array): void {
    const [start, fresh] = [this.#oldBytes, plain.subarray(Math.max(0, plain.length - this.#bytesMax))];
    if (fresh.length === 0) return;
    if (this.#room.length === start) {
      const room = new Uint8Array(start + this.#bytesMax);
      room.set(this.#room);
      this.#room = room;
    }
    const kept = Math.min(this.#length, this.#bytesMax - fresh.length);
    this.#room.copyWithin(start, start + this.#length - kept, start + this.#length);
    this.#room.set(fresh, start + kept);
    this.#length = kept + fresh.length;
  }

  /** The old bytes are the caller's. */
  close(): void {
    if (this.#room.length > this.#oldBytes) release(this.#room);
    this.#room = new Uint8Array(this.#oldBytes);
    this.#length = 0;
  }
}

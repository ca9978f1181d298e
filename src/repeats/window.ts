/**
 * The plain bytes before a block, as far back as copies reach. They are kept as they came, in pieces: only a block
 * whose copies need them has them joined.
 */
export class Window {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #lengthBytes = 0;

  /** @param bytesMax how far back copies reach */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that copies can reach. */
  get lengthBytes(): number {
    return Math.min(this.#lengthBytes, this.#bytesMax);
  }

  /** Takes what comes next; nobody may change it from now on. Memory: up to bytesMax, and one piece more. */
  add(plain: Uint8Array): void {
    if (this.#bytesMax === 0 || plain.length === 0) return;
    this.#pieces.push(plain);
    this.#lengthBytes += plain.length;
    for (let first = this.#pieces[0]; first; first = this.#pieces[0]) {
      if (this.#lengthBytes - first.length < this.#bytesMax) return;
      this.#lengthBytes -= first.length;
      this.#pieces.shift();
    }
  }

  /** As `add`, but of what cannot be reached anyway nothing is kept; with `isView`, what is kept is a copy. */
  addEnd(plain: Uint8Array, isView: boolean): void {
    if (this.#bytesMax === 0) return;
    const end = plain.subarray(Math.max(0, plain.length - this.#bytesMax));
    this.add(isView ? end.slice() : end);
  }

  /** The last bytes of all that came, in one piece: a copy. */
  bytes(): Uint8Array {
    const joined = new Uint8Array(this.lengthBytes);
    let at = joined.length - this.#lengthBytes;
    for (const piece of this.#pieces) {
      joined.set(at < 0 ? piece.subarray(-at) : piece, Math.max(0, at));
      at += piece.length;
    }
    return joined;
  }
}

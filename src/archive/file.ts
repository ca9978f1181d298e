/** Archives that are files: any part can be read, and most of what is read lies beside what was read before. */
import { ByteReader } from "./bytes.ts";

/** An archive any part of which can be read. */
export interface ArchiveFile {
  readonly sizeBytes: number;
  /** Exactly these bytes, or fewer where the file ends; they stay as they are. @throws system errors */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** What is read at once where reading goes on, and what after a jump: behind that may lie a payload. */
const PIECE_BYTES = 1 << 16;
const JUMP_BYTES = 1 << 12;

/** One piece of a file, which moves to where it is wanted. */
export class FileWindow {
  #bytes: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(readonly file: ArchiveFile) {}

  get sizeBytes(): number {
    return this.file.sizeBytes;
  }

  /** At most `lengthBytes` from `offset` on: fewer where the file ends. @throws system errors */
  async at(offset: number, lengthBytes: number): Promise<ByteReader> {
    const from = Math.max(0, offset);
    if (from >= this.sizeBytes) return new ByteReader(new Uint8Array(0), 0, from);
    const end = Math.max(from, Math.min(this.sizeBytes, from + lengthBytes));
    if (from < this.#from || end > this.#from + this.#bytes.length) await this.#move(from, end);
    return new ByteReader(this.#bytes.subarray(from - this.#from, end - this.#from), 0, from);
  }

  async #move(from: number, end: number): Promise<void> {
    const [start, stop] = this.#pieceFor(from, end);
    this.#bytes = await this.file.readAt(start, Math.min(stop, this.sizeBytes) - start);
    this.#from = start;
  }

  /** Large pieces where reading goes on, in either direction. */
  #pieceFor(from: number, end: number): readonly [start: number, stop: number] {
    const [oldFrom, oldEnd] = [this.#from, this.#from + this.#bytes.length];
    if (from >= oldFrom && from <= oldEnd) return [from, Math.max(end, from + PIECE_BYTES)];
    const goesBack = from < oldFrom && oldFrom - end < PIECE_BYTES;
    // With what comes behind: a header may be shorter than what is asked for.
    if (goesBack) return [Math.min(from, Math.max(0, end - PIECE_BYTES)), end + JUMP_BYTES];
    return [from, Math.max(end, from + JUMP_BYTES)];
  }
}

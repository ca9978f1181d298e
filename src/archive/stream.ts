/**
 * Reads an archive from a source that gives its bytes piece by piece, so that a pipe of any length passes through with
 * one block in memory. It waits for no byte that the part at hand does not need: a block is handed over when its last
 * byte has come, whatever the sender does next.
 */
import { ByteReader } from "./bytes.ts";
import { TruncatedError } from "./errors.ts";
import { type Block, type FrameHeader, type FrameModel, MAGIC, STORED_RUN_BYTES_MAX } from "./format.ts";
import { readEnd } from "./index.ts";
import { OpenFrame, type ReadOptions, readHeader, readPart } from "./read.ts";

/** Gives the next bytes, as many as it likes; none at the end. */
export type PullBytes = () => Promise<Uint8Array>;

/** A part of an archive, in order of appearance. */
export type ArchivePart =
  | { readonly kind: "header"; readonly header: FrameHeader; readonly offsetBytes: number }
  /** The model of a frame whose header has none; `codedBytes` of the archive. */
  | { readonly kind: "model"; readonly model: FrameModel; readonly offsetBytes: number; readonly codedBytes: number }
  | { readonly kind: "block"; readonly block: Block; readonly offsetBytes: number; readonly codedBytes: number }
  | { readonly kind: "end"; readonly offsetBytes: number };

const BUFFER_BYTES_MIN = 1 << 16;
/**
 * What a part needs is made room for at once up to this, which is more than any stored block: doubling would hold the
 * half-filled buffers, too. The system gives memory to pages that are written, so room for what does not come is free.
 */
const BUFFER_AT_ONCE_MAX = STORED_RUN_BYTES_MAX + BUFFER_BYTES_MIN * 16;

/** Memory: what one part needs, and at most as much again, but never more than the source has given. */
export class ArchiveReader {
  readonly #pull: PullBytes;
  readonly #options: ReadOptions;
  #buffer = new Uint8Array(BUFFER_BYTES_MIN);
  /** The bytes of the buffer that are not used up. */
  #start = 0;
  #end = 0;
  /** Where #start lies in the archive. */
  #position = 0;
  #isEnded = false;
  #frame: OpenFrame | undefined;
  #isAtBlock = false;

  constructor(pull: PullBytes, options: ReadOptions = {}) {
    this.#pull = pull;
    this.#options = options;
  }

  /** Bytes of the archive that were used up. */
  get position(): number {
    return this.#position;
  }

  /** Whether what `next` has thrown befell a block, rather than a header, an index, or what lies between frames. */
  get isAtBlock(): boolean {
    return this.#isAtBlock;
  }

  /**
   * The next part; undefined behind the last frame. A block's payload is a view that the next call overwrites.
   *
   * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, and what the source throws
   */
  async next(): Promise<ArchivePart | undefined> {
    const offsetBytes = this.#position;
    const frame = this.#frame;
    this.#isAtBlock = frame !== undefined;
    if (!frame) {
      const isMore = await this.#fill(offsetBytes > 0 ? 1 : MAGIC.length);
      if (!isMore && offsetBytes > 0) return undefined;
      const header = await this.#parse(readHeader);
      this.#frame = new OpenFrame(header, offsetBytes);
      return { kind: "header", header, offsetBytes };
    }
    const part = await this.#parse((reader) => readPart(reader, frame, this.#options) ?? this.#readEnd(reader, frame));
    if (part === "end") {
      this.#frame = undefined;
      return { kind: "end", offsetBytes };
    }
    const codedBytes = this.#position - offsetBytes;
    frame.advance(part, codedBytes);
    if (part.kind === "model") return { kind: "model", model: part.model, offsetBytes, codedBytes };
    return { kind: "block", block: part, offsetBytes, codedBytes };
  }

  /** Behind the end mark: everything that the frame has said about itself must agree. */
  #readEnd(reader: ByteReader, frame: OpenFrame): "end" {
    this.#isAtBlock = false;
    readEnd(reader, frame);
    return "end";
  }

  /** Tries until enough bytes are there, or until there are no more. */
  async #parse<T>(read: (reader: ByteReader) => T): Promise<T> {
    for (;;) {
      const reader = new ByteReader(this.#buffer.subarray(this.#start, this.#end), 0, this.#position);
      try {
        const result = read(reader);
        this.#start += reader.offset;
        this.#position += reader.offset;
        return result;
      } catch (error) {
        if (!(error instanceof TruncatedError)) throw error;
        const neededBytes = error.offsetBytes - this.#position + error.neededBytes;
        if (neededBytes <= reader.bytes.length) throw error; // more bytes would not help
        if (!(await this.#fill(neededBytes))) throw error;
      }
    }
  }

  /** Reads until `count` unused bytes are there. @returns false if the source ends before */
  async #fill(count: number): Promise<boolean> {
    while (this.#end - this.#start < count) {
      if (this.#isEnded) return false;
      const bytes = await this.#pull();
      if (bytes.length === 0) this.#isEnded = true;
      else this.#append(bytes, count);
    }
    return true;
  }

  /** @param wantedBytes that are to be there before anything can be read */
  #append(bytes: Uint8Array, wantedBytes: number): void {
    const unused = this.#end - this.#start;
    const neededBytes = unused + bytes.length;
    if (this.#start > 0 || neededBytes > this.#buffer.length) {
      const isTooSmall = neededBytes > this.#buffer.length;
      const atOnceBytes = Math.min(wantedBytes + bytes.length, BUFFER_AT_ONCE_MAX);
      const room = isTooSmall
        ? new Uint8Array(Math.max(neededBytes, atOnceBytes, this.#buffer.length * 2))
        : this.#buffer;
      room.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = room;
      this.#start = 0;
      this.#end = unused;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }
}

/** A source that gives `bytes` in pieces of at most `pieceBytes`. */
export function pullFrom(bytes: Uint8Array, pieceBytes = bytes.length): PullBytes {
  let offset = 0;
  return async () => {
    const piece = bytes.subarray(offset, offset + pieceBytes);
    offset += piece.length;
    return piece;
  };
}

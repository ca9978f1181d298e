/**
 * Reads an archive from a source that gives its bytes piece by piece, so that a pipe of any length passes through with
 * one block in memory. It waits for no byte that the part at hand does not need: a block is handed over when its last
 * byte has come, whatever the sender does next.
 */
import { release } from "../platform/release.ts";
import { ByteReader } from "./bytes.ts";
import { TrailingBytesError, TruncatedError } from "./errors.ts";
import { type Block, type FrameHeader, type FrameModel, MAGIC, STORED_RUN_BYTES_MAX } from "./format.ts";
import { openIndex } from "./index.ts";
import { zerosAtStart } from "./padding.ts";
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

interface StreamOptions extends ReadOptions {
  /** Bytes that the source will give, if that is known. */
  readonly sizeBytes?: number;
}

/**
 * Memory: what one part needs, and at most as much again, but never more than the source has given. An index goes by.
 */
export class ArchiveReader {
  readonly #pull: PullBytes;
  readonly #options: StreamOptions;
  #buffer = new Uint8Array(BUFFER_BYTES_MIN);
  /** The bytes of the buffer that are not used up. */
  #start = 0;
  #end = 0;
  /** Where #start lies in the archive. */
  #position = 0;
  #isEnded = false;
  #frame: OpenFrame | undefined;
  #isAtBlock = false;

  constructor(pull: PullBytes, options: StreamOptions = {}) {
    this.#pull = pull;
    this.#options = options;
  }

  /** Bytes of the archive that were used up; the padding behind it is none of it. */
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
   * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, TrailingBytesError, and what the
   *   source throws
   */
  async next(): Promise<ArchivePart | undefined> {
    const offsetBytes = this.#position;
    const frame = this.#frame;
    this.#isAtBlock = frame !== undefined;
    if (!frame) return await this.#nextFrame();
    const part = await this.#parse((reader) => readPart(reader, frame, this.#options));
    if (!part) {
      this.#isAtBlock = false;
      const index = openIndex(frame, this.#position);
      while (index && !index.isDone) await this.#parse((reader) => index.read(reader));
      this.#frame = undefined;
      return { kind: "end", offsetBytes };
    }
    const codedBytes = this.#position - offsetBytes;
    frame.advance(part, codedBytes);
    if (part.kind === "model") return { kind: "model", model: part.model, offsetBytes, codedBytes };
    return { kind: "block", block: part, offsetBytes, codedBytes };
  }

  async #nextFrame(): Promise<ArchivePart | undefined> {
    const offsetBytes = this.#position;
    if (offsetBytes === 0) await this.#fill(MAGIC.length);
    else if (!(await this.#fill(1)) || (await this.#isPadding())) return undefined;
    try {
      const header = await this.#parse(readHeader);
      this.#frame = new OpenFrame(header, offsetBytes);
      return { kind: "header", header, offsetBytes };
    } catch (error) {
      throw error instanceof TrailingBytesError ? this.#trailing(offsetBytes, 0) : error;
    }
  }

  /** Whether zeros follow, and then nothing. @throws TrailingBytesError if something else comes behind them */
  async #isPadding(): Promise<boolean> {
    const archiveBytes = this.#position;
    let paddingBytes = 0;
    do {
      const bytes = this.#buffer.subarray(this.#start, this.#end);
      const zeros = zerosAtStart(bytes);
      paddingBytes += zeros;
      if (paddingBytes === 0) return false;
      if (zeros < bytes.length) throw this.#trailing(archiveBytes, paddingBytes);
      this.#start = this.#end;
    } while (await this.#fill(1));
    return true;
  }

  #trailing(archiveBytes: number, paddingBytes: number): TrailingBytesError {
    const { sizeBytes } = this.#options;
    const trailingBytes = sizeBytes === undefined ? undefined : sizeBytes - archiveBytes - paddingBytes;
    return new TrailingBytesError(archiveBytes, paddingBytes, trailingBytes);
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
    if (neededBytes > this.#buffer.length) this.#move(roomFor(neededBytes, wantedBytes, this.#buffer.length));
    else if (this.#end + bytes.length > this.#buffer.length) this.#move(this.#buffer);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Moves what is not used up to the start of `room`. Nobody needs the old buffer: payloads were views. */
  #move(room: Uint8Array<ArrayBuffer>): void {
    const unused = this.#end - this.#start;
    room.set(this.#buffer.subarray(this.#start, this.#end));
    if (room !== this.#buffer) release(this.#buffer);
    this.#buffer = room;
    this.#start = 0;
    this.#end = unused;
  }
}

/** A buffer for what is there, and at once for all that is wanted; beyond some length it doubles on the way there. */
function roomFor(neededBytes: number, wantedBytes: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
  const wholeBytes = Math.max(neededBytes, wantedBytes + BUFFER_BYTES_MIN * 4);
  const nextBytes = Math.max(BUFFER_AT_ONCE_MAX, neededBytes, lengthBytes * 2);
  return new Uint8Array(Math.min(wholeBytes, nextBytes));
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

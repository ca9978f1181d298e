/**
 * The last part of a frame: an index of its blocks, from which `fade -l` finds them without reading their payloads, and
 * which must agree with what a reader has met on its way from the front. An index is as long as an archive likes, so it
 * is read in pieces, and what it says goes by: nothing here grows with it.
 */
import { host } from "../platform/host.ts";
import { Xxh64 } from "../platform/xxh64.ts";
import { type ByteReader, varintBytes } from "./bytes.ts";
import { guardOf, guardText } from "./checksum.ts";
import { EntryTally } from "./entries.ts";
import { CorruptError, TruncatedError } from "./errors.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_END,
  BLOCK_END_OLD,
  BLOCK_TAGS,
  FILL_BYTES_MIN,
  FORMAT_VERSION_1,
  FORMAT_VERSION_2,
  FORMAT_VERSION_3,
  type FrameHeader,
  HEADER_BODY_BYTES_MAX,
  INDEX_BYTES_MAX,
  type IndexEntry,
  TRAILER_BYTES,
} from "./format.ts";
import { isBare, type OpenFrame, readKind, readPlainLength } from "./read.ts";

const CHECK_BYTES = 8;

/** The length of the index, from the last bytes of a frame. @throws TruncatedError, CorruptError */
export function readTrailer(reader: ByteReader): number {
  const lengthBytes = reader.u32("the length of the index");
  if (reader.remainingBytes < TRAILER_BYTES - 4) throw new TruncatedError(reader.position, "the trailer", 4, 0);
  if (lengthBytes >= 2 && lengthBytes <= INDEX_BYTES_MAX) return lengthBytes;
  throw new CorruptError(reader.position - 4, "the length of the index", "2 bytes or more", `${lengthBytes}`);
}

/** What is known of a frame of version 2 before its header: enough to find that. */
export const HEADER_OF_VERSION_2: FrameHeader = { version: FORMAT_VERSION_2, blockBytes: BLOCK_BYTES_MAX };

/** What a reader from the front knows when it comes to the index. */
interface Expected {
  /** From the magic to the end mark. */
  readonly frameBytes: number;
  readonly tally: EntryTally;
}

/** Bytes that the fills before a block give. */
const readFilled = (reader: ByteReader, leftBytes: number) =>
  reader.varintWithin("the length of fills", FILL_BYTES_MIN, leftBytes);

/** The model has none. */
const readPlain = (...of: Parameters<typeof readPlainLength>) => (of[2].kind === "model" ? 0 : readPlainLength(...of));

/** Reads what follows the end mark, from version 2 on. */
export class IndexReader {
  /** From the magic to the end mark; of version 2, to the last block that was read. */
  frameBytes = 0;
  /** Whether the index was read to its end, and its guard is right. */
  isDone = false;
  readonly #header: FrameHeader;
  readonly #expected: Expected | undefined;
  readonly #tally = new EntryTally();
  /** Of what was read in earlier pieces; most indexes come in one. */
  #guard: Xxh64 | undefined;
  readonly #mark: Uint8Array;
  readonly #isOld: boolean;
  #lengthBytes = 0;
  /** Entries to come; undefined before anything was read. */
  #left: number | undefined;
  #leftBytes: number;
  /** Whether the entry before was one of fills. */
  #isFilled = false;
  #isLengthRead = false;

  /**
   * @param header of the frame, with or without the model
   * @param expected what must agree; without it, nothing is compared but the guard
   */
  constructor(header: FrameHeader, expected?: Expected) {
    this.#header = header;
    this.#expected = expected;
    this.#leftBytes = header.plainBytes ?? Number.MAX_SAFE_INTEGER;
    this.#isOld = header.version < FORMAT_VERSION_3;
    this.#mark = Uint8Array.of(this.#isOld ? BLOCK_END_OLD : BLOCK_END);
  }

  /**
   * Reads on as far as the bytes go, and leaves the cursor where they do not make a whole field any more.
   *
   * @throws TruncatedError if they do not make one; CorruptError
   */
  read(reader: ByteReader, onEntry?: (entry: IndexEntry) => void): void {
    const start = reader.offset;
    let done = start;
    try {
      while (!this.isDone) {
        // The guard stands behind what it guards.
        if (this.#isLengthRead) this.#readGuard(reader, start);
        else this.#readField(reader, done, onEntry);
        done = reader.offset;
      }
    } catch (error) {
      reader.offset = done;
      if (!(error instanceof TruncatedError) || done === start) throw error;
      this.#hash(reader.bytes.subarray(start, done));
    }
  }

  #readField(reader: ByteReader, at: number, onEntry?: (entry: IndexEntry) => void): void {
    if (this.#left === undefined) {
      this.#readCounts(reader);
    } else if (this.#left > 0) {
      const entry = this.#isOld ? this.#readOldEntry(reader) : this.#readEntry(reader);
      this.#left -= 1;
      this.#tally.add(entry);
      onEntry?.(entry);
    } else {
      this.#readLength(reader);
      return;
    }
    this.#lengthBytes += reader.offset - at;
  }

  /** What is wrong here is not read any further: a million entries may follow. */
  #readCounts(reader: ByteReader): void {
    const frameBytesMax = this.#isOld ? HEADER_BODY_BYTES_MAX * 2 : Number.MAX_SAFE_INTEGER;
    const at = reader.position;
    const frameBytes = reader.varintWithin("the index", 1, frameBytesMax);
    const left = reader.varintWithin("the number of blocks", 0, INDEX_BYTES_MAX);
    this.frameBytes = frameBytes;
    this.#left = left;
    const { tally, frameBytes: expectedBytes } = this.#expected ?? {};
    const agrees = tally === undefined || (tally.count === left && (this.#isOld || frameBytes === expectedBytes));
    if (!agrees) throw disagreement(at);
  }

  #readEntry(reader: ByteReader): IndexEntry {
    const header = this.#header;
    const found = readKind(reader, header, reader.u8("the index"));
    const { kind, pieces, isCut } = found;
    const plainBytes =
      kind === "fills"
        ? readFilled(reader, this.#leftBytes)
        : readPlain(reader, header, found, this.#leftBytes, this.#isFilled);
    const lengthBytes = pieces > 0 ? 0 : varintBytes(plainBytes);
    const codedBytes = isBare(kind, isCut)
      ? 1 + lengthBytes + CHECK_BYTES + plainBytes
      : reader.varintWithin("the index", 1, 2 * BLOCK_BYTES_MAX);
    this.#leftBytes -= plainBytes;
    this.#isFilled = kind === "fills";
    return { kind, plainBytes, codedBytes, ...(isCut && { isCut }) };
  }

  /** Version 2 has the header's length, and both lengths of every block; those of a model are refused elsewhere. */
  #readOldEntry(reader: ByteReader): IndexEntry {
    const at = reader.position;
    const tag = reader.u8("the index");
    const kind = (["stored", "coded", "learned"] as const).find((each) => BLOCK_TAGS[each] === tag);
    if (kind === undefined) throw new CorruptError(at, "the index", "the kind of a block", "another number");
    const plainBytes = reader.varintWithin("the index", 1, BLOCK_BYTES_MAX);
    const codedBytes = reader.varintWithin("the index", 1, 2 * BLOCK_BYTES_MAX);
    this.frameBytes += codedBytes;
    return { kind, plainBytes, codedBytes };
  }

  #readLength(reader: ByteReader): void {
    const at = reader.position;
    const stated = reader.u32("the length of the index");
    const found = this.#lengthBytes;
    if (stated !== found) throw new CorruptError(at, "the length of the index", `${found}`, `${stated}`);
    this.#isLengthRead = true;
  }

  #hash(bytes: Uint8Array): Xxh64 {
    if (!this.#guard) {
      this.#guard = new Xxh64();
      this.#guard.update(this.#mark);
    }
    this.#guard.update(bytes);
    return this.#guard;
  }

  #readGuard(reader: ByteReader, start: number): void {
    const { offset, position } = reader;
    const found = reader.u32("the checksum of the index");
    const last = reader.bytes.subarray(start, offset);
    const expected = this.#guard ? this.#hash(last).guard() : guardOf(host.concatenate([this.#mark, last]));
    if (found !== expected) {
      throw new CorruptError(position, "the checksum of the index", guardText(expected), guardText(found));
    }
    const { tally, frameBytes } = this.#expected ?? {};
    const agrees = tally === undefined || (tally.equals(this.#tally) && this.frameBytes === frameBytes);
    if (!agrees) throw disagreement(position);
    this.isDone = true;
  }
}

const disagreement = (at: number) => new CorruptError(at, "the index", "what the blocks say", "something else");

/**
 * Behind the end mark: all that a frame has said about itself must agree.
 *
 * @param position where the archive goes on behind the mark
 * @returns what reads the index, which must be read to its end; undefined if the frame has none
 * @throws CorruptError
 */
export function openIndex(
  { header, plainBytes, offsetBytes, tally }: OpenFrame,
  position: number,
): IndexReader | undefined {
  if (header.small) return undefined; // its header and its only block are all that there is
  if (header.plainBytes !== undefined && header.plainBytes !== plainBytes) {
    throw new CorruptError(position, "the sum of the blocks", `${header.plainBytes} bytes`, `${plainBytes} bytes`);
  }
  if (header.version === FORMAT_VERSION_1) return undefined;
  return new IndexReader(header, { frameBytes: position - 1 - offsetBytes, tally });
}

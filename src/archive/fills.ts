/**
 * Fills: long stretches of one repeated pattern, such as the holes of a disk image. They stand between the bytes of a
 * block, as a list before it, so that neither the model nor the cutter of repeats ever meets them, and a block's
 * streams are not cut where a stretch begins. Here are their list, their bytes and the check of both.
 */
import { host } from "../platform/host.ts";
import { ByteReader, ByteWriter, varintBytes } from "./bytes.ts";
import { chainCheck } from "./checksum.ts";
import { CorruptError, TruncatedError } from "./errors.ts";
import { FILL_BYTES_MIN, FILL_LIST_BYTES_MAX, FILL_PATTERN_BYTES_MAX, FILL_PIECE_BYTES, type Fill } from "./format.ts";

/** What the first fill of a list repeats if it does not say. */
const ZERO = new Uint8Array(1);

/** Bytes that fills give. */
export function fillBytesOf(fills: readonly Fill[] = []): number {
  return fills.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** Bytes of the archive that a record of fills takes: kind, length, list and guard. */
export function fillRecordBytes(fills: readonly Fill[]): number {
  let listBytes = 0;
  let before: Uint8Array = ZERO;
  for (const { gapBytes, lengthBytes, pattern } of fills) {
    const patternBytes = host.isEqual(pattern, before) ? 0 : pattern.length;
    listBytes += varintBytes(gapBytes) + varintBytes(lengthBytes) + varintBytes(patternBytes) + patternBytes;
    before = pattern;
  }
  return 1 + varintBytes(listBytes) + listBytes + 4;
}

/** The list of a record. @throws RangeError for a fill that no reader would accept */
export function encodeFills(fills: readonly Fill[]): Uint8Array {
  const list = new ByteWriter();
  let before: Uint8Array = ZERO;
  for (const { gapBytes, lengthBytes, pattern } of fills) {
    if (lengthBytes < FILL_BYTES_MIN || pattern.length < 1 || pattern.length > FILL_PATTERN_BYTES_MAX) {
      throw new RangeError(`a fill of ${lengthBytes} bytes with a pattern of ${pattern.length}`);
    }
    list.varint(gapBytes).varint(lengthBytes);
    if (host.isEqual(pattern, before)) list.varint(0);
    else list.varint(pattern.length).raw(pattern);
    before = pattern;
  }
  return list.finish();
}

/**
 * A record of fills, without its guard. Patterns are views.
 *
 * @param leftBytes the frame has no more plain bytes than that
 * @throws TruncatedError, CorruptError
 */
export function readFillRecord(reader: ByteReader, leftBytes: number): Fill[] {
  reader.u8("fills");
  const lengthAt = reader.position;
  const listBytes = reader.varintWithin("the length of a list of fills", 1, FILL_LIST_BYTES_MAX);
  const start = reader.offset;
  reader.take("a list of fills", listBytes);
  const list = new ByteReader(reader.bytes.subarray(0, reader.offset), start, reader.baseBytes);
  try {
    return readFills(list, leftBytes);
  } catch (error) {
    // All of the list is there, so a field that reaches beyond its end is a contradiction.
    if (!(error instanceof TruncatedError)) throw error;
    throw new CorruptError(lengthAt, "the length of a list of fills", "room for all fields", `${listBytes}`);
  }
}

function readFills(list: ByteReader, leftBytes: number): Fill[] {
  const fills: Fill[] = [];
  let before: Uint8Array = ZERO;
  let left = leftBytes;
  while (list.remainingBytes > 0) {
    const gapBytes = list.varintWithin("the place of a fill", 0, left);
    const lengthBytes = list.varintWithin("the length of a fill", FILL_BYTES_MIN, left - gapBytes);
    const at = list.position;
    const patternBytes = list.varintWithin("the length of a pattern", 0, FILL_PATTERN_BYTES_MAX);
    const pattern = patternBytes === 0 ? before : list.take("a pattern", patternBytes);
    if (patternBytes > 0 && host.isEqual(pattern, before)) {
      throw new CorruptError(at, "the length of a pattern", "0 for the one before", `${patternBytes}`);
    }
    fills.push({ gapBytes, lengthBytes, pattern });
    before = pattern;
    left -= gapBytes + lengthBytes;
  }
  return fills;
}

/**
 * The bytes of a block with its fills, in order: each stretch of `data` between fills in one piece, and fills in pieces
 * of at most FILL_PIECE_BYTES. A piece is good until the next is asked for.
 *
 * @param data as long as the gaps, at least
 */
export function* piecesOf(data: Uint8Array, fills: readonly Fill[]): Generator<Uint8Array, void> {
  let done = 0;
  for (const { gapBytes, lengthBytes, pattern } of fills) {
    if (gapBytes > 0) yield data.subarray(done, done + gapBytes);
    done += gapBytes;
    yield* repeated(pattern, lengthBytes);
  }
  if (done < data.length) yield data.subarray(done);
}

function* repeated(pattern: Uint8Array, lengthBytes: number): Generator<Uint8Array, void> {
  const piece = Math.min(lengthBytes, FILL_PIECE_BYTES);
  // A pattern longer than a piece: the next piece begins in the middle of the pattern.
  const room = host.repeat(pattern, piece + pattern.length);
  for (let done = 0; done < lengthBytes; done += piece) {
    const phase = done % pattern.length;
    yield room.subarray(phase, phase + Math.min(piece, lengthBytes - done));
  }
}

/**
 * The check of a block with fills, piece by piece.
 *
 * @param turn called between pieces, of which there may be many
 */
export async function chainPieces(
  data: Uint8Array,
  fills: readonly Fill[],
  checkBefore: bigint,
  turn: () => Promise<void>,
): Promise<bigint> {
  let check = checkBefore;
  for (const piece of piecesOf(data, fills)) {
    check = chainCheck(piece, check);
    await turn();
  }
  return check;
}

/** Reads archives that are in memory as a whole; programs use stream.ts, tests and small inputs this. */
import { ByteReader } from "./bytes.ts";
import { TrailingBytesError } from "./errors.ts";
import { type Block, type Frame, MAGIC } from "./format.ts";
import { openIndex } from "./index.ts";
import { OpenFrame, readHeader, readPart } from "./read.ts";

/**
 * Reads all frames of an archive, and verifies what can be without decoding. Payloads are views of `bytes`.
 *
 * @throws NotAnArchiveError, TrailingBytesError, UnsupportedVersionError, TruncatedError, CorruptError
 */
export function readArchive(bytes: Uint8Array): Frame[] {
  const reader = new ByteReader(bytes);
  const frames: Frame[] = [];
  do frames.push(readFrame(reader));
  while (!isAtEnd(reader));
  return frames;
}

/** Whether nothing comes any more, or nothing but zeros. @throws TrailingBytesError */
function isAtEnd(reader: ByteReader): boolean {
  const rest = reader.bytes.subarray(reader.offset);
  if (rest.length === 0) return true;
  if (rest[0] === MAGIC[0]) return false;
  const paddingBytes = rest.findIndex((byte) => byte !== 0);
  if (paddingBytes < 0) return true;
  throw new TrailingBytesError(reader.position, paddingBytes, rest.length - paddingBytes);
}

function readFrame(reader: ByteReader): Frame {
  const offsetBytes = reader.offset;
  const frame = new OpenFrame(readHeader(reader), offsetBytes);
  const blocks: Block[] = [];
  for (;;) {
    const start = reader.offset;
    const part = readPart(reader, frame);
    if (!part) break;
    frame.advance(part, reader.offset - start);
    if (part.kind !== "model") blocks.push(part);
  }
  const index = openIndex(frame, reader.position);
  while (index && !index.isDone) index.read(reader);
  const { plainBytes } = frame;
  return { header: { ...frame.header, plainBytes }, blocks, offsetBytes, lengthBytes: reader.offset - offsetBytes };
}

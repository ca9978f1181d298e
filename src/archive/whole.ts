/** Reads archives that are in memory as a whole; programs use stream.ts, tests and small inputs this. */
import { ByteReader } from "./bytes.ts";
import type { Block, Frame } from "./format.ts";
import { readEnd } from "./index.ts";
import { OpenFrame, readHeader, readPart } from "./read.ts";

/**
 * Reads all frames of an archive, and verifies what can be without decoding. Payloads are views of `bytes`.
 *
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError
 */
export function readArchive(bytes: Uint8Array): Frame[] {
  const reader = new ByteReader(bytes);
  const frames: Frame[] = [];
  do frames.push(readFrame(reader));
  while (reader.remainingBytes > 0);
  return frames;
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
  readEnd(reader, frame);
  const { plainBytes } = frame;
  return { header: { ...frame.header, plainBytes }, blocks, offsetBytes, lengthBytes: reader.offset - offsetBytes };
}

/** The first bytes of a frame: whether it is one, of which version, and in which form. */
import type { ByteReader } from "./bytes.ts";
import { NotAnArchiveError, TrailingBytesError, UnsupportedVersionError } from "./errors.ts";
import {
  FORM_BLOCKS,
  FORM_VERSION_SHIFT,
  FORMAT_VERSION,
  FORMAT_VERSION_1,
  FORMAT_VERSION_5,
  FORMAT_VERSION_6,
  FORMAT_VERSION_UNRELEASED,
  MAGIC,
  MAGIC_OLD,
} from "./format.ts";

interface FrameKind {
  readonly version: number;
  /** FORM_BLOCKS, or that of a small frame, with its flag. */
  readonly form: number;
}

/** @throws NotAnArchiveError, TrailingBytesError, UnsupportedVersionError, TruncatedError */
export function readMagic(reader: ByteReader): FrameKind {
  const found = reader.bytes.subarray(reader.offset, reader.offset + MAGIC_OLD.length);
  const isOld = found[2] === MAGIC_OLD[2];
  const magic = isOld ? MAGIC_OLD : MAGIC;
  const differs = found.subarray(0, magic.length).findIndex((byte, i) => byte !== magic[i]);
  if (differs >= 0) throw complaint(reader, found);
  reader.take("the magic number", magic.length);
  const at = reader.position;
  const byte = reader.u8("the format version");
  const version = isOld ? byte : FORMAT_VERSION_6 + (byte >> FORM_VERSION_SHIFT);
  const [low, high] = isOld ? [FORMAT_VERSION_1, FORMAT_VERSION_5] : [FORMAT_VERSION_6, FORMAT_VERSION];
  if (version < low || version > high || version === FORMAT_VERSION_UNRELEASED) {
    throw new UnsupportedVersionError(at, "format version", version, FORMAT_VERSION);
  }
  return { version, form: isOld ? FORM_BLOCKS : byte & ((1 << FORM_VERSION_SHIFT) - 1) };
}

function complaint({ position }: ByteReader, found: Uint8Array): Error {
  if (position > 0) return new TrailingBytesError(position, 0, undefined);
  return new NotAnArchiveError(position, isTextDamage(found) ? "text-mode" : "magic");
}

/** Letters of the name are there, but the high bit of the first byte or the line ends behind them are not. */
function isTextDamage(found: Uint8Array): boolean {
  const [first = -1, ...rest] = found;
  if ((first & 0x7f) !== 0x09) return false;
  const begins = (...bytes: readonly number[]) => bytes.every((byte, i) => byte === rest[i]);
  return begins(...MAGIC_OLD.subarray(1, 5)) || begins(...MAGIC.subarray(1)) || begins(0x46, 0x44, 0x0d, 0x0a);
}

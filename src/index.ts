/**
 * fade as a library, for Node, Bun and browsers: whole arrays and Web Streams, and what an archive says of itself. The
 * work is done in threads of its own; the bytes are those of the command line. docs/LIBRARY.md is made of these
 * comments.
 */
import { callThread } from "./library/calls.ts";
import type { ArchiveFacts, ByteTransform, CompressOptions, DecompressOptions } from "./library/options.ts";
import { transformBy } from "./library/streams.ts";

export * from "./library/errors.ts";
export type {
  ArchiveFacts,
  ByteTransform,
  CompressOptions,
  DecompressOptions,
  FrameFacts,
  Progress,
  WorkOptions,
} from "./library/options.ts";

/**
 * Compresses bytes into an archive, the same that the command line writes.
 *
 * @throws OptionError, MemoryLimitError, EngineUnavailableError, EngineLimitError, ThreadLimitError,
 *   SimdUnavailableError, and the reason of the signal
 */
export async function compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return await callThread("compress", bytesOf(bytes), options);
}

/**
 * Restores an archive. Bytes that do not match their checksums are never handed out.
 *
 * @throws ArchiveError (NotAnArchiveError, TruncatedError, CorruptError, BlockError, TrailingBytesError,
 *   UnsupportedVersionError, MissingPriorError), OutputLimitError, TimeLimitError, and what compress throws
 */
export async function decompress(
  archive: Uint8Array,
  options: DecompressOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await callThread("decompress", bytesOf(archive), options);
}

/** Tells what an archive holds, from its headers: nothing is decoded, and no thread is started. @throws ArchiveError */
export async function list(archive: Uint8Array): Promise<ArchiveFacts> {
  const { listBytes } = await import("./library/list.ts");
  return await listBytes(bytesOf(archive));
}

/**
 * A pair of streams: plain bytes in, an archive out. `stream.pipeThrough(fadeCompress({ level: 9 }))`
 *
 * What is wrong errors both ends: with what compress throws, and InputSizeError if `sizeBytes` was not true.
 */
export function fadeCompress(options: CompressOptions = {}): ByteTransform {
  const { signal: _, onProgress, ...sent } = options;
  return transformBy({ action: "compress", options: sent, wantsProgress: onProgress !== undefined }, options);
}

/**
 * A pair of streams: an archive in, plain bytes out, each block as soon as its checksum was right.
 *
 * What is wrong errors both ends, with what decompress throws; all that came before was sound.
 */
export function fadeDecompress(options: DecompressOptions = {}): ByteTransform {
  const { signal: _, onProgress, ...sent } = options;
  return transformBy({ action: "decompress", options: sent, wantsProgress: onProgress !== undefined }, options);
}

/** @throws TypeError */
function bytesOf(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError("bytes come as Uint8Array");
}

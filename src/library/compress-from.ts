/**
 * Compressing from any source to any sink, by settings: what the command line does for each file, and the library for
 * each call.
 */
import { type ByteSink, compressStream, type PlainSource } from "../pipeline/frames.ts";
import type { Company, WorkSizes } from "./progress.ts";
import { compressOptionsOf, type WorkSettings } from "./work.ts";

/** A source that counts what was read of it. */
export type CountedSource = PlainSource & { readonly readBytes: () => number };

/**
 * Compresses all that a source gives; of several priors, the archive begins with the last.
 *
 * @param totalBytes for progress, if that is known @throws what compressStream throws
 */
export async function compressFrom(
  source: CountedSource,
  sink: ByteSink,
  settings: WorkSettings,
  { engine, priors, onProgress, signal }: Company,
  totalBytes = source.sizeBytes,
): Promise<WorkSizes> {
  let writtenBytes = 0;
  const write = async (bytes: Uint8Array) => {
    writtenBytes += bytes.length;
    await sink(bytes);
  };
  const prior = priors.at(-1);
  await compressStream(source, write, engine, {
    ...compressOptionsOf(settings),
    ...(prior && { prior }),
    ...(signal && { signal }),
    onProgress: ({ bytesDone, codedBytes }) =>
      onProgress?.({ plainBytes: bytesDone, archiveBytes: writtenBytes + codedBytes, totalBytes }),
  });
  return { plainBytes: source.readBytes(), archiveBytes: writtenBytes };
}

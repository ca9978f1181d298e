/**
 * Restoring from any source to any sink, by settings: what the command line does for each file, and the library for
 * each call.
 */
import type { ByteSink } from "../pipeline/frame-options.ts";
import { type RestoreProgress, restore } from "../pipeline/restore.ts";
import type { Company, WorkSizes } from "./progress.ts";
import { type Surveyed, surveyArchive } from "./survey.ts";
import { limitsOf, restoreLimitsOf, type WorkSettings } from "./work.ts";

/** An archive: pieces until there is an empty one, or any part of it, where that can be had. */
interface ArchiveSource extends Surveyed {
  read(): Promise<Uint8Array>;
}

/** How an archive is restored, besides the limits. */
interface RestoreChoices {
  /** false: hand out bytes whose checksum is wrong, too. */
  readonly checks: boolean;
  /** Plain bytes where a survey does not find them out. */
  readonly forecast?: () => Promise<number | undefined>;
  /** Told before anything is decoded how many plain bytes there will be, if that is known. */
  readonly onBegin?: (totalBytes: number | undefined) => void;
  /** Of this program's own making: no limits on what may come out. */
  readonly isOwn?: boolean;
}

/**
 * Restores all frames of an archive.
 *
 * @throws what surveyArchive and restore throw
 */
export async function restoreFrom(
  source: ArchiveSource,
  sink: ByteSink,
  settings: WorkSettings,
  { engine, priors, onProgress, signal }: Company,
  { checks, forecast, onBegin, isOwn = false }: RestoreChoices,
): Promise<WorkSizes> {
  const limits = isOwn ? {} : restoreLimitsOf(settings);
  const knownBytes = (await surveyArchive(source, limits)) ?? (await forecast?.());
  onBegin?.(knownBytes);
  const { sizeBytes } = source;
  const report = ({ plainBytes, codedBytes, totalBytes }: RestoreProgress) =>
    onProgress?.({ plainBytes, archiveBytes: codedBytes, totalBytes: knownBytes ?? totalBytes });
  const { plainBytes, codedBytes } = await restore(() => source.read(), sink, engine, {
    ...limitsOf(settings),
    checks,
    priors,
    limits,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(signal && { signal }),
    onProgress: report,
  });
  return { plainBytes, archiveBytes: codedBytes };
}

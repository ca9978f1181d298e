/**
 * A look at an archive before it is decoded, where it is a file: what it says of itself costs a few reads, and what can
 * be refused for that need not be found out after hours, with half of the output written.
 */
import { ArchiveError, TrailingBytesError } from "../archive/errors.ts";
import { framesByHeads } from "../archive/heads.ts";
import { type ArchiveFile, type Listing, listArchive } from "../archive/list.ts";
import { OutputLimitError, type RestoreLimits, TimeLimitError } from "../pipeline/limits.ts";

/** What can be read at any place, if it can, and is told beforehand, if it is not. */
export interface Surveyed {
  readonly sizeBytes?: number;
  readAt?(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  readonly forecast?: ArchiveFile | undefined;
}

/**
 * @returns plain bytes in all, if that is known; what is wrong with the archive itself is left to who decodes it
 * @throws TrailingBytesError, OutputLimitError, TimeLimitError, system errors
 */
export async function surveyArchive(
  { sizeBytes, readAt }: Surveyed,
  limits: RestoreLimits,
): Promise<number | undefined> {
  if (sizeBytes === undefined || !readAt) return undefined;
  const file = { sizeBytes, readAt };
  const listing = await listIfPossible(file);
  if (!listing) return undefined;
  const { outputBytesMax, secondsMax } = limits;
  if (outputBytesMax !== undefined && listing.plainBytes > outputBytesMax) {
    throw new OutputLimitError(listing.plainBytes, outputBytesMax);
  }
  if (secondsMax !== undefined) {
    const seconds = await secondsOf(file, limits);
    if (seconds > secondsMax) throw new TimeLimitError(seconds, secondsMax);
  }
  return listing.plainBytes;
}

/** Plain bytes of a file that standard input is redirected from, for progress: it may grow, so nothing is refused. */
export async function forecastBytes({ forecast }: Surveyed): Promise<number | undefined> {
  if (!forecast) return undefined;
  try {
    return (await listArchive(forecast)).plainBytes;
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

async function listIfPossible(file: ArchiveFile): Promise<Listing | undefined> {
  try {
    return await listArchive(file);
  } catch (error) {
    if (error instanceof TrailingBytesError || !(error instanceof ArchiveError)) throw error;
    return undefined;
  }
}

/** By the heads of blocks, because an index does not know what copies spare the model. */
async function secondsOf(file: ArchiveFile, { cost }: RestoreLimits): Promise<number> {
  let seconds = 0;
  if (!cost) return seconds;
  for await (const { header, modelSteps } of framesByHeads(file)) {
    if (!header.model || modelSteps === 0) continue;
    seconds += cost.openSeconds(header.model.hyper) + cost.stepsSeconds(header.model.hyper, modelSteps, 0);
  }
  return seconds;
}

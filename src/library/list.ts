/** What an archive in memory holds, by its headers: nothing is decoded. */
import { checkText } from "../archive/checksum.ts";
import { type FrameSummary, listArchive } from "../archive/list.ts";
import { priorText } from "../archive/prior-reference.ts";
import type { ArchiveFacts, FrameFacts } from "./options.ts";

function frameFacts({ header, offsetBytes, lengthBytes, plainBytes, blockCount, check }: FrameSummary): FrameFacts {
  return {
    offsetBytes,
    archiveBytes: lengthBytes,
    plainBytes,
    blockCount,
    check: checkText(check, header.small !== undefined),
    ...(header.prior && { prior: priorText(header.prior) }),
    isPatch: header.isPatch === true,
  };
}

/** @throws ArchiveError */
export async function listBytes(archive: Uint8Array): Promise<ArchiveFacts> {
  const readAt = async (offset: number, length: number) => archive.subarray(offset, offset + length);
  const listing = await listArchive({ sizeBytes: archive.length, readAt });
  const frames: FrameFacts[] = [];
  for await (const frame of listing.frames()) frames.push(frameFacts(frame));
  const { plainBytes, archiveBytes, blockCount, version: formatVersion } = listing;
  return { plainBytes, archiveBytes, blockCount, formatVersion, frames };
}

/**
 * What -D and --patch-from name, read once for all files of a run. Archives cannot be restored without these files, so
 * nothing of the run may remove or replace them.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { limitsOf, priorOf } from "../library/work.ts";
import { MemoryLimitError } from "../pipeline/memory.ts";
import { FileError } from "./errors.ts";
import { keysOf } from "./file-keys.ts";
import { openFile } from "./input.ts";
import type { Session } from "./session.ts";

/** A dictionary of more bytes is a mistake; what the model begins with is far less. */
const PRIOR_FILE_BYTES_MAX = 2 ** 30;

/** @returns false if there is none to be had, which was complained about: then no file is touched */
export async function loadPrior(session: Session): Promise<boolean> {
  const { settings } = session;
  const { memoryBytesMax } = limitsOf(settings);
  const read = async (name: string, isOld: boolean) => {
    const path = resolve(session.io.cwd, name);
    try {
      session.priors.push(priorOf(await readWhole(path, memoryBytesMax), isOld, settings));
      for (const key of keysOf(path)) session.priorKeys.add(key);
      return true;
    } catch (error) {
      session.complain(name, error);
      return false;
    }
  };
  for (const prior of settings.priors) if (!(await read(prior, false))) return false;
  return settings.patchFrom === undefined || (await read(settings.patchFrom, true));
}

/** Whether a file is one that the archives of this run cannot be restored without. @param path absolute */
export function isPriorOf({ priorKeys }: Session, path: string): boolean {
  return priorKeys.size > 0 && keysOf(path).some((key) => priorKeys.has(key));
}

/** All of a regular file. @throws FileError, MemoryLimitError, system errors */
export async function readWhole(path: string, memoryBytesMax: number): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    const { sizeBytes, readAt } = source;
    if (!readAt || sizeBytes === undefined) {
      if (statSync(path).isFile()) throw new FileError("is empty: there is nothing to begin with");
      throw new FileError("is not a regular file", "save it to one");
    }
    if (sizeBytes > memoryBytesMax) throw new MemoryLimitError(sizeBytes, memoryBytesMax);
    if (sizeBytes > PRIOR_FILE_BYTES_MAX) throw new FileError("is too large to begin with", "1 GiB is the most");
    return await readAt(0, sizeBytes);
  } finally {
    await source.close();
  }
}

/** What -D and --patch-from name, read once for all files of a run. */
import { resolve } from "node:path";
import { decodePrior, isPriorFile, type Prior, patchPrior, rawPrior } from "../prior/file.ts";
import { FileError } from "./errors.ts";
import { openFile } from "./input.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** A dictionary of more bytes is a mistake; what the model begins with is far less. */
const PRIOR_FILE_BYTES_MAX = 2 ** 30;

/** @returns false if there is none to be had, which was complained about: then no file is touched */
export async function loadPrior(session: Session): Promise<boolean> {
  const { settings, priors } = session;
  const wanted = [
    [settings.prior, false],
    [settings.patchFrom, true],
  ] as const;
  for (const [name, isOld] of wanted) {
    if (name === undefined) continue;
    try {
      priors.push(priorOf(await readWhole(resolve(session.io.cwd, name)), isOld, settings));
    } catch (error) {
      session.complain(name, error);
      return false;
    }
  }
  return true;
}

/** @param isOld whether the bytes are what a patch begins with @throws what decodePrior throws */
export function priorOf(bytes: Uint8Array, isOld: boolean, { level }: Settings): Prior {
  if (isOld) return patchPrior(bytes, level.shape.mixerContexts);
  return isPriorFile(bytes) ? decodePrior(bytes) : rawPrior(bytes);
}

/** All of a regular file. @throws FileError, system errors */
export async function readWhole(path: string): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    const { sizeBytes, readAt } = source;
    if (!readAt || sizeBytes === undefined) throw new FileError("is not a regular file, or is empty");
    if (sizeBytes > PRIOR_FILE_BYTES_MAX) throw new FileError("is too large to begin with", "1 GiB is the most");
    return await readAt(0, sizeBytes);
  } finally {
    await source.close();
  }
}

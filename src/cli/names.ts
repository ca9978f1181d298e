/** What files are called before and after: FILE <-> FILE.fade, FILE.tar <-> FILE.tfade. */
import { FileError } from "./errors.ts";

const SUFFIX = ".fade";
const TAR_SUFFIX = ".tfade";

export function compressedName(name: string): string {
  return `${name}${SUFFIX}`;
}

export function hasArchiveSuffix(name: string): boolean {
  return name.endsWith(SUFFIX) || name.endsWith(TAR_SUFFIX);
}

/** @throws FileError for a name that does not tell what the restored file is called */
export function decompressedName(name: string): string {
  for (const [suffix, becomes] of [
    [TAR_SUFFIX, ".tar"],
    [SUFFIX, ""],
  ] as const) {
    const stem = name.slice(0, -suffix.length);
    if (name.endsWith(suffix) && stem !== "" && !stem.endsWith("/")) return stem + becomes;
  }
  throw new FileError(`does not end in ${SUFFIX}`, "name the output with -o, or use -c");
}

/**
 * What Linux tells about this process and node:fs does not: which descriptors it was started with, and how much address
 * space it may have. Elsewhere, and where /proc is missing, nothing is known.
 */
import { readFileSync } from "node:fs";

const O_CLOEXEC = 0o2000000;

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

/**
 * Whether a standard stream was closed when the program started (`fade -c x >&-`). Bun opens /dev/null in its place, so
 * that writing to it succeeds and the data is lost. What Bun has opened is closed on exec; what a parent has handed
 * over cannot be, or it would not be here.
 */
export function wasClosedAtStart(descriptor: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readProc(`/proc/self/fdinfo/${descriptor}`) ?? "")?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
}

/** The limit of the address space (`ulimit -v`) in bytes; undefined if there is none. */
export function addressSpaceLimit(): number | undefined {
  const limit = /^Max address space +(\d+) /m.exec(readProc("/proc/self/limits") ?? "")?.[1];
  return limit === undefined ? undefined : Number(limit);
}

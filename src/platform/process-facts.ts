/**
 * What Linux tells about this process and node:fs does not: which descriptors it was started with, and how much address
 * space it may have. Elsewhere, and where /proc is missing, nothing is known.
 */
import { constants, readFileSync } from "node:fs";

const O_CLOEXEC = 0o2000000;
const O_ACCMODE = 3;

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
  const flags = flagsOf(descriptor);
  return flags !== undefined && (flags & O_CLOEXEC) !== 0;
}

/** Whether an open descriptor can be written to; true where the system does not tell. */
export function isWritable(descriptor: number): boolean {
  const flags = flagsOf(descriptor);
  return flags === undefined || (flags & O_ACCMODE) !== constants.O_RDONLY;
}

/** How a descriptor was opened; undefined if it is not open or the system does not tell. */
function flagsOf(descriptor: number): number | undefined {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readProc(`/proc/self/fdinfo/${descriptor}`) ?? "")?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/** Where in its file an open descriptor reads next; undefined where the system does not tell. */
export function positionOf(descriptor: number): number | undefined {
  const position = /^pos:\s*(\d+)$/m.exec(readProc(`/proc/self/fdinfo/${descriptor}`) ?? "")?.[1];
  return position === undefined ? undefined : Number(position);
}

/** The signals that a process ignores, one bit each, the lowest for signal 1; none where the system does not tell. */
export function ignoredSignals(process: number | "self"): bigint {
  const signals = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readProc(`/proc/${process}/status`) ?? "")?.[1];
  return BigInt(`0x${signals ?? "0"}`);
}

/** How many files may be open at a time (`ulimit -n`); undefined where the system does not tell. */
export function openFilesLimit(): number | undefined {
  const limit = /^Max open files +(\d+) /m.exec(readProc("/proc/self/limits") ?? "")?.[1];
  return limit === undefined ? undefined : Number(limit);
}

/** A limit of what a process may have mapped, and the letter by which `ulimit` knows it. */
export interface AddressSpaceLimit {
  readonly limitBytes: number;
  readonly letter: "v" | "d";
}

/** The lower of the limits of all memory (`ulimit -v`) and of writable memory (`ulimit -d`); undefined without any. */
export function addressSpaceLimit(): AddressSpaceLimit | undefined {
  const limits = readProc("/proc/self/limits") ?? "";
  const found = (["v", "d"] as const).flatMap((letter) => {
    const name = letter === "v" ? "Max address space" : "Max data size";
    const limit = new RegExp(`^${name} +(\\d+) `, "m").exec(limits)?.[1];
    return limit === undefined ? [] : [{ limitBytes: Number(limit), letter }];
  });
  return found.sort((a, b) => a.limitBytes - b.limitBytes)[0];
}

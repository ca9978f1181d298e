/**
 * What the command line itself can object to, and how any error becomes one line for people, a hint and an exit code.
 * Texts are lower case and without a full stop; a hint names the exact thing to do.
 */
import {
  ArchiveError,
  MissingPriorError,
  NotAnArchiveError,
  TrailingBytesError,
  UnsupportedVersionError,
} from "../archive/errors.ts";
import { EngineDeviceError, EngineLimitError, EngineUnavailableError } from "../engine/engine.ts";
import { OutputLimitError, TimeLimitError } from "../pipeline/limits.ts";
import { MemoryLimitError } from "../pipeline/memory.ts";
import { BlockError } from "../pipeline/restore.ts";
import { SimdUnavailableError, ThreadLimitError } from "../platform/errors.ts";
import { durationText } from "./words.ts";

/** Exit codes are part of the interface: scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** Some file could not be processed. */
  failed: 1,
  /** The command line makes no sense; nothing was touched. */
  usage: 2,
  /** A corrupt, truncated or unsupported archive, or one beyond --max-output or --max-time. */
  archive: 3,
  /** No engine here can do it. */
  engine: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line cannot be understood. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly hint = "fade --help lists the options",
  ) {
    super(message);
    this.name = "UsageError";
  }
}

/** One file cannot be processed; the others can. `fileName` is the file to blame if it is not the operand. */
export class FileError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
    readonly fileName?: string,
  ) {
    super(message);
    this.name = "FileError";
  }
}

/** A system error that befell an output, which is not the file that the command line named. */
export class OutputError extends Error {
  constructor(
    readonly fileName: string,
    override readonly cause: unknown,
  ) {
    super("the output could not be written");
    this.name = "OutputError";
  }
}

export interface Complaint {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly fileName?: string | undefined;
  readonly exitCode: ExitCode;
}

/** What system calls say, in words. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBADF: "is closed",
  EDQUOT: "the disk quota is used up",
  EEXIST: "already exists",
  EFBIG: "the file would be larger than the file system allows",
  EINVAL: "the file system does not allow that",
  EIO: "the device failed",
  EISDIR: "is a directory",
  ELOOP: "too many symbolic links",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENODEV: "no such device",
  ENOENT: "no such file or directory",
  ENOSPC: "no space is left on the device",
  ENOTDIR: "a part of the path is not a directory",
  ENXIO: "no such device",
  EPERM: "the operation is not permitted",
  EPIPE: "its reader has gone",
  EROFS: "the file system is read-only",
};

/** The system's name for a failed call (ENOENT and the like), or undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const REPLACEMENT = "\ufffd";

/**
 * The runtime puts U+FFFD where a name is not UTF-8, and so loses it. Says that, where the system only says that there
 * is no such file; a file that is really called so can be opened.
 */
export function blameName(name: string, error: unknown): unknown {
  if (!name.includes(REPLACEMENT) || systemCode(error) !== "ENOENT") return error;
  return new FileError("has a name that is not UTF-8, which fade cannot open", "rename it, or use < FILE > FILE.fade");
}

/** @throws UsageError for an output whose name would become another */
export function refuseUndecodable(name: string | undefined): void {
  if (!name?.includes(REPLACEMENT)) return;
  throw new UsageError("the output's name is not UTF-8", "use -c and > FILE, which takes any name");
}

/** An output is not looked for: where the system misses it, it could not be made, as in /proc. */
function complaintOfOutput(error: unknown): Complaint {
  const complaint = complaintOf(error);
  if (systemCode(error) !== "ENOENT") return complaint;
  return { ...complaint, message: "cannot be created there", hint: "name another output with -o, or use -c" };
}

/** Turns anything thrown while a file was processed into words and an exit code. */
export function complaintOf(error: unknown): Complaint {
  if (error instanceof UsageError) return { message: error.message, hint: error.hint, exitCode: EXIT.usage };
  if (error instanceof FileError) {
    return { message: error.message, hint: error.hint, fileName: error.fileName, exitCode: EXIT.failed };
  }
  if (error instanceof OutputError) return { ...complaintOfOutput(error.cause), fileName: error.fileName };
  if (error instanceof ArchiveError) {
    return { message: error.message, hint: archiveHint(error), exitCode: EXIT.archive };
  }
  if (error instanceof EngineUnavailableError) {
    return { message: error.message, hint: error.hint, exitCode: EXIT.engine };
  }
  if (error instanceof EngineLimitError) {
    const hint =
      error.engine === "gpu"
        ? "use --engine cpu: archives are the same"
        : "try --engine reference (slow, but decodes every archive), or a machine with more memory";
    return { message: error.message, hint, exitCode: EXIT.engine };
  }
  if (error instanceof EngineDeviceError) {
    const hint = `try again, or another engine than ${error.engine} (fade devices lists them): archives are the same`;
    return { message: `the device failed: ${error.message}`, hint, exitCode: EXIT.failed };
  }
  if (error instanceof MemoryLimitError) {
    const hint = "a machine with more memory can do it; to compress, lower levels and fewer --streams take less";
    return { message: error.message, hint, exitCode: EXIT.engine };
  }
  if (error instanceof SimdUnavailableError) {
    const hint = "it takes a processor with AVX, as PCs have since 2011, or an ARM of 64 bits";
    return { message: error.message, hint, exitCode: EXIT.engine };
  }
  if (error instanceof ThreadLimitError) {
    const hint = "raise the limit of processes (ulimit -u) or the container's, or use -T1";
    return { message: error.message, hint, exitCode: EXIT.engine };
  }
  if (error instanceof OutputLimitError) {
    const hint = "raise --max-output (or FADE_MAX_OUTPUT), which sets this limit";
    return { message: error.message, hint, exitCode: EXIT.archive };
  }
  if (error instanceof TimeLimitError) {
    const [needed, limit] = [error.estimatedSeconds, error.limitSeconds].map(durationText);
    const message = `takes about ${needed} to decode here, and no more than ${limit} may be spent`;
    const hint = "raise --max-time (or FADE_MAX_TIME), which sets this limit";
    return { message, hint, exitCode: EXIT.archive };
  }
  const code = systemCode(error);
  if (code === "EMFILE" || code === "ENFILE") {
    const hint = "raise the limit of open files (ulimit -n)";
    return { message: SYSTEM_ERRORS.EMFILE as string, hint, exitCode: EXIT.engine };
  }
  const words = code === undefined ? undefined : SYSTEM_ERRORS[code];
  if (words !== undefined) return { message: words, exitCode: EXIT.failed };
  if (error instanceof RangeError && /memory|array length|array buffer/i.test(error.message)) {
    return { message: "there is not enough memory", exitCode: EXIT.failed };
  }
  return { message: error instanceof Error ? error.message : String(error), exitCode: EXIT.failed };
}

function archiveHint(error: ArchiveError): string | undefined {
  if (error instanceof BlockError) return archiveHint(error.cause);
  if (error instanceof UnsupportedVersionError) {
    // Before 1.0 each model contract has a minor version of its own.
    if (error.isOld) return `fade 0.${error.found} wrote it and decompresses it; before 1.0 the model may change`;
    return "a newer fade wrote it; fade -V shows the version of this one";
  }
  if (error instanceof MissingPriorError) {
    if (error.isPatch) return "name that file with --patch-from";
    return "name the file of that prior with -D";
  }
  if (error instanceof TrailingBytesError) return trailingHint(error);
  if (error instanceof NotAnArchiveError && error.reason === "text-mode") return "transfer it again in binary mode";
  return undefined;
}

/** What is before the rest can be had; in a pipe it is there already. */
function trailingHint({ archiveBytes, wasRestored }: TrailingBytesError): string {
  if (wasRestored) return "what was written is all that the archive holds, and sound";
  return `to leave it out: head -c ${archiveBytes} FILE | fade -d`;
}

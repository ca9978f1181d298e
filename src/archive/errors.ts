/**
 * What can be wrong with an archive, as classes that carry the facts: where, which field, what was expected and what
 * stands there. The command line turns any of them into one line for people and exit code 3; other callers can tell
 * "this was never an archive" from "this one was damaged" without reading texts.
 */

/** Anything that makes bytes unusable as an archive. `offsetBytes` counts from the start of the input. */
export class ArchiveError extends Error {
  constructor(
    message: string,
    readonly offsetBytes: number,
  ) {
    super(message);
    this.name = "ArchiveError";
  }
}

/** The bytes do not start with the magic: another format, an empty file, or an archive that went through text mode. */
export class NotAnArchiveError extends ArchiveError {
  constructor(
    offsetBytes: number,
    readonly reason: "empty" | "magic" | "text-mode",
  ) {
    super(NOT_AN_ARCHIVE[reason], offsetBytes);
    this.name = "NotAnArchiveError";
  }
}

const NOT_AN_ARCHIVE = {
  empty: "is not a fade archive: it is empty",
  magic: "is not a fade archive",
  "text-mode": "was a fade archive once, but was damaged by a transfer in text mode",
} as const;

/** A whole archive of a kind that this program does not know: written by a newer fade, or by a retired one. */
export class UnsupportedVersionError extends ArchiveError {
  constructor(
    offsetBytes: number,
    readonly field: "format version" | "model contract" | "header flags",
    readonly found: number,
    readonly supported: number,
  ) {
    // The container goes on reading its old versions; models come and go.
    const known = field === "format version" ? `1 to ${supported}` : `${supported}`;
    super(`needs another version of fade: its ${field} is ${found}, this program knows ${known}`, offsetBytes);
    this.name = "UnsupportedVersionError";
  }

  /** Whether a program of the past wrote it, and none of the future. */
  get isOld(): boolean {
    return this.field !== "header flags" && this.found < this.supported;
  }
}

/** A frame begins with a prior, or with old bytes, that nobody has given. */
export class MissingPriorError extends ArchiveError {
  constructor(
    offsetBytes: number,
    /** Its number, or the 8 or 16 hexadecimal digits of its hash. */
    readonly prior: string,
    readonly isPatch: boolean,
    /** Those that were given, as they would be named. */
    readonly given: readonly string[],
  ) {
    const what = isPatch ? `is a patch of a file whose xxHash64 is ${prior}` : `needs prior ${prior}`;
    super(`${what}, ${given.length === 0 ? "which was not given" : `and not ${given.join(", ")}`}`, offsetBytes);
    this.name = "MissingPriorError";
  }
}

/** The bytes end before the archive does. `field` is what was being read. */
export class TruncatedError extends ArchiveError {
  constructor(
    offsetBytes: number,
    readonly field: string,
    readonly neededBytes: number,
    readonly foundBytes: number,
  ) {
    super(
      `is truncated: ${field} at byte ${offsetBytes} needs ${neededBytes} bytes, ${foundBytes} are there`,
      offsetBytes,
    );
    this.name = "TruncatedError";
  }
}

/** The bytes contradict themselves: a checksum does not match or a field has an impossible value. */
export class CorruptError extends ArchiveError {
  constructor(
    offsetBytes: number,
    readonly field: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`is corrupt: ${field} at byte ${offsetBytes} is ${found}, expected ${expected}`, offsetBytes);
    this.name = "CorruptError";
  }
}

/** Whole frames, and behind them bytes that are neither another frame nor padding. */
export class TrailingBytesError extends ArchiveError {
  constructor(
    /** Where the archive ends. */
    readonly archiveBytes: number,
    /** Zeros behind it, which would be padding if nothing came after them. */
    readonly paddingBytes: number,
    /** What comes then; undefined where nobody knows where the input ends. */
    readonly trailingBytes: number | undefined,
    /** Whether all of the archive was handed out before. */
    readonly wasRestored = false,
  ) {
    const behind =
      paddingBytes > 0 ? `the archive and ${paddingBytes} zero${paddingBytes === 1 ? "" : "s"}` : "the archive";
    super(`${somethingElse(trailingBytes)} ${behind}, from byte ${archiveBytes + paddingBytes} on`, archiveBytes);
    this.name = "TrailingBytesError";
  }

  /** The same, of an archive whose bytes have gone out already. */
  afterOutput(): TrailingBytesError {
    return new TrailingBytesError(this.archiveBytes, this.paddingBytes, this.trailingBytes, true);
  }
}

function somethingElse(bytes: number | undefined): string {
  if (bytes === undefined) return "something else follows";
  return bytes === 1 ? "1 byte of something else follows" : `${bytes} bytes of something else follow`;
}

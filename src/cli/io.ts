/**
 * The outside world as the commands see it: three standard streams, a clock and the working directory. The real one is
 * in process-io.ts; tests hand in their own and run whole command lines inside one process.
 */
import type { AddressSpaceLimit } from "../platform/process-facts.ts";

/** How far the work is. */
export interface ProgressFacts {
  /** Plain bytes that are compressed or restored, and how many there are. */
  readonly doneBytes: number;
  /** undefined for a pipe, whose end nobody knows. */
  readonly totalBytes: number | undefined;
  /** Archive bytes that they took, so far. */
  readonly codedBytes: number;
}

export interface Io {
  /** Relative names are resolved against it. */
  readonly cwd: string;
  readonly stdin: {
    readonly isTerminal: boolean;
    /** The next bytes, as many as there are; none at the end. The next call overwrites them. @throws system errors */
    read(): Promise<Uint8Array>;
    /** Everything up to the end. @throws system errors */
    readAll(): Promise<Uint8Array>;
    /** The file that it is redirected from, read from its start. For forecasts only: it may grow, or be replaced. */
    readonly file?: {
      readonly sizeBytes: number;
      readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
    };
    /** One line that somebody types; "" at the end. Absent where nobody does. */
    readLine?(): Promise<string>;
  };
  readonly stdout: {
    readonly isTerminal: boolean;
    /** @throws system errors; EPIPE when the reader has gone, EBADF if there never was one */
    write(bytes: Uint8Array): Promise<void>;
  };
  readonly stderr: {
    readonly isTerminal: boolean;
    /** The terminal does not know escape sequences (TERM=dumb, as in an editor's window). */
    readonly isDumb?: boolean;
    /** Characters in a line of the terminal. */
    readonly columns: number;
    write(text: string): void;
  };
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number;
  /** Takes what to tell whoever asks how far the work is (SIGUSR1), while the program itself may be busy. */
  readonly onProgress?: (label: string, facts: ProgressFacts, elapsedMs: number) => void;
  /** Whoever started the program has SIGPIPE ignored: a reader that goes is an error to report, not to die of. */
  readonly ignoresBrokenPipe?: () => boolean;
  /** What `ulimit -v` or `ulimit -d` leaves the program; absent if there is no limit. */
  readonly addressSpace?: AddressSpaceLimit;
  /** Files and folders to delete if a signal ends the program. */
  readonly temporaryFiles: Set<string>;
  /** Does `work` in which no signal ends the program, unless it takes long: what must not be left half done. */
  uninterrupted<T>(work: () => Promise<T>): Promise<T>;
}

const encoder = new TextEncoder();

export function printLine(io: Io, line: string): Promise<void> {
  return io.stdout.write(encoder.encode(`${line}\n`));
}

/** Letters that are collected before they go out. */
const TEXT_LENGTH = 1 << 16;

/** Writes text that is made piece by piece, in larger pieces. */
export async function writeText(io: Io, pieces: AsyncIterable<string>): Promise<void> {
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length < TEXT_LENGTH) continue;
    await io.stdout.write(encoder.encode(text));
    text = "";
  }
  if (text !== "") await io.stdout.write(encoder.encode(text));
}

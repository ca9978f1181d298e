/**
 * Names that are no files but descriptors which the parent process has opened: /dev/stdin, /dev/fd/63 of a shell's
 * >(…). Such a name is a link to whatever is behind it, so that a file of the same name, or one renamed to it, would
 * take the place of the link; they are written and read through the descriptor.
 */
import { fstatSync, write as writeCallback, writeSync } from "node:fs";
import { posix } from "node:path";
import { promisify } from "node:util";
import { isWritable, wasClosedAtStart } from "../platform/process-facts.ts";
import { systemCode } from "./errors.ts";

const write = promisify(writeCallback);

const CHUNK_BYTES = 1 << 18;
/** How long to wait before trying a descriptor again that somebody made non-blocking. */
const RETRY_MS = 5;

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

const STREAMS: ReadonlyMap<string, number> = new Map([
  ["/dev/stdin", STDIN],
  ["/dev/stdout", STDOUT],
  ["/dev/stderr", STDERR],
]);

/** The descriptor that an absolute path stands for, if it does. */
export function descriptorOf(path: string): number | undefined {
  if (process.platform === "win32" || !path.startsWith("/")) return undefined;
  // POSIX lets a path that begins with two slashes mean something else; no system here does.
  const name = posix.normalize(path).replace(/^\/+/, "/");
  const [, folder, number] = /^\/(dev\/fd|proc\/(?:self|thread-self|\d+)\/fd)\/(\d{1,9})$/.exec(name) ?? [];
  if (folder === undefined) return STREAMS.get(name);
  const isOwn = !/\d/.test(folder) || folder === `proc/${process.pid}/fd`;
  return isOwn ? Number(number) : undefined;
}

/**
 * The descriptor, if the parent process has opened it for writing, and not the runtime for itself: those are queues of
 * events, which are no files of any kind, and what it reads. @throws EBADF
 */
export function handedOver(descriptor: number): number {
  const isStream = descriptor <= STDERR;
  const facts = isStream ? undefined : fstatSync(descriptor);
  const isFile = facts && (facts.isFile() || facts.isFIFO() || facts.isSocket() || facts.isCharacterDevice());
  if (isStream ? !wasClosedAtStart(descriptor) : isFile && isWritable(descriptor)) return descriptor;
  throw Object.assign(new Error("the descriptor is closed"), { code: "EBADF" });
}

/** Messages must not be lost at exit, so they are written at once; where nobody listens there is nobody to tell. */
export function tell(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // A closed or full standard error must not fail the compression of a file.
  }
}

/** Writes all of it, however long that takes. @throws system errors */
export async function writeDescriptor(descriptor: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const length = Math.min(CHUNK_BYTES, bytes.length - written);
    const { bytesWritten } = await again(() => write(descriptor, bytes, written, length, null));
    written += bytesWritten;
  }
}

/** Repeats a call on a descriptor that is not ready. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const code = systemCode(error);
      if (code !== "EAGAIN" && code !== "EINTR") throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

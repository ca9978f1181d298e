/**
 * Output that appears under its final name only when it is complete. The bytes go to a temporary file in the same
 * directory, readable by its owner only; it gets the source's mode and times, reaches the disk, and only then the name.
 * Whatever happens before that leaves an older file of that name as it was (zstd unlinks it first, and people lost
 * files to Ctrl-C).
 */
import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError, OutputError, systemCode } from "./errors.ts";
import type { Io } from "./io.ts";
import { writeSparse } from "./sparse.ts";

const TEMPORARY_MODE = 0o600;
const MODE_BITS = 0o777;

export interface Target {
  /** Absolute. */
  readonly path: string;
  /** As shown to people. */
  readonly name: string;
  /** A device or a pipe: written in place, since a rename would replace it by a file. */
  readonly isSpecial: boolean;
  readonly force: boolean;
}

/** The target is there, and nobody said that it may be overwritten. */
export class ExistsError extends FileError {
  constructor(name: string) {
    super("already exists", "use -f to overwrite it, or name another output with -o", name);
    this.name = "ExistsError";
  }
}

/** How a target is written. */
export interface WriteOptions {
  /** Gives mode, owner and times. */
  readonly source?: Stats | undefined;
  /** Leave holes for zeros. */
  readonly sparse?: boolean;
  /** Looks at what was written; if it throws, the target stays as it was. Not called for devices. */
  readonly verify?: ((path: string) => Promise<void>) | undefined;
}

/**
 * Looks at a target before any work is done, so that nobody waits an hour to hear that it exists.
 *
 * @param source the input's facts, if it has a name
 * @throws FileError
 */
export async function checkTarget(path: string, name: string, force: boolean, source?: Stats): Promise<Target> {
  const found = await fs.stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (!found) {
    await checkDirectory(path, name);
    return { path, name, isSpecial: false, force };
  }
  if (found.isDirectory()) throw new FileError("is a directory", "name a file with -o", name);
  if (source && source.dev === found.dev && source.ino === found.ino) {
    throw new FileError("input and output are the same file", "name another output with -o", name);
  }
  if (!found.isFile()) return { path, name, isSpecial: true, force };
  if (!force) throw new ExistsError(name);
  await checkDirectory(path, name);
  return { path, name, isSpecial: false, force };
}

async function checkDirectory(path: string, name: string): Promise<void> {
  const linked = await fs.lstat(path).catch(() => undefined);
  if (linked?.isSymbolicLink() && !(await fs.stat(path).catch(() => undefined))) {
    throw new FileError("is a symbolic link to nothing", "remove it, or name another output with -o", name);
  }
  const folder = dirname(path);
  try {
    await fs.access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EACCES" || code === "EPERM") throw new FileError("no permission to write there", undefined, name);
    if (code === "EROFS") throw new FileError("the file system is read-only", undefined, name);
    if (code === "ENOENT") throw new FileError("its directory does not exist", undefined, name);
    throw error;
  }
}

/** Writes `bytes` as the target. @throws FileError, OutputError, what `verify` throws */
export async function writeTarget(io: Io, target: Target, bytes: Uint8Array, options: WriteOptions): Promise<void> {
  try {
    if (target.isSpecial) await fs.writeFile(target.path, bytes, { flag: constants.O_WRONLY });
    else await writeThenName(io, target, bytes, options);
  } catch (error) {
    // The system's complaint is about the output, not about the file on the command line.
    if (systemCode(error) === undefined) throw error;
    throw new OutputError(target.name, error);
  }
}

async function writeThenName(io: Io, target: Target, bytes: Uint8Array, options: WriteOptions): Promise<void> {
  const suffix = `.${randomBytes(6).toString("hex")}.tmp`;
  // Cut, so that a long name does not become too long.
  const temporary = join(dirname(target.path), `.${basename(target.path).slice(0, 64)}${suffix}`);
  io.temporaryFiles.add(temporary);
  try {
    const file = await fs.open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, TEMPORARY_MODE);
    try {
      if (options.sparse) {
        await writeSparse(file, bytes, 0);
        await file.truncate(bytes.length);
      } else await file.writeFile(bytes);
      await dress(file, options.source);
      await file.sync();
    } finally {
      await file.close();
    }
    await options.verify?.(temporary);
    await giveName(temporary, target);
  } finally {
    await fs.rm(temporary, { force: true }).catch(() => {});
    io.temporaryFiles.delete(temporary);
  }
}

async function dress(file: fs.FileHandle, source: Stats | undefined): Promise<void> {
  if (!source?.isFile()) {
    await file.chmod(0o666 & ~process.umask());
    return;
  }
  // Only root may give files away; for others the group may still work. Owner first: chown clears mode bits.
  const owned = await file.chown(source.uid, source.gid).then(
    () => true,
    () => false,
  );
  // Without the source's group, its group rights would go to somebody else.
  await file.chmod(source.mode & (owned ? MODE_BITS : MODE_BITS & ~0o070));
  await file.utimes(source.atime, source.mtime);
}

/** Without -f, link() refuses a name that was taken while we worked; rename() would silently replace that file. */
async function giveName(temporary: string, target: Target): Promise<void> {
  if (!target.force) {
    try {
      await fs.link(temporary, target.path);
      return;
    } catch (error) {
      if (systemCode(error) === "EEXIST") {
        throw new FileError("was created by somebody else meanwhile", "use -f to overwrite it", target.name);
      }
      // Some file systems have no hard links.
    }
  }
  await fs.rename(temporary, target.path);
}

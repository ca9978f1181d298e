/**
 * Output that appears under its final name only when it is complete. The bytes go to a temporary file in the same
 * directory, readable by its owner only; it gets the source's mode and times, reaches the disk, and only then the name.
 * Whatever happens before that leaves an older file of that name as it was (zstd unlinks it first, and people lost
 * files to Ctrl-C).
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, renameSync, rmSync, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FileError, OutputError, systemCode } from "./errors.ts";
import { timeOf } from "./file-times.ts";
import type { FileTimes } from "./input.ts";
import type { Io } from "./io.ts";
import { writeAll, writeSparse } from "./sparse.ts";

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
  /** Gives mode and owner, and times that are known to the millisecond. */
  readonly source?: Stats | undefined;
  /** Better times. */
  readonly times?: FileTimes | undefined;
  /** Leave holes for zeros. */
  readonly sparse?: boolean;
  /** Looks at what was written; if it throws, the target stays as it was. Not called for devices. */
  readonly verify?: ((path: string) => Promise<void>) | undefined;
}

/**
 * Looks at a target before any work is done, so that nobody waits an hour to hear that it exists.
 *
 * @param source the input's facts, if it has a name
 * @throws FileError, OutputError
 */
export async function checkTarget(path: string, name: string, force: boolean, source?: Stats): Promise<Target> {
  const found = await fs.stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new OutputError(name, error);
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

/** Makes the folder of an output. What fails is the folder's fault, not the input's. @throws FileError, OutputError */
export async function makeDirectory(io: Io, name: string): Promise<void> {
  try {
    await fs.mkdir(resolve(io.cwd, name), { recursive: true });
  } catch (error) {
    for (let part = name; ; part = dirname(part)) {
      const found = await fs.stat(resolve(io.cwd, part)).catch(() => undefined);
      if (found && !found.isDirectory()) throw new FileError("is not a directory", "name another directory", part);
      if (found || part === dirname(part)) break;
    }
    throw new OutputError(name, error);
  }
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
    throw new OutputError(name, error);
  }
}

/** Something that is being written. */
export interface Output {
  /** @throws OutputError */
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: gives the output its name. @throws FileError, OutputError, what `verify` throws */
  finish(): Promise<void>;
  /** Nothing remains of what is not finished; to be called in any case. Does not throw. */
  discard(): Promise<void>;
}

/** @throws OutputError */
export async function openOutput(io: Io, target: Target, options: WriteOptions): Promise<Output> {
  const output = target.isSpecial ? new SpecialOutput(target.path) : new FileOutput(io, target, options);
  // The system's complaint is about the output, not about the file on the command line.
  const blamed = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      throw new OutputError(target.name, error);
    }
  };
  await blamed(() => output.open());
  return {
    write: (bytes) => blamed(() => output.write(bytes)),
    finish: () => blamed(() => output.finish()),
    discard: () => output.discard(),
  };
}

/** A device or a pipe. */
class SpecialOutput {
  #file: fs.FileHandle | undefined;

  constructor(readonly path: string) {}

  async open(): Promise<void> {
    this.#file = await fs.open(this.path, constants.O_WRONLY);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file?.writeFile(bytes);
  }

  async finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async discard(): Promise<void> {
    await this.finish().catch(() => {});
  }
}

/** A temporary file that gets the target's name at the end. */
class FileOutput {
  readonly #temporary: string;
  #file: fs.FileHandle | undefined;
  #position = 0;

  constructor(
    readonly io: Io,
    readonly target: Target,
    readonly options: WriteOptions,
  ) {
    const suffix = `.${randomBytes(6).toString("hex")}.tmp`;
    // Cut, so that a long name does not become too long.
    this.#temporary = join(dirname(target.path), `.${basename(target.path).slice(0, 64)}${suffix}`);
  }

  async open(): Promise<void> {
    try {
      await this.io.uninterrupted(async () => {
        this.io.temporaryFiles.add(this.#temporary);
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
        this.#file = await fs.open(this.#temporary, flags, TEMPORARY_MODE);
      });
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#file) throw new Error("the output is not open");
    if (this.options.sparse) await writeSparse(this.#file, bytes, this.#position);
    else await writeAll(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }

  async finish(): Promise<void> {
    const file = this.#file;
    if (!file) throw new Error("the output is not open");
    // A hole at the end exists by the file's length only.
    await file.truncate(this.#position);
    await dress(file, this.options);
    await file.sync();
    this.#file = undefined;
    await file.close();
    await this.options.verify?.(this.#temporary);
    await this.io.uninterrupted(() => giveName(this.#temporary, this.target));
    await this.discard();
  }

  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
    await fs.rm(this.#temporary, { force: true }).catch(() => {});
    this.io.temporaryFiles.delete(this.#temporary);
  }
}

async function dress(file: fs.FileHandle, { source, times }: WriteOptions): Promise<void> {
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
  if (times) await file.utimes(timeOf(times.atimeNs), timeOf(times.mtimeNs));
  else await file.utimes(source.atime, source.mtime);
}

/** Without -f, link() refuses a name that was taken while we worked; rename() would silently replace that file. */
async function giveName(temporary: string, target: Target): Promise<void> {
  if (target.force) return await fs.rename(temporary, target.path);
  try {
    await fs.link(temporary, target.path).catch((error: unknown) => {
      if (systemCode(error) === "EEXIST") throw error;
      renameToNew(temporary, target.path); // some file systems have no hard links
    });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    throw new FileError("was created by somebody else meanwhile", "use -f to overwrite it", target.name);
  }
}

/**
 * Takes the name with an empty file of our own first, which only one can do, and then replaces that. Uninterrupted, so
 * that the empty file cannot stay. @throws EEXIST if the name is taken
 */
function renameToNew(temporary: string, path: string): void {
  closeSync(openSync(path, "wx", TEMPORARY_MODE));
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

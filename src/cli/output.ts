/**
 * Output that appears under its final name only when it is complete. The bytes go to a temporary file in the same
 * directory, readable by its owner only; it gets the source's mode and times, reaches the disk, and only then the name.
 * Whatever happens before that leaves an older file of that name as it was (zstd unlinks it first, and people lost
 * files to Ctrl-C).
 */
import { closeSync, constants, openSync, renameSync, rmSync, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { giveAccess } from "./access.ts";
import { handedOver, writeDescriptor } from "./descriptors.ts";
import { FileError, OutputError, systemCode } from "./errors.ts";
import { giveTimes } from "./file-times.ts";
import type { FileTimes } from "./input.ts";
import type { Io } from "./io.ts";
import { writeAll, writeSparse } from "./sparse.ts";
import type { SpecialTarget, Target } from "./targets.ts";
import { createTemporary, TEMPORARY_MODE } from "./temporary.ts";

/** How a target is written. */
interface WriteOptions {
  /** Gives mode and owner, and times that are known to the millisecond. */
  readonly source?: Stats | undefined;
  /** Where the source is, absolute: its access list is read there. */
  readonly sourcePath?: string | undefined;
  /** Better times. */
  readonly times?: FileTimes | undefined;
  /** Leave holes for zeros. */
  readonly sparse?: boolean;
  /** Looks at what was written; if it throws, the target stays as it was. Not called for devices. */
  readonly verify?: ((path: string) => Promise<void>) | undefined;
}

/** Something that is being written. */
export interface Output {
  /** @throws OutputError, EPIPE if what reads a pipe has gone */
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: verifies it, and begins to bring it to the disk. @throws OutputError, what `verify` throws */
  seal(): Promise<void>;
  /** Behind `seal`: waits for the disk, and gives the output its name. @throws FileError, OutputError */
  finish(): Promise<void>;
  /** Nothing remains of what is not finished; to be called in any case. Does not throw. */
  discard(): Promise<void>;
}

/** @throws OutputError */
export async function openOutput(io: Io, target: Target, options: WriteOptions): Promise<Output> {
  const { special } = target;
  const output = special ? specialOutput(target, special) : new FileOutput(io, target, options);
  // The system's complaint is about the output, not about the file on the command line.
  const blamed = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined || (special && code === "EPIPE")) throw error;
      throw new OutputError(target.name, error);
    }
  };
  await blamed(() => output.open());
  return {
    write: (bytes) => blamed(() => output.write(bytes)),
    seal: () => blamed(() => output.seal()),
    finish: () => blamed(() => output.finish()),
    discard: () => output.discard(),
  };
}

type Openable = Output & { open(): Promise<void> };

function specialOutput({ path, name }: Target, special: SpecialTarget): Openable {
  if (!("descriptor" in special)) return new SpecialOutput(path, name, special);
  const nothing = async () => {};
  return {
    open: async () => void handedOver(special.descriptor),
    write: (bytes) => writeDescriptor(special.descriptor, bytes),
    seal: nothing,
    finish: nothing,
    discard: nothing,
  };
}

/** A device or a pipe. */
class SpecialOutput {
  #file: fs.FileHandle | undefined;

  constructor(
    readonly path: string,
    readonly name: string,
    readonly expected: { readonly dev: number; readonly ino: number },
  ) {}

  /** What is there now may be another, or a file. @throws FileError, system errors */
  async open(): Promise<void> {
    const file = await fs.open(this.path, constants.O_WRONLY | constants.O_NOCTTY);
    const found = await file.stat();
    if (found.dev === this.expected.dev && found.ino === this.expected.ino) {
      this.#file = file;
      return;
    }
    await file.close();
    throw new FileError("was replaced by somebody else meanwhile", "look who writes there", this.name);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file?.writeFile(bytes);
  }

  async seal(): Promise<void> {}

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
  #temporary = "";
  #file: fs.FileHandle | undefined;
  #position = 0;
  /** Settles when the bytes are on the disk; it may reject before anybody asks. */
  #synced: Promise<void> = Promise.resolve();

  constructor(
    readonly io: Io,
    readonly target: Target,
    readonly options: WriteOptions,
  ) {}

  async open(): Promise<void> {
    const { path, file } = await this.io.uninterrupted(() => createTemporary(this.io, this.target.path));
    this.#temporary = path;
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#file) throw new Error("the output is not open");
    if (this.options.sparse) await writeSparse(this.#file, bytes, this.#position);
    else await writeAll(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }

  async seal(): Promise<void> {
    const file = this.#file;
    if (!file) throw new Error("the output is not open");
    // A hole at the end exists by the file's length only.
    await file.truncate(this.#position);
    await dress(file, this.options);
    this.#synced = file.sync();
    this.#synced.catch(() => {});
    await this.options.verify?.(this.#temporary);
  }

  async finish(): Promise<void> {
    await this.#synced;
    // Windows renames no open files. Elsewhere it stays open, and so locked, until it has its name.
    if (process.platform === "win32") await this.#close();
    await this.io.uninterrupted(() => giveName(this.#temporary, this.target));
    await this.discard();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async discard(): Promise<void> {
    const temporary = this.#temporary;
    if (temporary === "") return;
    this.#temporary = "";
    await this.#synced.catch(() => {});
    // Windows removes no open files; elsewhere the name must be gone before the lock is.
    if (process.platform === "win32") await this.#close().catch(() => {});
    await fs.unlink(temporary).catch(() => {});
    this.io.temporaryFiles.delete(temporary);
    await this.#close().catch(() => {});
  }
}

async function dress(file: fs.FileHandle, { source, sourcePath, times }: WriteOptions): Promise<void> {
  if (!source?.isFile()) {
    await file.chmod(0o666 & ~process.umask());
    return;
  }
  await giveAccess(file, source, sourcePath);
  if (times) await giveTimes(file, times);
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

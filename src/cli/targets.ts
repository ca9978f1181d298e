/**
 * What may be written where, decided before any work is done. A name that fade made up (FILE.fade) becomes a new file
 * and nothing else: whoever may write to the folder could have put a pipe or a link of that name there, to get what
 * they may not read. What is named with -o is what its user wants, a device or a pipe too.
 */
import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { descriptorOf } from "./descriptors.ts";
import { FileError, OutputError, systemCode } from "./errors.ts";
import type { Io } from "./io.ts";

export interface Target {
  /** Absolute. */
  readonly path: string;
  /** As shown to people. */
  readonly name: string;
  /** Overwrites what has the name when the output is complete. */
  readonly force: boolean;
  /** A device, a pipe or a descriptor, which is written in place; absent for files. */
  readonly special?: SpecialTarget;
}

/** What is written in place: a descriptor by its number, anything else if it still is what it was. */
export type SpecialTarget = { readonly descriptor: number } | { readonly dev: number; readonly ino: number };

/** The target is there, and nobody said that it may be overwritten. */
export class ExistsError extends FileError {
  constructor(name: string, what = "already exists", hint = "use -f to overwrite it, or name another output with -o") {
    super(what, hint, name);
    this.name = "ExistsError";
  }
}

interface Permissions {
  /** -f: whatever has the name may be replaced. */
  readonly force: boolean;
  /** -o: it is the user who has chosen the name. */
  readonly isNamed: boolean;
}

/**
 * Looks at a target before any work is done, so that nobody waits an hour to hear that it exists.
 *
 * @param source the input's facts, if it has a name
 * @throws FileError, OutputError
 */
export async function checkTarget(
  path: string,
  name: string,
  { force, isNamed }: Permissions,
  source?: Stats,
): Promise<Target> {
  const descriptor = descriptorOf(path);
  if (descriptor !== undefined && isNamed) return { path, name, force, special: { descriptor } };
  const linked = await factsOf(fs.lstat(path), name);
  if (!linked) {
    await checkDirectory(path, name);
    return { path, name, force };
  }
  const found = linked.isSymbolicLink() ? await factsOf(fs.stat(path), name) : linked;
  if (!found && !force) {
    throw new FileError("is a symbolic link to nothing", "use -f to replace it, or name another output with -o", name);
  }
  if (found?.isDirectory()) throw new FileError("is a directory", "name a file with -o", name);
  if (source && found && source.dev === found.dev && source.ino === found.ino) {
    throw new FileError("input and output are the same file", "name another output with -o", name);
  }
  if (found && !found.isFile()) {
    if (isNamed) return { path, name, force, special: { dev: found.dev, ino: found.ino } };
    const hint = `use -f to replace it by a file, or -o ${name} to write into it`;
    if (!force) throw new ExistsError(name, `is ${kindOf(found)}, not a file`, hint);
  }
  if (found && !force && linked.isSymbolicLink()) {
    const hint = "use -f to replace the link, not what it leads to, or name another output with -o";
    throw new ExistsError(name, "already exists, as a symbolic link", hint);
  }
  if (found && !force) throw new ExistsError(name);
  await checkDirectory(path, name);
  return { path, name, force };
}

/** undefined if there is no such file. @throws OutputError */
async function factsOf(facts: Promise<Stats>, name: string): Promise<Stats | undefined> {
  return await facts.catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new OutputError(name, error);
  });
}

function kindOf(facts: Stats): string {
  if (facts.isFIFO()) return "a named pipe";
  if (facts.isSocket()) return "a socket";
  return "a device";
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

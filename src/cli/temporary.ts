/**
 * Files in the making: beside their target, so that they can become it, and recognised when SIGKILL or a power cut has
 * left one behind. `.NAME.0.fade-tmp` is locked for as long as its writer lives, and the lock is the system's, which
 * drops it with the process, whatever container or namespace that is in. So whoever gets the lock knows that the
 * writer is gone, and removes the file. Process numbers would not tell: they are used again, and each container counts
 * for itself.
 *
 * That holds where every process that can reach the file asks the same kernel. On a network file system, and where
 * there are no locks, the name has random digits instead, and nobody removes such a file.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasLocks, lockNow } from "../platform/c-library.ts";
import { systemCode } from "./errors.ts";
import type { Io } from "./io.ts";

export const TEMPORARY_MODE = 0o600;
const SUFFIX = ".fade-tmp";
/** One is enough, unless several processes write to one target or to names that begin alike. */
const SLOTS = [0, 1, 2, 3];
/** Characters of the target's name, so that a long one does not become too long. */
const STEM_LENGTH = 64;

/** File systems that one kernel has for itself, by the numbers that statfs gives. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x3153464a, // JFS
  0x01021994, // tmpfs
  0x794c7630, // overlayfs, of containers
]);

/** Whether a file is one in the making, or was left by a run that was killed. */
export function isTemporary(path: string): boolean {
  return /^\..*\.([0-3]|[0-9a-f]{12})\.fade-tmp$/s.test(basename(path));
}

interface Temporary {
  readonly path: string;
  /** For writing. Closing it gives up the lock. */
  readonly file: fs.FileHandle;
}

/**
 * Makes a new file beside `target`, and removes what earlier writers of that target have left. It stands in
 * `io.temporaryFiles` from its first moment on. @throws system errors
 */
export async function createTemporary(io: Io, target: string): Promise<Temporary> {
  const stem = join(dirname(target), `.${basename(target).slice(0, STEM_LENGTH)}`);
  if (hasLocks() && (await isLocal(dirname(target)))) {
    const slots = SLOTS.map((slot) => `${stem}.${slot}${SUFFIX}`);
    for (const slot of slots) await removeLeftover(slot);
    for (const slot of slots) {
      const temporary = await createLocked(io, slot);
      if (temporary) return temporary;
    }
  }
  const path = `${stem}.${randomBytes(6).toString("hex")}${SUFFIX}`;
  return { path, file: await create(io, path) };
}

async function isLocal(folder: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const type = await fs.statfs(folder).then(
    (facts) => facts.type,
    () => undefined,
  );
  return type !== undefined && LOCAL_FILE_SYSTEMS.has(type >>> 0);
}

/** undefined if somebody else has the name, or takes the file for a leftover before it is locked. */
async function createLocked(io: Io, path: string): Promise<Temporary | undefined> {
  let file: fs.FileHandle;
  try {
    file = await create(io, path);
  } catch (error) {
    const code = systemCode(error);
    // ENOENT: removed before it was locked. Without its folder the next name fails, too, and says so.
    if (code === "EEXIST" || code === "ENOENT") return undefined;
    throw error;
  }
  const isOurs = lockNow(file.fd) && (await file.stat()).nlink > 0;
  if (isOurs) return { path, file };
  // Whoever has the lock removes the file.
  io.temporaryFiles.delete(path);
  await file.close();
  return undefined;
}

/**
 * Makes the file and remembers it at one go: a signal in between would leave it, and remembered earlier it could be
 * somebody else's. @throws system errors
 */
async function create(io: Io, path: string): Promise<fs.FileHandle> {
  const made = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, TEMPORARY_MODE);
  io.temporaryFiles.add(path);
  try {
    return await fs.open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  } catch (error) {
    removeOwn(made, path);
    io.temporaryFiles.delete(path);
    throw error;
  } finally {
    closeSync(made);
  }
}

/**
 * Takes the name from a file that was just made, if it still has it: another writer may have taken the file for a
 * leftover, removed it, and made its own of that name. The lock keeps others from doing so between look and removal.
 */
function removeOwn(descriptor: number, path: string): void {
  if (hasLocks() && !lockNow(descriptor)) return; // whoever has the lock removes the file
  const [made, named] = [
    fstatSync(descriptor, { bigint: true }),
    lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  ];
  if (made.ino === named?.ino && made.dev === named.dev) unlinkSync(path);
}

/** Removes a file in the making whose writer is gone. What cannot be known or removed stays. */
async function removeLeftover(path: string): Promise<void> {
  // Seldom there. On a local file system asking costs microseconds, and less than a thread that asks.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!file) return;
  try {
    if (!lockNow(file.fd)) return;
    // Only who has the lock may remove the name, so it stays this file's between here and there.
    const [opened, named] = [await file.stat({ bigint: true }), await fs.lstat(path, { bigint: true })];
    if (opened.ino === named.ino && opened.dev === named.dev) await fs.unlink(path);
  } catch {
    // Gone by itself, or in a folder that is not ours to change.
  } finally {
    await file.close();
  }
}

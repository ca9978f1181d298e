/**
 * `--rm`: removes a source, and is as careful as one is with the only copy. What could go wrong is checked before the
 * work, and once more after it: a file that somebody wrote to meanwhile is not what was compressed.
 */
import * as fs from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FileError } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Io } from "./io.ts";
import type { Target } from "./targets.ts";

/** Longer than the clock of any file system stands still: two writes within that have one time. */
const TICK_MS = 20;
const NS_PER_MS = 1_000_000n;
const COMPARED = ["dev", "ino", "size", "mtimeNs", "ctimeNs"] as const;

/** Whether there is a source to remove, and a target that keeps the data. */
export function isRemovable(input: Input, target: Target | undefined): target is Target {
  return input.stats !== undefined && target !== undefined && target.special === undefined;
}

/** Before the work: is that the name of the file? @throws FileError, system errors */
export async function checkRemovable(io: Io, input: Input, force: boolean): Promise<void> {
  const linked = await fs.lstat(resolve(io.cwd, input.operand.name));
  if (linked.isSymbolicLink() && !force) {
    throw new FileError("is a symbolic link, and --rm would remove only the link", "use -f if that is wanted");
  }
  // What is written from now on must show in the file's times.
  const ageMs = Date.now() - Number((input.facts?.ctimeNs ?? 0n) / NS_PER_MS);
  if (ageMs < TICK_MS) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}

/** After the work. @throws FileError if the source is not what it was when the work began; system errors */
export async function removeSource(io: Io, input: Input, target: Target): Promise<void> {
  const path = resolve(io.cwd, input.operand.name);
  const now = await fs.stat(path, { bigint: true });
  const { facts } = input;
  // touch -r puts the time of the last write back, but nothing that of the last change (ctime).
  const isSame = facts !== undefined && COMPARED.every((name) => now[name] === facts[name]);
  if (!isSame) throw new FileError("changed meanwhile, so it was not removed", "compress it again with -f --rm");
  await syncDirectory(dirname(target.path));
  await fs.unlink(path);
}

/** Makes the output's name reach the disk: a power cut must not take both names. Windows has no such call. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await fs.open(path, "r").catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

/**
 * `--rm`: removes a source, and is as careful as one is with the only copy. What could go wrong is checked before the
 * work, and once more after it: a file that somebody wrote to meanwhile is not what was compressed.
 */
import * as fs from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FileError } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Io } from "./io.ts";
import type { Target } from "./output.ts";

/** Before the work: is the source something that can be removed, and the target something that keeps the data? */
export async function checkRemovable(io: Io, input: Input, target: Target | undefined, force: boolean): Promise<void> {
  if (!input.stats) throw new FileError("cannot be removed", "leave out --rm");
  if (!target || target.isSpecial) {
    throw new FileError("would be lost: the output is not a file", "leave out --rm", input.name);
  }
  const linked = await fs.lstat(resolve(io.cwd, input.operand.name));
  if (linked.isSymbolicLink() && !force) {
    throw new FileError("is a symbolic link, and --rm would remove only the link", "use -f if that is wanted");
  }
}

/** After the work. @throws FileError if the source is not what it was when the work began; system errors */
export async function removeSource(io: Io, input: Input, target: Target): Promise<void> {
  const path = resolve(io.cwd, input.operand.name);
  const now = await fs.stat(path);
  const { stats: before } = input;
  const isSame =
    now.ino === before?.ino && now.dev === before.dev && now.size === before.size && now.mtimeMs === before.mtimeMs;
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

/** By what a file is known again: its path, and what links to it have in common. */
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * What identifies a file: its path and, if it is there and has one, its inode. Numbers of 64 bits need bigint. Asked
 * several times for each file of a run; a call takes microseconds, and a thread that makes it many times that.
 */
export function keysOf(path: string): string[] {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.ino ? [path, `${stats.dev}:${stats.ino}`] : [path];
  } catch {
    return [path];
  }
}

/** What identifies a file that need not be there yet: its path, and its name in a folder, to which links may lead. */
export function placesOf(path: string): string[] {
  const [, folder] = keysOf(dirname(path));
  return folder === undefined ? [path] : [path, `${folder}/${basename(path)}`];
}

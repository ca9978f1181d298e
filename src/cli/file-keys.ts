/** By what a file is known again: its path, and what links to it have in common. */
import { statSync } from "node:fs";

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

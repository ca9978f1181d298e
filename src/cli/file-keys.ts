/** By what a file is known again: its path, and what links to it have in common. */
import * as fs from "node:fs/promises";

/** What identifies a file: its path and, if it is there and has one, its inode. Numbers of 64 bits need bigint. */
export async function keysOf(path: string): Promise<string[]> {
  const stats = await fs.stat(path, { bigint: true }).catch(() => undefined);
  return stats?.ino ? [path, `${stats.dev}:${stats.ino}`] : [path];
}

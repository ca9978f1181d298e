/**
 * Where a file has holes: what the system knows by SEEK_HOLE and SEEK_DATA, which node:fs does not have. A hole is
 * zeros that need not be read. Where the C library cannot be asked, no hole is found, and zeros are read as such.
 */
import { dlopen, FFIType } from "bun:ffi";

/** The name by which the program itself has loaded its C library, so nothing is looked for; and lseek's numbers. */
const SYSTEMS: Partial<Record<NodeJS.Platform, { library: string; seekData: number; seekHole: number }>> = {
  linux: { library: "libc.so.6", seekData: 3, seekHole: 4 },
  darwin: { library: "libSystem.B.dylib", seekData: 4, seekHole: 3 },
};
const system = SYSTEMS[process.platform];

type Seek = (descriptor: number, offset: number, whence: number) => number | bigint;
let seek: Seek | undefined;

/** Moves the descriptor's place, which nobody uses who reads by place. @returns -1 where that is not possible */
function seekTo(descriptor: number, offset: number, whence: number): number {
  if (!system) return -1;
  seek ??= openSeek(system.library);
  return Number(seek(descriptor, offset, whence));
}

function openSeek(library: string): Seek {
  try {
    const { symbols } = dlopen(library, {
      lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64 },
    });
    return symbols.lseek;
  } catch {
    return () => -1;
  }
}

/**
 * Bytes of the hole in which `offset` lies; 0 if it is in none, or nobody knows.
 *
 * @param endBytes where the file, or what is read of it, ends
 */
export function holeAt(descriptor: number, offset: number, endBytes: number): number {
  if (!system || offset >= endBytes || seekTo(descriptor, offset, system.seekHole) !== offset) return 0;
  const data = seekTo(descriptor, offset, system.seekData);
  // No data behind it: the hole goes on to the end.
  return (data < offset ? endBytes : Math.min(data, endBytes)) - offset;
}

/**
 * Loads a library of the system by its name, as programs do that are linked with it.
 *
 * Bun's own dlopen must not be given such a name: when the system does not find the library, Bun looks in the current
 * directory, and runs what lies there. So this asks the C library's dlopen, which Bun can find without such a search:
 * the runtime itself is linked with it.
 */
import { dlopen } from "bun:ffi";

/** glibc has dlopen in libc from 2.34 on, and in libdl before. */
const HOMES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", "libdl.so.2"],
  darwin: ["/usr/lib/libSystem.B.dylib"],
};

const RTLD_NOW = 2;

/** Whether the library is there, and now loaded for as long as the process lives. */
export function loadSystemLibrary(name: string): boolean {
  for (const home of HOMES[process.platform] ?? []) {
    try {
      const { symbols } = dlopen(home, { dlopen: { args: ["cstring", "i32"], returns: "ptr" } });
      return symbols.dlopen(Buffer.from(`${name}\0`), RTLD_NOW) !== null;
    } catch {
      // Not in this one.
    }
  }
  return false;
}

/**
 * Runs a call with the process's standard error closed off: Dawn and the Vulkan loader print warnings there from
 * native code (no driver found, a limit reduced), on lines of their own, which a user of fade can do nothing with.
 * What they mean comes as a result or an error as well.
 */
import { dlopen } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";

const STDERR = 2;
const C_LIBRARIES: Partial<Record<NodeJS.Platform, string>> = {
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.B.dylib",
};

/** @param call everything that prints must happen before it returns */
export function withoutNativeStderr<T>(call: () => T): T {
  const library = C_LIBRARIES[process.platform];
  if (library === undefined || process.env.FADE_NATIVE_STDERR) return call();
  const { symbols, close } = dlopen(library, {
    dup: { args: ["i32"], returns: "i32" },
    dup2: { args: ["i32", "i32"], returns: "i32" },
  });
  const saved = symbols.dup(STDERR);
  const sink = openSync(devNull, "w");
  symbols.dup2(sink, STDERR);
  try {
    return call();
  } finally {
    symbols.dup2(saved, STDERR);
    closeSync(saved);
    closeSync(sink);
    close();
  }
}

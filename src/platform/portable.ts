/** What fade asks of a runtime, where the language alone can do it: for runtimes that have nothing faster. */
import type { Host } from "./host-interface.ts";
import { portableSha256 } from "./sha256.ts";
import { Xxh64 } from "./xxh64.ts";

type Portable = Pick<
  Host,
  "xxHash64" | "sha256" | "isEqual" | "concatenate" | "indexOf" | "lastIndexOf" | "repeat" | "nanoseconds"
>;

/** Whether `needle` stands at `at`, where there is room for it. */
function standsAt(bytes: Uint8Array, needle: Uint8Array, at: number): boolean {
  for (let i = 0; i < needle.length; i += 1) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** As Buffer's: an empty needle is found where the search begins. */
function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  const last = bytes.length - needle.length;
  if (needle.length === 0) return Math.min(from, bytes.length);
  for (let at = from; at <= last; at += 1) {
    at = bytes.indexOf(needle[0] as number, at);
    if (at < 0 || at > last) return -1;
    if (standsAt(bytes, needle, at)) return at;
  }
  return -1;
}

function lastIndexOf(bytes: Uint8Array, needle: Uint8Array, from = bytes.length): number {
  for (let at = Math.min(from, bytes.length - needle.length); at >= 0; at -= 1) {
    if (standsAt(bytes, needle, at)) return at;
  }
  return -1;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && standsAt(a, b, 0);
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Each turn copies all that is there: twice as much as the turn before. */
function repeat(pattern: Uint8Array, lengthBytes: number): Uint8Array {
  const all = new Uint8Array(lengthBytes);
  if (pattern.length === 0) return all;
  all.set(pattern.subarray(0, lengthBytes));
  for (let done = pattern.length; done < lengthBytes; done *= 2) all.copyWithin(done, 0, done);
  return all;
}

export const portable: Portable = {
  xxHash64: (bytes, seed) => {
    const hash = new Xxh64(seed);
    hash.update(bytes);
    return hash.digest();
  },
  sha256: portableSha256,
  isEqual,
  concatenate,
  indexOf,
  lastIndexOf,
  repeat,
  nanoseconds: () => performance.now() * 1e6,
};

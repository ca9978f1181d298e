/**
 * Calls of the C library for which the runtime has none: times to the nanosecond, locks that the system drops with
 * their holder, extended attributes (access control lists are among them), and pages of 2 MiB. Opened when first
 * needed. Where it cannot be opened, or a call is not there, callers do what is safe without.
 */
import { dlopen, ptr } from "bun:ffi";

const FILE_CALLS = {
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
} as const;

const ATTRIBUTE_CALLS = {
  getxattr: { args: ["cstring", "cstring", "ptr", "u64"], returns: "i64" },
  fsetxattr: { args: ["i32", "cstring", "ptr", "u64", "i32"], returns: "i32" },
  fremovexattr: { args: ["i32", "cstring"], returns: "i32" },
} as const;

const MEMORY_CALLS = {
  madvise: { args: ["ptr", "u64", "i32"], returns: "i32" },
} as const;

const LOCK_EXCLUSIVE_NOW = 2 | 4;
const ADVICE_LARGE_PAGES = 14;
const ADVICE_NOT_NEEDED = 4;
/** No attribute of Linux is longer. */
const ATTRIBUTE_BYTES_MAX = 1 << 16;
const NS_PER_SECOND = 1_000_000_000n;

type Opened<Calls extends Parameters<typeof dlopen>[1]> = ReturnType<typeof dlopen<Calls>>["symbols"] | undefined;

let fileCalls: { readonly symbols: Opened<typeof FILE_CALLS> } | undefined;
let attributeCalls: { readonly symbols: Opened<typeof ATTRIBUTE_CALLS> } | undefined;
let memoryCalls: { readonly symbols: Opened<typeof MEMORY_CALLS> } | undefined;

function open<Calls extends Parameters<typeof dlopen>[1]>(library: string, calls: Calls): Opened<Calls> {
  try {
    return dlopen(library, calls).symbols;
  } catch {
    return undefined;
  }
}

/**
 * Of both systems. The runtime looks in the current directory for a library that the system does not find; the program
 * is linked with libc.so.6, so that this name always leads to the one that is loaded.
 */
function ofFiles(): Opened<typeof FILE_CALLS> {
  const library = { linux: "libc.so.6", darwin: "/usr/lib/libSystem.B.dylib" }[process.platform as string];
  fileCalls ??= { symbols: library === undefined ? undefined : open(library, FILE_CALLS) };
  return fileCalls.symbols;
}

/** Of Linux. Elsewhere access control lists do not show in a file's mode, so nobody here asks for them. */
function ofAttributes(): Opened<typeof ATTRIBUTE_CALLS> {
  attributeCalls ??= { symbols: process.platform === "linux" ? open("libc.so.6", ATTRIBUTE_CALLS) : undefined };
  return attributeCalls.symbols;
}

/** Of Linux. */
function ofMemory(): Opened<typeof MEMORY_CALLS> {
  memoryCalls ??= { symbols: process.platform === "linux" ? open("libc.so.6", MEMORY_CALLS) : undefined };
  return memoryCalls.symbols;
}

const text = (value: string) => Buffer.from(`${value}\0`);

/** @param atimeNs @param mtimeNs nanoseconds since 1970 @returns whether it was done */
export function setFileTimes(descriptor: number, atimeNs: bigint, mtimeNs: bigint): boolean {
  const specs = new BigInt64Array([...timespec(atimeNs), ...timespec(mtimeNs)]);
  return ofFiles()?.futimens(descriptor, specs) === 0;
}

/** Seconds, rounded down, and nanoseconds. */
function timespec(ns: bigint): [bigint, bigint] {
  const rest = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return [(ns - rest) / NS_PER_SECOND, rest];
}

/** Whether `lockNow` can work here at all. */
export function hasLocks(): boolean {
  return ofFiles() !== undefined;
}

/**
 * Takes the lock of an open file, if nobody has it. It ends when the file is closed, however its holder ends.
 * @returns whether it was taken
 */
export function lockNow(descriptor: number): boolean {
  return ofFiles()?.flock(descriptor, LOCK_EXCLUSIVE_NOW) === 0;
}

/** Whether attributes can be read and written here. */
export function hasAttributes(): boolean {
  return ofAttributes() !== undefined;
}

/** An extended attribute of a file, or undefined if it has none of this name. Follows links. */
export function attributeOf(path: string, name: string): Uint8Array | undefined {
  const value = new Uint8Array(ATTRIBUTE_BYTES_MAX);
  const lengthBytes = ofAttributes()?.getxattr(text(path), text(name), value, value.length) ?? -1n;
  return lengthBytes < 0n ? undefined : value.slice(0, Number(lengthBytes));
}

/** @returns whether it was done */
export function setAttribute(descriptor: number, name: string, value: Uint8Array): boolean {
  return ofAttributes()?.fsetxattr(descriptor, text(name), value, value.length, 0) === 0;
}

/** Takes an attribute away, if it is there. */
export function removeAttribute(descriptor: number, name: string): void {
  ofAttributes()?.fremovexattr(descriptor, text(name));
}

/**
 * Asks for large pages where these bytes lie, for what is not touched yet.
 *
 * @param bytes whose first one begins a page @returns whether it was heard
 */
export function preferLargePages(bytes: Uint8Array): boolean {
  return ofMemory()?.madvise(ptr(bytes), bytes.length, ADVICE_LARGE_PAGES) === 0;
}

/**
 * Gives the memory of whole pages back to the system. They are zeros when they are looked at again.
 *
 * @param bytes whose first one begins a page, of a memory that is its owner's alone @returns whether it was done
 */
export function emptyPages(bytes: Uint8Array): boolean {
  return ofMemory()?.madvise(ptr(bytes), bytes.length, ADVICE_NOT_NEEDED) === 0;
}

/**
 * Times of files, to the nanosecond where the C library can be asked. The runtime's utimes() wants seconds as a
 * double, which today is good to a quarter of a microsecond, and cuts off what is below a nanosecond. Where that is not
 * exact it must not be earlier: make and `[ -nt ]` would take an archive that is older than its source for stale.
 */
import type { FileHandle } from "node:fs/promises";
import { setFileTimes } from "../platform/c-library.ts";
import type { FileTimes } from "./input.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** @throws system errors */
export async function giveTimes(file: FileHandle, { atimeNs, mtimeNs }: FileTimes): Promise<void> {
  if (setFileTimes(file.fd, atimeNs, mtimeNs)) return;
  await file.utimes(timeOf(atimeNs), timeOf(mtimeNs));
}

/** What utimes() sets to `ns` nanoseconds since 1970, or to the next moment that it can name. */
export function timeOf(ns: bigint): number | Date {
  // The runtime takes negative seconds for "now"; dates before 1970 it knows.
  if (ns < 0n) return new Date(Number(ns / 1_000_000n));
  let seconds = Number(ns) / 1e9;
  while (nanosecondsOf(seconds) < ns) seconds *= 1 + Number.EPSILON;
  return seconds;
}

/** What the runtime makes of a number of seconds. */
function nanosecondsOf(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.floor((seconds - whole) * 1e9));
}

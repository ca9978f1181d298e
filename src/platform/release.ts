/**
 * Memory goes back at once where this module is told to, because the garbage collector comes late: it begins when the
 * heap has doubled, and counts a WebAssembly.Memory of 150 MB as heap. Measured before this module existed, level 5
 * collected 250 MB of dead objects and blocks before the collector looked at them for the first time.
 */
import { host } from "./host.ts";

/** Plain bytes that pass between two collections. */
const COLLECT_BYTES = 2 ** 24;
/** As much is not left lying about: a library's caller may go on for hours. */
const LARGE_BYTES = 2 ** 26;
let passedBytes = 0;

/** Gives the memory of an array back; whoever still has the array finds it empty. Node before 21 cannot, and waits. */
export function release(array: { readonly buffer: ArrayBufferLike }): void {
  const { buffer } = array;
  if (buffer instanceof ArrayBuffer && "transfer" in buffer && !buffer.detached) buffer.transfer(0);
}

/** The memory of arrays, which goes over to another thread with a message that has them. */
export function buffersOf(arrays: readonly Uint8Array[]): ArrayBuffer[] {
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

/** Collects this thread's garbage: some 10 ms with the heaps of this program. */
export function collect(): void {
  host.collectGarbage();
}

/** What a frame or block leaves behind besides its bytes, about: promises, readers, heads. */
const PART_BYTES = 2 ** 13;

/** So many bytes are garbage. If they are few, the next call of collectAfter may collect them: a run's end has none. */
export function leaveBehind(bytes: number): void {
  passedBytes += bytes;
  if (bytes >= LARGE_BYTES) collectAfter(0);
}

/** Collects every now and then while parts of an archive pass: blocks, or frames of so many bytes. */
export function collectAfter(bytes: number): void {
  leaveBehind(bytes + PART_BYTES);
  if (passedBytes < COLLECT_BYTES) return;
  passedBytes = 0;
  collect();
}

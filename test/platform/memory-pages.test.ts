/** What is asked of the system about memory: large pages where it has them, and to take back what is of no use. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { emptyPages, preferLargePages } from "../../src/platform/c-library.ts";

test("a memory may be given large pages, and keeps its bytes", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint8Array(memory.buffer).fill(7);
  memory.grow(1023);
  const bytes = new Uint8Array(memory.buffer);
  expect(preferLargePages(bytes)).toBe(existsSync("/sys/kernel/mm/transparent_hugepage/enabled"));
  expect(bytes.subarray(0, 65536).every((byte) => byte === 7)).toBe(true);
  expect(bytes.subarray(65536).every((byte) => byte === 0)).toBe(true);
});

test("pages that the system takes back are zeros, and those beside them stay", () => {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const bytes = new Uint8Array(memory.buffer).fill(7);
  const isLinux = process.platform === "linux";
  expect(emptyPages(bytes.subarray(65536, 63 * 65536))).toBe(isLinux);
  const counts = [bytes.subarray(0, 65536), bytes.subarray(65536, 63 * 65536), bytes.subarray(63 * 65536)].map(
    (part) => part.filter((byte) => byte === 7).length,
  );
  expect(counts).toEqual([65536, isLinux ? 0 : 62 * 65536, 65536]);
  bytes.fill(9);
  expect(bytes.every((byte) => byte === 9)).toBe(true);
});

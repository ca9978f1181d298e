/** Large pages are asked for where the system has them; nothing depends on whether it gives them. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { preferLargePages } from "../../src/platform/c-library.ts";

test("a memory may be given large pages, and keeps its bytes", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint8Array(memory.buffer).fill(7);
  memory.grow(1023);
  const bytes = new Uint8Array(memory.buffer);
  expect(preferLargePages(bytes)).toBe(existsSync("/sys/kernel/mm/transparent_hugepage/enabled"));
  expect(bytes.subarray(0, 65536).every((byte) => byte === 7)).toBe(true);
  expect(bytes.subarray(65536).every((byte) => byte === 0)).toBe(true);
});

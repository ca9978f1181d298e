/** Where WebAssembly SIMD does not run, that is said, and not what a compiler thinks of a byte. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { complaintOf } from "../../src/cli/errors.ts";
import { SimdUnavailableError } from "../../src/platform/errors.ts";
import { compileAsset } from "../../src/platform/web-assembly.ts";
import { inDirectory } from "../faults/support.ts";

test("a module that does not compile", async () => {
  await inDirectory(async (folder) => {
    const path = join(folder, "broken.wasm");
    // A version that nobody knows.
    writeFileSync(path, Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x09, 0x00, 0x00, 0x00));
    expect(() => compileAsset(path)).toThrow(SimdUnavailableError);
    expect(() => compileAsset(join(folder, "missing.wasm"))).toThrow("ENOENT");
  });
  const { message, hint, exitCode } = complaintOf(new SimdUnavailableError(new Error("words")));
  expect({ message, hint, exitCode }).toMatchObject({ message: "WebAssembly SIMD does not run here", exitCode: 4 });
  expect(hint).toContain("AVX");
});

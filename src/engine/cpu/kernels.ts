/** The module kernels.wasm: its bytes, and an instance of it for each thread. */
import { readFileSync } from "node:fs";
import type { Kernels } from "./kernel-signatures.ts";
import wasmPath from "./kernels.wasm" with { type: "file" };

/** The module's bytes: read once here, handed to workers as data. */
export function readKernels(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(wasmPath));
}

/** One thread's instance. The module keeps no state of its own: everything lies in `memory`. */
export function instantiateKernels(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports as unknown as Kernels;
}

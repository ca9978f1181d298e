/** The module kernels.wasm: its bytes, and an instance of it for each thread. */
import { compileAsset } from "../../platform/web-assembly.ts";
import type { Kernels } from "./kernel-signatures.ts";
import wasmPath from "./kernels.wasm" with { type: "file" };

let compiled: WebAssembly.Module | undefined;

/** The compiled module: made once in a process, and handed to workers as it is. */
export function readKernels(): WebAssembly.Module {
  compiled ??= compileAsset(wasmPath);
  return compiled;
}

/** One thread's instance. The module keeps no state of its own: everything lies in `memory`. */
export function instantiateKernels(kernels: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(kernels, { env: { memory } }).exports as unknown as Kernels;
}

/** Compiles the program's WebAssembly, and says in words where it cannot run. */
import { SimdUnavailableError } from "./errors.ts";
import { host } from "./host.ts";

/** @param path that importing the file gave @throws SimdUnavailableError where a processor or a browser is too old */
export function compileAsset(path: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(host.readAsset(path));
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) throw new SimdUnavailableError(error);
    throw error;
  }
}

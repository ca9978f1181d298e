/** Compiles the decoder of trained values to ../prior.wasm; called with all else that is WebAssembly. */
import { join } from "node:path";
import { compileAssembly } from "../../../tools/assembly.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "prior.wasm");

/** @throws Error with the compiler's messages */
export function buildPriors(): void {
  compileAssembly(FOLDER, OUTPUT, ["--enable=bulk-memory", "--importMemory"]);
}

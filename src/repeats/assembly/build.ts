/** Compiles the search for repeats to ../repeats.wasm; called with all else that is WebAssembly. */
import { join } from "node:path";
import { compileAssembly } from "../../../tools/assembly.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "repeats.wasm");

/** @throws Error with the compiler's messages */
export function buildRepeats(): void {
  compileAssembly(FOLDER, OUTPUT, ["--enable=simd,bulk-memory", "--importMemory"]);
}

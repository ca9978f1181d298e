/** Compiles what looks at samples of a block to ../trials.wasm; called with all else that is WebAssembly. */
import { join } from "node:path";
import { compileAssembly } from "../../../tools/assembly.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "trials.wasm");

/** @throws Error with the compiler's messages */
export function buildTrials(): void {
  compileAssembly(FOLDER, OUTPUT, ["--enable=simd,bulk-memory", "--importMemory"]);
}

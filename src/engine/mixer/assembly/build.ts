/** Compiles the bit mixer to ../mixer.wasm; called with all else that is WebAssembly. */
import { join } from "node:path";
import { compileAssembly } from "../../../../tools/assembly.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "mixer.wasm");

/** @throws Error with the compiler's messages */
export function buildMixer(): void {
  compileAssembly(FOLDER, OUTPUT, ["--enable=simd,bulk-memory", "--importMemory", "--importTable"]);
}

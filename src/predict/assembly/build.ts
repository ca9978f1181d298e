/** Compiles the predictors to ../predictors.wasm; called with all else that is WebAssembly. */
import { join } from "node:path";
import { compileAssembly } from "../../../tools/assembly.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "predictors.wasm");

/** @throws Error with the compiler's messages */
export function buildPredictors(): void {
  compileAssembly(FOLDER, OUTPUT, ["--enable=simd,bulk-memory", "--initialMemory=3"]);
}

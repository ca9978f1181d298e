/**
 * Compiles the network's kernels to ../kernels.wasm, and all other WebAssembly: called by build.ts, by scripts and by
 * the tests' set-up, so that nobody runs what is stale. Does nothing if an output is newer than every source.
 */
import { join } from "node:path";
import { compileAssembly } from "../../../../tools/assembly.ts";
import { buildTrials } from "../../../pipeline/assembly/build.ts";
import { buildPredictors } from "../../../predict/assembly/build.ts";
import { buildPriors } from "../../../prior/assembly/build.ts";
import { buildRepeats } from "../../../repeats/assembly/build.ts";
import { buildMixer } from "../../mixer/assembly/build.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "kernels.wasm");
/** One imported shared memory whose size the model decides. */
const OPTIONS = [
  "--enable=simd,threads,bulk-memory",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory=1",
  "--maximumMemory=65536",
];

/** All WebAssembly of the program. @throws Error with the compiler's messages */
export async function buildAssembly(): Promise<void> {
  compileAssembly(FOLDER, OUTPUT, OPTIONS);
  buildMixer();
  buildPredictors();
  buildPriors();
  buildRepeats();
  buildTrials();
}

if (import.meta.main) await buildAssembly();

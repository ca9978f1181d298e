/**
 * Compiles the kernels to ../kernels.wasm, and the bit mixer to ../mixer.wasm: called by build.ts, by scripts and by
 * the tests' set-up, so that nobody runs stale kernels. Does nothing if an output is newer than every source.
 */
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildMixer } from "./mixer/build.ts";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "kernels.wasm");
/** No runtime, no assertions, one imported shared memory whose size the model decides. */
const OPTIONS = [
  "-O3",
  "--noAssert",
  "--runtime=stub",
  "--enable=simd,threads,bulk-memory",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory=1",
  "--maximumMemory=65536",
];

function isFresh(): boolean {
  if (!existsSync(OUTPUT)) return false;
  const built = statSync(OUTPUT).mtimeMs;
  return readdirSync(FOLDER).every((file) => statSync(join(FOLDER, file)).mtimeMs < built);
}

/** @throws Error with the compiler's messages */
export async function buildAssembly(): Promise<void> {
  await buildMixer();
  if (isFresh()) return;
  const asc = join(FOLDER, "..", "..", "..", "..", "node_modules", "assemblyscript", "bin", "asc.js");
  const temporary = `${OUTPUT}.${process.pid}.tmp`;
  const { exitCode, stdout, stderr } = Bun.spawnSync({
    cmd: [process.execPath, asc, join(FOLDER, "index.ts"), "-o", temporary, ...OPTIONS],
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`the kernels do not compile:\n${stdout}${stderr}`);
  renameSync(temporary, OUTPUT);
}

if (import.meta.main) await buildAssembly();

/** Compiles the bit mixer to ../../mixer.wasm, unless that is newer than every source. */
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const FOLDER = import.meta.dir;
const OUTPUT = join(FOLDER, "..", "..", "mixer.wasm");
const OPTIONS = ["-O3", "--noAssert", "--runtime=stub", "--enable=simd,bulk-memory", "--importMemory"];

function isFresh(): boolean {
  if (!existsSync(OUTPUT)) return false;
  const built = statSync(OUTPUT).mtimeMs;
  return readdirSync(FOLDER).every((file) => statSync(join(FOLDER, file)).mtimeMs < built);
}

/** @throws Error with the compiler's messages */
export async function buildMixer(): Promise<void> {
  if (isFresh()) return;
  const asc = join(FOLDER, "..", "..", "..", "..", "..", "node_modules", "assemblyscript", "bin", "asc.js");
  const temporary = `${OUTPUT}.${process.pid}.tmp`;
  const { exitCode, stdout, stderr } = Bun.spawnSync({
    cmd: [process.execPath, asc, join(FOLDER, "index.ts"), "-o", temporary, ...OPTIONS],
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`the mixer does not compile:\n${stdout}${stderr}`);
  renameSync(temporary, OUTPUT);
}

if (import.meta.main) await buildMixer();

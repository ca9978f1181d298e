/** Compiles a folder of AssemblyScript to one WebAssembly file, if that is not newer than every source. */
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const COMPILER = join(import.meta.dir, "..", "node_modules", "assemblyscript", "bin", "asc.js");
/** No runtime and no assertions: the modules own no objects. */
const OPTIONS = ["-O3", "--noAssert", "--runtime=stub"];

function isFresh(folder: string, output: string): boolean {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return readdirSync(folder).every((file) => statSync(join(folder, file)).mtimeMs < built);
}

/** @param folder whose index.ts exports the functions @throws Error with the compiler's messages */
export function compileAssembly(folder: string, output: string, options: readonly string[]): void {
  if (isFresh(folder, output)) return;
  const temporary = `${output}.${process.pid}.tmp`;
  const { exitCode, stdout, stderr } = Bun.spawnSync({
    cmd: [process.execPath, COMPILER, join(folder, "index.ts"), "-o", temporary, ...OPTIONS, ...options],
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`the kernels do not compile:\n${stdout}${stderr}`);
  renameSync(temporary, output);
}

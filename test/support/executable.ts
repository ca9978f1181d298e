/**
 * The executable, for tests of what only it has: how it starts, what it unpacks, which environment it obeys. It is
 * built once for a run of all tests, from the sources as they are.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CACHE } from "../setup/swiftshader.ts";

const ROOT = join(import.meta.dir, "..", "..");
let built: string | undefined;

/** Its path. @throws Error with what the build printed, if that fails */
export function executable(): string {
  if (built !== undefined) return built;
  const path = join(CACHE, "fade-under-test");
  const build = spawnSync(process.execPath, ["build.ts", "--outfile", path], { cwd: ROOT, encoding: "utf8" });
  if (build.status !== 0) throw new Error(`build.ts failed: ${build.stdout}${build.stderr}`);
  built = path;
  return path;
}

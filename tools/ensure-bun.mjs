// Completes the npm package `bun` where npm did not run install scripts (--ignore-scripts, or a policy of npm's):
// its postinstall puts the real executable in the place of a small stub. It can run only once, hence the test.
// This is the only file that Node runs; everything else is run by Bun.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STUB_BYTES_MAX = 1 << 20;
const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules", "bun");
const executable = statSync(join(packageFolder, "bin", "bun.exe"), { throwIfNoEntry: false });
if (executable === undefined) {
  console.error("node_modules has no Bun: run npm ci");
  process.exit(1);
}
if (executable.size < STUB_BYTES_MAX) {
  execFileSync(process.execPath, ["install.js"], { cwd: packageFolder, stdio: "inherit" });
}

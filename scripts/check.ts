/**
 * `npm run check`: what can be known without running the program, in seconds: types, lint and format, the tidy tests.
 *
 * All run at once; what one of them complains about is shown when it ends. The exit code is 1 if any did.
 */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const tool = (name: string) => join(ROOT, "node_modules", ".bin", name);
const STEPS: Readonly<Record<string, readonly string[]>> = {
  types: [tool("tsc"), "--noEmit"],
  "types of the page": [tool("tsc"), "--noEmit", "-p", "web"],
  lint: [tool("biome"), "check", "--error-on-warnings", "."],
  tidy: [process.execPath, "test", "--timeout=120000", "./test/tidy.test.ts", "./test/documents.test.ts"],
};

async function passes(name: string, command: readonly string[]): Promise<boolean> {
  const startedAtMs = performance.now();
  const child = Bun.spawn([...command], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  if (code !== 0) console.log(`${out}${errors}`.trimEnd());
  console.log(`${name}: ${code === 0 ? "passed" : "failed"}, ${seconds} s`);
  return code === 0;
}

const outcomes = await Promise.all(Object.entries(STEPS).map(([name, command]) => passes(name, command)));
process.exit(outcomes.every(Boolean) ? 0 : 1);

/**
 * Before the first test of any run (bunfig.toml): what tests need and a checkout does not bring is there, or the run
 * ends with the command that brings it.
 *
 * - The CPU engine's kernels are compiled if a source is newer: a few seconds the first time, then nothing.
 * - SwiftShader and Chromium are unpacked by the tests that use them (adapters.ts, browser.ts).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };

const MODULES = join(import.meta.dir, "..", "..", "node_modules");

function end(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const needed = Object.keys({ ...packageFacts.dependencies, ...packageFacts.devDependencies });
const missing = needed.filter((name) => !existsSync(join(MODULES, name, "package.json")));
if (missing.length > 0) end(`node_modules lacks ${missing.join(", ")}: run npm ci`);
if (Bun.version !== packageFacts.devDependencies.bun) {
  end(`tests run on Bun ${packageFacts.devDependencies.bun}, not ${Bun.version}: npm test -- FILE takes the right one`);
}
const { buildAssembly } = await import("../../src/engine/cpu/assembly/build.ts");
await buildAssembly().catch((error: unknown) => end(error instanceof Error ? error.message : String(error)));

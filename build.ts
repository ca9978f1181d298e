/**
 * Builds fade as one executable, in bin/ or as FILE:
 *
 *     bun build.ts [--target TARGET] [--outfile FILE]
 *
 * TARGET is one of those in tools/runtime.ts; without it, the one that this runs on.
 *
 * Inside are the program, the WGSL (imported as text), the workers and Dawn's addon for the target. How each gets in:
 *
 * - Workers are entry points of their own (src/platform/workers.ts lists them). With `root: "src"`, the program is
 *   <root>/fade and a worker <root>/coder/worker.js, so that `new URL("./coder/worker.ts", import.meta.url)` finds it
 *   in the executable, and "../coder/worker.ts" from source; FADE_COMPILED tells which of the two it is.
 *   Tried and dropped: the same URL for both (the executable is flat: import.meta.url of each module is the program's),
 *   and the path as a string (it is taken relative to the current directory, and not found inside the executable).
 * - src/engine/gpu/addon.ts imports the addon as a file, by a literal path per platform; Bun folds process.platform and
 *   process.arch for the target, and embeds the one that is left. On musl none loads, and none is embedded.
 * - The runtime is a copy that does not obey Bun's environment variables (tools/runtime.ts).
 *
 * The code is not minified: stack traces in bug reports should name functions. Nothing is read from the current
 * directory when it starts (no .env, bunfig.toml, tsconfig.json or package.json): a compressor is run anywhere.
 *
 * Bun signs what it makes for macOS on arm64, where nothing else would start. For Intel's it leaves the runtime's own
 * signature, which is that of other bytes: `codesign --force --sign - FILE` there, before it is handed on.
 */
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { WORKERS } from "./src/platform/workers.ts";
import { deafRuntime, TARGETS, type Target } from "./tools/runtime.ts";

const ROOT = import.meta.dir;
/** On Windows, Dawn loads the shader compiler from the executable's folder. */
const WINDOWS_LIBRARIES = ["d3dcompiler_47.dll", "dxcompiler.dll"];

function hostTarget(): Target {
  const name = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const target = TARGETS.find((each) => each === name);
  if (!target) throw new Error(`fade cannot be built for ${name}`);
  return target;
}

function requestedTarget(wanted: string | undefined): Target {
  if (wanted === undefined) return hostTarget();
  const target = TARGETS.find((each) => each === wanted);
  if (!target) throw new Error(`unknown target ${wanted}; there is ${TARGETS.join(", ")}`);
  return target;
}

/**
 * The CPU engine's WebAssembly, which the program embeds. In a process of its own: Bun remembers what a folder held
 * when it first looked, so a bundler in the process that made the file would not find it.
 */
function buildAssembly(): void {
  const script = join(ROOT, "src", "engine", "cpu", "assembly", "build.ts");
  const { success } = Bun.spawnSync([process.execPath, script], { stdio: ["ignore", "inherit", "inherit"] });
  if (!success) throw new Error("the WebAssembly of the CPU engine did not compile");
}

/** In place of Dawn's addon, what says that there is none. */
const withoutAddon: BunPlugin = {
  name: "without an addon",
  setup: ({ onLoad }) =>
    void onLoad({ filter: /gpu\/addon\.ts$/ }, () => ({ contents: 'export * from "./no-addon.ts";', loader: "ts" })),
};

async function buildExecutable(target: Target, runtime: string, outfile: string): Promise<void> {
  const sources = join(ROOT, "src");
  const result = await Bun.build({
    entrypoints: [join(sources, "cli", "main.ts"), ...Object.values(WORKERS).map((path) => join(sources, path))],
    root: sources,
    target: "bun",
    define: { FADE_COMPILED: "true" },
    // The program starts in half the time if nothing has to be parsed; each of its threads does.
    bytecode: true,
    format: "esm",
    plugins: target.endsWith("musl") ? [withoutAddon] : [],
    compile: {
      target: `bun-${target}`,
      executablePath: runtime,
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  for (const message of result.logs) console.error(message);
  if (!result.success) throw new Error("bun build failed");
}

const { values } = parseArgs({ options: { target: { type: "string" }, outfile: { type: "string" } } });
const target = requestedTarget(values.target);
const suffix = target.startsWith("windows") ? ".exe" : "";
const named = `fade${target === hostTarget() ? "" : `-${target}`}${suffix}`;
const outfile = values.outfile ?? join(ROOT, "bin", named);
const folder = dirname(outfile);
mkdirSync(folder, { recursive: true });
buildAssembly();
// Beside its place first: an executable that runs cannot be written over, and one that others start (tests that run
// beside each other each build theirs) must never be missing or half written.
const unplaced = join(folder, `.${process.pid}-${basename(outfile)}`);
try {
  await buildExecutable(target, deafRuntime(target, target === hostTarget()), unplaced);
  renameSync(unplaced, outfile);
} finally {
  rmSync(unplaced, { force: true });
}
if (target === "windows-x64") {
  for (const name of WINDOWS_LIBRARIES) {
    copyFileSync(join(ROOT, "node_modules", "webgpu", "dist", "win32-x64", name), join(folder, name));
  }
}
console.log(`${outfile}: ${(statSync(outfile).size / 1e6).toFixed(0)} MB`);

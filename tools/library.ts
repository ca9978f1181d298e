/**
 * Bundles the library for npm: once for Node (and Bun), once for browsers, and its types. Each bundle is a flat folder,
 * in which code, workers and WebAssembly lie side by side, so that each finds the others by its own address;
 * priors, and the kernels of GPUs, lie beside all bundles. Bundlers of pages know that form, and take everything along.
 * What one direction needs is loaded when it is first asked for.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { BunPlugin } from "bun";
import { LIBRARY_WORKERS } from "../src/platform/workers.ts";

const ROOT = join(import.meta.dir, "..");
export const RUNTIMES = ["node", "browser"] as const;
type Runtime = (typeof RUNTIMES)[number];

/** Entries that lie in no folder, so that what is made of them lies flat; by file name, with their text. */
function entries(): Record<string, string> {
  const source = (path: string) => JSON.stringify(join(ROOT, "src", path));
  const workers = Object.entries(LIBRARY_WORKERS).map(([name, path]) => [
    `${name}-worker.ts`,
    `import ${source(path)};`,
  ]);
  const files = [["index.ts", `export * from ${source("index.ts")};`], ...workers];
  return Object.fromEntries(files.map(([name, text]) => [`/fade/${name}`, text as string]));
}

/** Where priors and their strings lie, from the folder of a bundle: they are large, and bundles share them. */
const PRIORS = "../priors";

/** WebAssembly and priors are copied; what imports one gets its address. */
function assets(folder: string): BunPlugin {
  mkdirSync(join(folder, PRIORS), { recursive: true });
  return {
    name: "assets",
    setup: ({ onLoad }) =>
      void onLoad({ filter: /\.(wasm|prior|strings)$/ }, ({ path }) => {
        const place = `${/\.(prior|strings)$/.test(path) ? PRIORS : "."}/${basename(path)}`;
        copyFileSync(path, join(folder, place));
        return { contents: `export default new URL("${place}", import.meta.url).href;`, loader: "js" };
      }),
  };
}

/** The same of the kernels of GPUs: one module with the text of each. */
const KERNELS = "../kernels.js";

/** What a line of a kernel may begin with outside of functions. */
const DECLARED = "fn |@|const |override |struct |alias ";
/**
 * What kernels can do without: comments, which are half of them, and space that parts nothing; in this order. WGSL has
 * no strings, and nothing is taken before `=` or around signs that two of make another token; what kernel.ts looks for
 * has its space.
 */
const SPARED: readonly (readonly [RegExp, string])[] = [
  [/\s*\/\/.*/g, ""],
  [/\n\s+/g, "\n"],
  [/(?<!<storage)([=,:{(;]) +/g, "$1"],
  [/ +([{)}])/g, "$1"],
  [/ ([+*/%|^]) /g, "$1"],
  [new RegExp(`([;{,}])\\n(?!${DECLARED})`, "g"), "$1"],
];

/** One module with the texts of all kernels. */
function kernels(folder: string): BunPlugin {
  const texts = new Bun.Glob("*.wgsl").scanSync({ cwd: join(ROOT, "shaders"), absolute: true });
  const shortened = (path: string) =>
    SPARED.reduce((text, [space, rest]) => text.replace(space, rest), readFileSync(path, "utf8"));
  const lines = [...texts].sort().map((path) => [basename(path, ".wgsl"), JSON.stringify(shortened(path))]);
  writeFileSync(join(folder, KERNELS), lines.map(([name, text]) => `export const ${name} = ${text};\n`).join(""));
  return {
    name: "kernels",
    setup: ({ onLoad, onResolve }) => {
      onResolve({ filter: /kernels\.js$/ }, () => ({ path: KERNELS, external: true }));
      onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
        contents: `export { ${basename(path, ".wgsl")} as default } from "${KERNELS}";`,
        loader: "js",
      }));
    },
  };
}

/** @param folder is made @throws Error with the bundler's words */
export async function bundleLibrary(runtime: Runtime, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const files = entries();
  const result = await Bun.build({
    entrypoints: Object.keys(files),
    files,
    outdir: folder,
    target: runtime,
    splitting: true,
    minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true },
    naming: { entry: "[name].js", chunk: "[name]-[hash].js" },
    plugins: [assets(folder), kernels(folder)],
  });
  for (const message of result.logs) console.error(message);
  if (!result.success) throw new Error(`the library could not be bundled for ${runtime}`);
}

/** Relative files that a declaration names. */
const NAMED = /from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g;

/**
 * Writes the types: of all that the compiler makes, only what can be reached from the library's own.
 *
 * @throws Error with the compiler's words
 */
export function writeTypes(folder: string): void {
  const made = mkdtempSync(join(tmpdir(), "fade-types-"));
  try {
    const compiler = join(ROOT, "node_modules", ".bin", "tsc");
    const words = ["-p", ROOT, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", made];
    const { status, stdout } = spawnSync(compiler, [...words, "--rootDir", ROOT], { cwd: ROOT, encoding: "utf8" });
    if (status !== 0) throw new Error(`the types could not be made:\n${stdout}`);
    const done = new Set<string>();
    const copy = (path: string): void => {
      if (done.has(path)) return;
      done.add(path);
      const text = readFileSync(join(made, "src", path), "utf8");
      const target = join(folder, path);
      mkdirSync(dirname(target), { recursive: true });
      // Whoever reads them may not allow names that end in .ts.
      writeFileSync(target, text.replace(/(["'])(\.[^"']+)\.ts\1/g, "$1$2.js$1"));
      for (const [, a, b] of text.matchAll(NAMED)) {
        copy(join(dirname(path), (a ?? b ?? "").replace(/\.ts$/, ".d.ts")));
      }
    };
    copy("index.d.ts");
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Bytes of a file, and after gzip. */
export function sizesOf(path: string): { readonly bytes: number; readonly gzipBytes: number } {
  if (!existsSync(path)) throw new Error(`${path} is not there`);
  const bytes = readFileSync(path);
  return { bytes: bytes.length, gzipBytes: Bun.gzipSync(bytes, { level: 9 }).length };
}

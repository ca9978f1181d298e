/**
 * Makes ten kinds of small files as jobs of CI keep them, by running real tools on real packages, none of which is in
 * scripts/priors/manifest.json: what the built-in priors are judged by, beside the corpus (docs/PRIORS.md).
 *
 *     bun scripts/ci-files.ts FOLDER
 *     bun scripts/train-priors.ts --check FOLDER /work/shared/corpus      what they share with the training data
 *     bun scripts/compare-small.ts --each FOLDER/* …
 *
 * Files hold times and, in lists of packages, what the registry has on the day, so that they differ from run to run.
 * Packages are installed by npm below a temporary folder. Needs node and npm.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readManifest } from "./priors/packages.ts";

/** What is run, or run on. */
const PACKAGES = {
  cytoscape: "3.35.0",
  esbuild: "0.28.2",
  "fast-json-stringify": "7.3.10",
  "find-my-way": "9.10.2",
  "is-my-json-valid": "2.20.6",
  "istanbul-lib-instrument": "6.0.3",
  joi: "18.3.2",
  jsdoc: "4.0.5",
  konva: "10.9.1",
  "light-my-request": "6.8.1",
  "pdf-lib": "1.17.1",
  pnpm: "9.15.9",
  proxyquire: "2.1.3",
  "secure-json-parse": "4.1.1",
  "simple-statistics": "7.12.1",
};
/** What the two lists of packages are of. */
const LOCKED_BY_NPM = { "@storybook/react": "*", "react-scripts": "*" };
const LOCKED_BY_PNPM = { "@nestjs/cli": "*", "@remix-run/dev": "*", nx: "*" };
const REQUESTS = 1500;
/** Nobody looks at more of a file. */
const FILE_BYTES_MAX = 400_000;
const OWN = join(import.meta.dir, "ci-files");

/** @returns what it printed; some tests fail, which is nothing to stop for */
function run(folder: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Uint8Array {
  const { stdout } = Bun.spawnSync([...command], { cwd: folder, env: { ...process.env, ...env }, stderr: "ignore" });
  return stdout;
}

function install(folder: string): void {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: PACKAGES }));
  run(folder, ["npm", "install", "--silent", "--no-audit", "--no-fund"]);
}

const modules = (folder: string, name: string) => join(folder, "node_modules", name);
/** Its files of tests, from the package's folder. */
const testsOf = (folder: string) =>
  readdirSync(join(folder, "test"))
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join("test", name));

/** Reports by node's own runner, of packages that carry their tests. */
function tested(folder: string, reporter: string, names: readonly string[]): Uint8Array {
  const parts = names.map((name) => {
    const own = modules(folder, name);
    return run(own, ["node", "--test", `--test-reporter=${reporter}`, ...testsOf(own)]);
  });
  return Buffer.concat(parts);
}

type Counts = Readonly<Record<string, { s: Record<string, number>; f: Record<string, number> }>>;

/** What the tests of a package reach of it, by Istanbul: counts of all test processes together. */
function coverage(folder: string, name: string): Uint8Array {
  const copy = join(folder, "covered", "node_modules", name);
  const counts = join(folder, "counts");
  mkdirSync(counts, { recursive: true });
  cpSync(modules(folder, name), copy, { recursive: true });
  for (const file of ["index.js", ...readdirSync(join(copy, "lib")).map((each) => join("lib", each))]) {
    const path = join(copy, file);
    const code =
      `const { createInstrumenter } = require("istanbul-lib-instrument"); const fs = require("node:fs");` +
      `const [path] = process.argv.slice(1); const text = fs.readFileSync(path, "utf8");` +
      `fs.writeFileSync(path, createInstrumenter({ coverageVariable: "__coverage__" }).instrumentSync(text, path));`;
    if (file.endsWith(".js")) run(folder, ["node", "-e", code, path]);
  }
  const options = `--require=${join(OWN, "collect-coverage.cjs")}`;
  run(copy, ["node", "--test", ...testsOf(copy)], { NODE_OPTIONS: options, COVERAGE_FOLDER: counts });
  const all = readdirSync(counts).map((file) => JSON.parse(readFileSync(join(counts, file), "utf8")) as Counts);
  const [first, ...others] = all;
  if (!first) throw new Error(`no test of ${name} has left counts`);
  for (const other of others) {
    for (const [path, { s, f }] of Object.entries(other)) {
      const sums = first[path];
      if (!sums) continue;
      for (const [key, count] of Object.entries(s)) sums.s[key] = (sums.s[key] ?? 0) + count;
      for (const [key, count] of Object.entries(f)) sums.f[key] = (sums.f[key] ?? 0) + count;
    }
  }
  return Buffer.from(JSON.stringify(first));
}

/** A program with the packages that it depends on, resolved and written down. */
function locked(folder: string, command: readonly string[], dependencies: object, name: string): Uint8Array {
  const own = mkdtempSync(join(folder, "locked-"));
  writeFileSync(join(own, "package.json"), JSON.stringify({ name: "shop", version: "1.4.0", dependencies }));
  run(own, command);
  return readFileSync(join(own, name));
}

/** Minified, and how it came about. */
function bundle(folder: string, name: string): { readonly code: Uint8Array; readonly map: Uint8Array } {
  const out = join(folder, `${name}.js`);
  const entry = join(folder, `${name}-entry.js`);
  writeFileSync(entry, `export * from ${JSON.stringify(name)};\n`);
  const options = ["--bundle", "--minify", "--sourcemap", "--log-level=error", `--outfile=${out}`];
  run(folder, [join(folder, "node_modules", ".bin", "esbuild"), entry, ...options]);
  return { code: readFileSync(out), map: readFileSync(`${out}.map`) };
}

function documented(folder: string, name: string): Uint8Array {
  const out = join(folder, "documents");
  run(folder, [join(folder, "node_modules", ".bin", "jsdoc"), "-d", out, join(modules(folder, name), "src")]);
  return readFileSync(join(out, "global.html"));
}

function nodeScript(folder: string, name: string, words: readonly string[]): Uint8Array {
  const copy = join(folder, name);
  cpSync(join(OWN, name), copy);
  return run(folder, ["node", copy, ...words]);
}

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("which folder should the files go to?");
mkdirSync(target, { recursive: true });
const taken = readManifest().map(({ name }) => name);
const names = [...Object.keys(PACKAGES), ...Object.keys(LOCKED_BY_NPM), ...Object.keys(LOCKED_BY_PNPM)];
const trainedOn = names.filter((name) => taken.includes(name));
if (trainedOn.length > 0) throw new Error(`priors are trained on ${trainedOn.join(", ")}`);
const folder = mkdtempSync(join(tmpdir(), "fade-ci-files-"));
try {
  install(folder);
  const pnpm = join(folder, "node_modules", ".bin", "pnpm");
  const files: Readonly<Record<string, () => Uint8Array>> = {
    "junit.xml": () => tested(folder, "junit", ["find-my-way", "light-my-request", "secure-json-parse"]),
    "coverage-final.json": () => coverage(folder, "find-my-way"),
    "package-lock.json": () => locked(folder, ["npm", "i", "--package-lock-only"], LOCKED_BY_NPM, "package-lock.json"),
    "pnpm-lock.yaml": () => locked(folder, [pnpm, "i", "--lockfile-only"], LOCKED_BY_PNPM, "pnpm-lock.yaml"),
    "cytoscape.min.js": () => bundle(folder, "cytoscape").code,
    "konva.js.map": () => bundle(folder, "konva").map,
    "tests.tap": () => tested(folder, "tap", ["fast-json-stringify"]),
    "stacks.txt": () => nodeScript(folder, "throw-errors.cjs", ["pdf-lib", "cytoscape", "joi", "find-my-way"]),
    "requests.csv": () => nodeScript(folder, "measure-requests.cjs", [`${REQUESTS}`]),
    "global.html": () => documented(folder, "simple-statistics"),
  };
  for (const [name, make] of Object.entries(files)) {
    const bytes = make().subarray(0, FILE_BYTES_MAX);
    writeFileSync(join(resolve(target), name), bytes);
    console.log(`${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")} ${bytes.length} ${name}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

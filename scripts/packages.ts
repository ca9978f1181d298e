/**
 * Makes the npm packages, all of them on this machine: the main one with the library and a small starter, and one for
 * each platform with its program, of which npm installs the one that fits.
 *
 *     bun scripts/packages.ts [--out DIR] [--targets linux-x64,…|all|none]
 *
 * Without --targets only this machine's program is built. What is made lies in DIR (default: packages/, which git
 * ignores) as folders and as the archives that `npm publish` takes. docs/LIBRARY.md says what is in them.
 *
 * The program for linux-x64 has the runtime that runs on any processor: it is as fast as the other, because what takes
 * the time is compiled when it runs (measured: docs/LIBRARY.md).
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import packageFacts from "../package.json" with { type: "json" };
import { bundleLibrary, RUNTIMES, writeTypes } from "../tools/library.ts";
import type { Target } from "../tools/runtime.ts";
import { optionsOf, ROOT, run } from "./shared.ts";

/** npm's `fade` belongs to something else. */
export const MAIN = "fade-compressor";
const { version, license, description, engines } = packageFacts;

interface Platform {
  readonly target: Target;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
}

/** Packages by what follows their name's beginning. */
export const PLATFORMS: Readonly<Record<string, Platform>> = {
  "linux-x64": { target: "linux-x64-baseline", os: "linux", cpu: "x64", libc: "glibc" },
  "linux-x64-musl": { target: "linux-x64-musl", os: "linux", cpu: "x64", libc: "musl" },
  "linux-arm64": { target: "linux-arm64", os: "linux", cpu: "arm64", libc: "glibc" },
  "darwin-arm64": { target: "darwin-arm64", os: "darwin", cpu: "arm64" },
  "darwin-x64": { target: "darwin-x64", os: "darwin", cpu: "x64" },
  "windows-x64": { target: "windows-x64", os: "win32", cpu: "x64" },
};
const NAMES = ["fade", "unfade", "fadecat"];
/** Where the packages are built from: npm compares it with the provenance that GitHub Actions vouches for. */
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: path } = process.env;
const repository = server && path ? { repository: { type: "git", url: `git+${server}/${path}.git` } } : {};

const writeJson = (path: string, facts: object) => writeFileSync(path, `${JSON.stringify(facts, null, 2)}\n`);

/** The package that people name. @param folder is made */
export async function makeMain(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (const runtime of RUNTIMES) await bundleLibrary(runtime, join(folder, "dist", runtime));
  writeTypes(join(folder, "dist", "types"));
  copyFileSync(join(ROOT, "tools", "npm", "run.mjs"), join(folder, "bin", "run.mjs"));
  for (const name of NAMES) {
    const text = `#!/usr/bin/env node\nimport { run } from "./run.mjs";\n\nrun("${name}");\n`;
    writeFileSync(join(folder, "bin", `${name}.mjs`), text, { mode: 0o755 });
  }
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(ROOT, "docs", "LIBRARY.md"), join(folder, "README.md"));
  const types = "./dist/types/index.d.ts";
  writeJson(join(folder, "package.json"), {
    name: MAIN,
    version,
    description,
    license,
    ...repository,
    keywords: ["compression", "decompression", "lossless", "context mixing", "streams", "browser", "wasm"],
    type: "module",
    engines,
    bin: Object.fromEntries(NAMES.map((name) => [name, `bin/${name}.mjs`])),
    exports: {
      ".": { types, browser: "./dist/browser/index.js", default: "./dist/node/index.js" },
      "./browser": { types, default: "./dist/browser/index.js" },
      "./package.json": "./package.json",
    },
    types,
    sideEffects: false,
    files: ["bin", "dist"],
    optionalDependencies: Object.fromEntries(Object.keys(PLATFORMS).map((name) => [`${MAIN}-${name}`, version])),
  });
}

function makePlatform(folder: string, name: string): void {
  const platform = PLATFORMS[name];
  if (!platform) throw new Error(`unknown target ${name}; there is ${Object.keys(PLATFORMS).join(", ")}, all, none`);
  const { target, os, cpu, libc } = platform;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "bin"), { recursive: true });
  const program = join(folder, "bin", os === "win32" ? "fade.exe" : "fade");
  run([process.execPath, "build.ts", "--target", target, "--outfile", program], { cwd: ROOT });
  // What Bun leaves for Intel is a signature of other bytes (build.ts).
  if (os === "darwin" && process.platform === "darwin") run(["codesign", "--force", "--sign", "-", program]);
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  const what = `The program of ${MAIN} for ${name}: install ${MAIN}, which brings the right one.`;
  writeFileSync(join(folder, "README.md"), `${what}\n`);
  writeJson(join(folder, "package.json"), {
    name: `${MAIN}-${name}`,
    version,
    description: what,
    license,
    ...repository,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    files: ["bin"],
    // Nothing can be run out of an archive, as Yarn would keep it.
    preferUnplugged: true,
  });
}

/** @returns the archive's path */
export function pack(folder: string, out: string): string {
  const before = new Set(readdirSync(out));
  run(["npm", "pack", "--silent", "--pack-destination", out], { cwd: folder });
  const made = readdirSync(out).find((name) => name.endsWith(".tgz") && !before.has(name));
  if (made === undefined) throw new Error(`npm packed nothing of ${folder}`);
  return join(out, made);
}

function folderBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** This machine's, by the name of its package. */
function hostPlatform(): string {
  const found = Object.entries(PLATFORMS).find(([, { os, cpu }]) => os === process.platform && cpu === process.arch);
  if (!found) throw new Error("there is no package for this machine: name others with --targets");
  return found[0];
}

async function main(): Promise<void> {
  const values = optionsOf({}, ["out", "targets"]);
  const out = resolve(values.out ?? join(ROOT, "packages"));
  const wanted = values.targets ?? hostPlatform();
  const names = wanted === "all" ? Object.keys(PLATFORMS) : wanted === "none" ? [] : wanted.split(",");
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (name.endsWith(".tgz")) rmSync(join(out, name));
  run([process.execPath, "src/engine/cpu/assembly/build.ts"], { cwd: ROOT });
  const folders = [join(out, MAIN), ...names.map((name) => join(out, `${MAIN}-${name}`))];
  await makeMain(folders[0] as string);
  for (const [i, name] of names.entries()) makePlatform(folders[i + 1] as string, name);
  for (const folder of folders) {
    const packed = pack(folder, out);
    const [bytes, packedBytes] = [folderBytes(folder), statSync(packed).size];
    console.log(`${packed}: ${(packedBytes / 1e6).toFixed(2)} MB, ${(bytes / 1e6).toFixed(2)} MB unpacked`);
  }
}

if (import.meta.main) await main();

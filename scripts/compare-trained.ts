/**
 * Priors of samples beside zstd's dictionaries: 200 files of a kind train both, within the same size, and 200 others
 * are compressed one by one, by fade without options but -D, and by zstd -19 with its dictionary. All come back.
 *
 *     bun scripts/compare-trained.ts [--program FILE] [--files N] [--maxdict BYTES] [--packages FOLDER] [--keep FOLDER]
 *
 * scripts/trained-sets.ts makes the files; --packages says where packages are installed, or are already, and --keep
 * where samples, files and priors stay. Needs node, npm and zstd, and bin/fade (npm run build).
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { trainedSets } from "./trained-sets.ts";

const { values } = parseArgs({
  options: {
    program: { type: "string", default: join(import.meta.dir, "..", "bin", "fade") },
    files: { type: "string", default: "200" },
    maxdict: { type: "string", default: "112640" },
    packages: { type: "string" },
    keep: { type: "string" },
  },
});
const FILES = Number(values.files);
const work = values.keep === undefined ? mkdtempSync(join(tmpdir(), "fade-trained-")) : resolve(values.keep);

function run(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { stdout: "ignore" });
  if (exitCode !== 0)
    throw new Error(`${command.slice(0, 6).join(" ")} …: exit code ${exitCode}: ${stderr.toString()}`);
}

/** In the order of their names: what is held back of samples, and so the prior, depends on it. */
const pathsIn = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
const sizeOf = (paths: readonly string[]) => paths.reduce((sum, path) => sum + statSync(path).size, 0);

function filled(folder: string, files: readonly Uint8Array[]): string[] {
  mkdirSync(folder, { recursive: true });
  for (const [i, bytes] of files.entries()) writeFileSync(join(folder, `${i}`.padStart(4, "0")), bytes);
  return pathsIn(folder);
}

/** Compresses a folder's files singly and restores them. @returns bytes of all archives */
function packed(paths: readonly string[], suffix: string, pack: readonly string[], unpack: readonly string[]): number {
  const plain = paths.map((path) => readFileSync(path));
  run([...pack, ...paths]);
  const archives = paths.map((path) => path + suffix);
  const bytes = sizeOf(archives);
  run([...unpack, ...archives]);
  for (const [i, path] of paths.entries()) {
    if (!readFileSync(path).equals(plain[i] as Buffer)) throw new Error(`${path} came back as something else`);
  }
  for (const path of archives) rmSync(path);
  return bytes;
}

function compare(files: readonly Uint8Array[], folder: string): string[] {
  rmSync(folder, { recursive: true, force: true });
  const samples = filled(join(folder, "samples"), files.slice(0, FILES));
  const others = filled(join(folder, "others"), files.slice(FILES));
  const [prior, dictionary] = [join(folder, "prior"), join(folder, "dictionary")];
  const limit = `--maxdict=${values.maxdict}`;
  run([values.program, "-q", "--train", limit, "-o", prior, ...samples]);
  run(["zstd", "-q", "--train", limit, "-o", dictionary, ...samples]);
  const zstd = ["zstd", "-q", "-f", "-D", dictionary];
  const fade = [values.program, "-q", "-f", "-D", prior];
  const sizes = [
    packed(others, ".zst", [...zstd, "-19"], [...zstd, "-d"]),
    packed(others, ".fade", [values.program, "-q", "-f", "-k"], [values.program, "-q", "-f", "-k", "-d"]),
    packed(others, ".fade", [...fade, "-k"], [...fade, "-k", "-d"]),
  ] as const;
  const less = `${Math.round(100 * (1 - sizes[2] / sizes[0]))} %`;
  const priors = [sizeOf([dictionary]), sizeOf([prior])];
  return [sizeOf(others), ...sizes, ...priors].map((bytes) => bytes.toLocaleString("en")).concat(less);
}

try {
  const sets = trainedSets(values.packages ?? join(work, "packages"));
  console.log("| kind | bytes | zstd -19 -D | fade | fade -D | dictionary | prior | less than zstd |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (const [i, [kind, make]] of Object.entries(sets).entries()) {
    console.log(`| ${kind} | ${compare(make(2 * FILES), join(work, `${i}`)).join(" | ")} |`);
  }
} finally {
  if (values.keep === undefined) rmSync(work, { recursive: true });
}

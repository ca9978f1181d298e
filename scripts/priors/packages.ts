/**
 * The packages that the built-in priors are trained on: npm's and Debian's, by name, version and SHA-256 of the
 * archive. They are downloaded into a cache by the registries' own clients, and never become part of the repository.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Package {
  readonly registry: "npm" | "debian" | "debian-source";
  readonly name: string;
  readonly version: string;
  /** File name in the registry, below the cache's folder of that registry. */
  readonly file: string;
  readonly sha256: string;
}

const MANIFEST = join(import.meta.dir, "manifest.json");
/** Debian's source packages are asked for in a list of their own: few machines have one. */
const SOURCES = "deb-src http://deb.debian.org/debian bookworm main\n";

/** Where downloads lie: $FADE_PRIORS_CACHE, or ~/.cache/fade-priors. */
export function cacheFolder(): string {
  return process.env.FADE_PRIORS_CACHE ?? join(homedir(), ".cache", "fade-priors");
}

export function readManifest(): readonly Package[] {
  return JSON.parse(readFileSync(MANIFEST, "utf8")) as Package[];
}

export const pathOf = ({ registry, file }: Package) => join(cacheFolder(), registry, file);

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

function run(folder: string, command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command], { cwd: folder, stdout: "ignore", stderr: "pipe" });
  if (!success) throw new Error(`${command.join(" ")} failed: ${stderr.toString().trim()}`);
}

/** Options that make apt know source packages, in lists below the cache. */
function aptSources(): readonly string[] {
  const lists = join(cacheFolder(), "lists");
  const list = join(cacheFolder(), "sources.list");
  const options = [`Dir::Etc::sourcelist=${list}`, "Dir::Etc::sourceparts=-", `Dir::State::lists=${lists}`];
  const all = options.flatMap((option) => ["-o", option]);
  if (existsSync(list)) return all;
  mkdirSync(join(lists, "partial"), { recursive: true });
  writeFileSync(list, SOURCES);
  run(cacheFolder(), ["apt-get", ...all, "update", "-qq"]);
  return all;
}

function download({ registry, name, version }: Package, folder: string): void {
  if (registry === "npm") run(folder, ["npm", "pack", "--silent", `${name}@${version}`]);
  else if (registry === "debian") run(folder, ["apt-get", "download", "-qq", `${name}=${version}`]);
  else run(folder, ["apt-get", ...aptSources(), "source", "--download-only", "-qq", `${name}=${version}`]);
}

/**
 * Makes sure that the package lies in the cache, and is the one that the manifest means.
 *
 * @throws Error if a registry does not have that version any more, or gives other bytes
 */
export function fetchPackage(wanted: Package): void {
  const path = pathOf(wanted);
  const folder = join(cacheFolder(), wanted.registry);
  mkdirSync(folder, { recursive: true });
  let failure: unknown;
  try {
    if (!existsSync(path)) download(wanted, folder);
  } catch (error) {
    // Of a source package apt-get wants Debian's own changes, too, which a registry may have lost. Nobody reads them.
    failure = error;
  }
  if (failure && !existsSync(path)) throw failure;
  const found = existsSync(path) ? sha256(path) : "nothing";
  if (found === wanted.sha256) return;
  throw new Error(
    `${wanted.registry} ${wanted.name} ${wanted.version}: SHA-256 ${wanted.sha256} wanted, ${found} found`,
  );
}

/** The packages whose archives lie in the cache, as a manifest has them. */
function packagesInCache(): Package[] {
  const patterns = {
    npm: /^(.+)-(\d+\.\d+\.\d+.*)\.tgz$/,
    debian: /^([^_]+)_([^_]+)_(?:all|amd64)\.deb$/,
    "debian-source": /^([^_]+)_(.+)\.dsc$/,
  } as const;
  return (Object.keys(patterns) as (keyof typeof patterns)[]).flatMap((registry) => {
    const folder = join(cacheFolder(), registry);
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    return names.flatMap((name) => {
      const match = patterns[registry].exec(name);
      if (!match) return [];
      const file = registry === "debian-source" ? tarOf(folder, name) : name;
      if (!existsSync(join(folder, file))) return [];
      const [packageName, named] = [match[1] as string, decodeURIComponent(match[2] as string)];
      const scoped = registry === "npm" ? npmNameOf(join(folder, name)) : packageName;
      const version = registry === "debian-source" ? versionIn(join(folder, name)) : named;
      return [{ registry, name: scoped, version, file, sha256: sha256(join(folder, file)) }];
    });
  });
}

/** The archive of what the authors wrote, by a source package's description. */
function tarOf(folder: string, description: string): string {
  const lines = readFileSync(join(folder, description), "utf8").split("\n");
  const names = lines.flatMap((line) => /^ [0-9a-f]{64} \d+ (\S+)$/.exec(line)?.[1] ?? []);
  const found = names.find((name) => /\.orig\.tar\.\w+$/.test(name)) ?? names.find((name) => /\.tar\.\w+$/.test(name));
  if (!found) throw new Error(`${description} names no archive`);
  return found;
}

/** A source package's version with its epoch ("1:" in "1:1.39.17"), which the description's name does not have. */
function versionIn(description: string): string {
  const found = /^Version: (\S+)$/m.exec(readFileSync(description, "utf8"))?.[1];
  if (!found) throw new Error(`${description} states no version`);
  return found;
}

/** A package's name with its scope, which the archive's name does not have. */
function npmNameOf(path: string): string {
  const { stdout } = Bun.spawnSync([
    "tar",
    "-xzOf",
    path,
    "--wildcards",
    "--no-wildcards-match-slash",
    "*/package.json",
  ]);
  return (JSON.parse(stdout.toString()) as { name: string }).name;
}

/** Writes the manifest anew from what lies in the cache: the way in for other packages. */
export function writeManifest(): void {
  const lines = packagesInCache().map((each) => `  ${JSON.stringify(each)}`);
  rmSync(MANIFEST, { force: true });
  writeFileSync(MANIFEST, `[\n${lines.join(",\n")}\n]\n`);
}

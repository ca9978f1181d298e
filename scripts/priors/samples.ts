/**
 * What priors are trained on: the beginnings of files in the packages, sorted by kind. Packages count alike however
 * large they are: each gives a kind a bounded number of samples, of files that are chosen by a hash of their names.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { gunzipSync } from "node:zlib";
import { cacheFolder, fetchPackage, type Package, pathOf, readManifest } from "./packages.ts";

export const KINDS = ["prose", "markup", "source", "structured", "logs", "executables"] as const;
export type Kind = (typeof KINDS)[number];

export interface Sample {
  /** Number of the package; samples of one package are not independent. */
  readonly package: number;
  /** Package and file, for people. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes of a sample, and samples of one package for one kind, at most. */
const SAMPLE_BYTES = 12288;
const SAMPLES_MAX = 24;
/** Shorter files say little. */
const SAMPLE_BYTES_MIN = 200;
const FILE_BYTES_MAX = 1 << 27;
/** Of a package's samples of logs, so many at most are what its programs may say. */
const MESSAGES_MAX = 8;

const EXTENSIONS: Readonly<Record<Kind, string>> = {
  prose: "txt md markdown rst 1 2 3 4 5 7 8 pod texi adoc wiki mediawiki dict tex org tid info noun verb adj adv",
  markup: "html htm xhtml",
  source:
    "js mjs cjs ts mts cts tsx jsx css scss less c h cc cpp hpp py pl pm rb go rs java sh php lua sql m4 cmake tar " +
    "vue svelte tcl awk",
  structured:
    "json xml yaml yml csv tsv map svg toml tap lock ini conf geojson xsd xsl gir plist properties po desktop dtd " +
    "junit",
  logs: "log logs out trace stderr stdout",
  executables: "wasm",
};
const KIND_OF = new Map(
  KINDS.flatMap((kind) => EXTENSIONS[kind].split(" ").map((extension): [string, Kind] => [extension, kind])),
);

/** Folders whose files are logs, whatever their names. */
const LOG_FOLDERS = /(^|\/)(logs?|logfiles?)(\/|$)|logfile_|\/logs\//;

/** Folders whose files without an extension are prose. */
const PROSE_FOLDERS = /(^|\/)(fortunes|miscfiles|bible|dict)(\/|$)/;
/** Lists of changes and licences are in every package of Debian, and would be most of all prose. */
const EVERYWHERE = /(^|\/)(copyright|changelog[^/]*|news[^/]*|changes)$/i;

function kindOf(path: string, bytes: Uint8Array): Kind | undefined {
  if (bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46) return "executables";
  if (LOG_FOLDERS.test(dirname(path)) && !/\.(html?|js|py|pl|cc?|h|am|in|md)$/.test(path)) return "logs";
  const name = basename(path).toLowerCase();
  const extension = extname(name).slice(1);
  if (/mediawiki|wikimedia/.test(Buffer.from(bytes.subarray(0, 400)).toString("latin1"))) return "prose";
  if (extension !== "") return KIND_OF.get(extension);
  return /^(readme|authors|todo|install|history)/.test(name) || PROSE_FOLDERS.test(path) ? "prose" : undefined;
}

function extract(path: string, folder: string): void {
  const commands: readonly [RegExp, readonly string[]][] = [
    [/\.deb$/, ["dpkg-deb", "-x", path, folder]],
    [/\.tgz$|\.tar\.gz$/, ["tar", "-xzf", path, "-C", folder]],
    [/\.tar\.\w+$/, ["tar", "-xf", path, "-C", folder]],
  ];
  const found = commands.find(([pattern]) => pattern.test(path));
  if (!found) throw new Error(`${path} is of no known kind`);
  // Names that cannot be made here (devices, long ones) are passed over.
  Bun.spawnSync([...found[1]], { stdout: "ignore", stderr: "ignore" });
  Bun.spawnSync(["chmod", "-R", "u+rwX", folder]);
}

/** The folder with a package's files, in the cache. */
function unpacked(each: Package): string {
  const folder = join(cacheFolder(), "files", each.sha256.slice(0, 16));
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.part`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  extract(pathOf(each), temporary);
  // A package of npm is also seen as what it is, a tar.
  if (each.registry === "npm")
    Bun.spawnSync(["sh", "-c", `gzip -dc "$0" > "$1"`, pathOf(each), join(temporary, "package.tar")]);
  renameSync(temporary, folder);
  return folder;
}

function filesBelow(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix)).flatMap((name) => {
    const path = join(prefix, name);
    const facts = lstatSync(join(folder, path));
    if (facts.isDirectory()) return filesBelow(folder, path);
    return facts.isFile() && facts.size >= SAMPLE_BYTES_MIN && facts.size <= FILE_BYTES_MAX ? [path] : [];
  });
}

function readPlain(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return /\.(gz|dz)$/.test(path) ? gunzipSync(bytes) : bytes;
}

/** What programs may say: the English texts of message catalogues, and the sentences in executables. */
function messagesOf(name: string, bytes: Uint8Array): Uint8Array {
  if (name.endsWith(".mo")) return catalogueOf(Buffer.from(bytes));
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45) return new Uint8Array(0);
  const sentences =
    Buffer.from(bytes)
      .toString("latin1")
      .match(/[ -~\t\n]{10,}/g) ?? [];
  return Buffer.from(sentences.filter((text) => / \w/.test(text)).join("\n"), "latin1");
}

/** The keys of a catalogue of GNU gettext, little-endian. */
function catalogueOf(bytes: Buffer): Uint8Array {
  if (bytes.length < 28 || bytes.readUInt32LE(0) !== 0x950412de) return new Uint8Array(0);
  const [count, table] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
  const texts = Array.from({ length: count }, (_, i) => {
    const [length, at] = [bytes.readUInt32LE(table + 8 * i), bytes.readUInt32LE(table + 8 * i + 4)];
    return bytes.toString("latin1", at, at + length).replaceAll("\0", "\n");
  });
  return Buffer.from(texts.filter((text) => text !== "").join("\n"), "latin1");
}

/** The list of an archive's files, as a build prints it. */
function listingOf(each: Package): Uint8Array {
  const command = each.registry === "debian" ? ["dpkg-deb", "-c"] : ["tar", "--utc", "-tvf"];
  return Bun.spawnSync([...command, pathOf(each)], { stderr: "ignore", env: { ...process.env, TZ: "UTC" } }).stdout;
}

const orderOf = (name: string) => createHash("sha256").update(name).digest("hex");

/** Pieces of a file: its beginning, and of a large one in a package of few files others. */
function piecesOf(bytes: Uint8Array, count: number): Uint8Array[] {
  const pieces = Math.max(1, Math.min(count, Math.floor(bytes.length / SAMPLE_BYTES)));
  const step = Math.floor(bytes.length / pieces);
  return Array.from({ length: pieces }, (_, i) => bytes.subarray(i * step, i * step + SAMPLE_BYTES));
}

/** Which file names are worth a look: as many of each extension as all kinds can take. */
function looked(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.filter((name) => {
    const extension = `${extname(name.replace(/\.(gz|dz)$/, ""))}`;
    const count = seen.get(extension) ?? 0;
    seen.set(extension, count + 1);
    return count < 2 * SAMPLES_MAX;
  });
}

/** Samples of all kinds that a package has. */
function samplesOf(each: Package, number: number): Record<Kind, Sample[]> {
  const folder = unpacked(each);
  const names = filesBelow(folder).sort();
  const ordered = looked(
    names
      .map((name) => [orderOf(name), name] as const)
      .sort()
      .map(([, name]) => name),
  );
  const found = Object.fromEntries(KINDS.map((kind) => [kind, []])) as unknown as Record<Kind, [string, Uint8Array][]>;
  found.logs.push([`${each.file} (listing)`, listingOf(each)]);
  for (const name of ordered) {
    if (/\.(png|jpe?g|gif|ico|woff2?|ttf|eot|otf|xz|zip|bz2|pdf)$/.test(name) || EVERYWHERE.test(name)) continue;
    const bytes = readPlain(join(folder, name));
    const said = messagesOf(name, bytes);
    if (said.length >= SAMPLE_BYTES_MIN && found.logs.length < MESSAGES_MAX)
      found.logs.push([`${name} (messages)`, said]);
    const kind = kindOf(name.replace(/\.(gz|dz)$/, ""), bytes);
    if (kind && found[kind].length < SAMPLES_MAX) found[kind].push([name, bytes]);
  }
  const entries = KINDS.map((kind): [Kind, Sample[]] => {
    const share = Math.max(1, Math.floor(SAMPLES_MAX / Math.max(1, found[kind].length)));
    const samples = found[kind].flatMap(([name, bytes]) =>
      piecesOf(bytes, share).map((piece) => ({ package: number, name: `${each.name}/${name}`, bytes: piece.slice() })),
    );
    return [kind, samples.slice(0, SAMPLES_MAX)];
  });
  return Object.fromEntries(entries) as Record<Kind, Sample[]>;
}

/** Samples of all packages of the manifest, which are downloaded if need be. Kept in the cache: it takes minutes. */
export function allSamples(): Record<Kind, Sample[]> {
  const packages = readManifest();
  const facts = JSON.stringify(packages) + readFileSync(import.meta.path, "utf8");
  const path = join(cacheFolder(), `samples-${orderOf(facts).slice(0, 16)}`);
  if (existsSync(path)) return deserialize(readFileSync(path)) as Record<Kind, Sample[]>;
  const all = Object.fromEntries(KINDS.map((kind) => [kind, []])) as unknown as Record<Kind, Sample[]>;
  for (const [number, each] of packages.entries()) {
    fetchPackage(each);
    const found = samplesOf(each, number);
    for (const kind of KINDS) all[kind].push(...found[kind]);
  }
  writeFileSync(path, serialize(all));
  return all;
}

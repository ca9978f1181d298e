/**
 * Sets of small files of a kind, as jobs of CI store them by the hundred: what scripts/compare-trained.ts trains priors
 * and dictionaries on, and tries them with. Three kinds come from real packages and tools, two from generators with a
 * fixed seed.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** With all that it depends on, 1,300 packages. */
const INSTALLED = { "react-scripts": "5.0.1", esbuild: "0.28.2", "istanbul-lib-instrument": "6.0.3" };
const FILE_BYTES_MIN = 200;
/** Of a longer file, the rest is left out: what comes later gains little by a dictionary. */
const FILE_BYTES_MAX = 16_384;
/** Modules that are counted in are of such a size. */
const MODULE_BYTES = [600, 6000] as const;

type Sets = Readonly<Record<string, (count: number) => Uint8Array[]>>;

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** In an order that has nothing to do with their names. */
const mixed = (paths: readonly string[]) => paths.toSorted((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));

function run(folder: string, command: readonly string[]): Buffer {
  const { stdout, stderr } = Bun.spawnSync([...command], { cwd: folder });
  return Buffer.concat([stdout, stderr]);
}

/** Folders of all packages below node_modules, those of packages in packages, too. */
function packagesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith(".")) return [];
    const path = join(folder, name);
    if (name.startsWith("@")) return packagesBelow(path);
    return existsSync(join(path, "package.json")) ? [path, ...packagesBelow(join(path, "node_modules"))] : [];
  });
}

function modulesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules") return [];
    const facts = statSync(path);
    if (facts.isDirectory()) return modulesBelow(path);
    return name.endsWith(".js") && facts.size >= MODULE_BYTES[0] && facts.size <= MODULE_BYTES[1] ? [path] : [];
  });
}

/** As many files as are wanted that are long enough and like no other. */
function taken(count: number, files: Iterable<Uint8Array>): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const bytes of files) {
    if (found.size === count) break;
    const cut = bytes.slice(0, FILE_BYTES_MAX);
    if (cut.length >= FILE_BYTES_MIN) found.set(hashOf(Buffer.from(cut).toString("latin1")), cut);
  }
  if (found.size < count) throw new Error(`only ${found.size} files of a kind were found, ${count} are wanted`);
  return [...found.values()];
}

/** Instruments the modules that standard input names, and prints what Istanbul will count of each, a line for each. */
const INSTRUMENT = `
const { createInstrumenter } = require("istanbul-lib-instrument");
const { readFileSync } = require("node:fs");
for (const path of readFileSync(0, "utf8").split("\\n")) {
  const instrumenter = createInstrumenter();
  try {
    instrumenter.instrumentSync(readFileSync(path, "utf8"), path);
  } catch {
    continue;
  }
  console.log(JSON.stringify({ [path]: instrumenter.lastFileCoverage() }));
}`;

function* coverages(folder: string, packages: readonly string[]): Generator<Uint8Array> {
  const modules = mixed(packages.flatMap(modulesBelow)).slice(0, 2000);
  const stdin = Buffer.from(modules.join("\n"));
  const { stdout } = Bun.spawnSync(["node", "-e", INSTRUMENT], { cwd: folder, stdin });
  for (const line of stdout.toString().split("\n")) yield Buffer.from(line);
}

/** What a bundler says of its search for modules. */
function* bundlerLogs(folder: string, packages: readonly string[]): Generator<Uint8Array> {
  const esbuild = join(folder, "node_modules", ".bin", "esbuild");
  const options = ["--bundle", "--platform=node", "--log-level=verbose", "--log-limit=0", "--outfile=bundle.js"];
  for (const path of mixed(packages)) yield run(folder, [esbuild, `./${path.slice(folder.length + 1)}`, ...options]);
}

function* descriptions(packages: readonly string[]): Generator<Uint8Array> {
  for (const path of mixed(packages)) yield readFileSync(join(path, "package.json"));
}

/** Numbers from 0 to below `end`, the same ones after the same seed. */
function dice(seed: number): (end: number) => number {
  let state = (seed * 2 + 1) >>> 0;
  return (end) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

type Roll = ReturnType<typeof dice>;
const oneOf = <T>(roll: Roll, all: readonly T[]) => all[roll(all.length)] as T;
const hex = (roll: Roll, digits: number) => Array.from({ length: digits }, () => roll(16).toString(16)).join("");
const two = (number: number) => `${number}`.padStart(2, "0");
const moment = (roll: Roll) =>
  `2026-${two(1 + roll(12))}-${two(1 + roll(28))}T${two(roll(24))}:${two(roll(60))}:${two(roll(60))}Z`;

const SYLLABLES = "ar bel cor dan eth fin gul hor im jas kel lun mar nor ost pel quin ros sil tur ul ver win yor".split(
  " ",
);
const AREAS = "net io parse store cache index query lock event timer codec stream graph table view".split(" ");
const VERBS = "open close read write find merge split push pull drop keep check count flush".split(" ");
const word = (roll: Roll) => Array.from({ length: 1 + roll(3) }, () => oneOf(roll, SYLLABLES)).join("");

const WARNINGS = [
  (roll: Roll) => `unused variable '${word(roll)}' [-Wunused-variable]`,
  (roll: Roll) =>
    `comparison of integer expressions of different signedness: 'int' and 'size_t' [-Wsign-compare]${roll(1) || ""}`,
  (roll: Roll) => `'${oneOf(roll, VERBS)}_${word(roll)}' defined but not used [-Wunused-function]`,
  (roll: Roll) =>
    `format '%d' expects argument of type 'int', but argument ${2 + roll(4)} has type 'long int' [-Wformat=]`,
] as const;

/** A build by make and its tests: names, order, warnings, times and failures differ. */
function makeLog(seed: number): string {
  const roll = dice(seed);
  const lines = [`make[1]: Entering directory '/builds/${word(roll)}/${word(roll)}-${hex(roll, 8)}'`];
  const areas = Array.from({ length: 6 }, () => oneOf(roll, AREAS));
  for (let i = 0; i < 20 + roll(40); i++) {
    const [area, verb, name] = [oneOf(roll, areas), oneOf(roll, VERBS), word(roll)];
    const file = `src/${area}/${verb}_${name}`;
    lines.push(
      `gcc -O2 -g -Wall -Wextra -Iinclude -DVERSION=\\"${seed % 7}.${roll(20)}\\" -c ${file}.c -o build/${file}.o`,
    );
    if (roll(5) > 0) continue;
    const [line, column] = [1 + roll(900), 1 + roll(60)];
    lines.push(
      `${file}.c: In function '${verb}_${word(roll)}':`,
      `${file}.c:${line}:${column}: warning: ${oneOf(roll, WARNINGS)(roll)}`,
      `  ${line} |     int ${word(roll)} = ${verb}_${name}(${word(roll)}, ${roll(256)});`,
      `      |${" ".repeat(9 + roll(9))}^~~~~~~~`,
    );
  }
  lines.push(`ar rcs build/lib${oneOf(roll, areas)}.a`, "make[1]: Leaving directory");
  for (let i = 0; i < 10 + roll(50); i++) {
    const name = `${oneOf(roll, areas)}/${oneOf(roll, VERBS)}_${word(roll)}`;
    const isWrong = roll(25) === 0;
    lines.push(`${isWrong ? "FAIL" : "PASS"}: test/${name} (${roll(3)}.${two(roll(100))} s)`);
    if (isWrong) lines.push(`    expected ${roll(1000)}, found ${roll(1000)} at test/${name}.c:${1 + roll(300)}`);
  }
  lines.push(`Finished at ${moment(roll)} on runner-${hex(roll, 6)}`);
  return `${lines.join("\n")}\n`;
}

/** What a service of repositories says when something happens: a record of JSON. */
function eventRecord(seed: number): string {
  const roll = dice(seed);
  const owner = word(roll);
  const repository = `${word(roll)}-${oneOf(roll, AREAS)}`;
  const type = oneOf(roll, ["PushEvent", "PullRequestEvent", "IssueCommentEvent", "CreateEvent", "WatchEvent"]);
  const url = `https://api.example.com/repos/${owner}/${repository}`;
  const commits = Array.from({ length: type === "PushEvent" ? 1 + roll(5) : 0 }, () => {
    const sha = hex(roll, 40);
    const message = `${oneOf(roll, VERBS)} ${word(roll)} of ${oneOf(roll, AREAS)}`;
    const author = { name: word(roll), email: `${word(roll)}@example.org` };
    return { sha, author, message, distinct: roll(2) === 0, url: `${url}/commits/${sha}` };
  });
  const number = 1 + roll(5000);
  const title = `${oneOf(roll, VERBS)} ${word(roll)} when ${word(roll)} is ${word(roll)}`;
  const issue = {
    number,
    title,
    state: oneOf(roll, ["open", "closed"]),
    comments: roll(30),
    url: `${url}/issues/${number}`,
  };
  return JSON.stringify({
    id: `${1e10 + roll(2 ** 31)}`,
    type,
    actor: { id: roll(1e7), login: owner, avatar_url: `https://avatars.example.com/u/${roll(1e7)}?` },
    repo: { id: roll(1e8), name: `${owner}/${repository}`, url },
    payload:
      commits.length > 0 ? { ref: "refs/heads/main", head: hex(roll, 40), commits } : { action: "created", issue },
    public: true,
    created_at: moment(roll),
  });
}

function* generated(make: (seed: number) => string): Generator<Uint8Array> {
  for (let seed = 1; ; seed++) yield Buffer.from(make(seed));
}

/** @param folder where packages are installed, if they are not there already */
export function trainedSets(folder: string): Sets {
  if (!existsSync(join(folder, "node_modules"))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: INSTALLED }));
    run(folder, ["npm", "install", "--silent", "--no-audit", "--no-fund"]);
  }
  const packages = packagesBelow(join(folder, "node_modules"));
  return {
    "package.json of npm packages": (count) => taken(count, descriptions(packages)),
    "coverage of a module, JSON": (count) => taken(count, coverages(folder, packages)),
    "verbose logs of esbuild": (count) => taken(count, bundlerLogs(folder, packages)),
    "events of repositories, JSON (generated)": (count) => taken(count, generated(eventRecord)),
    "logs of make (generated)": (count) => taken(count, generated(makeLog)),
  };
}

/**
 * Patches beside other programs: two versions of a program, of npm packages as a tar, and of a database's dump, the
 * newer one by fade --patch-from without other options, by zstd --ultra -22 --patch-from --long=27, and by xdelta3 -9.
 * Each patch is applied, and what comes out compared.
 *
 *     bun scripts/compare-patches.ts [--program FILE] [--keep FOLDER] [--only KIND,KIND] DATABASE
 *
 * DATABASE is any of SQLite's; some of its rows are changed and some removed for the second dump. --keep says where
 * downloads and versions stay. Needs npm, apt-get (Debian 12 with its security updates), dpkg-deb, sqlite3, zstd,
 * xdelta3, and bin/fade (npm run build).
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FADE, grouped, headOf, optionsAndWords, row, run } from "./shared.ts";

const { values, positionals } = optionsAndWords({ program: FADE }, ["keep", "only"]);
const [database] = positionals;
if (database === undefined) throw new Error("which database should be dumped?");
const work = values.keep === undefined ? mkdtempSync(join(tmpdir(), "fade-patches-")) : resolve(values.keep);

function emptyFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** A file of a package of Debian, by that package's version. */
function ofDebian(name: string, version: string, file: string, output: string): void {
  const folder = emptyFolder(`${output}.parts`);
  run(["apt-get", "download", "-qq", `${name}=${version}`], { cwd: folder });
  const [archive] = readdirSync(folder);
  run(["dpkg-deb", "-x", archive as string, "files"], { cwd: folder });
  copyFileSync(join(folder, "files", file), output);
}

/** Packages of npm, unpacked, as `name@version`; one of their files, or all as a tar. */
function ofNpm(packages: readonly string[], file: string | undefined, output: string): void {
  const folder = emptyFolder(`${output}.parts`);
  const files = emptyFolder(join(folder, "files"));
  for (const name of packages) {
    const own = emptyFolder(join(folder, "download"));
    run(["npm", "pack", "--silent", name], { cwd: own });
    const [archive] = readdirSync(own);
    const target = emptyFolder(join(files, name.replace(/(.)@.*$/, "$1").replace("/", "-")));
    run(["tar", "-xzf", archive as string, "-C", target, "--strip-components=1"], { cwd: own });
  }
  if (file !== undefined) copyFileSync(join(files, file), output);
  else run(["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf", output, "files"], { cwd: folder });
}

/** Of every table of a database, each 97th row loses its last column's value, and each 89th row goes. */
const CHANGES = (table: string, column: string) =>
  `UPDATE "${table}" SET "${column}" = NULL WHERE rowid % 97 = 5; DELETE FROM "${table}" WHERE rowid % 89 = 7;`;

function dumps(oldPath: string, newPath: string): void {
  const copy = join(work, "changed.sqlite");
  copyFileSync(database as string, copy);
  run(["chmod", "u+w", copy]);
  writeFileSync(oldPath, run(["sqlite3", copy, ".dump"]).stdout);
  const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
  const lines = (sql: string) => run(["sqlite3", copy, sql]).stdout.toString().trim().split("\n");
  for (const table of lines(query)) {
    const free = lines(`SELECT name FROM pragma_table_info('${table}') WHERE "notnull" = 0 AND pk = 0`).at(-1);
    if (free) run(["sqlite3", copy, CHANGES(table, free)], { cwd: work });
  }
  writeFileSync(newPath, run(["sqlite3", copy, ".dump"]).stdout);
}

const PACKAGES = ["react-dom@19.2.9 webpack@5.112.2 acorn@8.18.0", "react-dom@19.3.1 webpack@5.113.0 acorn@8.19.0"];
const GIT = ["1:2.39.5-0+deb12u2", "1:2.39.5-0+deb12u3"];
const ESBUILD = ["0.28.1", "0.28.2"];

/** What there is, and how its two versions are made. */
const KINDS: Readonly<Record<string, (oldPath: string, newPath: string) => void>> = {
  "git of Debian, 2.39.5-0+deb12u2 and u3, ELF": (...paths) => {
    for (const [i, path] of paths.entries()) ofDebian("git", GIT[i] as string, "usr/bin/git", path);
  },
  "esbuild, 0.28.1 and 0.28.2, ELF": (...paths) => {
    const file = "@esbuild-linux-x64/bin/esbuild";
    for (const [i, path] of paths.entries()) ofNpm([`@esbuild/linux-x64@${ESBUILD[i]}`], file, path);
  },
  "npm packages (react-dom, webpack, acorn), tar": (...paths) => {
    for (const [i, path] of paths.entries()) ofNpm((PACKAGES[i] as string).split(" "), undefined, path);
  },
  "dump of a SQLite database, some rows changed": dumps,
};

/** How a patch is made and applied. */
type Patcher = (oldPath: string, newPath: string, patch: string, back: string) => readonly (readonly string[])[];
const PATCHERS: readonly Patcher[] = [
  (old, plain, patch, back) => [
    ["zstd", "-q", "-f", "--ultra", "-22", "--long=27", `--patch-from=${old}`, plain, "-o", patch],
    ["zstd", "-q", "-f", "-d", "--long=27", `--patch-from=${old}`, patch, "-o", back],
  ],
  (old, plain, patch, back) => [
    ["xdelta3", "-9", "-f", "-e", "-s", old, plain, patch],
    ["xdelta3", "-f", "-d", "-s", old, patch, back],
  ],
  (old, plain, patch, back) => [
    [values.program, "-q", "-f", "-k", `--patch-from=${old}`, plain, "-o", patch],
    [values.program, "-q", "-f", "-k", "-d", `--patch-from=${old}`, patch, "-o", back],
  ],
];

function patchBytes(patcher: Patcher, oldPath: string, newPath: string): number {
  const [patch, back] = [join(work, "patch"), join(work, "back")];
  for (const command of patcher(oldPath, newPath, patch, back)) run(command, { cwd: work });
  if (!readFileSync(back).equals(readFileSync(newPath))) throw new Error(`${newPath} came back as something else`);
  return statSync(patch).size;
}

try {
  mkdirSync(work, { recursive: true });
  console.log(headOf(["", "old", "new", "zstd --ultra -22 --patch-from --long=27", "xdelta3 -9", "fade"]));
  for (const [i, [kind, make]] of Object.entries(KINDS).entries()) {
    if (values.only !== undefined && !values.only.split(",").some((each) => kind.includes(each))) continue;
    const [oldPath, newPath] = [join(work, `${i}.old`), join(work, `${i}.new`)];
    if (!existsSync(newPath)) make(oldPath, newPath);
    const plain = [statSync(oldPath).size, statSync(newPath).size];
    const patches = PATCHERS.map((patcher) => patchBytes(patcher, oldPath, newPath));
    console.log(row([kind, ...[...plain, ...patches].map(grouped)]));
  }
} finally {
  if (values.keep === undefined) rmSync(work, { recursive: true });
}

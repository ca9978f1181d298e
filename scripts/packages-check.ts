/**
 * Tries the npm packages with the real program of this machine: `bun scripts/packages-check.ts [--packages DIR]`, after
 * `bun scripts/packages.ts`. In an empty project npm installs the packed archives; then the program, by npx, and the
 * library, in Node and in Bun, make archives of one file at several levels, which must be equal, and restore each
 * other's. Exits with 1 if anything differs. It prints how long each takes to start, too.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../package.json" with { type: "json" };
import { MAIN } from "./packages.ts";
import { optionsOf, ROOT, run } from "./shared.ts";

const LEVELS = [1, 5, 9];
const STARTS = 5;

const values = optionsOf({}, ["packages"]);
const packages = resolve(values.packages ?? join(ROOT, "packages"));
/** Longer than what begins with a built-in prior, for which all levels have one model. */
const documents = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const plain = Buffer.concat(documents.sort().map((name) => readFileSync(join(ROOT, "docs", name))));
const project = mkdtempSync(join(tmpdir(), "fade-packages-"));

const inProject = (...command: string[]) => run(command, { cwd: project });

const LIBRARY = `
import { readFileSync, writeFileSync } from "node:fs";
import { compress, decompress } from "${MAIN}";
const plain = new Uint8Array(readFileSync("plain"));
for (const level of [${LEVELS}]) {
  writeFileSync(\`\${level}.\${process.argv[2]}.fade\`, await compress(plain, { level }));
  const back = await decompress(new Uint8Array(readFileSync(\`\${level}.program.fade\`)));
  if (Buffer.compare(back, plain) !== 0) throw new Error("the program's archive came back as other bytes");
}
`;

/** Milliseconds that the fastest of some starts took. */
const startMs = (...words: string[]) =>
  Math.round(Math.min(...Array.from({ length: STARTS }, () => inProject(...words).wallMs)));

try {
  // npm refuses to be given other machines' programs, which may lie there, too.
  const wanted = [MAIN, `${MAIN}-${process.platform}-${process.arch}`].map((name) => `${name}-${version}.tgz`);
  const missing = wanted.filter((name) => !existsSync(join(packages, name)));
  if (missing.length > 0) throw new Error(`${packages} lacks ${missing.join(" and ")}: run scripts/packages.ts first`);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  inProject("npm", "install", "--no-audit", "--no-fund", ...wanted.map((name) => join(packages, name)));
  console.log(inProject("npx", "--no-install", "fade", "-V").stdout.toString().trim());
  writeFileSync(join(project, "plain"), plain);
  writeFileSync(join(project, "library.mjs"), LIBRARY);
  for (const level of LEVELS)
    inProject("npx", "--no-install", "fade", `-q${level}`, "plain", "-o", `${level}.program.fade`);
  inProject("node", "library.mjs", "node");
  inProject(process.execPath, "library.mjs", "bun");
  for (const level of LEVELS) {
    const [program, ...others] = ["program", "node", "bun"].map((who) =>
      readFileSync(join(project, `${level}.${who}.fade`)),
    );
    if (!program || others.some((other) => !other.equals(program))) throw new Error(`level ${level}: archives differ`);
    for (const who of ["node", "bun"]) {
      inProject("npx", "--no-install", "unfade", "-qf", `${level}.${who}.fade`, "-o", "back");
      if (!readFileSync(join(project, "back")).equals(plain)) throw new Error("other bytes came back");
    }
    console.log(`level ${level}: ${program.length} bytes, equal from the program, Node and Bun, and restored by all`);
  }
  const starter = join("node_modules", MAIN, "bin", "fade.mjs");
  const found = readdirSync(join(project, "node_modules")).find((name) => name.startsWith(`${MAIN}-`)) ?? "";
  console.log(`start: ${startMs(join("node_modules", found, "bin", "fade"), "-V")} ms the program alone`);
  console.log(
    `start: ${startMs("node", starter, "-V")} ms by the package's starter, ${startMs("node", "-e", "0")} of them Node`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(project, { recursive: true, force: true });
}

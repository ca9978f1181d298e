/**
 * Makes what people install of a program that is built: a tarball, and for Linux a deb and an rpm, all with the links
 * unfade and fadecat, the manual page and the completions.
 *
 *     bun scripts/installers.ts [--program FILE] [--target linux-x64] [--out DIR]
 *     bun scripts/installers.ts --formula https://…/releases/download/v1.2.3 [--out DIR]
 *
 * The second fills in the formula for Homebrew with the SHA-256 of the tarballs in DIR, which all four must be there.
 * Debian's packages dpkg and rpm have what it needs. Nothing may strip the program: all of fade is behind its ELF.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import packageFacts from "../package.json" with { type: "json" };
import { MAIN } from "./packages.ts";
import { FADE, optionsOf, ROOT, run } from "./shared.ts";

const { version, description, license } = packageFacts;
const LINKS = ["unfade", "fadecat"];
const SUMMARY = description.replace(/^A (.*)\.$/, "$1");
/** What the two kinds of package call a processor; targets that are not here get a tarball only. */
const LINUX: Readonly<Record<string, { readonly deb: string; readonly rpm: string }>> = {
  "linux-x64": { deb: "amd64", rpm: "x86_64" },
  "linux-arm64": { deb: "arm64", rpm: "aarch64" },
};
/** Places of completions below a prefix, by where they are here. Debian has another folder for zsh's. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  "bash/fade": "share/bash-completion/completions/fade",
  "zsh/_fade": "share/zsh/site-functions/_fade",
  "fish/fade.fish": "share/fish/vendor_completions.d/fade.fish",
};

function place(bytes: string | Uint8Array, ...names: string[]): void {
  const path = join(...names);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes, { mode: 0o644 });
}

/** Everything below a prefix, such as /usr, as it is installed. @param prefix is made */
export function makeTree(prefix: string, program: string): void {
  mkdirSync(join(prefix, "bin"), { recursive: true });
  copyFileSync(program, join(prefix, "bin", "fade"));
  chmodSync(join(prefix, "bin", "fade"), 0o755);
  const manual = join(prefix, "share", "man", "man1");
  // No time in it: equal files make equal packages.
  place(gzipSync(readFileSync(join(ROOT, "docs", "fade.1")), { level: 9 }), manual, "fade.1.gz");
  for (const name of LINKS) {
    symlinkSync("fade", join(prefix, "bin", name));
    symlinkSync("fade.1.gz", join(manual, `${name}.1.gz`));
  }
  for (const [from, to] of Object.entries(COMPLETIONS))
    place(readFileSync(join(ROOT, "completions", from)), prefix, to);
  place(readFileSync(join(ROOT, "LICENSE")), prefix, "share", "doc", MAIN, "copyright");
}

export function makeTarball(work: string, program: string, target: string, out: string): string {
  const name = `${MAIN}-${version}-${target}`;
  makeTree(join(work, name), program);
  run(["tar", "-czf", join(out, `${name}.tar.gz`), name], { cwd: work });
  return join(out, `${name}.tar.gz`);
}

/** In KiB, as dpkg counts. */
function installedKib(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + Math.ceil(statSync(join(parentPath, name)).size / 1024), 0);
}

export function makeDeb(work: string, program: string, architecture: string, out: string): string {
  const tree = join(work, "deb");
  makeTree(join(tree, "usr"), program);
  const zsh = join(tree, "usr", "share", "zsh");
  place(readFileSync(join(zsh, "site-functions", "_fade")), zsh, "vendor-completions", "_fade");
  rmSync(join(zsh, "site-functions"), { recursive: true });
  const control = {
    Package: MAIN,
    Version: version,
    Architecture: architecture,
    Maintainer: "the authors of fade <fade@localhost>",
    "Installed-Size": installedKib(tree),
    Depends: "libc6 (>= 2.28)",
    Suggests: "libvulkan1",
    Section: "utils",
    Priority: "optional",
    Description: SUMMARY,
  };
  const lines = Object.entries(control).map(([name, value]) => `${name}: ${value}\n`);
  place(lines.join(""), tree, "DEBIAN", "control");
  const path = join(out, `${MAIN}_${version}_${architecture}.deb`);
  // xz's first preset: the program is mostly machine code, of which more work makes little less.
  run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", "-z1", tree, path]);
  return path;
}

export function specOf(tree: string): string {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const paths = files.map(({ parentPath, name }) => `"${join(parentPath, name).slice(tree.length)}"`).sort();
  return `# rpmbuild must neither strip the program nor look for what it is linked to by build ids.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _binary_payload w1.xzdio
Name: ${MAIN}
Version: ${version}
Release: 1
Summary: ${SUMMARY}
License: ${license}
Requires: glibc >= 2.28
AutoReqProv: no
%description
${description}
%install
cp -a ${tree}/. %{buildroot}/
%files
${paths.join("\n")}
`;
}

function makeRpm(work: string, program: string, architecture: string, out: string): string {
  const tree = join(work, "rpm");
  makeTree(join(tree, "usr"), program);
  writeFileSync(join(work, "fade.spec"), specOf(tree));
  const top = `_topdir ${join(work, "rpmbuild")}`;
  const owners = ["--define", "_rpmdir rpms", "--define", "_build_name_fmt fade.rpm"];
  const words = ["-bb", "--quiet", "--target", architecture, "--define", top, ...owners, "fade.spec"];
  run(["rpmbuild", ...words], { cwd: work });
  const path = join(out, `${MAIN}-${version}-1.${architecture}.rpm`);
  copyFileSync(join(work, "rpms", "fade.rpm"), path);
  return path;
}

/** @param url where the tarballs of the release are. @returns the formula's path */
export function makeFormula(out: string, url: string): string {
  const facts: Record<string, string> = { VERSION: version, HOMEPAGE: url.replace(/\/releases\/.*$/, "") };
  for (const target of ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"]) {
    const name = `${MAIN}-${version}-${target}.tar.gz`;
    if (!existsSync(join(out, name))) throw new Error(`the formula needs ${name} in ${out}`);
    const key = target.toUpperCase().replace("-", "_");
    facts[`URL_${key}`] = `${url}/${name}`;
    facts[`SHA256_${key}`] = createHash("sha256")
      .update(readFileSync(join(out, name)))
      .digest("hex");
  }
  const template = readFileSync(join(ROOT, "packaging", `${MAIN}.rb`), "utf8");
  const text = template.replace(/^#.*\n/, "").replace(/@([A-Z0-9_]+)@/g, (_, name: string) => {
    if (facts[name] === undefined) throw new Error(`the formula has @${name}@, which nothing fills in`);
    return facts[name];
  });
  writeFileSync(join(out, `${MAIN}.rb`), text);
  return join(out, `${MAIN}.rb`);
}

/** @returns the paths of what was made */
function makeInstallers(program: string, target: string, out: string): string[] {
  if (!existsSync(program)) throw new Error(`there is no program ${program}: build it first`);
  const work = mkdtempSync(join(tmpdir(), "fade-installers-"));
  try {
    const linux = LINUX[target];
    const tarball = makeTarball(work, program, target, out);
    if (!linux) return [tarball];
    return [tarball, makeDeb(work, program, linux.deb, out), makeRpm(work, program, linux.rpm, out)];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function main(): void {
  const values = optionsOf({}, ["program", "target", "out", "formula"]);
  const out = resolve(values.out ?? join(ROOT, "packages"));
  mkdirSync(out, { recursive: true });
  const program = resolve(values.program ?? FADE);
  const made = values.formula
    ? [makeFormula(out, values.formula)]
    : makeInstallers(program, values.target ?? `${process.platform}-${process.arch}`, out);
  for (const path of made) console.log(`${path}: ${(statSync(path).size / 1e6).toFixed(2)} MB`);
}

if (import.meta.main) main();

/** What scripts/installers.ts makes, with a script for a program; whole programs are what a release is made of. */
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import packageFacts from "../../package.json" with { type: "json" };
import { makeDeb, makeFormula, makeTarball, makeTree, specOf } from "../../scripts/installers.ts";

const ROOT = join(import.meta.dir, "..", "..");
const { version } = packageFacts;
const base = mkdtempSync(join(tmpdir(), "fade-installers-test-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const program = join(base, "program");
writeFileSync(program, "#!/bin/sh\necho installed\n");

function folder(name: string): string {
  mkdirSync(join(base, name), { recursive: true });
  return join(base, name);
}

function run(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: "utf8" });
  expect([words.join(" "), status, stderr]).toEqual([words.join(" "), 0, ""]);
  return stdout;
}

/** @param zsh where completions for zsh are */
function expectInstalled(prefix: string, zsh: string): void {
  for (const name of ["fade", "unfade", "fadecat"]) expect(run(join(prefix, "bin", name))).toBe("installed\n");
  const manual = join(prefix, "share", "man", "man1");
  const page = gunzipSync(readFileSync(join(manual, "fade.1.gz")));
  expect(page.equals(readFileSync(join(ROOT, "docs", "fade.1")))).toBe(true);
  expect(readlinkSync(join(manual, "unfade.1.gz"))).toBe("fade.1.gz");
  const completions = { "bash/fade": "bash-completion/completions/fade", "zsh/_fade": zsh };
  for (const [from, to] of Object.entries({
    ...completions,
    "fish/fade.fish": "fish/vendor_completions.d/fade.fish",
  })) {
    expect(readFileSync(join(prefix, "share", to), "utf8")).toBe(readFileSync(join(ROOT, "completions", from), "utf8"));
  }
}

test("a tarball holds the program, its links, the manual page and the completions", () => {
  const path = makeTarball(folder("tar"), program, "darwin-arm64", folder("out"));
  run("tar", "-xzf", path, "-C", folder("unpacked"));
  expectInstalled(join(base, "unpacked", `fade-compressor-${version}-darwin-arm64`), "zsh/site-functions/_fade");
});

test("a deb does, where Debian looks for them, and all belongs to root", () => {
  const path = makeDeb(folder("deb"), program, "amd64", folder("out"));
  run("dpkg-deb", "-x", path, folder("installed"));
  expectInstalled(join(base, "installed", "usr"), "zsh/vendor-completions/_fade");
  expect(run("dpkg-deb", "--field", path, "Package", "Version", "Architecture", "Depends")).toBe(
    `Package: fade-compressor\nVersion: ${version}\nArchitecture: amd64\nDepends: libc6 (>= 2.28)\n`,
  );
  const owners = run("dpkg-deb", "-c", path).trim().split("\n");
  expect(owners.filter((line) => !line.includes(" root/root "))).toEqual([]);
});

test("what rpmbuild reads names every file, and keeps it from stripping the program", () => {
  const tree = folder("rpm");
  makeTree(join(tree, "usr"), program);
  const spec = specOf(tree);
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  expect(files.length).toBe(10);
  for (const { parentPath, name } of files) expect(spec).toContain(`"${join(parentPath, name).slice(tree.length)}"\n`);
  expect(spec).toContain("%global __os_install_post %{nil}\n");
});

test("the formula has the SHA-256 of all four tarballs, and without one of them there is none", () => {
  const out = folder("formula");
  const url = "https://example.org/fade/releases/download/v1";
  for (const target of ["darwin-arm64", "darwin-x64", "linux-arm64"]) {
    writeFileSync(join(out, `fade-compressor-${version}-${target}.tar.gz`), target);
  }
  expect(() => makeFormula(out, url)).toThrow("linux-x64.tar.gz");
  writeFileSync(join(out, `fade-compressor-${version}-linux-x64.tar.gz`), "linux-x64");
  const text = readFileSync(makeFormula(out, url), "utf8");
  expect(text).not.toContain("@");
  expect(text).toContain('homepage "https://example.org/fade"');
  for (const target of ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"]) {
    const hash = createHash("sha256").update(target).digest("hex");
    expect(text).toContain(`url "${url}/fade-compressor-${version}-${target}.tar.gz"\n      sha256 "${hash}"`);
  }
});

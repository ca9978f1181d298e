/** The manual page and the completions that are committed are those of the table of options, and programs read them. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };
import { helpText } from "../../src/cli/cac.ts";
import { COMPLETION_FILES, completionsFor } from "../../src/cli/completions.ts";
import { PROGRAM_NAMES } from "../../src/cli/environment.ts";
import { EXIT } from "../../src/cli/errors.ts";
import { manualPage } from "../../src/cli/manual.ts";
import { OPTIONS } from "../../src/cli/options.ts";
import { EXIT_BROKEN_PIPE } from "../../src/cli/run.ts";

const ROOT = join(import.meta.dir, "../..");
const committed = (...path: string[]) => readFileSync(join(ROOT, ...path), "utf8");
const offered = OPTIONS.filter((spec) => !spec.planned);

test("docs/fade.1 is what the table gives (else: bun scripts/manual.ts)", () => {
  expect(committed("docs", "fade.1")).toBe(manualPage(packageFacts.version));
});

test.each(Object.entries(COMPLETION_FILES))("completions for %s are what the table gives", (shell, file) => {
  expect(committed("completions", shell, file)).toBe(completionsFor(shell));
});

test("every option is in the manual and in all completions", () => {
  const texts = [manualPage("1").replaceAll("\\-", "-"), ...["bash", "zsh", "fish"].map(completionsFor)];
  for (const { name } of offered) {
    for (const text of texts) expect(text).toMatch(new RegExp(`(--|-l )${name}\\b`));
  }
});

test("what is to be typed is not made a sentence's beginning", () => {
  const manual = manualPage("1").replaceAll("\\-", "-");
  expect(manual).toContain("\nauto, gpu, cpu or reference;");
  expect(manual).toContain("\nfade bench kernels: only");
  expect(manual).not.toMatch(/\b(Fade bench|Auto, gpu)/);
});

test("every exit code is in the manual's notes and in --help", () => {
  const codes = [...Object.values(EXIT), EXIT_BROKEN_PIPE];
  const listed = (text: string) => [...(text.split("Exit codes: ")[1] ?? "").matchAll(/\b\d+\b/g)].map(Number);
  expect(listed(helpText(true))).toEqual(codes);
  expect(listed(manualPage("1").split(".SH EXAMPLES")[0] ?? "")).toEqual(codes);
});

/** What bash completes behind `words`. */
function completed(...words: string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `${completionsFor("bash")}
    COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _fade; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync("bash", ["-c", script], { encoding: "utf8", cwd: ROOT });
  expect(ran.stderr).toBe("");
  return ran.stdout.split("\n").filter((line) => line !== "");
}

test("bash completes options, their values and files", () => {
  expect(completed("fade", "--verb")).toEqual(["--verbose"]);
  expect(completed("fade", "--engine", "r")).toEqual(["reference"]);
  expect(completed("fade", "--engine", "=", "g")).toEqual(["gpu"]);
  expect(completed("fade", "--engine", "=")).toEqual(["auto", "gpu", "cpu", "reference"]);
  expect(completed("fade", "-d", "pack")).toContain("package.json");
  expect(completed("fade", "--output-dir-flat", "sr")).toEqual(["src"]);
  expect(completed("fade", "dev")).toEqual(["devices"]);
  for (const name of Object.keys(PROGRAM_NAMES)) expect(completionsFor("bash")).toContain(name);
});

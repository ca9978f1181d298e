/**
 * Golden command lines: one file per behaviour in cases/, read by eye and by this test.
 *
 *     # why this behaviour matters
 *     file NAME TEXT        a file that is there before ("" is empty; \n is a line end)
 *     hex NAME BYTES        the same, in hexadecimal
 *     dir NAME | link NAME TO | remove NAME | mode NAME OCTAL | time NAME SECONDS
 *     env NAME VALUE        a variable of the environment, for all runs
 *     typed LINE            what somebody types at a question
 *     stdin TEXT            what standard input gives
 *     terminal NAME...      which of stdin, stdout, stderr are terminals; dumb: without escape sequences
 *     $ fade ARGUMENTS      a run; "double quotes" keep a word together; also unfade, fadecat
 *     > LINE                expected on standard output
 *     ! LINE                expected on standard error
 *     exit CODE             expected exit code, 0 if not named
 *     has NAME TEXT         afterwards there is a file with this text
 *     exists NAME           afterwards there is a file
 *     lacks NAME            afterwards there is none
 *     is NAME OCTAL SECONDS afterwards it has this mode and time
 *     only NAME...          afterwards the directory holds these names and no others
 *
 * `> *` and `! *` accept any output.
 */
import { describe, expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Outcome, runFade, testInDirectory, type World } from "./harness.ts";

const CASES = join(import.meta.dir, "cases");

type Terminal = "stdin" | "stdout" | "stderr" | "dumb";

const plainText = (text: string) => (text === '""' ? "" : text.replaceAll("\\n", "\n"));

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

function modeAndTime(path: string): string {
  const { mode, mtimeMs } = statSync(path);
  return `${(mode & 0o7777).toString(8)} ${mtimeMs / 1000}`;
}

class Case {
  readonly #cwd: string;
  #stdin: Uint8Array | undefined;
  #terminals: Terminal[] = [];
  readonly #environment: Record<string, string> = {};
  #typed: string[] = [];
  #ran: { line: string; outcome: Outcome; stdout: string[]; stderr: string[]; exitCode: number } | undefined;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  async line(line: string): Promise<void> {
    const [verb = "", name = ""] = line.split(" ", 2);
    const rest = line.slice(verb.length + 1);
    const value = plainText(rest.slice(name.length + 1));
    const path = join(this.#cwd, name);
    if (verb === "" || verb === "#") return;
    if (this.#prepare(verb, path, value)) return;
    if (verb === "env") this.#environment[name] = value;
    else if (verb === "typed") this.#typed.push(rest);
    else if (verb === "stdin") this.#stdin = new TextEncoder().encode(plainText(rest));
    else if (verb === "terminal") this.#terminals = rest.split(" ") as Terminal[];
    else if (verb === "$") await this.#run(rest);
    else if (verb === ">") this.#ran?.stdout.push(rest);
    else if (verb === "!") this.#ran?.stderr.push(rest);
    else if (verb === "exit") this.#setExit(Number(rest));
    else this.#checkFiles(verb, name, value, rest);
  }

  /** Makes or changes a file; false if the verb is another. */
  #prepare(verb: string, path: string, value: string): boolean {
    if (verb === "file") writeFileSync(path, value);
    else if (verb === "hex") writeFileSync(path, Buffer.from(value.replaceAll(" ", ""), "hex"));
    else if (verb === "dir") mkdirSync(path);
    else if (verb === "link") symlinkSync(value, path);
    else if (verb === "remove") rmSync(path);
    else if (verb === "mode") chmodSync(path, Number.parseInt(value, 8));
    else if (verb === "time") utimesSync(path, Number(value), Number(value));
    else return false;
    return true;
  }

  finish(): void {
    const { line = "", outcome, stdout = [], stderr = [], exitCode } = this.#ran ?? {};
    if (!outcome) return;
    this.#ran = undefined;
    const said = {
      exitCode: outcome.exitCode,
      stdout: new TextDecoder().decode(outcome.stdout),
      stderr: outcome.stderr,
    };
    const wanted = {
      exitCode,
      stdout: stdout[0] === "*" ? said.stdout : stdout.map((text) => `${text}\n`).join(""),
      stderr: stderr[0] === "*" ? said.stderr : stderr.map((text) => `${text}\n`).join(""),
    };
    expect({ line, ...said }).toEqual({ line, ...wanted } as typeof said & { line: string });
  }

  async #run(line: string): Promise<void> {
    this.finish();
    const world: World = {
      cwd: this.#cwd,
      terminals: this.#terminals,
      environment: this.#environment,
      typed: this.#typed.splice(0),
      ...(this.#stdin && { stdin: this.#stdin }),
    };
    const [argv0 = "fade", ...argv] = words(line);
    const outcome = await runFade(argv, { ...world, argv0 });
    this.#ran = { line, outcome, stdout: [], stderr: [], exitCode: 0 };
  }

  #setExit(code: number): void {
    if (!this.#ran) throw new Error("exit before any run");
    this.#ran.exitCode = code;
  }

  #checkFiles(verb: string, name: string, value: string, rest: string): void {
    this.finish();
    const path = join(this.#cwd, name);
    if (verb === "has") expect(readFileSync(path, "utf8")).toBe(value);
    else if (verb === "exists") expect(existsSync(path)).toBe(true);
    else if (verb === "lacks") expect(existsSync(path)).toBe(false);
    else if (verb === "is") expect(modeAndTime(path)).toBe(value);
    else if (verb === "only") expect(readdirSync(this.#cwd).sort()).toEqual(words(rest).sort());
    else throw new Error(`what is "${verb}"?`);
  }
}

describe("golden command lines", () => {
  for (const file of readdirSync(CASES).sort()) {
    testInDirectory(file.replace(/\.txt$/, ""), async (cwd) => {
      const golden = new Case(cwd);
      for (const line of readFileSync(join(CASES, file), "utf8").split("\n")) await golden.line(line);
      golden.finish();
    });
  }
});

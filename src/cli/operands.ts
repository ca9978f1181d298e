/**
 * From the operands of the command line to the inputs of the run: adds what file lists name, and with -r or --train the
 * files in directories, in the order of their names, so that two runs do the same.
 */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { descriptorOf, STDIN } from "./descriptors.ts";
import { FileError, UsageError } from "./errors.ts";
import { STANDARD_INPUT } from "./input.ts";
import { hasArchiveSuffix } from "./names.ts";
import { fileOperand, type Operand } from "./normalise.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";
import { isTemporary } from "./temporary.ts";

/** All inputs. Lists and directories that cannot be read are complained about. @throws UsageError */
export async function inputsOf(session: Session): Promise<readonly Operand[]> {
  const { operands, fileLists, recursive, action } = session.settings;
  const named = [...operands];
  for (const list of fileLists) named.push(...(await readList(session, list)));
  if (fileLists.length > 0 && named.length === 0 && session.exitCode === 0) {
    throw new UsageError("the file list names no files", "it holds one file name a line");
  }
  const readers = named.filter((operand) => operand.isStandardInput).length + fileLists.filter(isStandardInput).length;
  if (readers > 1) throw new UsageError("standard input can be read only once");
  const all = operands.length === 0 && fileLists.length === 0 ? [STANDARD_INPUT] : named;
  // Samples lie in folders: nobody who names one means anything else.
  if (!recursive && action !== "train") return all;
  const found: Operand[] = [];
  for (const operand of all) found.push(...(await expand(session, operand)));
  if (found.length === 0 && session.exitCode === 0) session.say(SAYS.results, "fade: there are no files to work on");
  return found;
}

const isStandardInput = (list: string) => list === "-" || descriptorOf(list) === STDIN;

/** The names in a list: lines, or separated by NUL if there is one. */
async function readList(session: Session, list: string): Promise<Operand[]> {
  const { io } = session;
  try {
    const bytes = isStandardInput(list) ? await io.stdin.readAll() : await fs.readFile(resolve(io.cwd, list));
    const text = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
    const names = text.split(text.includes("\0") ? "\0" : /\r?\n/);
    return names.filter((name) => name !== "").map(fileOperand);
  } catch (error) {
    const isBadText = error instanceof TypeError;
    session.complain(
      isStandardInput(list) ? "standard input" : list,
      isBadText ? new FileError("is not a list in UTF-8") : error,
    );
    return [];
  }
}

/** An operand, or what is in it. Errors of anything but a directory's reading show when the file's turn comes. */
async function expand(session: Session, operand: Operand): Promise<Operand[]> {
  const { io } = session;
  // An empty name is not the current directory; it is complained about when its turn comes.
  if (operand.isStandardInput || operand.name === "") return [operand];
  const stats = await fs.stat(resolve(io.cwd, operand.name)).catch(() => undefined);
  if (!stats?.isDirectory()) return [operand];
  const files: string[] = [];
  await walk(session, operand.name, files);
  const made = files.filter((name) => !isTemporary(name));
  const { action } = session.settings;
  const compresses = action === "compress" || action === "train";
  const taken = made.filter((name) => hasArchiveSuffix(name) !== compresses);
  const leftOut = made.length - taken.length;
  if (leftOut > 0) session.say(SAYS.details, `${operand.name}: ${leftOut} ${compresses ? "" : "no "}archives left out`);
  const unfinished = files.length - made.length;
  if (unfinished > 0) session.say(SAYS.details, `${operand.name}: ${unfinished} unfinished outputs left out`);
  return taken.map((name) => ({ name, isStandardInput: false }));
}

async function walk(session: Session, directory: string, files: string[]): Promise<void> {
  try {
    const entries = await fs.readdir(resolve(session.io.cwd, directory), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = join(directory, entry.name);
      if (entry.isDirectory()) await walk(session, name, files);
      else if (entry.isFile()) files.push(name);
    }
  } catch (error) {
    session.complain(directory, error);
  }
}

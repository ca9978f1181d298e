/**
 * Walks the command line once and takes it apart as gzip and zstd users expect, before cac sees any of it.
 *
 * cac 7 cannot be trusted with such a command line: `-` vanishes and eats the next file, a file called 007 becomes the
 * number 7, -19 and -T4 are rejected or swallow their neighbour, --output=0010 becomes 10. So operands and values
 * never go through cac; it gets one `--name` per option, spelled out, and the command word.
 */
import { descriptorOf, STDIN } from "./descriptors.ts";
import { UsageError } from "./errors.ts";
import { findForeign } from "./foreign.ts";
import {
  COMMANDS,
  type CommandName,
  findLong,
  findShort,
  likelyName,
  type OptionSpec,
  type ValueKind,
} from "./options.ts";

/** One use of an option; their order matters, because the last of several modes or levels wins. */
export interface Occurrence {
  readonly name: string;
  readonly value?: string;
  /** As the user wrote it, for messages. */
  readonly written: string;
}

export interface NormalArguments {
  readonly command?: CommandName;
  readonly options: readonly Occurrence[];
  /** File names, exactly as given. `-` stands for standard input unless it came after `--`. */
  readonly operands: readonly Operand[];
}

export interface Operand {
  readonly name: string;
  readonly isStandardInput: boolean;
}

/** @param argv without the program's own name @throws UsageError */
export function normalise(argv: readonly string[]): NormalArguments {
  const options: Occurrence[] = [];
  const operands: Operand[] = [];
  let command: CommandName | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--") {
      operands.push(...argv.slice(at + 1).map(fileOperand));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      if (operands.length === 0 && command === undefined && isCommand(word)) command = word;
      else operands.push(word === "-" ? { name: word, isStandardInput: true } : fileOperand(word));
      continue;
    }
    const next: Next = (values) => {
      if (values && !values.includes(argv[at + 1] ?? "")) return undefined;
      at += 1;
      return argv[at];
    };
    if (word.startsWith("--")) options.push(...longOption(word, next));
    else options.push(...cluster(word, next));
  }
  return { ...(command && { command }), options, operands };
}

/** A name, behind which may be standard input: /dev/stdin, /dev/fd/0. */
export function fileOperand(name: string): Operand {
  return { name, isStandardInput: descriptorOf(name) === STDIN };
}

/** What cac may see: no value and no operand that it could change. */
export function wordsForCac({ command, options }: NormalArguments): string[] {
  const words = options.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=given`));
  return [...(command ? [command] : []), ...words];
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

/** Takes the next word; if values are named, only if it is one of them. */
type Next = (values?: readonly string[]) => string | undefined;

function longOption(word: string, next: Next): Occurrence[] {
  const equals = word.indexOf("=");
  const written = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const spec = findLong(written.slice(2));
  if (!spec) return foreignOption(written, attached, next);
  if (attached === undefined) {
    return [takesNext(spec) ? withValue(spec, written, next()) : { name: spec.name, written }];
  }
  if (!spec.value) throw new UsageError(`${written} takes no value`);
  return [withValue(spec, written, attached)];
}

/** An option that other compressors have, or nobody. */
function foreignOption(written: string, attached: string | undefined, next: Next): Occurrence[] {
  const name = written.replace(/^--?/, "");
  const foreign = findForeign(name);
  if (!foreign || foreign.instead !== undefined) {
    // A value pasted in a hurry can be megabytes; nobody misspells that.
    const likely = foreign || written.length > 40 || name.length < 2 ? undefined : likelyName(name);
    throw new UsageError(`there is no option ${written}`, foreign?.instead ?? (likely && `did you mean --${likely}?`));
  }
  if (attached !== undefined && !foreign.value) throw new UsageError(`${written} takes no value`);
  const value = attached ?? (foreign.value === "needed" || foreign.values ? next(foreign.values) : undefined);
  if (!foreign.means) return [];
  const spec = findLong(foreign.means.name);
  if (!spec) throw new Error(`${written} means an option that there is not`);
  return [withValue(spec, written, foreign.means.value ?? value)];
}

/** Whether the option, written without an attached value, takes the next word. */
function takesNext({ value }: OptionSpec): boolean {
  return value !== undefined && !value.isOptional;
}

function withValue(spec: OptionSpec, written: string, value: string | undefined): Occurrence {
  if (value === undefined || value === "") throw new UsageError(`${written} needs a value: ${spec.value?.label}`);
  return { name: spec.name, value, written };
}

/** How much of a word an attached value takes; all of it for the other kinds. */
const ATTACHED: Partial<Record<ValueKind, RegExp>> = { number: /^[0-9]+/, size: /^[0-9]+([KMG](i?B)?)?/i };

/** Short options in one word: -dkf, -9k, -T4, -ofile, -M512Mv. */
function cluster(word: string, next: Next): Occurrence[] {
  const found: Occurrence[] = [];
  let rest = word.slice(1);
  while (rest !== "") {
    const level = /^[0-9]+/.exec(rest)?.[0];
    if (level !== undefined) {
      found.push({ name: "level", value: level, written: `-${level}` });
      rest = rest.slice(level.length);
      continue;
    }
    const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    const written = `-${letter}`;
    rest = rest.slice(letter.length);
    if (letter === "H") {
      found.push({ name: "help", written: "--help" });
      continue;
    }
    const spec = findShort(letter);
    if (!spec) {
      const foreign = findForeign(letter);
      if (!foreign) throw new UsageError(`there is no option ${written}${word.length > 2 ? ` (in ${word})` : ""}`);
      const takesRest = (foreign.value === "needed" && rest !== "") || (foreign.values?.includes(rest) ?? false);
      found.push(...foreignOption(written, takesRest ? rest : undefined, next));
      if (takesRest) rest = "";
      continue;
    }
    if (!spec.value) {
      found.push({ name: spec.name, written });
      continue;
    }
    const digits = ATTACHED[spec.value.kind]?.exec(rest)?.[0];
    if (digits === undefined && !takesNext(spec)) {
      found.push({ name: spec.name, written });
      continue;
    }
    const value = digits ?? (rest === "" ? next() : rest);
    found.push(withValue(spec, written, value));
    rest = digits === undefined ? "" : rest.slice(digits.length);
  }
  return found;
}

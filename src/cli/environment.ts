/**
 * What comes from outside the command line's words: the name by which the program was called (unfade, fadecat) and the
 * defaults in FADE_… variables. Both become options in front of those that were written, so that the latter win.
 */
import { basename } from "node:path";
import type { NormalArguments, Occurrence } from "./normalise.ts";
import { OPTIONS } from "./options.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names for links to the program, and the options that they stand for. */
export const PROGRAM_NAMES: Readonly<Record<string, readonly string[]>> = {
  unfade: ["-d"],
  fadecat: ["-d", "-c"],
};

/** The options that the program's name stands for. @param argv0 as the parent process passed it */
export function wordsOfProgramName(argv0: string): readonly string[] {
  const name = basename(argv0).replace(/\.exe$/i, "");
  return Object.hasOwn(PROGRAM_NAMES, name) ? (PROGRAM_NAMES[name] ?? []) : [];
}

/** What works on no file, and explains the variables: a bad one must not keep it from doing so. */
export const INFORMATION: readonly string[] = ["help", "version", "man", "completions"];

/** Adds the defaults of the environment. An empty variable is none. */
export function withDefaults(args: NormalArguments, environment: Environment): NormalArguments {
  if (args.options.some(({ name }) => INFORMATION.includes(name))) return args;
  const engineIsWritten = args.options.some(({ name }) => name === "engine");
  const defaults = OPTIONS.flatMap(({ name, environment: variable }): Occurrence[] => {
    const value = variable === undefined ? undefined : environment[variable];
    if (variable === undefined || value === undefined || value === "") return [];
    // `FADE_ADAPTER=… fade --engine cpu` means the CPU.
    if (name === "adapter" && engineIsWritten) return [];
    return [{ name, value, written: variable }];
  });
  return { ...args, options: [...defaults, ...args.options] };
}

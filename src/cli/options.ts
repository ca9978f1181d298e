/**
 * The one table of options. The normaliser, cac, the help text and (later) completions and the manual page are all
 * made from it, so an option is added here and nowhere else.
 */

/** How an option's value is read. Paths are kept byte for byte; the others are checked in settings.ts. */
export type ValueKind = "path" | "word" | "number";

export interface OptionSpec {
  /** The long name that identifies the option. */
  readonly name: string;
  readonly short?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  readonly value?: { readonly kind: ValueKind; readonly label: string };
  readonly help: string;
  /** Shown by -h, too; --help shows all. */
  readonly common?: boolean;
  /** Understood, but not yet there: naming it is an error that says so. */
  readonly planned?: boolean;
}

export const OPTIONS: readonly OptionSpec[] = [
  { name: "compress", short: "z", help: "compress (the default): writes FILE.fade and keeps FILE" },
  { name: "decompress", short: "d", aliases: ["uncompress"], help: "decompress FILE.fade to FILE", common: true },
  { name: "test", short: "t", help: "decompress, compare the checksums, write nothing", common: true },
  { name: "list", short: "l", help: "show what archives hold", common: true },
  { name: "stdout", short: "c", aliases: ["to-stdout"], help: "write to standard output", common: true },
  {
    name: "output",
    short: "o",
    value: { kind: "path", label: "<file>" },
    help: "write to this file (- is standard output)",
    common: true,
  },
  { name: "force", short: "f", help: "overwrite files, and use terminals for archives", common: true },
  { name: "keep", short: "k", help: "keep the source files (the default)" },
  { name: "rm", help: "remove the source files once the output is verified (not in this version)", planned: true },
  {
    name: "level",
    value: { kind: "number", label: "<1-9>" },
    help: "as -1 (fast) to -9 (small); default 5",
    common: true,
  },
  { name: "preset", value: { kind: "word", label: "<name>" }, help: "a model by name: paper (FADE as published)" },
  { name: "streams", value: { kind: "number", label: "<n>" }, help: "parallel streams; default: by the input's size" },
  {
    name: "threads",
    short: "T",
    value: { kind: "number", label: "<n>" },
    help: "threads on the CPU, 0 for all (the default)",
    common: true,
  },
  {
    name: "engine",
    value: { kind: "word", label: "<name>" },
    help: "auto, gpu, cpu or reference; archives are the same",
    common: true,
  },
  { name: "adapter", value: { kind: "word", label: "<name>" }, help: "the GPU whose name contains this" },
  { name: "json", help: "with --list or --test: one JSON object per line" },
  { name: "progress", help: "show progress even if standard error is no terminal" },
  { name: "no-progress", help: "never show progress" },
  { name: "quiet", short: "q", help: "say less; twice: say nothing", common: true },
  { name: "verbose", short: "v", help: "say more", common: true },
  { name: "version", short: "V", help: "show the version", common: true },
  { name: "help", short: "h", aliases: ["long-help"], help: "show this; --help shows all options", common: true },
];

/** Words that are commands when they are the first operand; a file of that name is ./devices. */
export const COMMANDS = {
  devices: "list the engines and GPUs of this machine",
} as const;

export type CommandName = keyof typeof COMMANDS;

const byName = new Map<string, OptionSpec>();
for (const spec of OPTIONS) for (const name of [spec.name, ...(spec.aliases ?? [])]) byName.set(name, spec);
const byShort = new Map(OPTIONS.flatMap((spec) => (spec.short ? [[spec.short, spec] as const] : [])));

export function findLong(name: string): OptionSpec | undefined {
  return byName.get(name);
}

export function findShort(letter: string): OptionSpec | undefined {
  return byShort.get(letter);
}

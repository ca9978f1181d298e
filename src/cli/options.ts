/**
 * The one table of options. The normaliser, cac, the help text, the manual page, the completions and the defaults from
 * the environment are all made from it, so an option is added here and nowhere else.
 */
import { PRESETS } from "../library/work.ts";

/** How an option's value is read. Paths are kept byte for byte; the others are checked in settings.ts. */
export type ValueKind = "path" | "directory" | "word" | "number" | "size";

export interface OptionSpec {
  /** The long name that identifies the option. */
  readonly name: string;
  readonly short?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  readonly value?: {
    readonly kind: ValueKind;
    readonly label: string;
    /** It may be left out, and is given attached only: -b, -b5, --bench, --bench=5. */
    readonly isOptional?: boolean;
    /** All values that there are, for completion. */
    readonly choices?: readonly string[];
  };
  readonly help: string;
  /** What the manual page says beyond that: whole sentences. */
  readonly details?: string;
  /** The environment variable that gives a default. */
  readonly environment?: string;
  /** Shown by -h, too; --help shows all. */
  readonly common?: boolean;
  /** Understood, but not yet there: naming it is an error that says so. */
  readonly planned?: boolean;
}

const MODES: readonly OptionSpec[] = [
  { name: "compress", short: "z", help: "compress (the default): writes FILE.fade and keeps FILE" },
  { name: "decompress", short: "d", aliases: ["uncompress"], help: "decompress FILE.fade to FILE", common: true },
  { name: "test", short: "t", help: "decompress, compare the checksums, write nothing", common: true },
  {
    name: "list",
    short: "l",
    help: "show what archives hold",
    common: true,
    details: "With -v, all about each frame.",
  },
];

const OUTPUTS: readonly OptionSpec[] = [
  { name: "stdout", short: "c", aliases: ["to-stdout"], help: "write to standard output", common: true },
  {
    name: "output",
    short: "o",
    value: { kind: "path", label: "<file>" },
    help: "write to this file (- is standard output)",
    common: true,
  },
  {
    name: "force",
    short: "f",
    help: "overwrite files, and use terminals for archives",
    common: true,
    details:
      "A link, pipe or device that has the output's name is replaced by a file; what is behind it stays as it is. " +
      "Without -f they are refused, unless -o names them: then pipes, devices and /dev/fd/N are written in place.",
  },
  { name: "keep", short: "k", help: "keep the source files (the default)" },
  {
    name: "rm",
    help: "remove each source file once its output is verified",
    details:
      "Implies --verify. A source that changed meanwhile is kept. Where no file becomes a file (-c, standard input, " +
      "a pipe or device as output), --rm is ignored; -v says so. " +
      "The last of -k and --rm wins.",
  },
  {
    name: "verify",
    help: "decode each archive again before it gets its name",
    details: "What was written is read back and decoded, which takes as long as decompressing it.",
  },
  {
    name: "output-dir-flat",
    value: { kind: "directory", label: "<dir>" },
    help: "write all outputs into this directory",
    details: "It is made if it does not exist. Two inputs that would get the same name there are an error.",
  },
  {
    name: "output-dir-mirror",
    value: { kind: "directory", label: "<dir>" },
    help: "write outputs into the same folders below this directory",
    details: "A leading / is dropped; names with .. are refused.",
  },
  {
    name: "sparse",
    help: "leave holes for zeros in restored files (the default for files)",
    details: "Blocks of 4 KiB that hold only zeros take no space on the disk.",
  },
  { name: "no-sparse", help: "write all zeros" },
];

const INPUTS: readonly OptionSpec[] = [
  {
    name: "recursive",
    short: "r",
    help: "take the files in directories, too",
    details:
      "Symbolic links in directories are left out, and when compressing the archives; otherwise everything but them. " +
      "So are files named .NAME.N.fade-tmp, which are outputs in the making.",
  },
  {
    name: "filelist",
    value: { kind: "path", label: "<file>" },
    help: "take the files that this file names, one a line",
    details: "Names may be separated by NUL bytes instead (find -print0). - reads the list from standard input.",
  },
];

const MODEL: readonly OptionSpec[] = [
  {
    name: "level",
    value: { kind: "number", label: "<1-9>", choices: ["1", "2", "3", "4", "5", "6", "7", "8", "9"] },
    help: "as -1 (fast) to -9 (small); default 5",
    environment: "FADE_LEVEL",
    common: true,
  },
  {
    name: "preset",
    value: { kind: "word", label: "<name>", choices: PRESETS },
    help: "a neural network instead of a mixer: network-1 to network-9, or paper (FADE as published)",
    details: "Networks are what a GPU is for. On a CPU, levels are smaller in less time.",
  },
  {
    name: "block-size",
    short: "B",
    value: { kind: "size", label: "<size>" },
    help: "plain bytes in a block, which bound the memory; default: by level",
  },
  {
    name: "streams",
    value: { kind: "number", label: "<n>" },
    help: "parallel streams, or lanes of a mixer; default: by the input's size",
  },
  {
    name: "repeats",
    value: { kind: "number", label: "<n>" },
    help: "cut out repeats of n bytes or more (0: none); default: those that pay",
    details: "Repeats in the block or shortly before it are replaced by copies, which neither cost nor take time.",
  },
  {
    name: "shard",
    value: { kind: "word", label: "<i/n>" },
    help: "compress the i-th of n parts; cat joins the archives",
  },
];

const PRIORS: readonly OptionSpec[] = [
  {
    name: "prior",
    short: "D",
    aliases: ["dict"],
    value: { kind: "path", label: "<file>" },
    help: "begin with this prior, both ways; any other file is taken as its bytes",
    details:
      "Small files that are like the samples of a prior become much smaller. To restore them takes the same prior; " +
      "--list says which. Of a file that is no prior, the last 4 MiB are what the model begins with. " +
      "A prior has a mixer of its own, so beside it a level only says which repeats are cut out. To restore joined " +
      "archives, give -D for each of their priors. Without -D, files begin with a prior that the program " +
      "carries, if one of them suits.",
  },
  {
    name: "no-prior",
    help: "begin with nothing: files take no prior that the program carries",
    details: "They become larger, and any program that knows the format can restore them without fade's priors.",
  },
  {
    name: "patch-from",
    value: { kind: "path", label: "<file>" },
    help: "say only what is new beside this older file, which restoring needs, too",
    details:
      "Copies reach into all of the older file, and the model goes through its last 256 KiB before it begins. It " +
      "must fit into the memory, several times.",
  },
  {
    name: "train",
    help: "make a prior of samples (files, folders): -o names it (default: dictionary)",
    details:
      "Eight samples or more, 128 KiB of each at most; a level says which mixer the prior is for. A tenth of the " +
      "samples, at least one, is held back, to say what the prior gains.",
  },
  {
    name: "maxdict",
    value: { kind: "size", label: "<size>" },
    help: "with --train: bytes that the prior may have; default: 110K",
  },
  ...["train-cover", "train-fastcover", "train-legacy"].map((name) => ({
    name,
    value: { kind: "word" as const, label: "[options]", isOptional: true },
    help: "zstd's other ways to train, of which fade has one: --train",
    planned: true,
  })),
];

const MACHINE: readonly OptionSpec[] = [
  {
    name: "threads",
    short: "T",
    value: { kind: "number", label: "<n>" },
    help: "threads on the CPU, 0 for all (the default)",
    environment: "FADE_THREADS",
    common: true,
  },
  {
    name: "memory",
    short: "M",
    value: { kind: "size", label: "<size>" },
    help: "refuse what needs more memory; default: 80% of the machine's",
    details: "Estimated before anything is allocated, to about a factor of two; the program itself comes on top.",
    environment: "FADE_MEMORY",
  },
  {
    name: "max-output",
    value: { kind: "size", label: "<size>" },
    help: "refuse archives that hold more bytes than this",
    details:
      "For who decodes what others send: a few bytes may hold gigabytes. Counted over all frames of a file, as soon " +
      "as headers and blocks name their lengths; for files before anything is written. The default is no limit.",
    environment: "FADE_MAX_OUTPUT",
  },
  {
    name: "max-time",
    value: { kind: "number", label: "<seconds>" },
    help: "refuse archives whose decoding would take longer",
    details:
      "An estimate for this machine's CPU and the threads in use, made from headers and blocks before they are " +
      "decoded; for files, before any is. A GPU may be faster. The default is no limit.",
    environment: "FADE_MAX_TIME",
  },
  {
    name: "engine",
    value: { kind: "word", label: "<name>", choices: ["auto", "gpu", "cpu", "reference"] },
    help: "auto, gpu, cpu or reference; archives are the same",
    environment: "FADE_ENGINE",
    common: true,
  },
  {
    name: "adapter",
    value: { kind: "word", label: "<name>" },
    help: "the GPU whose name contains this",
    environment: "FADE_ADAPTER",
  },
  {
    name: "no-check",
    help: "decompress without comparing checksums",
    details:
      "Bytes that are not what was compressed come out, too. Damage to headers and coded data is still an error.",
  },
];

const TALK: readonly OptionSpec[] = [
  { name: "json", help: "with --list, --test, --train or bench: one JSON object per line" },
  {
    name: "progress",
    help: "show progress even if standard error is no terminal",
    details: "There, and where TERM is dumb, it is a line every five seconds instead of one that is redrawn.",
  },
  { name: "no-progress", help: "never show progress" },
  { name: "quiet", short: "q", help: "say less; twice: say nothing", common: true },
  { name: "verbose", short: "v", help: "say more", common: true },
  {
    name: "completions",
    value: { kind: "word", label: "<shell>", choices: ["bash", "zsh", "fish"] },
    help: "print completions for bash, zsh or fish",
  },
  { name: "man", help: "print the manual page: fade --man | man -l -" },
  { name: "version", short: "V", help: "show the version", common: true },
  { name: "help", short: "h", aliases: ["long-help"], help: "show this; --help shows all options", common: true },
];

const BENCHMARKS: readonly OptionSpec[] = [
  {
    name: "bench",
    short: "b",
    value: { kind: "number", label: "[level]", isOptional: true },
    help: "compare on files, from this level; the same as fade bench",
  },
  { name: "bench-end", short: "e", value: { kind: "number", label: "<level>" }, help: "up to this level: -b1 -e5" },
  {
    name: "bench-seconds",
    short: "i",
    value: { kind: "number", label: "<n>" },
    help: "repeat each measurement for so long; the fastest counts",
    details: "Default: a tenth of a second, so that only what is quick is repeated.",
  },
  {
    name: "levels",
    value: { kind: "word", label: "<list>" },
    help: "levels to compare, as 1,5 or 1-5, and presets",
    details:
      "-1 -5 does the same. --engine takes a list, too, as cpu,gpu. With gpu, or of kernels, a level is that network.",
  },
  {
    name: "against",
    value: { kind: "word", label: "<list>" },
    help: "other compressors to compare: all (the default), none, or names",
    details:
      "The names are zstd, xz, brotli, bzip2, 7z, zpaq, and runtime for gzip, brotli and zstd out of the runtime.",
  },
  {
    name: "filter",
    value: { kind: "word", label: "<text>" },
    help: "fade bench kernels: only those whose name contains this",
  },
  {
    name: "plan",
    help: "fade bench kernels: count what a GPU would do; nothing runs",
    details:
      "Of each kernel: workgroups, the share of invocations that have something to do, iterations that one goes " +
      "through, bytes. By default for 488, 1952 and 4096 streams, or 132, 528 and 1056 lanes.",
  },
  { name: "limit", value: { kind: "size", label: "<size>" }, help: "take only the first bytes of each file" },
  {
    name: "curve",
    help: "show bits per byte over the course of each file, too",
    details: "With --json they are always there.",
  },
];

/** In sections, as the manual page has them. */
export const OPTION_SECTIONS: readonly (readonly [title: string, options: readonly OptionSpec[]])[] = [
  ["What to do", MODES],
  ["Where results go", OUTPUTS],
  ["What is read", INPUTS],
  ["The model", MODEL],
  ["Priors", PRIORS],
  ["The machine", MACHINE],
  ["Benchmarks", BENCHMARKS],
  ["What is said", TALK],
];

export const OPTIONS: readonly OptionSpec[] = OPTION_SECTIONS.flatMap(([, options]) => options);

/** Words that are commands when they are the first operand; a file of that name is ./devices. */
export const COMMANDS = {
  bench: "compare levels, engines and compressors on files; also: bench kernels, bench report",
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

/** The long name that somebody may have meant: the same to within two letters, or the only one that starts so. */
export function likelyName(written: string): string | undefined {
  const names = [...byName.keys()];
  const starting = names.filter((name) => name.startsWith(written));
  if (starting.length === 1) return starting[0];
  const near = names.map((name) => ({ name, distance: editDistance(name, written) }));
  const best = near.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= 2 && best.distance < written.length - 1 ? best.name : undefined;
}

/** Letters to put in, take out or replace to make `a` of `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

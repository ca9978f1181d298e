/**
 * From the normalised command line to what the program is asked to do: values are read and checked here, and
 * contradictions refused, so that nothing behind this file has to doubt its settings.
 */
import { availableParallelism } from "node:os";
import { hasNetwork } from "../contract/hyper.ts";
import { PRIOR_CONTENT_BYTES_MAX } from "../contract/prior.ts";
import type { EngineName } from "../engine/engine.ts";
import {
  BLOCK_BYTES_MIN,
  type ModelChoice,
  modelOfLevel,
  modelOfPreset,
  REPEATS_MAX,
  repeatsFor,
  STREAMS_MAX,
  THREADS_MAX,
  type WorkSettings,
} from "../library/work.ts";
import { PRIOR_BYTES_MIN } from "../prior/make.ts";
import { COPY_BYTES_MIN } from "../repeats/copies.ts";
import { descriptorOf, STDOUT } from "./descriptors.ts";
import { refuseUndecodable, UsageError } from "./errors.ts";
import type { NormalArguments, Occurrence, Operand } from "./normalise.ts";
import { findLong } from "./options.ts";

type Mode = "compress" | "decompress" | "test" | "list";
type Action = Mode | "train" | "bench" | "devices" | "version" | "help" | "short-help" | "man" | "completions";

/** How much is said: 0 nothing, 1 errors, 2 results and progress, 3 details. */
export const SAYS = { nothing: 0, errors: 1, results: 2, details: 3 } as const;

export interface Settings extends WorkSettings {
  readonly action: Action;
  readonly operands: readonly Operand[];
  /** As given; "-" was turned into toStdout. */
  readonly output?: string;
  readonly toStdout: boolean;
  /** -c was given, which also allows archives on a terminal. */
  readonly explicitStdout: boolean;
  readonly force: boolean;
  /** Remove each source when its output is verified. */
  readonly removeSource: boolean;
  /** Decode what was written before it gets its name. */
  readonly verify: boolean;
  /** Compare checksums; only decoding can do without. */
  readonly checks: boolean;
  /** Holes for zeros; undefined: in restored files. */
  readonly sparse?: boolean;
  readonly recursive: boolean;
  /** Files with names of inputs; "-" is standard input. */
  readonly fileLists: readonly string[];
  /** Where outputs go instead of beside their inputs. */
  readonly outputDirectory?: { readonly path: string; readonly mirror: boolean };
  /** The shell to complete for. */
  readonly shell?: string;
  readonly verbosity: number;
  readonly json: boolean;
  /** undefined: only on a terminal. */
  readonly progress?: boolean;
  /** Files of priors: archives begin with the last; of all, joined ones take what they name. */
  readonly priors: readonly string[];
  /** The older file that a patch is made for, or belongs to. */
  readonly patchFrom?: string;
  /** With --train: bytes of the prior, at most. */
  readonly priorBytesMax: number;
  /** Which part of the input to compress; `index` counts from 1. */
  readonly shard?: Shard;
  readonly engine: "auto" | EngineName;
  readonly adapter?: string;
}

export interface Shard {
  readonly index: number;
  readonly count: number;
}

const MODES: readonly string[] = ["compress", "decompress", "test", "list", "train"];
/** As zstd's. */
const PRIOR_BYTES_DEFAULT = 112_640;
const SHARDS_MAX = 100_000;
const SECONDS_MAX = 999_999_999;

/** The options of a command line, by name. */
class Given {
  constructor(readonly options: readonly Occurrence[]) {}

  has(name: string): boolean {
    return this.options.some((option) => option.name === name);
  }

  count(name: string): number {
    return this.options.filter((option) => option.name === name).length;
  }

  last(...names: string[]): Occurrence | undefined {
    return this.options.findLast((option) => names.includes(option.name));
  }

  value(name: string): string | undefined {
    return this.last(name)?.value;
  }

  /** For an option and its opposite: what was said last; undefined if neither was. */
  isOn(name: string, opposite: string): boolean | undefined {
    const said = this.last(name, opposite)?.name;
    return said === undefined ? undefined : said === name;
  }
}

/** @throws UsageError */
export function settingsOf(args: NormalArguments): Settings {
  const given = new Given(args.options);
  for (const { name, written } of args.options) {
    if (name.startsWith("train-")) throw new UsageError(`${written} is zstd's: fade trains in one way`, TRAIN_HINT);
    if (findLong(name)?.planned) throw new UsageError(`${written} is not in this version of fade yet`, PLANNED_HINT);
  }
  const model = modelOf(given.last("level", "preset"));
  const streamCount = numberOf(given.last("streams"), 1, STREAMS_MAX) ?? model.streams;
  const repeats = repeatsFor(shortestRepeat(given.last("repeats")), model.repeats);
  const threads = numberOf(given.last("threads"), 0, THREADS_MAX) ?? 0;
  const adapter = given.value("adapter");
  const settings: Settings = {
    action: actionOf(args),
    operands: args.operands,
    recursive: given.has("recursive"),
    fileLists: args.options.flatMap(({ name, value }) => (name === "filelist" && value ? [value] : [])),
    ...outputsOf(given),
    ...talkOf(given),
    level: model.level,
    ...(streamCount !== undefined && { streams: streamCount }),
    ...(repeats && { repeats }),
    ...limitsOf(given),
    ...priorsOf(given),
    threads: threads === 0 ? availableParallelism() : threads,
    engine: choiceOf(given.last("engine"), "auto") as "auto" | EngineName,
    ...(adapter !== undefined && { adapter }),
  };
  refuseContradictions(settings, given);
  return settings;
}

const TRAIN_HINT = "use --train, which takes no parameters";
const PLANNED_HINT = "fade --help lists the options that work";

function outputsOf(given: Given) {
  const output = given.value("output");
  const directory = given.last("output-dir-flat", "output-dir-mirror");
  const toStdout = given.has("stdout") || isStandardOutput(output);
  const removeSource = given.isOn("rm", "keep") ?? false;
  const sparse = given.isOn("sparse", "no-sparse");
  return {
    ...(output !== undefined && !isStandardOutput(output) && { output }),
    toStdout,
    explicitStdout: given.has("stdout"),
    force: given.has("force"),
    removeSource,
    verify: removeSource || given.has("verify"),
    checks: !given.has("no-check"),
    ...(sparse !== undefined && { sparse }),
    ...(directory?.value !== undefined && {
      outputDirectory: { path: directory.value, mirror: directory.name === "output-dir-mirror" },
    }),
  };
}

const isStandardOutput = (name = "") => name === "-" || descriptorOf(name) === STDOUT;

function talkOf(given: Given) {
  const progress = given.isOn("progress", "no-progress");
  const shell = given.last("completions");
  return {
    verbosity: Math.max(SAYS.nothing, SAYS.results + given.count("verbose") - given.count("quiet")),
    json: given.has("json"),
    ...(progress !== undefined && { progress }),
    ...(shell && { shell: choiceOf(shell, "") }),
  };
}

function priorsOf(given: Given) {
  const priors = given.options.flatMap(({ name, value }) => (name === "prior" && value ? [value] : []));
  const priorBytesMax = sizeOf(given.last("maxdict"), PRIOR_BYTES_MIN) ?? PRIOR_BYTES_DEFAULT;
  if (priorBytesMax > PRIOR_CONTENT_BYTES_MAX) {
    throw new UsageError(`--maxdict may be at most ${PRIOR_CONTENT_BYTES_MAX} bytes`, "larger priors take too long");
  }
  const patchFrom = given.value("patch-from");
  const isWithout = given.has("no-prior");
  return {
    priorBytesMax,
    priors,
    ...(isWithout && { builtInPrior: false }),
    ...(patchFrom !== undefined && { patchFrom }),
  };
}

function limitsOf(given: Given) {
  const blockBytes = sizeOf(given.last("block-size"), BLOCK_BYTES_MIN);
  const memoryBytesMax = sizeOf(given.last("memory"), 0);
  const outputBytesMax = sizeOf(given.last("max-output"), 0);
  const secondsMax = numberOf(given.last("max-time"), 1, SECONDS_MAX);
  const shard = shardOf(given.last("shard"));
  return {
    ...(blockBytes !== undefined && { blockBytes }),
    ...(memoryBytesMax !== undefined && { memoryBytesMax }),
    ...(outputBytesMax !== undefined && { outputBytesMax }),
    ...(secondsMax !== undefined && { secondsMax }),
    ...(shard && { shard }),
  };
}

function actionOf({ command, options }: NormalArguments): Action {
  const help = options.find((option) => option.name === "help");
  if (help) return help.written === "-h" ? "short-help" : "help";
  const asked = options.find(({ name }) => name === "version" || name === "man" || name === "completions");
  if (asked) return asked.name as "version" | "man" | "completions";
  if (command) return command;
  return (options.findLast((option) => MODES.includes(option.name))?.name ?? "compress") as Mode | "train";
}

function modelOf(choice: Occurrence | undefined): ModelChoice {
  if (!choice) return modelOfLevel();
  if (choice.name !== "level") return modelOfPreset(choiceOf(choice, ""));
  const hint =
    choice.value === "0" || /^[0-9]{2,}$/.test(choice.value ?? "") ? "levels are -1 (fast) to -9 (small)" : undefined;
  return modelOfLevel(integer(choice.written, choice.value, 1, 9, hint));
}

/** @returns undefined without a choice */
function shortestRepeat(choice: Occurrence | undefined): number | undefined {
  if (!choice || choice.value === "0") return choice && 0;
  return integer(choice.written, choice.value, COPY_BYTES_MIN, REPEATS_MAX);
}

/** A value out of those that options.ts names. */
function choiceOf(option: Occurrence | undefined, fallback: string): string {
  if (option?.value === undefined) return fallback;
  const choices = findLong(option.name)?.value?.choices ?? [];
  if (choices.includes(option.value)) return option.value;
  const what = { engine: "engine", preset: "preset", completions: "completion for" }[option.name] ?? "value";
  throw new UsageError(`there is no ${what} ${option.value}`, `there is: ${choices.join(", ")}`);
}

function numberOf(option: Occurrence | undefined, low: number, high: number): number | undefined {
  return option && integer(option.written, option.value, low, high);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** 4096, 64K, 64KB, 64KiB, 2G: powers of 1024 all of them, as in zstd. */
export function sizeOf(option: Occurrence | undefined, low: number): number | undefined {
  if (!option) return undefined;
  const [, digits, unit = ""] = /^([0-9]{1,15})(?:([KMG])(?:i?B)?)?$/i.exec(option.value ?? "") ?? [];
  const bytes = digits === undefined ? Number.NaN : Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
  if (Number.isSafeInteger(bytes) && bytes >= low) return bytes;
  if (bytes < low) throw new UsageError(`${option.written} must be at least ${low} bytes`, SIZE_HINT);
  const isTooLarge = bytes > Number.MAX_SAFE_INTEGER;
  throw new UsageError(
    `${option.written} must be a size, not ${option.value}`,
    isTooLarge ? TOO_LARGE_HINT : SIZE_HINT,
  );
}

const SIZE_HINT = "sizes are whole numbers of bytes, or like 64K, 64M, 2G (KiB, MiB, GiB)";
const TOO_LARGE_HINT = "no machine has that much";

function shardOf(option: Occurrence | undefined): Shard | undefined {
  if (!option) return undefined;
  const [, index = 0, count = 0] = (/^([0-9]{1,6})\/([0-9]{1,6})$/.exec(option.value ?? "") ?? []).map(Number);
  if (index >= 1 && index <= count && count <= SHARDS_MAX) return { index, count };
  throw new UsageError(
    `${option.written} must be a part and a number of parts, not ${option.value}`,
    "as in 1/4 to 4/4",
  );
}

export function integer(written: string, value: string | undefined, low: number, high: number, hint?: string): number {
  const number = /^[0-9]{1,9}$/.test(value ?? "") ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new UsageError(
    `${written} must be a number from ${low} to ${high}${/^-\d/.test(written) ? "" : `, not ${value}`}`,
    hint,
  );
}

function refuseContradictions(settings: Settings, given: Given): void {
  const { action, operands, toStdout, json, fileLists } = settings;
  const writes = action === "compress" || action === "decompress";
  refusePriors(settings, given);
  if (writes || given.has("output")) refuseOutputs(settings, given);
  if (json && writes) throw new UsageError("--json goes with --list and --test");
  if (!settings.checks && (action === "compress" || action === "test")) {
    throw new UsageError("--no-check goes with --decompress", "checksums are the point of everything else");
  }
  // To standard output nothing is removed; an alias with --rm must not break pipes.
  if (settings.removeSource && writes && !toStdout) {
    if (settings.shard) throw new UsageError("--rm would remove all shards with one", "remove the source yourself");
    if (!settings.checks) throw new UsageError("--rm and --no-check contradict each other", "use one of them");
  }
  if (settings.shard) refuseShard(settings);
  if (given.has("verify") && action === "compress" && toStdout) {
    throw new UsageError("--verify needs an output file", "write to a file, or test the archive with fade -t");
  }
  if (action === "devices" && operands.length > 0) {
    throw new UsageError("devices takes no files", "a file called devices is ./devices");
  }
  const standardInputs = operands.filter((operand) => operand.isStandardInput).length;
  if (standardInputs + fileLists.filter((name) => name === "-").length > 1) {
    throw new UsageError("standard input can be read only once");
  }
}

/** They say how archives are written, and training writes none. */
const NOT_FOR_TRAINING = [
  ...["rm", "verify", "shard", "block-size", "streams", "repeats", "sparse", "no-sparse", "no-check", "no-prior"],
  ...["output-dir-flat", "output-dir-mirror", "max-output", "max-time"],
];

function refusePriors({ action, priors, patchFrom, ...others }: Settings, given: Given): void {
  const { level, output, toStdout } = others;
  if (priors.length > 0 && patchFrom !== undefined && action === "compress") {
    throw new UsageError("-D and --patch-from contradict each other", "use one of them");
  }
  if (given.has("no-prior") && (priors.length > 0 || patchFrom !== undefined)) {
    const written = priors.length > 0 ? "-D" : "--patch-from";
    throw new UsageError(`${written} and --no-prior contradict each other`, "use one of them");
  }
  if (given.has("no-prior") && !["compress", "bench", "train"].includes(action)) {
    throw new UsageError("--no-prior goes with compression", "archives say what they begin with");
  }
  if (given.has("maxdict") && action !== "train") throw new UsageError("--maxdict goes with --train");
  if (action === "train") {
    if (priors.length > 0 || patchFrom !== undefined) {
      const written = priors.length > 0 ? "-D" : "--patch-from";
      throw new UsageError("--train makes a prior, and begins with none", `leave out ${written}`);
    }
    const idle = given.last(...NOT_FOR_TRAINING)?.written;
    if (idle !== undefined) throw new UsageError(`${idle} does not go with --train`, `leave out ${idle}`);
    if (toStdout) throw new UsageError("--train writes a file", "name it with -o");
    refuseUndecodable(output);
  }
  if (patchFrom !== undefined && action === "compress" && others.repeats === undefined) {
    throw new UsageError("a patch is made of copies, and --repeats 0 wants none", "leave out --repeats");
  }
  if (priors.length === 0 && patchFrom === undefined && action !== "train") return;
  if (action !== "list" && hasNetwork(level.shape)) {
    throw new UsageError("a prior is for a level, not for a network", "leave out --preset");
  }
}

function refuseShard({ action, operands, fileLists }: Settings): void {
  if (action === "decompress" || action === "test" || action === "list") {
    throw new UsageError(`--shard goes with compression, not with --${action}`);
  }
  const readsStandardInput = action === "compress" && operands.length === 0 && fileLists.length === 0;
  if (readsStandardInput || operands.some((operand) => operand.isStandardInput)) {
    throw new UsageError("--shard needs a file, which can be read from its middle", "save standard input to a file");
  }
}

function refuseOutputs(
  { action, operands, output, toStdout, outputDirectory, ...others }: Settings,
  given: Given,
): void {
  refuseUndecodable(output);
  refuseUndecodable(outputDirectory?.path);
  if (output !== undefined && toStdout) throw new UsageError("-c and -o contradict each other", "use one of them");
  if (given.has("output") && (action === "test" || action === "list"))
    throw new UsageError(`--${action} writes no output file`);
  const isOne = operands.length <= 1 && !others.recursive && others.fileLists.length === 0;
  if (output !== undefined && !isOne && action !== "train") {
    throw new UsageError("-o takes one input file", "use -c and redirect the output to join several");
  }
  if (outputDirectory && (output !== undefined || toStdout)) {
    throw new UsageError(`-${toStdout ? "c" : "o"} and an output directory contradict each other`, "use one of them");
  }
}

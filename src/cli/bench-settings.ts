/**
 * The command line of benchmarks. They take lists where everything else takes one value (`-1 -5`, `--engine cpu,gpu`),
 * so their options are taken out here, and each combination becomes settings as if it had been asked for alone.
 */
import { COMPETITOR_NAMES } from "../bench/competitors.ts";
import { PRESETS } from "../library/work.ts";
import { INFORMATION } from "./environment.ts";
import { UsageError } from "./errors.ts";
import type { NormalArguments, Occurrence, Operand } from "./normalise.ts";
import { findLong, OPTION_SECTIONS } from "./options.ts";
import { integer, type Settings, settingsOf, sizeOf } from "./settings.ts";

const BENCH_SUBJECTS = ["files", "kernels", "report"] as const;
type BenchSubject = (typeof BENCH_SUBJECTS)[number];

export interface BenchSettings {
  readonly subject: BenchSubject;
  readonly operands: readonly Operand[];
  /** The combinations of levels and engines. */
  readonly contestants: readonly BenchContestant[];
  /** Out of COMPETITOR_NAMES. */
  readonly against: readonly string[];
  readonly secondsMin: number;
  readonly limitBytes?: number;
  readonly json: boolean;
  readonly wantsCurve: boolean;
  /** Of kernels' names. */
  readonly filter?: string;
  /** What kernels would do on a GPU is counted, and nothing is run. */
  readonly wantsPlan: boolean;
  /** Of a report; undefined for standard output. */
  readonly output?: string;
  readonly force: boolean;
  /** What every combination has in common, as compression has it. */
  readonly common: Settings;
}

export interface BenchContestant {
  /** "-5" or "--preset paper". */
  readonly setting: string;
  readonly engine: string;
  readonly settings: Settings;
  /** A command line that gives these settings. */
  readonly words: readonly string[];
}

/** Options that mean something only to benchmarks. */
const OWN = ["bench", "bench-end", "bench-seconds", "levels", "against", "limit", "curve", "filter", "plan"];
const CHOICES = ["level", "preset", "engine", "adapter", "json"];
/** Of the model and the machine, what makes no sense here: parts of a file, and trust in wrong checksums. */
const SENSELESS = ["shard", "no-check"];
/** Options that are handed on: all else that changes how files are compressed, so that it can be measured. */
const COMMON = [
  ...OPTION_SECTIONS.filter(([title]) => title === "The model" || title === "The machine").flatMap(([, options]) =>
    options.map(({ name }) => name).filter((name) => !CHOICES.includes(name) && !SENSELESS.includes(name)),
  ),
  ...["prior", "patch-from", "recursive", "filelist", "progress", "no-progress", "quiet", "verbose"],
];
/** Of what is compressed, and against what. */
const OF_FILES = ["limit", "against", "curve", "prior", "patch-from"];
/** Only reports have an output. */
const OF_REPORTS = ["output", "force", "stdout"];
const SECONDS_DEFAULT = 0.1;
const SECONDS_MAX = 3600;
const LEVEL_MAX = 9;

/** The benchmark that is asked for; undefined if it is not one. @throws UsageError */
export function benchSettingsOf(args: NormalArguments): BenchSettings | undefined {
  const { options } = args;
  const own = options.find(({ name }) => OWN.includes(name));
  if (options.some(({ name }) => INFORMATION.includes(name))) return undefined;
  if (args.command !== "bench" && !options.some(({ name }) => name === "bench")) {
    if (own) throw new UsageError(`${own.written} goes with fade bench`, "fade bench FILE");
    return undefined;
  }
  const subject = subjectOf(args);
  const operands = subject === "files" ? args.operands : args.operands.slice(1);
  refuseStrangers(options, subject === "report" ? OF_REPORTS : []);
  const ofFiles = options.find(({ name }) => OF_FILES.includes(name));
  if (subject !== "files" && ofFiles) throw new UsageError(`${ofFiles.written} does not go with bench ${subject}`);
  const plan = options.find(({ name }) => name === "plan");
  if (subject !== "kernels" && plan) throw new UsageError(`${plan.written} goes with fade bench kernels`);
  const shared = options.filter(({ name }) => COMMON.includes(name));
  const common = settingsOf({ options: shared, operands });
  const last = (wanted: string) => options.findLast(({ name }) => name === wanted);
  const seconds = last("bench-seconds");
  const limitBytes = sizeOf(last("limit"), 1);
  const json = options.some(({ name }) => name === "json");
  const filter = last("filter")?.value;
  const output = last("output")?.value;
  return {
    subject,
    operands,
    contestants: contestantsOf(options, shared, operands),
    against: competitorsOf(last("against")),
    secondsMin: seconds ? integer(seconds.written, seconds.value, 0, SECONDS_MAX) : SECONDS_DEFAULT,
    ...(limitBytes !== undefined && { limitBytes }),
    ...(output !== undefined && output !== "-" && { output }),
    force: options.some(({ name }) => name === "force"),
    json,
    wantsCurve: json || options.some(({ name }) => name === "curve"),
    ...(filter !== undefined && { filter }),
    wantsPlan: plan !== undefined,
    common,
  };
}

function subjectOf({ command, operands }: NormalArguments): BenchSubject {
  const [first] = operands;
  const named = BENCH_SUBJECTS.find((subject) => subject !== "files" && subject === first?.name);
  const subject = command === "bench" && named ? named : "files";
  if (subject !== "report" && operands.some((operand) => operand.isStandardInput)) {
    throw new UsageError("bench reads its files again and again", "save standard input to a file");
  }
  return subject;
}

function refuseStrangers(options: readonly Occurrence[], more: readonly string[]): void {
  const known = [...OWN, ...CHOICES, ...COMMON, ...more];
  const stranger = options.find(({ name }) => !known.includes(name));
  if (stranger) throw new UsageError(`${stranger.written} does not go with bench`);
}

/** Every level with every engine. */
function contestantsOf(
  options: readonly Occurrence[],
  shared: readonly Occurrence[],
  operands: readonly Operand[],
): BenchContestant[] {
  const models = modelsOf(options);
  const adapter = options.findLast(({ name }) => name === "adapter");
  return models.flatMap((model) =>
    enginesOf(options).map((engine) => {
      const takesAdapter = adapter && engine.value !== "cpu" && engine.value !== "reference";
      const own = [...shared, model, engine, ...(takesAdapter ? [adapter] : [])];
      return {
        setting: model.name === "level" ? `-${model.value}` : `--${model.name} ${model.value}`,
        engine: engine.value ?? "auto",
        settings: settingsOf({ options: own, operands }),
        words: own.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`)),
      };
    }),
  );
}

/** Levels and presets in the order in which they were named, each once. */
function modelsOf(options: readonly Occurrence[]): Occurrence[] {
  const written = options.filter(({ name, written }) => findLong(name)?.environment !== written);
  const named = written.flatMap((option) => {
    if (option.name === "level" || option.name === "preset") return [option];
    return option.name === "levels" ? levelList(option) : [];
  });
  const all = [...named, ...levelRange(written)];
  const fallback = options.findLast(({ name }) => name === "level") ?? { name: "level", value: "5", written: "level" };
  const models = all.length > 0 ? all : [fallback];
  return models.filter(
    ({ name, value }, index) => models.findIndex((other) => other.name === name && other.value === value) === index,
  );
}

/** -b1 -e5; each is as the other if that is missing, and -b alone names no level. */
function levelRange(options: readonly Occurrence[]): Occurrence[] {
  const levelOf = (wanted: string) => {
    const option = options.findLast(({ name }) => name === wanted);
    return option?.value === undefined ? undefined : integer(option.written, option.value, 1, LEVEL_MAX);
  };
  const last = levelOf("bench-end");
  const first = levelOf("bench") ?? last;
  if (first !== undefined && last !== undefined && last < first) {
    throw new UsageError(`-b${first} -e${last} is no range of levels`, "the first one comes with -b, as in -b1 -e5");
  }
  return first === undefined ? [] : levelsFrom(first, last ?? first, "-b");
}

function levelsFrom(first: number, last: number, written: string): Occurrence[] {
  const count = Math.max(0, last - first + 1);
  return Array.from({ length: count }, (_, i) => ({ name: "level", value: String(first + i), written }));
}

function levelList({ value = "", written }: Occurrence): Occurrence[] {
  return value.split(",").flatMap((item) => {
    if (PRESETS.includes(item)) return [{ name: "preset", value: item, written }];
    const [, first, last] = /^([1-9])(?:-([1-9]))?$/.exec(item) ?? [];
    const levels = first === undefined ? [] : levelsFrom(Number(first), Number(last ?? first), written);
    if (levels.length > 0) return levels;
    throw new UsageError(`${written} must be a list of levels, not ${value}`, "as in 1,5 or 1-5 or 5,paper,network-5");
  });
}

/** Each is checked with the settings that it becomes part of. */
function enginesOf(options: readonly Occurrence[]): Occurrence[] {
  const given = options.findLast(({ name }) => name === "engine");
  if (given?.value === undefined) return [{ name: "engine", value: "auto", written: "--engine" }];
  return [...new Set(given.value.split(","))].map((value) => ({ ...given, value }));
}

function competitorsOf(option: Occurrence | undefined): readonly string[] {
  const value = option?.value ?? "all";
  if (value === "all") return COMPETITOR_NAMES;
  if (value === "none") return [];
  const names = value.split(",");
  const unknown = names.find((name) => !COMPETITOR_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`there is no compressor ${unknown} to compare`, `there is: ${COMPETITOR_NAMES.join(", ")}`);
}

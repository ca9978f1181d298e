/**
 * From the normalised command line to what the program is asked to do: values are read and checked here, and
 * contradictions refused, so that nothing behind this file has to doubt its settings.
 */
import { availableParallelism } from "node:os";
import type { EngineName } from "../engine/engine.ts";
import {
  DEFAULT_LEVEL,
  type HyperParameters,
  PAPER,
  PAPER_STREAMS,
  type Shape,
  shapeOfLevel,
  streamsForSize,
} from "../model/hyper.ts";
import { UsageError } from "./errors.ts";
import type { NormalArguments, Operand } from "./normalise.ts";
import { findLong } from "./options.ts";

export type Mode = "compress" | "decompress" | "test" | "list";
export type Action = Mode | "devices" | "version" | "help" | "short-help";

/** How much is said: 0 nothing, 1 errors, 2 results and progress, 3 details. */
export const SAYS = { nothing: 0, errors: 1, results: 2, details: 3 } as const;

export interface Settings {
  readonly action: Action;
  readonly operands: readonly Operand[];
  /** As given; "-" was turned into toStdout. */
  readonly output?: string;
  readonly toStdout: boolean;
  /** -c was given, which also allows archives on a terminal. */
  readonly explicitStdout: boolean;
  readonly force: boolean;
  readonly verbosity: number;
  readonly json: boolean;
  /** undefined: only on a terminal. */
  readonly progress?: boolean;
  readonly shape: Shape;
  /** Streams to use whatever the size, unless there are fewer bytes. */
  readonly streams?: number;
  readonly threads: number;
  readonly engine: "auto" | EngineName;
  readonly adapter?: string;
}

const MODES: readonly string[] = ["compress", "decompress", "test", "list"];
const ENGINES: readonly string[] = ["auto", "gpu", "cpu", "reference"];
const STREAMS_MAX = 16384;
const THREADS_MAX = 1024;

/** @throws UsageError */
export function settingsOf(args: NormalArguments): Settings {
  const { options, operands } = args;
  for (const { name, written } of options) {
    if (findLong(name)?.planned) throw new UsageError(`${written} is not in this version of fade yet`, PLANNED_HINT);
  }
  const has = (name: string) => options.some((option) => option.name === name);
  const last = (...names: string[]) => options.findLast((option) => names.includes(option.name));
  const count = (name: string) => options.filter((option) => option.name === name).length;
  const output = last("output")?.value;
  const adapter = last("adapter")?.value;
  const streams = last("streams");
  const progress = last("progress", "no-progress")?.name;
  const model = modelOf(last("level", "preset"));
  const streamCount = streams ? integer(streams.written, streams.value, 1, STREAMS_MAX) : model.streams;
  const settings: Settings = {
    action: actionOf(args),
    operands,
    ...(output !== undefined && output !== "-" && { output }),
    toStdout: has("stdout") || output === "-",
    explicitStdout: has("stdout"),
    force: has("force"),
    verbosity: Math.max(SAYS.nothing, SAYS.results + count("verbose") - count("quiet")),
    json: has("json"),
    ...(progress !== undefined && { progress: progress === "progress" }),
    shape: model.shape,
    ...(streamCount !== undefined && { streams: streamCount }),
    threads: threadsOf(last("threads")?.value),
    engine: engineOf(last("engine")?.value),
    ...(adapter !== undefined && { adapter }),
  };
  refuseContradictions(settings, has("output"));
  return settings;
}

const PLANNED_HINT = "fade keeps its source files; remove them yourself when fade -t has accepted the archive";

/** The model for an input of `sizeBytes`: at most one stream per byte. */
export function hyperFor(settings: Settings, sizeBytes: number): HyperParameters {
  const wanted = settings.streams ?? streamsForSize(sizeBytes);
  return { ...settings.shape, streams: Math.max(1, Math.min(wanted, sizeBytes)) };
}

function actionOf({ command, options }: NormalArguments): Action {
  const help = options.find((option) => option.name === "help");
  if (help) return help.written === "-h" ? "short-help" : "help";
  if (options.some((option) => option.name === "version")) return "version";
  if (command) return command;
  return (options.findLast((option) => MODES.includes(option.name))?.name ?? "compress") as Mode;
}

function modelOf(choice: { name: string; value?: string; written: string } | undefined): {
  shape: Shape;
  streams?: number;
} {
  if (!choice) return { shape: shapeOfLevel(DEFAULT_LEVEL) };
  if (choice.name === "level") {
    const hint = choice.value === "0" || /^[0-9]{2,}$/.test(choice.value ?? "") ? "levels are -1 to -9" : undefined;
    return { shape: shapeOfLevel(integer(choice.written, choice.value, 1, 9, hint)) };
  }
  if (choice.value === "paper") return { shape: PAPER, streams: PAPER_STREAMS };
  throw new UsageError(`there is no preset ${choice.value}`, "the presets are: paper");
}

function threadsOf(value: string | undefined): number {
  const wanted = value === undefined ? 0 : integer("--threads", value, 0, THREADS_MAX);
  return wanted === 0 ? availableParallelism() : wanted;
}

function engineOf(value = "auto"): "auto" | EngineName {
  if (!ENGINES.includes(value))
    throw new UsageError(`there is no engine ${value}`, `engines are: ${ENGINES.join(", ")}`);
  return value as "auto" | EngineName;
}

function integer(written: string, value: string | undefined, low: number, high: number, hint?: string): number {
  const number = /^[0-9]{1,9}$/.test(value ?? "") ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new UsageError(
    `${written} must be a number from ${low} to ${high}${/^-\d/.test(written) ? "" : `, not ${value}`}`,
    hint,
  );
}

function refuseContradictions(settings: Settings, outputGiven: boolean): void {
  const { action, operands, output, toStdout, json } = settings;
  const writes = action === "compress" || action === "decompress";
  if (output !== undefined && toStdout) throw new UsageError("-c and -o contradict each other", "use one of them");
  if (outputGiven && (action === "test" || action === "list"))
    throw new UsageError(`--${action} writes no output file`);
  if (output !== undefined && operands.length > 1 && writes) {
    throw new UsageError("-o takes one input file", "use -c and redirect the output to join several");
  }
  if (json && writes) throw new UsageError("--json goes with --list and --test");
  if (action === "devices" && operands.length > 0) {
    throw new UsageError("devices takes no files", "a file called devices is ./devices");
  }
  if (operands.filter((operand) => operand.isStandardInput).length > 1) {
    throw new UsageError("standard input can be read only once");
  }
}

/** Options of the library as settings of the work: values are checked here, so that nothing behind doubts them. */

import { hasNetwork } from "../contract/hyper.ts";
import type { EngineRequest } from "../engine/registry.ts";
import { host } from "../platform/host.ts";
import { COPY_BYTES_MIN } from "../repeats/copies.ts";
import { type CompressOptions, type DecompressOptions, OptionError, type WorkOptions } from "./options.ts";
import {
  BLOCK_BYTES_MIN,
  modelOfLevel,
  modelOfPreset,
  PRESETS,
  REPEATS_MAX,
  repeatsFor,
  STREAMS_MAX,
  THREADS_MAX,
  type WorkSettings,
} from "./work.ts";

/** What a call of the library asks for. */
export interface JobSettings {
  readonly action: "compress" | "decompress";
  readonly work: WorkSettings;
  readonly engine: EngineRequest["engine"];
  readonly checks: boolean;
  /** Files of priors, and a patch's old bytes. */
  readonly priors: readonly Uint8Array[];
  readonly patchFrom?: Uint8Array;
  /** Of the input, if that is known. */
  readonly sizeBytes?: number;
}

/** @throws OptionError */
function integer(option: string, value: unknown, low: number, high = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
  const most = high === Number.MAX_SAFE_INTEGER ? "or more" : `to ${high}`;
  throw new OptionError(option, value, `a whole number, ${low} ${most}`);
}

function bytesOf(option: string, value: unknown): Uint8Array | undefined {
  if (value === undefined || value instanceof Uint8Array) return value;
  throw new OptionError(option, value, "a Uint8Array");
}

const ENGINES: readonly unknown[] = ["auto", "cpu", "gpu", "reference"];
const LEVELS = 9;

function shared(options: WorkOptions) {
  const { engine = "auto" } = options;
  if (!ENGINES.includes(engine)) throw new OptionError("engine", engine, ENGINES.join(", "));
  const memoryBytesMax = integer("memoryBytesMax", options.memoryBytesMax, 0);
  const threads = integer("threads", options.threads, 1, THREADS_MAX) ?? host.processorCount();
  return { engine, limits: { threads, ...(memoryBytesMax !== undefined && { memoryBytesMax }) } };
}

/** @throws OptionError */
export function compressSettings(options: CompressOptions): JobSettings {
  const { engine, limits } = shared(options);
  const { preset } = options;
  const level = integer("level", options.level, 1, LEVELS);
  if (preset !== undefined && !PRESETS.includes(preset)) throw new OptionError("preset", preset, PRESETS.join(", "));
  if (preset !== undefined && level !== undefined) throw new OptionError("preset", preset, "without a level");
  const model = preset === undefined ? modelOfLevel(level) : modelOfPreset(preset);
  const streams = integer("streams", options.streams, 1, STREAMS_MAX) ?? model.streams;
  const blockBytes = integer("blockBytes", options.blockBytes, BLOCK_BYTES_MIN);
  const minLength = integer("repeatBytesMin", options.repeatBytesMin, 0, REPEATS_MAX);
  if (minLength !== undefined && minLength > 0 && minLength < COPY_BYTES_MIN) {
    throw new OptionError("repeatBytesMin", minLength, `0, or ${COPY_BYTES_MIN} to ${REPEATS_MAX}`);
  }
  const repeats = repeatsFor(minLength, model.repeats);
  const sizeBytes = integer("sizeBytes", options.sizeBytes, 0);
  const prior = bytesOf("prior", options.prior);
  const patchFrom = bytesOf("patchFrom", options.patchFrom);
  const { builtInPrior = true } = options;
  if (typeof builtInPrior !== "boolean") throw new OptionError("builtInPrior", builtInPrior, "true or false");
  if (prior && patchFrom) throw new OptionError("patchFrom", patchFrom, "without a prior");
  if ((prior || patchFrom) && hasNetwork(model.level.shape)) throw new OptionError("preset", preset, "without a prior");
  if (patchFrom && !repeats) throw new OptionError("repeatBytesMin", minLength, "above 0: a patch is made of copies");
  return {
    action: "compress",
    engine,
    checks: true,
    work: {
      ...limits,
      level: model.level,
      builtInPrior,
      ...(streams !== undefined && { streams }),
      ...(blockBytes !== undefined && { blockBytes }),
      ...(repeats && { repeats }),
    },
    priors: prior ? [prior] : [],
    ...(patchFrom && { patchFrom }),
    ...(sizeBytes !== undefined && { sizeBytes }),
  };
}

/** @throws OptionError */
export function decompressSettings(options: DecompressOptions): JobSettings {
  const { engine, limits } = shared(options);
  const outputBytesMax = integer("outputBytesMax", options.outputBytesMax, 0);
  const secondsMax = integer("secondsMax", options.secondsMax, 1);
  const patchFrom = bytesOf("patchFrom", options.patchFrom);
  const { checks = true, priors = [] } = options;
  for (const prior of priors) bytesOf("priors", prior);
  return {
    action: "decompress",
    engine,
    checks,
    work: {
      ...modelOfLevel(),
      ...limits,
      ...(outputBytesMax !== undefined && { outputBytesMax }),
      ...(secondsMax !== undefined && { secondsMax }),
    },
    priors,
    ...(patchFrom && { patchFrom }),
  };
}

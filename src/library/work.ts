/**
 * What is to be done, as the command line and the library both say it, and what the pipeline asks for: in one place, so
 * that whoever asks for the same gets the same archive.
 */
import type { HyperParameters } from "../contract/hyper.ts";
import {
  DEFAULT_LEVEL,
  hyperForSize,
  isMixer,
  type Level,
  levelOf,
  networkOf,
  PAPER_LEVEL,
  PAPER_STREAMS,
} from "../model/levels.ts";
import { blockBytesFor, blockBytesForSize } from "../pipeline/block-bytes.ts";
import type { CompressOptions } from "../pipeline/frame-options.ts";
import type { DecodeCost, RestoreLimits } from "../pipeline/limits.ts";
import { host } from "../platform/host.ts";
import { decodePrior, isPriorFile, type Prior, patchPrior, rawPrior } from "../prior/file.ts";
import { type CutPolicy, MIXER_POLICY, policyOfNetwork } from "../repeats/policy.ts";
import { openSeconds, stepsSeconds } from "./estimate.ts";

/** A model, and what goes with it. */
export interface ModelChoice {
  readonly level: Level;
  /** Streams to use whatever the size, unless there are fewer bytes. */
  readonly streams?: number;
  /** Which repeats are cut out before the model; undefined: none. */
  readonly repeats?: CutPolicy;
}

/** What may be set of the work itself, whoever asks for it. */
export interface WorkSettings extends ModelChoice {
  /** false: inputs begin with no built-in prior, even if one suits them. */
  readonly builtInPrior?: boolean;
  /** Plain bytes in a block; undefined: by level. */
  readonly blockBytes?: number;
  readonly threads: number;
  /** Limit for a model and its blocks; undefined: a share of the machine's memory. */
  readonly memoryBytesMax?: number;
  /** Limits on what one archive may cost; undefined: none. */
  readonly outputBytesMax?: number;
  readonly secondsMax?: number;
}

/** Bounds of what may be asked for. */
export const STREAMS_MAX = 16384;
export const THREADS_MAX = 1024;
export const BLOCK_BYTES_MIN = 1024;
export const REPEATS_MAX = 2 ** 24;

/** Presets of networks are this and a number. */
const NETWORK_PRESET = "network-";
const NETWORKS = 9;
export const PRESETS: readonly string[] = [
  "paper",
  ...Array.from({ length: NETWORKS }, (_, i) => `${NETWORK_PRESET}${i + 1}`),
];

/** @throws RangeError if there is no such level */
export function modelOfLevel(level: number = DEFAULT_LEVEL): ModelChoice {
  return { level: levelOf(level), repeats: MIXER_POLICY };
}

/** The paper's model gets the bytes as they are. @param preset one of PRESETS @throws RangeError for another */
export function modelOfPreset(preset: string): ModelChoice {
  if (preset === "paper") return { level: PAPER_LEVEL, streams: PAPER_STREAMS };
  const size = PRESETS.includes(preset) ? Number(preset.slice(NETWORK_PRESET.length)) : 0;
  return { level: networkOf(size), repeats: policyOfNetwork(size) };
}

/** @param minLength bytes of the shortest repeat that becomes a copy; 0: none does; undefined: as the model has it */
export function repeatsFor(minLength: number | undefined, ofModel: CutPolicy | undefined): CutPolicy | undefined {
  if (minLength === undefined) return ofModel;
  return minLength === 0 ? undefined : { timeUnits: 0, minLength };
}

/** The model for an input of `sizeBytes`: at most one stream per byte. */
export function hyperFor({ level, streams }: ModelChoice, sizeBytes: number): HyperParameters {
  return hyperForSize(level, sizeBytes, streams && Math.max(1, Math.min(streams, sizeBytes)));
}

/** @param isOld whether the bytes are what a patch begins with @throws what decodePrior throws */
export function priorOf(bytes: Uint8Array, isOld: boolean, { level }: Pick<ModelChoice, "level">): Prior {
  if (isOld) return patchPrior(bytes, level.shape.mixerContexts);
  return isPriorFile(bytes) ? decodePrior(bytes) : rawPrior(bytes);
}

/** Some of the machine's memory (or the container's) is needed by everything else. */
const MEMORY_SHARE = 0.8;
/**
 * What the program takes before it has a model or a block: its code, the heaps of its threads, a GPU's driver
 * (measured: docs/ARCHITECTURE.md, "Memory"). In a container it decides whether a small model fits.
 */
export const PROGRAM_BYTES = 100 * 2 ** 20;

/** What is left for models and blocks of so much memory. */
export function usableBytes(memoryBytes: number): number {
  return Math.max(0, Math.floor(memoryBytes * MEMORY_SHARE) - PROGRAM_BYTES);
}

/** How much of the machine the work may use, in either direction. */
export function limitsOf(settings: WorkSettings): { workers: number; memoryBytesMax: number } {
  const { threads: workers, memoryBytesMax } = settings;
  return { workers, memoryBytesMax: memoryBytesMax ?? usableBytes(host.memoryBytes()) };
}

/** What an archive that somebody sent may cost. */
export function restoreLimitsOf({ threads, outputBytesMax, secondsMax }: WorkSettings): RestoreLimits {
  return {
    ...(outputBytesMax !== undefined && { outputBytesMax }),
    ...(secondsMax !== undefined && { secondsMax, cost: costFor(threads) }),
  };
}

function costFor(threads: number): DecodeCost {
  return { openSeconds, stepsSeconds: (hyper, steps, before) => stepsSeconds(hyper, steps, threads, before) };
}

export function compressOptionsOf(settings: WorkSettings): CompressOptions {
  const { level, blockBytes, repeats, builtInPrior = true } = settings;
  return {
    ...limitsOf(settings),
    blockBytes: blockBytes ?? blockBytesFor(level),
    ...(blockBytes === undefined && { blockBytesFor: (sizeBytes: number) => blockBytesForSize(level, sizeBytes) }),
    // Whoever names a block size bounds the memory, and wants no longer runs of stored blocks either.
    ...(blockBytes !== undefined && { runBytes: blockBytes }),
    ...(repeats && { repeats }),
    hasBuiltInPriors: isMixer(level) && builtInPrior,
    hyperFor: (sizeBytes) => hyperFor(settings, sizeBytes),
  };
}

/**
 * From settings to what the pipeline asks for, in one place, so that a benchmark runs what the command line would.
 */
import { totalmem } from "node:os";
import { isMixer } from "../model/levels.ts";
import { blockBytesFor } from "../pipeline/block-bytes.ts";
import type { CompressOptions } from "../pipeline/frames.ts";
import type { DecodeCost, RestoreLimits } from "../pipeline/limits.ts";
import { openSeconds, stepsSeconds } from "./estimate.ts";
import { hyperFor, type Settings } from "./settings.ts";

/** Some of the machine's memory (or the container's) is needed by everything else. */
const MEMORY_SHARE = 0.8;
/**
 * What the program takes before it has a model or a block: its code, the heaps of its threads, a GPU's driver
 * (measured: docs/ARCHITECTURE.md, "Memory"). In a container it decides whether a small model fits.
 */
export const PROGRAM_BYTES = 100 * 2 ** 20;

/** How much of the machine the work may use, in either direction. */
export function limitsOf(settings: Settings): { workers: number; memoryBytesMax: number } {
  const { threads: workers } = settings;
  if (settings.memoryBytesMax !== undefined) return { workers, memoryBytesMax: settings.memoryBytesMax };
  return { workers, memoryBytesMax: usableBytes(Math.min(totalmem(), containerBytes() ?? Number.POSITIVE_INFINITY)) };
}

/** What is left for models and blocks of so much memory. */
export function usableBytes(memoryBytes: number): number {
  return Math.max(0, Math.floor(memoryBytes * MEMORY_SHARE) - PROGRAM_BYTES);
}

/** What the container (the cgroup) of this process may use, if that is less than the machine has. */
export function containerBytes(): number | undefined {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 && limitBytes < totalmem() ? limitBytes : undefined;
}

/** What an archive that somebody sent may cost. @returns no limits for archives of this program's own making */
export function restoreLimitsOf(settings: Settings): RestoreLimits {
  const { action, threads, outputBytesMax, secondsMax } = settings;
  if (action === "compress") return {};
  return {
    ...(outputBytesMax !== undefined && { outputBytesMax }),
    ...(secondsMax !== undefined && { secondsMax, cost: costFor(threads) }),
  };
}

function costFor(threads: number): DecodeCost {
  return { openSeconds, stepsSeconds: (hyper, steps, before) => stepsSeconds(hyper, steps, threads, before) };
}

export function compressOptionsOf(settings: Settings): CompressOptions {
  return {
    ...limitsOf(settings),
    blockBytes: settings.blockBytes ?? blockBytesFor(settings.level.shape),
    // Whoever names a block size bounds the memory, and wants no longer runs of stored blocks either.
    ...(settings.blockBytes !== undefined && { runBytes: settings.blockBytes }),
    ...(settings.repeats && { repeats: settings.repeats }),
    ...(isMixer(settings.level) && { builtInBytesMax: settings.level.builtInBytesMax }),
    hyperFor: (blockBytes) => hyperFor(settings, blockBytes),
  };
}

/**
 * Throws forged archives at decoder and listing, with the limits that a server would set. Whatever comes, both must end
 * with bytes or an error that they declare, let no more out than may, and take little: processor time is counted for
 * each input, and whoever runs this looks at the memory of the process.
 */
import { ArchiveError } from "../../src/archive/errors.ts";
import { pullFrom } from "../../src/archive/stream.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openSeconds, stepsSeconds } from "../../src/library/estimate.ts";
import { type DecodeCost, OutputLimitError, TimeLimitError } from "../../src/pipeline/limits.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import { restore } from "../../src/pipeline/restore.ts";
import { Forger } from "./forge.ts";
import { Random } from "./gpu-values.ts";
import { fileOf, lookThrough } from "./listing.ts";

/** Processor time that an archive of up to 100 kB may take, in seconds. */
export const SECONDS_MAX = 2;
/** By the estimate, which is good to a factor of two. */
const ESTIMATE_MAX = 0.5;
export const OUTPUT_BYTES_MAX = 2 ** 25;
const BYTES_MAX = 100_000;
/** One in so many inputs is as long as it may be; the others are short, so that many can be tried. */
const LONG_ONE_IN = 100;
const SHORT_BYTES_MAX = 1500;

interface ForgedOptions {
  readonly engine: Engine;
  readonly inputs: number;
  readonly seed: number;
  readonly memoryBytesMax: number;
}

interface ForgedReport {
  readonly accepted: number;
  readonly refusedBy: Readonly<Record<string, number>>;
  readonly slowestSeconds: number;
  /** Its number. */
  readonly slowestInput: number;
  readonly mostOutputBytes: number;
}

/** The archive number `input` of a seed. */
export function forgedArchive(seed: number, input: number): Uint8Array {
  const random = new Random(seed * 1_000_003 + input);
  const isLong = random.between(1, LONG_ONE_IN) === 1;
  return new Forger(random, isLong ? BYTES_MAX : random.between(60, SHORT_BYTES_MAX)).archive().subarray(0, BYTES_MAX);
}

/** @throws Error that says with which seed and input a rule was broken */
export async function fuzzForged({ engine, inputs, seed, memoryBytesMax }: ForgedOptions): Promise<ForgedReport> {
  const refusedBy: Record<string, number> = {};
  let accepted = 0;
  let slowest = { seconds: 0, input: 0 };
  let mostOutputBytes = 0;
  for (let input = 0; input < inputs; input += 1) {
    const archive = forgedArchive(seed, input);
    const before = process.cpuUsage();
    const { error, outputBytes } = await decode(archive, engine, memoryBytesMax, new Random(seed + input));
    const listError = await lookThrough(fileOf(archive)).catch((thrown: unknown) => thrown);
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    if (seconds > slowest.seconds) slowest = { seconds, input };
    mostOutputBytes = Math.max(mostOutputBytes, outputBytes);
    for (const found of [error, listError]) {
      if (found === undefined || isDeclared(found)) continue;
      throw new Error(
        `seed ${seed}, input ${input} failed with ${found instanceof Error ? found.stack : String(found)}`,
      );
    }
    if (seconds > SECONDS_MAX)
      throw new Error(`seed ${seed}, input ${input} took ${seconds} s of ${archive.length} bytes`);
    if (outputBytes > OUTPUT_BYTES_MAX) throw new Error(`seed ${seed}, input ${input} gave ${outputBytes} bytes`);
    if (error === undefined) accepted += 1;
    else refusedBy[(error as Error).name] = (refusedBy[(error as Error).name] ?? 0) + 1;
  }
  return { accepted, refusedBy, slowestSeconds: slowest.seconds, slowestInput: slowest.input, mostOutputBytes };
}

const isDeclared = (error: unknown) =>
  error instanceof ArchiveError ||
  error instanceof MemoryLimitError ||
  error instanceof OutputLimitError ||
  error instanceof TimeLimitError;

async function decode(
  archive: Uint8Array,
  engine: Engine,
  memoryBytesMax: number,
  random: Random,
): Promise<{ error: unknown; outputBytes: number }> {
  const pieceBytes = random.between(0, 3) === 0 ? random.between(1, 50) : archive.length;
  const cost: DecodeCost = {
    openSeconds,
    stepsSeconds: (hyper, steps, before) => stepsSeconds(hyper, steps, 1, before),
  };
  const limits = { outputBytesMax: OUTPUT_BYTES_MAX, secondsMax: ESTIMATE_MAX, cost };
  // Without checks what nobody could have known passes, too, and what comes behind it is reached.
  const checks = random.between(0, 1) === 0;
  let outputBytes = 0;
  const sink = async (bytes: Uint8Array) => {
    outputBytes += bytes.length;
  };
  try {
    const options = { workers: 1, memoryBytesMax, limits, checks };
    await restore(pullFrom(archive, pieceBytes), sink, async () => engine, options);
    return { error: undefined, outputBytes };
  } catch (error) {
    return { error, outputBytes };
  }
}

/**
 * One interface for all that compresses: a pass takes the file `plain` of a folder to `archive`, another takes
 * `archive` to `restored`, and each tells what it cost. Who compares, repeats and reports (files.ts) need not know
 * whether a program, the runtime or fade did it.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { CompressOptions } from "../pipeline/frames.ts";
import { NAMES, type Program, type RuntimeCompressor, type Start } from "./competitors.ts";
import { type EngineOpener, type Measured, measureCompression, measureDecompression } from "./fade.ts";
import { ownPeakMemoryBytes, runProcess } from "./process.ts";
import type { Contestant, CurvePoint, Side, TimeSplit } from "./results.ts";

/** One run in one direction. */
export interface Pass extends Pick<Side, "peakMemoryBytes" | "memoryOf"> {
  readonly elapsedMs: number;
  readonly split?: TimeSplit;
  readonly engine?: { readonly name: string; readonly description: string };
  readonly curve?: readonly CurvePoint[];
}

export interface Runner extends Contestant {
  readonly archiveName: string;
  compress(folder: string): Promise<Pass>;
  decompress(folder: string): Promise<Pass>;
}

/** @param start what it begins with, which its setting then says; those that cannot go without */
export function programRunner(program: Program, setting: string, threads: number, start?: Start): Runner {
  const more = (start && program.behind?.(start)) ?? [];
  const archiveName = program.archive ?? NAMES.archive;
  const run = async (cwd: string, command: readonly string[], pipes: boolean, result: string): Promise<Pass> => {
    const stdoutPath = pipes ? join(cwd, result) : undefined;
    const { elapsedMs, peakMemoryBytes } = await runProcess({ command, cwd, ...(stdoutPath && { stdoutPath }) });
    return { elapsedMs, ...(peakMemoryBytes !== undefined && { peakMemoryBytes, memoryOf: "child" }) };
  };
  return {
    compressor: program.name,
    origin: "program",
    setting: more.length > 0 && start ? `${setting} ${start.option}` : setting,
    archiveName,
    compress: (folder) => run(folder, [...program.compress(setting, threads), ...more], program.pipes[0], archiveName),
    decompress: (folder) => run(folder, [...program.decompress(threads), ...more], program.pipes[1], NAMES.restored),
  };
}

/** Files are read and written outside of the measured time: the runtime's functions work on memory. */
export function runtimeRunner({ name, compress, decompress }: RuntimeCompressor, setting: string): Runner {
  const run = async (from: string, to: string, work: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): Promise<Pass> => {
    const bytes = new Uint8Array(await fs.readFile(from));
    const startedAtMs = performance.now();
    const result = work(bytes);
    const elapsedMs = performance.now() - startedAtMs;
    await fs.writeFile(to, result);
    return { elapsedMs };
  };
  return {
    compressor: name,
    origin: "runtime",
    setting,
    archiveName: NAMES.archive,
    compress: (folder) =>
      run(join(folder, NAMES.plain), join(folder, NAMES.archive), (bytes) => compress(bytes, setting)),
    decompress: (folder) => run(join(folder, NAMES.archive), join(folder, NAMES.restored), decompress),
  };
}

/** What identifies a run of fade. */
interface FadeSetting {
  /** "-5" */
  readonly setting: string;
  readonly engine: string;
}

/** fade in this process: what a child process does, and what tests can do with an engine of their own. */
export interface FadeParts extends FadeSetting {
  readonly openEngine: EngineOpener;
  readonly options: CompressOptions;
  readonly wantsCurve: boolean;
}

export async function compressFile(folder: string, parts: FadeParts): Promise<Pass> {
  const plain = new Uint8Array(await fs.readFile(join(folder, NAMES.plain)));
  const measured = await measureCompression(plain, parts.openEngine, {
    ...parts.options,
    wantsCurve: parts.wantsCurve,
  });
  await fs.writeFile(join(folder, NAMES.archive), measured.bytes);
  return passOf(measured);
}

export async function restoreFile(folder: string, { openEngine, options }: FadeParts): Promise<Pass> {
  const archive = new Uint8Array(await fs.readFile(join(folder, NAMES.archive)));
  const priors = options.prior ? [options.prior] : [];
  const measured = await measureDecompression(archive, openEngine, { ...options, priors });
  await fs.writeFile(join(folder, NAMES.restored), measured.bytes);
  return passOf(measured);
}

function passOf({ bytes: _, ...facts }: Measured): Pass {
  const peakMemoryBytes = ownPeakMemoryBytes();
  return { ...facts, ...(peakMemoryBytes !== undefined && { peakMemoryBytes, memoryOf: "this process" }) };
}

export function fadeRunner(parts: FadeParts): Runner {
  return {
    compressor: "fade",
    origin: "fade",
    setting: parts.setting,
    engine: parts.engine,
    archiveName: NAMES.archive,
    compress: (folder) => compressFile(folder, parts),
    decompress: (folder) => restoreFile(folder, parts),
  };
}

export type Direction = "compress" | "decompress";

/**
 * fade in a process of its own for every pass, as people run it, so that memory and start are measured, too.
 *
 * @param command for a pass in a folder: a command line, and the environment that makes it answer with a Pass in JSON
 */
export function fadeChildRunner(
  { setting, engine }: FadeSetting,
  command: (folder: string, direction: Direction) => { command: readonly string[]; env: Record<string, string> },
): Runner {
  const run = async (cwd: string, direction: Direction): Promise<Pass> => {
    const outcome = await runProcess({ ...command(cwd, direction), cwd });
    const pass = JSON.parse(outcome.stdout) as Pass;
    // The child cannot see how long it took to start and to end.
    const { elapsedMs } = outcome;
    const outsideMs = elapsedMs - pass.elapsedMs;
    const split = pass.split && { ...pass.split, setUpMs: pass.split.setUpMs + outsideMs };
    return { ...pass, elapsedMs, ...(split && { split }), ...(pass.memoryOf && { memoryOf: "child" }) };
  };
  return {
    compressor: "fade",
    origin: "fade",
    setting,
    engine,
    archiveName: NAMES.archive,
    compress: (folder) => run(folder, "compress"),
    decompress: (folder) => run(folder, "decompress"),
  };
}

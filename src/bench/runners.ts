/**
 * One interface for all that compresses: a pass takes the file `plain` of a folder to `archive`, another takes
 * `archive` to `restored`, and each tells what it cost. Who compares, repeats and reports (files.ts) need not know
 * whether a program, the runtime or fade did it.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { CompressOptions } from "../pipeline/frames.ts";
import { NAMES, type Program, type RuntimeCompressor, type Start } from "./competitors.ts";
import { type EngineOpener, measureCompression, measureDecompression } from "./fade.ts";
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

export type Direction = "compress" | "decompress";

/** @param pass makes a pass in a folder */
export function fadeRunner(
  { setting, engine }: FadeSetting,
  pass: (folder: string, direction: Direction) => Promise<Pass>,
): Runner {
  return {
    compressor: "fade",
    origin: "fade",
    setting,
    engine,
    archiveName: NAMES.archive,
    compress: (folder) => pass(folder, "compress"),
    decompress: (folder) => pass(folder, "decompress"),
  };
}

/** fade in this process: what a child process does, and what tests can do with an engine of their own. */
export interface FadeParts extends FadeSetting {
  readonly openEngine: EngineOpener;
  readonly options: CompressOptions;
  readonly wantsCurve: boolean;
}

/** A pass in this process. */
export async function passHere(folder: string, direction: Direction, parts: FadeParts): Promise<Pass> {
  const { openEngine, options, wantsCurve } = parts;
  const isBack = direction === "decompress";
  const [from, to] = isBack ? [NAMES.archive, NAMES.restored] : [NAMES.plain, NAMES.archive];
  const bytes = new Uint8Array(await fs.readFile(join(folder, from)));
  const { bytes: result, ...facts } = isBack
    ? await measureDecompression(bytes, openEngine, { ...options, priors: options.prior ? [options.prior] : [] })
    : await measureCompression(bytes, openEngine, { ...options, wantsCurve });
  await fs.writeFile(join(folder, to), result);
  const peakMemoryBytes = ownPeakMemoryBytes();
  return { ...facts, ...(peakMemoryBytes !== undefined && { peakMemoryBytes, memoryOf: "this process" }) };
}

/**
 * A pass in a process of its own, as people run fade, so that memory and start are measured, too.
 *
 * @param command a command line, and the environment that makes it answer with a Pass in JSON
 */
export async function passOfChild(
  cwd: string,
  command: { readonly command: readonly string[]; readonly env: Record<string, string> },
): Promise<Pass> {
  const outcome = await runProcess({ ...command, cwd });
  const pass = JSON.parse(outcome.stdout) as Pass;
  // The child cannot see how long it took to start and to end.
  const { elapsedMs } = outcome;
  const outsideMs = elapsedMs - pass.elapsedMs;
  const split = pass.split && { ...pass.split, setUpMs: pass.split.setUpMs + outsideMs };
  return { ...pass, elapsedMs, ...(split && { split }), ...(pass.memoryOf && { memoryOf: "child" }) };
}

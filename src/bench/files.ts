/**
 * Compares compressors on files: every one compresses and restores every file, the result is compared byte for byte,
 * and the fastest of some repetitions counts. One after the other, never two at once.
 */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPETITOR_NAMES, NAMES, PROGRAMS, RUNTIME, type Start } from "./competitors.ts";
import {
  type AbsentResult,
  type Contestant,
  type FailureResult,
  type FileResult,
  type Side,
  sizesOf,
  speedOf,
} from "./results.ts";
import { type Pass, programRunner, type Runner, runtimeRunner } from "./runners.ts";

interface FilesRequest {
  /** What to compress, under the name that people know. */
  readonly files: readonly { readonly name: string; read(): Promise<Uint8Array> }[];
  readonly runners: readonly Runner[];
  /** Each direction is repeated until so much time has passed; 0 for a single run. */
  readonly secondsMin: number;
}

interface FilesCallbacks {
  /** A measurement begins; for a line that shows what is going on. */
  onStart?(file: string, contestant: Contestant): void;
  onResult(result: FileResult | FailureResult): Promise<void>;
  /** A folder for the files of a run was made (true) or removed (false). */
  onFolder?(path: string, exists: boolean): void;
  /** Does `work` in which no signal ends the program. */
  uninterrupted?<T>(work: () => Promise<T>): Promise<T>;
}

/** What came back is not what was compressed. */
class RoundTripError extends Error {
  constructor(
    readonly expectedBytes: number,
    readonly foundBytes: number,
  ) {
    const found = expectedBytes === foundBytes ? "other bytes" : `${foundBytes} bytes`;
    super(`does not restore the file: ${expectedBytes} bytes went in, ${found} came back`);
    this.name = "RoundTripError";
  }
}

/** Measures everything, telling each result as it comes. @throws what reading a file throws, or the callbacks */
export async function benchFiles(request: FilesRequest, callbacks: FilesCallbacks): Promise<void> {
  for (const file of request.files) {
    const plain = await file.read();
    for (const runner of request.runners) {
      callbacks.onStart?.(file.name, runner);
      await callbacks.onResult(await measureInFolder(file.name, plain, runner, request.secondsMin, callbacks));
    }
  }
}

async function measureInFolder(
  file: string,
  plain: Uint8Array,
  runner: Runner,
  secondsMin: number,
  { onFolder, uninterrupted = (work) => work() }: FilesCallbacks,
): Promise<FileResult | FailureResult> {
  const { compressor, origin, setting, engine } = runner;
  const contestant = { compressor, origin, setting, ...(engine !== undefined && { engine }) };
  const folder = await uninterrupted(async () => {
    const made = await fs.mkdtemp(join(tmpdir(), "fade-bench-"));
    onFolder?.(made, true);
    return made;
  });
  try {
    await fs.writeFile(join(folder, NAMES.plain), plain);
    return { kind: "result", file, ...contestant, ...(await measure(folder, plain, runner, secondsMin)) };
  } catch (error) {
    return { kind: "failure", file, ...contestant, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
    onFolder?.(folder, false);
  }
}

async function measure(folder: string, plain: Uint8Array, runner: Runner, secondsMin: number) {
  const archive = join(folder, runner.archiveName);
  const restored = join(folder, NAMES.restored);
  const compressed = await repeat(secondsMin, async () => {
    await fs.rm(archive, { force: true });
    return await runner.compress(folder);
  });
  const codedBytes = (await fs.stat(archive)).size;
  const decompressed = await repeat(secondsMin, async () => {
    await fs.rm(restored, { force: true });
    const pass = await runner.decompress(folder);
    const found = new Uint8Array(await fs.readFile(restored));
    if (Buffer.compare(found, plain) !== 0) throw new RoundTripError(plain.length, found.length);
    return pass;
  });
  const { engine, curve } = compressed.best;
  return {
    ...sizesOf(plain.length, codedBytes),
    compress: sideOf(plain.length, compressed),
    decompress: sideOf(plain.length, decompressed),
    isVerified: true as const,
    ...(engine && { engineName: engine.name, engineDescription: engine.description }),
    ...(curve && { curve }),
  };
}

interface Repeated {
  readonly best: Pass;
  readonly runs: number;
  readonly peakMemoryBytes: number | undefined;
}

async function repeat(secondsMin: number, run: () => Promise<Pass>): Promise<Repeated> {
  const endMs = performance.now() + secondsMin * 1000;
  let best = await run();
  let { peakMemoryBytes } = best;
  let runs = 1;
  for (; performance.now() < endMs; runs += 1) {
    const pass = await run();
    if (pass.elapsedMs < best.elapsedMs) best = pass;
    if (pass.peakMemoryBytes !== undefined) peakMemoryBytes = Math.max(peakMemoryBytes ?? 0, pass.peakMemoryBytes);
  }
  return { best, runs, peakMemoryBytes };
}

function sideOf(plainBytes: number, { best, runs, peakMemoryBytes }: Repeated): Side {
  const { elapsedMs, memoryOf, split } = best;
  return {
    elapsedMs,
    runs,
    bytesPerSecond: speedOf(plainBytes, elapsedMs),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    ...(memoryOf && { memoryOf }),
    ...(split && { split }),
  };
}

/**
 * Those of `names` that run here, and those that do not.
 *
 * @param names of COMPETITOR_NAMES
 * @param find where a program is; null if it is not installed
 * @param start what those begin with that can
 */
export function competitorsHere(
  names: readonly string[] = COMPETITOR_NAMES,
  threads: number,
  find: (program: string) => string | null = (program) => Bun.which(program),
  start?: Start,
): { runners: Runner[]; absent: AbsentResult[] } {
  const wanted = PROGRAMS.filter(({ name }) => names.includes(name));
  const here = wanted.filter(({ name }) => find(name) !== null);
  const programs = here.flatMap((program) =>
    program.settings.map((setting) => programRunner(program, setting, threads, start)),
  );
  const runtime = RUNTIME.flatMap((each) => each.settings.map((setting) => runtimeRunner(each, setting)));
  return {
    runners: [...programs, ...(names.includes("runtime") ? runtime : [])],
    absent: wanted
      .filter((program) => !here.includes(program))
      .map(({ name }) => ({ kind: "absent", compressor: name })),
  };
}

/**
 * `fade bench FILE...`: runs the comparison of src/bench and shows each result as it comes. fade is measured in child
 * processes, which are this program again with FADE_BENCH_CHILD set: what a child does is at the end of this file.
 */
import * as fs from "node:fs/promises";
import { resolve } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };
import type { Start } from "../bench/competitors.ts";
import { benchFiles, competitorsHere } from "../bench/files.ts";
import { machineFacts } from "../bench/machine.ts";
import { type BenchResult, type Contestant, type FailureResult, type FileResult, totalsOf } from "../bench/results.ts";
import { type Direction, type FadeParts, fadeRunner, passHere, passOfChild, type Runner } from "../bench/runners.ts";
import type { EngineParts } from "../engine/registry.ts";
import { plainSource } from "../library/plain-source.ts";
import { compressOptionsOf, limitsOf, priorOf } from "../library/work.ts";
import { isPriorFile } from "../prior/file.ts";
import type { BenchContestant, BenchSettings } from "./bench-settings.ts";
import { contestantText, curveText, headText, machineText, resultText, splitText, totalText } from "./bench-text.ts";
import { FileError, UsageError } from "./errors.ts";
import { findInput, openInput } from "./input.ts";
import { printLine } from "./io.ts";
import type { Operand } from "./normalise.ts";
import { inputsOf } from "./operands.ts";
import { readWhole } from "./prior.ts";
import { CLEAR, redraws } from "./progress.ts";
import type { Session } from "./session.ts";
import { SAYS, type Settings } from "./settings.ts";
import { sizeText } from "./words.ts";

/** @param self a command line that runs this program; without it, fade is measured inside this process */
export async function runFilesBench(
  session: Session,
  bench: BenchSettings,
  parts: EngineParts,
  self: readonly string[] | undefined,
): Promise<void> {
  if (bench.operands.length === 0 && bench.common.fileLists.length === 0) {
    throw new UsageError("bench needs files", "fade bench FILE..., or fade bench -r DIR");
  }
  const files = await readableFiles(session, bench);
  if (files.length === 0) return; // what a machine does with nothing is no result
  await findAdapters(bench.contestants, parts);
  const start = await readStart(session, bench.common);
  if (start === "missing") return;
  const forOthers = start?.isForOthers ? start : undefined;
  const { runners, absent } = competitorsHere(bench.against, bench.common.threads, undefined, forOthers);
  const fades = bench.contestants.map((contestant) => runnerOf(session, bench, contestant, self, start));
  const machine = machineFacts(packageFacts.version, bench.common.threads);
  const screen = new Screen(session, bench);
  for (const result of [machine, ...absent]) await screen.show(result);
  try {
    await benchFiles(
      { files, runners: [...fades, ...runners], secondsMin: bench.secondsMin },
      {
        onStart: (file, contestant) => screen.start(file, contestant),
        onResult: (result) => screen.show(result),
        onFolder: (path, exists) => {
          if (exists) session.io.temporaryFiles.add(path);
          else session.io.temporaryFiles.delete(path);
        },
        uninterrupted: (work) => session.io.uninterrupted(work),
      },
    );
  } finally {
    screen.clear();
  }
  await screen.totals(files.length);
}

/** @throws EngineUnavailableError if a GPU that was asked for is not here, rather than for each file and level */
async function findAdapters(contestants: readonly BenchContestant[], parts: EngineParts): Promise<void> {
  const wanted = contestants.filter(({ engine }) => engine === "gpu").map(({ settings }) => settings.adapter);
  if (wanted.length === 0) return;
  const adapters = await parts.listAdapters();
  const { chooseAdapter } = await import("../engine/gpu/adapters.ts");
  for (const adapter of wanted) chooseAdapter(adapters, adapter);
}

/** What can be opened; the rest is complained about now rather than in the middle. */
async function readableFiles(session: Session, bench: BenchSettings) {
  const operands = await inputsOf(session);
  const files: { name: string; read: () => Promise<Uint8Array> }[] = [];
  for (const operand of operands) {
    try {
      const { name } = await findInput(session.io, operand);
      await fs.access(resolve(session.io.cwd, name), fs.constants.R_OK);
      files.push({ name, read: () => readPart(session, operand, bench.limitBytes) });
    } catch (error) {
      session.complain(operand.name, error);
    }
  }
  return files;
}

/** What is begun with, and its bytes, read once. */
interface StartFile extends Start {
  readonly bytes: Uint8Array;
  /** What only fade can read, others go without. */
  readonly isForOthers: boolean;
}

/** @returns "missing" if it is not to be had, which was complained about */
async function readStart(session: Session, settings: Settings): Promise<StartFile | "missing" | undefined> {
  const { priors, patchFrom } = settings;
  const prior = priors.at(-1);
  const name = prior ?? patchFrom;
  if (name === undefined) return undefined;
  const path = resolve(session.io.cwd, name);
  try {
    const bytes = await readWhole(path, limitsOf(settings).memoryBytesMax);
    const start = { option: prior === undefined ? "--patch-from" : "-D", path, bytes } as const;
    priorOf(bytes, start.option === "--patch-from", settings);
    return { ...start, isForOthers: start.option === "--patch-from" || !isPriorFile(bytes) };
  } catch (error) {
    session.complain(name, error);
    return "missing";
  }
}

/** The whole file, or its first bytes. */
async function readPart({ io }: Session, operand: Operand, limitBytes = Number.MAX_SAFE_INTEGER): Promise<Uint8Array> {
  const source = await openInput(io, await findInput(io, operand));
  try {
    return await plainSource(source).read(Math.min(limitBytes, source.sizeBytes ?? limitBytes));
  } finally {
    await source.close();
  }
}

function runnerOf(
  session: Session,
  bench: BenchSettings,
  contestant: BenchContestant,
  self: readonly string[] | undefined,
  start: StartFile | undefined,
): Runner {
  const { wantsCurve } = bench;
  const setting = start ? `${contestant.setting} ${start.option}` : contestant.setting;
  const asked = { ...contestant, setting };
  if (!self) {
    const parts = partsOf(session, contestant, wantsCurve, start);
    return fadeRunner(asked, (folder, direction) => passHere(folder, direction, parts));
  }
  // A child runs elsewhere: the last of two options counts.
  const again = start ? [`${start.option === "-D" ? "--prior" : start.option}=${start.path}`] : [];
  const command = [...self, "bench", ...contestant.words, ...again];
  return fadeRunner(asked, (folder, direction) => {
    const request = JSON.stringify({ folder, direction, wantsCurve } satisfies ChildRequest);
    return passOfChild(folder, { command, env: { [CHILD_VARIABLE]: request } });
  });
}

function partsOf(
  session: Session,
  { setting, engine, settings }: BenchContestant,
  wantsCurve: boolean,
  start: StartFile | undefined,
): FadeParts {
  const { adapter, threads } = settings;
  const request = { engine: settings.engine, threads, ...(adapter !== undefined && { adapter }) };
  return {
    setting,
    engine,
    openEngine: () => session.openEngine(request),
    options: {
      ...compressOptionsOf(settings),
      ...(start && { prior: priorOf(start.bytes, start.option === "--patch-from", settings) }),
    },
    wantsCurve,
  };
}

/** Results for people or for programs, with a line on a terminal that tells what is being measured. */
class Screen {
  readonly #session: Session;
  readonly #bench: BenchSettings;
  readonly #results: BenchResult[] = [];
  readonly #showsLine: boolean;
  #file: string | undefined;

  constructor(session: Session, bench: BenchSettings) {
    const { progress, verbosity } = bench.common;
    this.#session = session;
    this.#bench = bench;
    this.#showsLine = (progress ?? redraws(session.io.stderr)) && verbosity >= SAYS.results;
  }

  start(file: string, contestant: Contestant): void {
    if (!this.#showsLine) return;
    const { stderr } = this.#session.io;
    const text = `fade: ${file}: ${contestantText(contestant)} …`;
    if (redraws(stderr)) stderr.write(`${CLEAR}${text.slice(0, Math.max(1, stderr.columns - 1))}`);
    else stderr.write(`${text}\n`);
  }

  clear(): void {
    const { stderr } = this.#session.io;
    if (this.#showsLine && redraws(stderr)) stderr.write(CLEAR);
  }

  async show(result: BenchResult): Promise<void> {
    this.clear();
    this.#results.push(result);
    if (result.kind === "failure") this.#complain(result);
    const { io } = this.#session;
    if (this.#bench.json) return await printLine(io, JSON.stringify(result));
    if (result.kind === "machine") await printLine(io, machineText(result));
    if (result.kind === "absent") await printLine(io, `${result.compressor} is not installed`);
    if (result.kind === "result") for (const line of this.#linesOf(result)) await printLine(io, line);
  }

  async totals(files: number): Promise<void> {
    if (files < 2) return;
    const totals = totalsOf(this.#results, files);
    const { io } = this.#session;
    if (!this.#bench.json) await printLine(io, headText(`${files} files together`));
    for (const total of totals) {
      await printLine(io, this.#bench.json ? JSON.stringify(total) : totalText(total));
    }
  }

  #linesOf(result: FileResult): string[] {
    const isNew = result.file !== this.#file;
    this.#file = result.file;
    const head = isNew ? [headText(`${result.file}, ${sizeText(result.plainBytes)}`)] : [];
    const split = splitText(result);
    const curve = this.#bench.wantsCurve && result.curve ? [curveText(result.curve)] : [];
    return [...head, resultText(result), ...(split === undefined ? [] : [split]), ...curve];
  }

  #complain(failure: FailureResult): void {
    this.#session.complain(`${failure.file}: ${contestantText(failure)}`, new FileError(failure.error));
  }
}

/** Set for the processes in which fade is measured; its value is a ChildRequest. */
export const CHILD_VARIABLE = "FADE_BENCH_CHILD";

interface ChildRequest {
  readonly folder: string;
  readonly direction: Direction;
  readonly wantsCurve: boolean;
}

/** Makes one pass and prints what it cost. */
export async function runBenchChild(session: Session, bench: BenchSettings, request: string): Promise<void> {
  const { folder, direction, wantsCurve } = JSON.parse(request) as ChildRequest;
  const [contestant] = bench.contestants;
  if (!contestant) throw new Error("a benchmark's child was started without settings");
  const start = await readStart(session, bench.common);
  if (start === "missing") return;
  const pass = await passHere(folder, direction, partsOf(session, contestant, wantsCurve, start));
  await printLine(session.io, JSON.stringify(pass));
}

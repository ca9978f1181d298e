/**
 * One run of fade, from the words of the command line to the exit code, with the world passed in: main.ts hands over
 * the real one, tests their own. Nothing below this function exits, so cleaning up always happens.
 */
import packageFacts from "../../package.json" with { type: "json" };
import { BUILT_IN, type EngineParts, openEngine } from "../engine/registry.ts";
import { CHILD_VARIABLE, runBenchChild, runFilesBench } from "./bench.ts";
import { runKernelsBench } from "./bench-kernels.ts";
import { writeReport } from "./bench-report.ts";
import { type BenchSettings, benchSettingsOf } from "./bench-settings.ts";
import { checkWithCac, helpText } from "./cac.ts";
import { completionsFor } from "./completions.ts";
import { listDevices } from "./devices.ts";
import { type Environment, withDefaults, wordsOfProgramName } from "./environment.ts";
import { complaintOf, EXIT, type ExitCode, systemCode } from "./errors.ts";
import { type Io, printLine } from "./io.ts";
import { listAll } from "./list.ts";
import { manualPage } from "./manual.ts";
import { normalise } from "./normalise.ts";
import { loadPrior } from "./prior.ts";
import { type OpenEngine, Session } from "./session.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { trainPrior } from "./train.ts";
import { transformAll } from "./transform.ts";
import { visible } from "./visible.ts";

/** What tests replace. In the program both are those of this build. */
export interface RunParts {
  readonly openEngine?: OpenEngine;
  readonly engines?: EngineParts;
  /** FADE_… variables give defaults. */
  readonly environment?: Environment;
  /** As what the program was called: unfade and fadecat decompress. */
  readonly argv0?: string;
  /** A command line that runs this program again; benchmarks measure in processes of their own if they have it. */
  readonly self?: readonly string[];
}

/** A reader that closed the pipe: main.ts ends as SIGPIPE, which a shell reports with this code. No message. */
export const EXIT_BROKEN_PIPE = 141;

/** @param argv without the program's own name */
export async function run(
  argv: readonly string[],
  io: Io,
  parts: RunParts = {},
): Promise<ExitCode | typeof EXIT_BROKEN_PIPE> {
  let session: Session | undefined;
  try {
    const words = [...wordsOfProgramName(parts.argv0 ?? ""), ...argv];
    const args = withDefaults(normalise(words), parts.environment ?? {});
    const bench = benchSettingsOf(args);
    const settings = bench?.common ?? settingsOf(args);
    checkWithCac(args);
    session = new Session(io, settings, parts.openEngine ?? openEngine);
    if (bench) await performBench(session, bench, parts);
    else await perform(session, settings, parts.engines ?? BUILT_IN);
    return session.exitCode;
  } catch (error) {
    if (systemCode(error) === "EPIPE" && !io.ignoresBrokenPipe?.()) return EXIT_BROKEN_PIPE;
    const { message, hint, exitCode } = complaintOf(error);
    const name = session && exitCode !== EXIT.usage ? "fade: standard output" : "fade";
    io.stderr.write(`${name}: ${visible(message)}\n`);
    if (hint !== undefined) io.stderr.write(`fade: hint: ${visible(hint)}\n`);
    return exitCode;
  } finally {
    await session?.close();
  }
}

async function performBench(session: Session, bench: BenchSettings, parts: RunParts): Promise<void> {
  const request = parts.environment?.[CHILD_VARIABLE];
  if (request) return await runBenchChild(session, bench, request);
  if (bench.subject === "kernels") return await runKernelsBench(session, bench, parts.engines ?? BUILT_IN);
  if (bench.subject === "report") return await writeReport(session, bench);
  return await runFilesBench(session, bench, parts.engines ?? BUILT_IN, parts.self);
}

async function perform(session: Session, settings: Settings, engines: EngineParts): Promise<void> {
  const { io } = session;
  switch (settings.action) {
    case "help":
    case "short-help":
      return await printLine(io, helpText(settings.action === "help").trimEnd());
    case "version":
      return await printLine(io, `fade ${packageFacts.version}`);
    case "man":
      return await printLine(io, manualPage(packageFacts.version).trimEnd());
    case "completions":
      return await printLine(io, completionsFor(settings.shell ?? "").trimEnd());
    case "devices":
      return await listDevices(session, engines);
    case "train":
      return await trainPrior(session);
    case "list":
      return (await loadPrior(session)) ? await listAll(session) : undefined;
    default:
      return (await loadPrior(session)) ? await transformAll(session) : undefined;
  }
}

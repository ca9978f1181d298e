/**
 * The commands that compress, decompress and test: for each file the same way through, from the checks that cost
 * nothing over the work that may take hours to the name that makes it true.
 */
import { dirname, resolve } from "node:path";
import { ArchiveError, TrailingBytesError } from "../archive/errors.ts";
import { compressFrom } from "../library/compress-from.ts";
import { plainSource } from "../library/plain-source.ts";
import type { WorkProgress } from "../library/progress.ts";
import { restoreFrom } from "../library/restore-from.ts";
import { forecastBytes } from "../library/survey.ts";
import { openFilesLimit } from "../platform/process-facts.ts";
import { InputCollisionError, outputsAmongInputs } from "./collisions.ts";
import { descriptorOf } from "./descriptors.ts";
import { outputName } from "./destinations.ts";
import { complaintOf, FileError, OutputError, systemCode, UsageError } from "./errors.ts";
import { displayName, findInput, type Input, type OpenInput, openFile, openInput, shardRange } from "./input.ts";
import { type Io, printLine } from "./io.ts";
import { hasArchiveSuffix } from "./names.ts";
import type { Operand } from "./normalise.ts";
import { inputsOf } from "./operands.ts";
import { type Output, openOutput } from "./output.ts";
import { isPriorOf } from "./prior.ts";
import type { ProgressLine } from "./progress.ts";
import type { Session } from "./session.ts";
import { SAYS, type Settings } from "./settings.ts";
import { Settling, WAITING_MAX } from "./settling.ts";
import { checkRemovable, isRemovable, removeSource } from "./sources.ts";
import { checkTarget, ExistsError, makeDirectory, type Target } from "./targets.ts";
import { percentText, sizeText } from "./words.ts";

/** Processes all inputs; a bad one does not stop the others, but a reader that has gone does. */
export async function transformAll(session: Session): Promise<void> {
  const inputs = await inputsOf(session);
  const outcomes: Outcome[] = [];
  if (refusesCollisions(session, inputs)) return;
  const settling = new Settling(waitingMaxFor(session, inputs));
  try {
    for (const [index, operand] of inputs.entries()) {
      session.place = inputs.length > 1 ? `${index + 1}/${inputs.length} ` : "";
      const settle = await transformOne(session, operand).catch((error: unknown) => {
        if (endsRun(error)) throw error;
        session.abandonLostEngine(error);
        return () => Promise.reject(error);
      });
      await settling.add(async () => {
        try {
          outcomes.push(await settle());
        } catch (error) {
          if (endsRun(error)) throw error;
          await complain(session, operand, error);
        }
      });
    }
  } finally {
    await settling.drain();
  }
  summarise(session, inputs.length, outcomes);
}

/** Nobody reads the output any more, or the command line is wrong. */
const endsRun = (error: unknown) => systemCode(error) === "EPIPE" || error instanceof UsageError;

async function complain(session: Session, operand: Operand, error: unknown): Promise<void> {
  const { message, exitCode } = session.complain(displayName(operand), error);
  if (session.settings.json) await printLine(session.io, failureOf(displayName(operand), message, exitCode));
}

/** With fewer descriptors than this every file is closed before the next is opened. */
const OVERLAP_FILES_MIN = 64;

/** How many outputs may wait for the disk: none where an output is an input, too, and must be there when it is read. */
function waitingMaxFor({ settings, inputPaths }: Session, inputs: readonly Operand[]): number {
  const waitsForNothing = inputs.length < 2 || settings.action === "test" || settings.toStdout;
  if (waitsForNothing || inputPaths.size > 0) return 0;
  return (openFilesLimit() ?? OVERLAP_FILES_MIN) < OVERLAP_FILES_MIN ? 0 : WAITING_MAX;
}

/**
 * With -f an output that is another input ends the run before anything is done. Without it nothing is overwritten, so
 * that `fade *` beside older archives still does the rest; only the question must not be asked.
 */
function refusesCollisions(session: Session, inputs: readonly Operand[]): boolean {
  const collisions = outputsAmongInputs(session, inputs);
  for (const path of collisions.keys()) session.inputPaths.add(path);
  const [first] = collisions.values();
  if (first === undefined || !session.settings.force) return false;
  session.complain(first, new InputCollisionError(first));
  return true;
}

/** The plain and coded sizes in bytes of what was done. */
interface Outcome {
  readonly plainBytes: number;
  readonly codedBytes: number;
}

/** An alias with --rm must not break pipes. */
const NOT_TO_A_FILE = "--rm is for files that become files";

/** Works on a file. @returns what is left to do, which must be done: waiting for the disk, and what comes after it */
async function transformOne(session: Session, operand: Operand): Promise<() => Promise<Outcome>> {
  const { settings, io } = session;
  const { action, removeSource: isRemoved } = settings;
  refuseTerminals(session, operand);
  const input = await findInput(io, operand);
  const source = await openInput(io, input, rangeOf(settings, input));
  try {
    const target = action === "test" ? undefined : await findTarget(session, input);
    const removes = isRemoved && isRemovable(input, target);
    if (removes && action === "compress" && isPriorOf(session, resolve(io.cwd, input.operand.name))) {
      throw new FileError("is what archives of this run begin with, and --rm would remove it", "leave it out, or --rm");
    }
    if (removes) await checkRemovable(io, input, settings.force);
    else if (isRemoved && action !== "test") session.say(SAYS.details, `${input.name}: not removed: ${NOT_TO_A_FILE}`);
    const { output, outcome } = await convert(session, input, source, target);
    return async () => {
      await nameOutput(session, output, target);
      // First: whatever happens to the source, the output is there.
      await report(session, input, target, outcome);
      if (removes) await removeOrComplain(session, input, target);
      return outcome;
    };
  } finally {
    await source.close();
  }
}

/** Gives an output its name, as soon as it is on the disk. */
async function nameOutput(session: Session, output: Output, target: Target | undefined): Promise<void> {
  const isFile = target !== undefined && target.special === undefined;
  try {
    if (isFile) session.checkClaim(target.path, target.name);
    await output.finish();
    if (isFile) session.wrote(target.path);
  } finally {
    await output.discard();
  }
}

/** A source that stays is a failure, but not one of the output. */
async function removeOrComplain(session: Session, input: Input, target: Target): Promise<void> {
  try {
    await removeSource(session.io, input, target);
  } catch (error) {
    if (error instanceof FileError) return void session.complain(input.name, error);
    const done = session.settings.action === "compress" ? "compressed" : "decompressed";
    const { message } = complaintOf(error);
    const text = `${done} to ${target.name}, but it could not be removed: ${message}`;
    session.complain(input.name, new FileError(text));
  }
}

/** The part of the input that --shard names; undefined for all of it. @throws FileError */
function rangeOf({ shard, action }: Settings, input: Input): { start: number; end: number } | undefined {
  if (!shard || action !== "compress") return undefined;
  if (!input.stats?.isFile()) throw new FileError("cannot be cut into shards", "name a regular file");
  return shardRange(input.stats.size, shard.index, shard.count);
}

async function convert(
  session: Session,
  input: Input,
  source: OpenInput,
  target: Target | undefined,
): Promise<{ readonly output: Output; readonly outcome: Outcome }> {
  const { settings, io } = session;
  const { verify } = settings;
  const isCompressing = settings.action === "compress";
  let outcome: Outcome | undefined;
  const verifyIt = (path: string) => verifyArchive(session, input, path, outcome);
  const output = target
    ? await openOutput(io, target, {
        source: input.stats,
        sourcePath: resolve(io.cwd, input.operand.name),
        times: input.facts,
        sparse: settings.sparse ?? !isCompressing,
        verify: verify && isCompressing ? verifyIt : undefined,
      })
    : standardOutput(io, settings.action === "test");
  try {
    outcome = await (isCompressing
      ? compress(session, input, source, output)
      : decompress(session, input.name, source, output, settings.action === "decompress" && !target));
    await output.seal();
    return { output, outcome };
  } catch (error) {
    await output.discard();
    throw error;
  }
}

/** Decodes what was written, and compares the checksums. @throws FileError if it is not what was read */
async function verifyArchive(session: Session, input: Input, path: string, written?: Outcome): Promise<void> {
  const archive = await openFile(path);
  try {
    const label = `${input.name} (verify)`;
    const decoded = await decompress(session, label, archive, NO_OUTPUT).catch((error: unknown) => {
      if (error instanceof ArchiveError) return undefined;
      throw error;
    });
    const isSame = decoded?.plainBytes === written?.plainBytes && decoded?.codedBytes === written?.codedBytes;
    if (decoded && isSame) return;
  } finally {
    await archive.close();
  }
  throw new FileError("the archive that was written does not decode to this file", "check this machine's memory");
}

const nothing = async () => {};
const NO_OUTPUT: Output = { write: nothing, seal: nothing, finish: nothing, discard: nothing };

function standardOutput(io: Io, isTest: boolean): Output {
  return isTest ? NO_OUTPUT : { ...NO_OUTPUT, write: (bytes) => writeStdout(io, bytes) };
}

async function writeStdout(io: Io, bytes: Uint8Array): Promise<void> {
  try {
    await io.stdout.write(bytes);
  } catch (error) {
    // A reader that has gone ends the run (run.ts); anything else is the fault of the output, not of this input.
    if (systemCode(error) === "EPIPE") throw error;
    throw new OutputError("standard output", error);
  }
}

/** Where the result goes; undefined for standard output. @throws FileError */
async function findTarget(session: Session, input: Input): Promise<Target | undefined> {
  const { settings, io } = session;
  const { output, toStdout, force, action } = settings;
  if (toStdout || (input.operand.isStandardInput && output === undefined)) return undefined;
  if (output === undefined && input.stats && !input.stats.isFile()) {
    throw new FileError("is not a regular file", "name the output with -o, or use -c");
  }
  if (output === undefined && descriptorOf(resolve(io.cwd, input.operand.name)) !== undefined) {
    throw new FileError("has no name to make another of", "name the output with -o, or use -c");
  }
  if (action === "compress" && output === undefined && hasArchiveSuffix(input.name) && !force) {
    throw new FileError("is compressed already", "use -f to compress it again, or -d to decompress it");
  }
  const name = outputName(settings, input.name);
  const path = resolve(io.cwd, name);
  const isNamed = output !== undefined;
  if (settings.outputDirectory) await makeDirectory(io, dirname(name));
  if (action === "compress" && isPriorOf(session, path)) {
    throw new FileError("is what the archive begins with, and would be overwritten", "name another output", name);
  }
  session.claim(path, name);
  try {
    return await checkTarget(path, name, { force, isNamed }, input.stats);
  } catch (error) {
    if (!(error instanceof ExistsError)) throw error;
    if (session.inputPaths.has(path)) throw new InputCollisionError(name);
    if (!(await session.confirms(`${name} ${error.message}; overwrite it?`))) throw error;
    return await checkTarget(path, name, { force: true, isNamed }, input.stats);
  }
}

/** An archive on a terminal is an accident: it garbles the screen or waits for bytes that nobody can type. */
function refuseTerminals({ settings, io }: Session, operand: Operand): void {
  const { action, output, toStdout, explicitStdout, force } = settings;
  const writesStdout = action === "compress" && (toStdout || (operand.isStandardInput && output === undefined));
  if (writesStdout && io.stdout.isTerminal && !force && !explicitStdout) {
    throw new UsageError("an archive is not written to a terminal", "redirect it, name a file with -o, or use -c");
  }
  if (action !== "compress" && operand.isStandardInput && io.stdin.isTerminal && !force) {
    throw new UsageError("an archive is not read from a terminal", "name a file, or redirect standard input");
  }
}

/** What progress lines say of work. */
function tellLine(line: ProgressLine | undefined, { plainBytes, archiveBytes, totalBytes }: WorkProgress): void {
  line?.update({ doneBytes: plainBytes, totalBytes, codedBytes: archiveBytes });
}

async function compress(session: Session, input: Input, source: OpenInput, output: Output): Promise<Outcome> {
  const { settings, engine, priors } = session;
  const plain = plainSource(source);
  const totalBytes = plain.sizeBytes ?? source.forecast?.sizeBytes;
  const line = session.progress(input.name, totalBytes);
  try {
    const company = { engine, priors, onProgress: (progress: WorkProgress) => tellLine(line, progress) };
    const sizes = await compressFrom(plain, (bytes) => output.write(bytes), settings, company, totalBytes);
    return { plainBytes: sizes.plainBytes, codedBytes: sizes.archiveBytes };
  } finally {
    line.finish();
  }
}

/** @param isShown what comes out goes to standard output as it comes */
async function decompress(
  session: Session,
  label: string,
  source: OpenInput,
  output: Output,
  isShown = false,
): Promise<Outcome> {
  const { settings, engine, priors } = session;
  let line: ProgressLine | undefined;
  const choices = {
    checks: settings.checks,
    forecast: () => forecastBytes(source),
    onBegin: (totalBytes: number | undefined) => {
      line = session.progress(label, totalBytes);
    },
    // What --verify decodes.
    isOwn: settings.action === "compress",
  };
  try {
    const company = { engine, priors, onProgress: (progress: WorkProgress) => tellLine(line, progress) };
    const sizes = await restoreFrom(source, output.write, settings, company, choices);
    return { plainBytes: sizes.plainBytes, codedBytes: sizes.archiveBytes };
  } catch (error) {
    // Of a file, that is known before anything comes out.
    throw isShown && line && error instanceof TrailingBytesError ? error.afterOutput() : error;
  } finally {
    line?.finish();
  }
}

/** What --json says of a file that failed. */
function failureOf(name: string, error: string, exitCode: number): string {
  return JSON.stringify({ name, ok: false, error, exitCode });
}

/** One line per file for people; with --json one object per tested file for programs. */
async function report(session: Session, input: Input, target: Target | undefined, outcome: Outcome): Promise<void> {
  const { settings, io } = session;
  const { plainBytes, codedBytes } = outcome;
  if (settings.action === "test") {
    if (settings.json) await printLine(io, JSON.stringify({ name: input.name, ok: true, plainBytes, codedBytes }));
    else session.say(SAYS.results, `${input.name}: ok, ${sizeText(plainBytes)}`);
    return;
  }
  // Standard output often feeds a pipeline whose owner wants no chatter.
  const level = target ? SAYS.results : SAYS.details;
  const sizes = [sizeText(plainBytes), sizeText(codedBytes)];
  if (settings.action === "decompress") sizes.reverse();
  const name = target?.name ?? "standard output";
  session.say(level, `${input.name}: ${percentText(codedBytes, plainBytes)} (${sizes.join(" => ")}, ${name})`);
}

/** One line for all files of a run, if there were several. */
function summarise(session: Session, count: number, outcomes: readonly Outcome[]): void {
  if (count < 2 || session.settings.json) return;
  const plainBytes = outcomes.reduce((sum, outcome) => sum + outcome.plainBytes, 0);
  const codedBytes = outcomes.reduce((sum, outcome) => sum + outcome.codedBytes, 0);
  const sizes = [sizeText(plainBytes), sizeText(codedBytes)];
  if (session.settings.action !== "compress") sizes.reverse();
  const done = outcomes.length === count ? `${count} files` : `${outcomes.length} of ${count} files`;
  const level = session.settings.toStdout ? SAYS.details : SAYS.results;
  session.say(level, `${done}: ${percentText(codedBytes, plainBytes)} (${sizes.join(" => ")})`);
}

/**
 * The commands that compress, decompress and test: for each file the same way through, from the checks that cost
 * nothing over the work that may take hours to the name that makes it true.
 */
import * as fs from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import { CHECK_START, chainCheck } from "../archive/checksum.ts";
import { ArchiveError } from "../archive/errors.ts";
import { readArchive } from "../archive/read.ts";
import { compressFrame, decompressFrame } from "../pipeline/frames.ts";
import type { BlockProgress } from "../pipeline/options.ts";
import { outputName } from "./destinations.ts";
import { FileError, OutputError, systemCode, UsageError } from "./errors.ts";
import { displayName, findInput, INPUT_BYTES_MAX, type Input, readInput } from "./input.ts";
import { type Io, printLine } from "./io.ts";
import { hasArchiveSuffix } from "./names.ts";
import type { Operand } from "./normalise.ts";
import { inputsOf } from "./operands.ts";
import { checkTarget, ExistsError, type Target, writeTarget } from "./output.ts";
import type { Session } from "./session.ts";
import { hyperFor, SAYS, type Settings } from "./settings.ts";
import { checkRemovable, removeSource } from "./sources.ts";
import { percentText, sizeText } from "./words.ts";

/** Processes all inputs; a bad one does not stop the others, but a reader that has gone does. */
export async function transformAll(session: Session): Promise<void> {
  const inputs = await inputsOf(session);
  const outcomes: Outcome[] = [];
  for (const [index, operand] of inputs.entries()) {
    session.place = inputs.length > 1 ? `${index + 1}/${inputs.length} ` : "";
    try {
      outcomes.push(await transformOne(session, operand));
    } catch (error) {
      if (systemCode(error) === "EPIPE" || error instanceof UsageError) throw error;
      session.complain(displayName(operand), error);
    }
  }
  summarise(session, inputs.length, outcomes);
}

/** The plain and coded sizes in bytes of what was done. */
interface Outcome {
  readonly plainBytes: number;
  readonly codedBytes: number;
}

async function transformOne(session: Session, operand: Operand): Promise<Outcome> {
  const { settings, io } = session;
  const { action, removeSource: isRemoved, verify } = settings;
  refuseTerminals(session, operand);
  const input = await findInput(io, operand);
  const target = action === "test" ? undefined : await findTarget(session, input);
  const removes = isRemoved && action !== "test";
  if (removes) await checkRemovable(io, input, target, settings.force);
  const bytes = await readInput(io, input);
  const isCompressing = action === "compress";
  const result = isCompressing ? await compress(session, input, bytes) : await decompress(session, input.name, bytes);
  const outcome = isCompressing
    ? { plainBytes: bytes.length, codedBytes: result.length }
    : { plainBytes: result.length, codedBytes: bytes.length };
  if (target) {
    await writeTarget(io, target, result, {
      source: input.stats,
      sparse: settings.sparse ?? !isCompressing,
      verify: verify && isCompressing ? (path) => verifyArchive(session, input, path, bytes) : undefined,
    });
  } else if (action !== "test") await writeStdout(io, result);
  if (removes) await removeSource(io, input);
  await report(session, input, target, outcome);
  return outcome;
}

/** Decodes what reached the disk. @throws FileError if it is not `plain` */
async function verifyArchive(session: Session, input: Input, path: string, plain: Uint8Array): Promise<void> {
  const archive = new Uint8Array(await fs.readFile(path));
  const check = chainCheck(plain, CHECK_START);
  const decoded = await decompress(session, `${input.name} (verify)`, archive).catch((error: unknown) => {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  });
  if (decoded?.length === plain.length && chainCheck(decoded, CHECK_START) === check) return;
  throw new FileError("the archive that was written does not decode to this file", "check this machine's memory");
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
  if (action === "compress" && output === undefined && hasArchiveSuffix(input.name) && !force) {
    throw new FileError("is compressed already", "use -f to compress it again, or -d to decompress it");
  }
  const name = outputName(settings, input.name);
  const path = resolve(io.cwd, name);
  session.claim(path, name);
  if (settings.outputDirectory) await fs.mkdir(dirname(path), { recursive: true });
  try {
    return await checkTarget(path, name, force, input.stats);
  } catch (error) {
    if (!(error instanceof ExistsError) || !(await session.confirms(`${name} already exists; overwrite it?`)))
      throw error;
    return await checkTarget(path, name, true, input.stats);
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

/** Some of the machine's memory (or the container's) is needed by everything else. */
const MEMORY_SHARE = 0.8;

function limits(settings: Settings): { workers: number; memoryBytesMax: number } {
  const { threads: workers } = settings;
  if (settings.memoryBytesMax !== undefined) return { workers, memoryBytesMax: settings.memoryBytesMax };
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return { workers, memoryBytesMax: Math.floor(memoryBytes * MEMORY_SHARE) };
}

async function compress(session: Session, input: Input, plain: Uint8Array): Promise<Uint8Array> {
  const { settings } = session;
  const line = session.progress(input.name, plain.length);
  const onProgress = ({ bytesDone, codedBytes }: BlockProgress) =>
    line.update({ doneBytes: bytesDone, totalBytes: plain.length, codedBytes });
  try {
    const hyper = hyperFor(settings, plain.length);
    return await compressFrame(plain, hyper, session.engine, {
      ...limits(settings),
      onProgress,
    });
  } finally {
    line.finish();
  }
}

async function decompress(session: Session, label: string, archive: Uint8Array): Promise<Uint8Array> {
  const frames = readArchive(archive, { plainBytesMax: INPUT_BYTES_MAX });
  const totalBytes = frames.reduce((sum, { header }) => sum + header.plainBytes, 0);
  const line = session.progress(label, totalBytes);
  const parts: Uint8Array[] = [];
  let beforeBytes = 0;
  try {
    for (const frame of frames) {
      const onProgress = ({ bytesDone }: BlockProgress) => {
        const doneBytes = beforeBytes + bytesDone;
        // How much of the archive is used up is not known in between; the overall ratio tells about as much.
        const codedBytes = Math.round((doneBytes / Math.max(1, totalBytes)) * archive.length);
        line.update({ doneBytes, totalBytes, codedBytes });
      };
      const options = { ...limits(session.settings), onProgress };
      parts.push(await decompressFrame(frame, session.engine, options));
      beforeBytes += frame.header.plainBytes;
    }
  } finally {
    line.finish();
  }
  const [first] = parts;
  return parts.length === 1 && first ? first : new Uint8Array(Buffer.concat(parts));
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

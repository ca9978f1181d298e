/**
 * The commands that compress, decompress and test: for each file the same way through, from the checks that cost
 * nothing over the work that may take hours to the name that makes it true.
 */
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { readArchive } from "../archive/read.ts";
import { compressFrame, decompressFrame } from "../pipeline/frames.ts";
import type { BlockProgress } from "../pipeline/options.ts";
import { FileError, OutputError, systemCode, UsageError } from "./errors.ts";
import { displayName, findInput, INPUT_BYTES_MAX, type Input, readInput, STANDARD_INPUT } from "./input.ts";
import { type Io, printLine } from "./io.ts";
import { compressedName, decompressedName, hasArchiveSuffix } from "./names.ts";
import type { Operand } from "./normalise.ts";
import { checkTarget, type Target, writeTarget } from "./output.ts";
import type { Session } from "./session.ts";
import { hyperFor, SAYS, type Settings } from "./settings.ts";
import { percentText, sizeText } from "./words.ts";

/** Processes all operands; a bad one does not stop the others, but a reader that has gone does. */
export async function transformAll(session: Session): Promise<void> {
  const { operands } = session.settings;
  const all = operands.length > 0 ? operands : [STANDARD_INPUT];
  for (const operand of all) {
    try {
      await transformOne(session, operand);
    } catch (error) {
      if (systemCode(error) === "EPIPE" || error instanceof UsageError) throw error;
      session.complain(displayName(operand), error);
    }
  }
}

/** The plain and coded sizes in bytes of what was done. */
interface Outcome {
  readonly plainBytes: number;
  readonly codedBytes: number;
}

async function transformOne(session: Session, operand: Operand): Promise<void> {
  const { settings, io } = session;
  refuseTerminals(session, operand);
  const input = await findInput(io, operand);
  const target = settings.action === "test" ? undefined : await findTarget(session, input);
  const bytes = await readInput(io, input);
  const isCompressing = settings.action === "compress";
  const result = isCompressing ? await compress(session, input, bytes) : await decompress(session, input, bytes);
  if (target) await writeTarget(io, target, result, input.stats);
  else if (settings.action !== "test") await writeStdout(io, result);
  const plainBytes = isCompressing ? bytes.length : result.length;
  const codedBytes = isCompressing ? result.length : bytes.length;
  await report(session, input, target, { plainBytes, codedBytes });
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
async function findTarget({ settings, io }: Session, input: Input): Promise<Target | undefined> {
  const { output, toStdout, force, action } = settings;
  if (toStdout || (input.operand.isStandardInput && output === undefined)) return undefined;
  if (output === undefined && input.stats && !input.stats.isFile()) {
    throw new FileError("is not a regular file", "name the output with -o, or use -c");
  }
  if (action === "compress" && output === undefined && hasArchiveSuffix(input.name) && !force) {
    throw new FileError("is compressed already", "use -f to compress it again, or -d to decompress it");
  }
  const name = output ?? (action === "compress" ? compressedName(input.name) : decompressedName(input.name));
  return await checkTarget(resolve(io.cwd, name), name, force, input.stats);
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
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return { workers: settings.threads, memoryBytesMax: Math.floor(memoryBytes * MEMORY_SHARE) };
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

async function decompress(session: Session, input: Input, archive: Uint8Array): Promise<Uint8Array> {
  const frames = readArchive(archive, { plainBytesMax: INPUT_BYTES_MAX });
  const totalBytes = frames.reduce((sum, { header }) => sum + header.plainBytes, 0);
  const line = session.progress(input.name, totalBytes);
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

/** `fade --train`: makes a prior of samples, writes it, and says what files like them will gain. */
import { basename, resolve } from "node:path";
import { priorText } from "../archive/prior-reference.ts";
import { limitsOf } from "../library/work.ts";
import { priorContextsOf } from "../model/levels.ts";
import { MemoryLimitError } from "../pipeline/memory.ts";
import { decodePrior } from "../prior/file.ts";
import { makePrior, SAMPLE_PART_BYTES, trainingMemoryBytes } from "../prior/make.ts";
import { EXIT, FileError, UsageError } from "./errors.ts";
import { keysOf } from "./file-keys.ts";
import { findInput, openInput } from "./input.ts";
import { printLine } from "./io.ts";
import { inputsOf } from "./operands.ts";
import { openOutput } from "./output.ts";
import type { Session } from "./session.ts";
import { SAYS, type Settings } from "./settings.ts";
import { checkTarget } from "./targets.ts";
import { sizeText } from "./words.ts";

/** As zstd calls it where nobody names one. */
const DEFAULT_OUTPUT = "dictionary";
/** What is to be left of files by a prior that is worth keeping: each archive needs it for ever. */
const LEFT_MOST = 0.99;
/** Of all samples together: more would be read for nothing. */
const ALL_BYTES_MAX = 2 ** 28;

/** @throws UsageError */
export async function trainPrior(session: Session): Promise<void> {
  const { settings, io } = session;
  if (settings.operands.length === 0 && settings.fileLists.length === 0) {
    throw new UsageError("--train needs samples", "name files, or folders of them");
  }
  const name = settings.output ?? DEFAULT_OUTPUT;
  // Before the work: it may take minutes.
  const targetOf = () => checkTarget(resolve(io.cwd, name), name, { force: settings.force, isNamed: true }, undefined);
  try {
    await targetOf();
  } catch (error) {
    return void session.complain(name, error);
  }
  const samples = await readSamples(session, new Set(keysOf(resolve(io.cwd, name))));
  if (session.exitCode !== EXIT.ok) return;
  try {
    checkTrainingMemory(settings, samples);
    const line = session.progress(name, 100);
    const made = makePrior(samples, {
      name: nameOf(name),
      contexts: priorContextsOf(settings.level),
      bytesMax: settings.priorBytesMax,
      onProgress: (share) => line.update({ doneBytes: Math.floor(100 * share), totalBytes: 100, codedBytes: 0 }),
    });
    line.finish();
    const output = await openOutput(io, await targetOf(), { sparse: false });
    try {
      await output.write(made.file);
      await output.seal();
      await output.finish();
    } finally {
      await output.discard();
    }
    const { contentBytes, trainedBytes, held } = made;
    const prior = priorText({ hash: decodePrior(made.file).hash, isLow: false });
    const facts = { name, prior, priorBytes: made.file.length, contentBytes, trainedBytes, samples: samples.length };
    if (settings.json) await printLine(io, JSON.stringify({ ...facts, held }));
    const [plain, without, withIt] = [held.plainBytes, held.withoutBytes, held.withBytes].map(sizeText);
    session.say(SAYS.results, `${name}: ${sizeText(made.file.length)} from ${samples.length} samples, prior ${prior}`);
    session.say(
      SAYS.results,
      `  ${held.samples} of them, held back: ${plain} become ${without} without the prior, ${withIt} with it`,
    );
    if (held.withBytes > LEFT_MOST * held.withoutBytes) {
      session.say(SAYS.errors, `fade: ${name}: warning: files like these gain less than 1% from it`);
    }
  } catch (error) {
    session.complain(name, error);
  }
}

const nameOf = (path: string) =>
  Array.from(basename(path).replace(/\.[^.]*$/, ""))
    .slice(0, 16)
    .join("");

/** @throws MemoryLimitError */
function checkTrainingMemory(settings: Settings, samples: readonly Uint8Array[]): void {
  const { memoryBytesMax } = limitsOf(settings);
  const sampleBytes = samples.reduce((sum, { length }) => sum + length, 0);
  const longest = samples.reduce((most, { length }) => Math.max(most, length), 0);
  const contexts = priorContextsOf(settings.level);
  const neededBytes = trainingMemoryBytes(sampleBytes, longest, contexts, settings.priorBytesMax);
  if (neededBytes > memoryBytesMax) throw new MemoryLimitError(neededBytes, memoryBytesMax);
}

/** The beginning of each input. What cannot be read is complained about. @param outputKeys what no sample may be */
async function readSamples(session: Session, outputKeys: ReadonlySet<string>): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = [];
  let bytes = 0;
  for (const operand of await inputsOf(session)) {
    try {
      if (keysOf(resolve(session.io.cwd, operand.name)).some((key) => outputKeys.has(key))) {
        throw new FileError("is a sample and the output, too", "name another output with -o");
      }
      const source = await openInput(session.io, await findInput(session.io, operand));
      try {
        if (!source.readAt) throw new FileError("is not a regular file", "samples are files");
        const sample = await source.readAt(0, Math.min(SAMPLE_PART_BYTES, source.sizeBytes ?? SAMPLE_PART_BYTES));
        bytes += sample.length;
        if (bytes > ALL_BYTES_MAX) throw new FileError("is more than samples may be in all", "256 MiB are enough");
        samples.push(sample);
      } finally {
        await source.close();
      }
    } catch (error) {
      session.complain(operand.name, error);
    }
  }
  return samples;
}

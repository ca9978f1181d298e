/** `fade -l`: what archives hold, from their headers and indexes: no payload is read, so a listing takes no time. */
import { resolve } from "node:path";
import { checkText, lowCheck } from "../archive/checksum.ts";
import type { FrameHeader, FrameModel } from "../archive/format.ts";
import { type ArchiveFile, blocksOf, type FrameSummary, type Listing, listArchive } from "../archive/list.ts";
import { type PriorReference, priorText } from "../archive/prior-reference.ts";
import { contractOf, hasNetwork } from "../contract/hyper.ts";
import { modelSeconds } from "../library/estimate.ts";
import { limitsOf } from "../library/work.ts";
import { hasShape, isOfLevel, levelOf, networkShape, PAPER } from "../model/levels.ts";
import { withSmallModel } from "../pipeline/priors.ts";
import { builtInPrior } from "../prior/built-in.ts";
import { decodePrior, isPriorFile, PRIOR_MAGIC, type Prior } from "../prior/file.ts";
import { FileError, systemCode, UsageError } from "./errors.ts";
import { findInput, openInput } from "./input.ts";
import { printLine, writeText } from "./io.ts";
import type { Operand } from "./normalise.ts";
import { inputsOf } from "./operands.ts";
import { readWhole } from "./prior.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";
import { visible } from "./visible.ts";
import { durationText, ratioText, sizeText } from "./words.ts";

interface Listed
  extends Pick<Listing, "frameCount" | "blockCount" | "plainBytes" | "version" | "check" | "isCheckLow"> {
  readonly name: string;
  readonly codedBytes: number;
  /** Zeros behind the archive, which are none of it. */
  readonly paddingBytes: number;
  /** Of the first frame that has one, and whether it is an old file. */
  readonly prior: PriorReference | undefined;
  readonly isPatch: boolean;
}

/** @throws UsageError if there is nothing to list */
export async function listAll(session: Session): Promise<void> {
  const { operands, fileLists, json, verbosity } = session.settings;
  if ((operands.length === 0 && fileLists.length === 0) || operands.some((operand) => operand.isStandardInput)) {
    throw new UsageError("--list does not read standard input", "name archives");
  }
  const listed: Listed[] = [];
  for (const operand of await inputsOf(session)) {
    try {
      const one = await listOne(session, operand);
      if (one) listed.push(one);
    } catch (error) {
      if (systemCode(error) === "EPIPE") throw error;
      const { message, exitCode } = session.complain(operand.name, error);
      if (json) await printLine(session.io, JSON.stringify({ name: operand.name, error: message, exitCode }));
    }
  }
  const isTable = !json && verbosity < SAYS.details;
  if (isTable && listed.length > 0) await printLine(session.io, tableOf(listed));
}

/**
 * With -v and --json what is found goes out frame by frame: an archive may have more than anybody wants to hold.
 *
 * @returns nothing for the file of a prior, of which it is told which one it is
 */
async function listOne(session: Session, operand: Operand): Promise<Listed | undefined> {
  const { settings, io } = session;
  const input = await findInput(io, operand);
  const source = await openInput(io, input);
  const { readAt } = source;
  try {
    if (!readAt || !input.stats) throw new FileError("is not a regular file", "save it to a file first");
    const file = { sizeBytes: input.stats.size, readAt };
    if (isPriorFile(await readAt(0, Math.min(file.sizeBytes, PRIOR_MAGIC.length)))) {
      const prior = decodePrior(await readWhole(resolve(io.cwd, operand.name), limitsOf(settings).memoryBytesMax));
      await printLine(io, settings.json ? priorFileJson(operand.name, prior) : priorLine(operand.name, prior));
      return undefined;
    }
    const listing = await listArchive(file);
    const { frameCount, blockCount, plainBytes, version, check, isCheckLow, archiveBytes: codedBytes } = listing;
    const sums = { frameCount, blockCount, plainBytes, version, check, isCheckLow, codedBytes };
    const { prior, isPatch } = listing;
    const listed = { ...sums, prior, isPatch, name: operand.name, paddingBytes: file.sizeBytes - codedBytes };
    if (settings.json) await writeText(io, jsonOf(file, listing, listed, settings.threads));
    else if (settings.verbosity >= SAYS.details)
      await writeText(io, detailsOf(listing, listed, { threads: settings.threads, priors: session.priors }));
    return listed;
  } finally {
    await source.close();
  }
}

/** Archives name a prior by its hash, small ones by the last eight digits of it. */
function priorLine(name: string, { hash, name: own, contexts, sizeBytes }: Prior): string {
  const named = own === "" ? "" : `, "${visible(own)}"`;
  const which = `${priorText({ hash, isLow: false })}${named}`;
  return `${visible(name)}: no archive but a prior, ${which} (${sizeText(sizeBytes)}, of ${contexts} contexts): see -D`;
}

function priorFileJson(name: string, { hash, name: priorName, contexts, sizeBytes }: Prior): string {
  return JSON.stringify({ name, prior: priorText({ hash, isLow: false }), priorName, contexts, sizeBytes });
}

/** Of several frames none stands for all; of small frames, the low half is all that there is. */
const checkOf = ({ check, isCheckLow }: Listed) => (check === undefined ? "-" : checkText(check, isCheckLow));

const checkOfFrame = ({ check, header }: FrameSummary) => checkText(check, header.small !== undefined);

const HEADINGS = ["frames", "blocks", "compressed", "uncompressed", "ratio", "check", "name"];

function tableOf(listed: readonly Listed[]): string {
  const row = (frames: number, blocks: number, coded: number, plain: number, check: string, name: string) => [
    `${frames}`,
    `${blocks}`,
    sizeText(coded),
    sizeText(plain),
    ratioText(plain, coded),
    check,
    name,
  ];
  const rows = listed.map((archive) => {
    const { name, frameCount, blockCount, codedBytes, plainBytes, prior, isPatch } = archive;
    // What is built in nobody has to look for.
    const behind = prior && !("number" in prior) ? ` (${isPatch ? "patch of" : "prior"} ${priorText(prior)})` : "";
    return row(frameCount, blockCount, codedBytes, plainBytes, checkOf(archive), `${visible(name)}${behind}`);
  });
  if (listed.length > 1) {
    const sum = (count: (archive: Listed) => number) => listed.reduce((total, archive) => total + count(archive), 0);
    const frames = sum((archive) => archive.frameCount);
    const blocks = sum((archive) => archive.blockCount);
    const [coded, plain] = [sum((archive) => archive.codedBytes), sum((archive) => archive.plainBytes)];
    rows.push(row(frames, blocks, coded, plain, "-", `${listed.length} files`));
  }
  const table = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const last = HEADINGS.length - 1;
  const line = (cells: string[]) =>
    cells.map((cell, column) => (column === last ? cell : cell.padStart(widths[column] ?? 0))).join("  ");
  return table.map(line).join("\n");
}

async function* detailsOf(
  listing: Listing,
  archive: Listed,
  { threads, priors }: { threads: number; priors: readonly Prior[] },
): AsyncGenerator<string> {
  const { name, codedBytes, plainBytes, paddingBytes } = archive;
  const lines = [
    `${visible(name)}:`,
    `  compressed:     ${sizeText(codedBytes)} (${codedBytes} bytes)`,
    ...(paddingBytes > 0 ? [`  padding:        ${sizeText(paddingBytes)} of zeros behind it`] : []),
    `  uncompressed:   ${sizeText(plainBytes)} (${plainBytes} bytes)`,
    `  ratio:          ${ratioText(plainBytes, codedBytes)}`,
    `  format version: ${archive.version}`,
    "",
  ];
  yield lines.join("\n");
  let number = 0;
  for await (const frame of listing.frames()) {
    number += 1;
    yield `  frame ${number}:\n${linesOf(frame, threads, priors).join("\n")}\n`;
  }
}

/** The prior that a frame needs, if it is built in or -D gave it. */
function priorOf({ prior: reference }: FrameHeader, given: readonly Prior[]): Prior | undefined {
  if (reference && "number" in reference) return builtInPrior(reference.number);
  return given.find((each) => isNamed(reference, each));
}

/** The prior by its name, if it is there. */
function priorLines({ prior: reference, isPatch }: FrameHeader, given: Prior | undefined): string[] {
  if (!reference) return [];
  const name = isNamed(reference, given) && given?.name ? ` (${visible(given.name)})` : "";
  const what = isPatch
    ? "patch of:     a file of xxHash64"
    : `prior:        ${"number" in reference ? "built in, number" : "xxHash64"}`;
  return [`    ${what} ${priorText(reference)}${name}`];
}

function isNamed(reference: PriorReference | undefined, given: Prior | undefined): given is Prior {
  if (!given || !reference) return false;
  if ("number" in reference) return given.number === reference.number;
  return reference.isLow ? lowCheck(given.hash) === reference.hash : given.hash === reference.hash;
}

/** A small frame's model follows from its prior. */
function modelOf(header: FrameHeader, given: Prior | undefined): FrameModel | undefined {
  const { prior: reference } = header;
  return isNamed(reference, given) ? withSmallModel(header, given).model : header.model;
}

function linesOf(frame: FrameSummary, threads: number, priors: readonly Prior[]): string[] {
  const prior = priorOf(frame.header, priors);
  const lines = [
    `    blocks:       ${frame.blockCount} (${frame.storedCount} stored)`,
    ...(frame.fillBytes > 0 ? [`    fills:        ${sizeText(frame.fillBytes)} of repeated patterns`] : []),
    `    check:        ${frame.header.small ? "low half of " : ""}xxHash64 ${checkOfFrame(frame)}`,
    ...priorLines(frame.header, prior),
    ...modelLines(modelOf(frame.header, prior), frame.header.prior !== undefined && frame.header.small !== undefined),
  ];
  const seconds = modelSeconds(frame, threads);
  const time = `about ${durationText(Math.max(1, seconds))} here (CPU, ${threads} threads)`;
  return seconds > 0 ? [...lines, `    decoding:     ${time}`] : lines;
}

function modelLines(model: FrameModel | undefined, isOfPrior: boolean): string[] {
  if (!model) return [`    model:        ${isOfPrior ? "that of its prior" : "none"}`];
  const { streams, learningRate, mixerContexts, mixerBits, mixerCounters, ...shape } = model.hyper;
  const preset = presetOf(model);
  const name = preset ? `preset:       ${preset}` : `level:        ${levelNumberOf(model) ?? "none of this version's"}`;
  const contract = `contract ${contractOf(model.hyper)}`;
  if (!hasNetwork(model.hyper)) {
    const counters = mixerCounters > 0 ? ` (${mixerCounters} with counters)` : "";
    return [
      `    ${name}`,
      `    model:        mixer of ${mixerContexts} contexts${counters}, 2^${mixerBits} lines each, ${contract}`,
      `    lanes:        ${streams}`,
    ];
  }
  const numbers = Object.entries(shape).map(([name, value]) => `${name} ${value}`);
  return [
    `    ${name}`,
    `    model:        ${contract}, ${numbers.join(", ")}`,
    `    learning:     rate ${learningRate} / 2^24`,
    `    streams:      ${streams} in ${model.groupCount} coder groups`,
  ];
}

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** The level that gives this model, in this version. */
function levelNumberOf({ hyper }: FrameModel): number | undefined {
  return NUMBERS.find((level) => isOfLevel(hyper, levelOf(level)));
}

/** The preset that gives this model: those have no level. */
function presetOf({ hyper }: FrameModel): string | undefined {
  if (hasShape(hyper, PAPER)) return "paper";
  const size = NUMBERS.find((number) => hasShape(hyper, networkShape(number)));
  return size === undefined ? undefined : `network-${size}`;
}

/** One object per archive; fields are only ever added. */
/** One object in pieces: a frame may have as many blocks as its index has bytes. */
async function* jsonOf(file: ArchiveFile, listing: Listing, archive: Listed, threads: number): AsyncGenerator<string> {
  const { name, codedBytes, plainBytes, paddingBytes, version: formatVersion, blockCount } = archive;
  const padding = paddingBytes > 0 ? { paddingBytes } : {};
  const facts = JSON.stringify({ name, codedBytes, ...padding, plainBytes, blockCount, formatVersion });
  yield `${facts.slice(0, -1)},"frames":[`;
  let comma = "";
  for await (const frame of listing.frames()) {
    const { offsetBytes, lengthBytes, plainBytes: bytes, fillBytes } = frame;
    const head = { offsetBytes, codedBytes: lengthBytes, plainBytes: bytes, check: checkOfFrame(frame) };
    yield `${comma}${JSON.stringify(head).slice(0, -1)},"blocks":[`;
    comma = "";
    for await (const { kind, plainBytes: blockBytes } of blocksOf(file, frame)) {
      yield `${comma}${JSON.stringify({ kind, plainBytes: blockBytes })}`;
      comma = ",";
    }
    yield `]${priorJson(frame.header)}${fillBytes > 0 ? `,"fillBytes":${fillBytes}` : ""}${modelJson(frame, threads)}}`;
    comma = ",";
  }
  yield "]}\n";
}

/** The fields that a prior adds, with a comma in front. */
function priorJson({ prior, isPatch = false }: FrameHeader): string {
  return prior ? `,"prior":"${priorText(prior)}"${isPatch ? ',"patch":true' : ""}` : "";
}

/** The fields that a model adds, with a comma in front. */
function modelJson(frame: FrameSummary, threads: number): string {
  const { model } = frame.header;
  if (!model) return "";
  const preset = presetOf(model);
  const fields = {
    model: { contract: contractOf(model.hyper), ...model.hyper },
    groups: model.groupCount,
    level: levelNumberOf(model) ?? null,
    ...(preset && { preset }),
    decodeSeconds: Number(modelSeconds(frame, threads).toPrecision(2)),
  };
  return `,${JSON.stringify(fields).slice(1, -1)}`;
}

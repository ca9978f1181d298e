/** `fade -l`: what archives hold, from their headers and indexes: no payload is read, so a listing takes no time. */
import { checkText } from "../archive/checksum.ts";
import type { FrameModel } from "../archive/format.ts";
import { type FrameSummary, listFrames } from "../archive/list.ts";
import { MODEL_CONTRACT_VERSION } from "../contract/hyper.ts";
import { hasShape, PAPER, shapeOfLevel } from "../model/levels.ts";
import { FileError, UsageError } from "./errors.ts";
import { decodeSeconds } from "./estimate.ts";
import { findInput, openInput } from "./input.ts";
import { printLine } from "./io.ts";
import type { Operand } from "./normalise.ts";
import { inputsOf } from "./operands.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";
import { visible } from "./visible.ts";
import { durationText, ratioText, sizeText } from "./words.ts";

interface Listed {
  readonly name: string;
  readonly frames: readonly FrameSummary[];
  readonly blocks: number;
  readonly codedBytes: number;
  readonly plainBytes: number;
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
      const archive = await listOne(session, operand);
      listed.push(archive);
      if (json) await printLine(session.io, jsonOf(archive, session.settings.threads));
    } catch (error) {
      const { message, exitCode } = session.complain(operand.name, error);
      if (json) await printLine(session.io, JSON.stringify({ name: operand.name, error: message, exitCode }));
    }
  }
  if (json || listed.length === 0) return;
  if (verbosity >= SAYS.details)
    for (const archive of listed) await printLine(session.io, detailsOf(archive, session.settings.threads));
  else await printLine(session.io, tableOf(listed));
}

async function listOne(session: Session, operand: Operand): Promise<Listed> {
  const input = await findInput(session.io, operand);
  const file = await openInput(session.io, input);
  const { readAt } = file;
  try {
    if (!readAt || !input.stats) throw new FileError("is not a regular file", "save it to a file first");
    const sizeBytes = input.stats.size;
    const frames = await listFrames({ sizeBytes, readAt });
    return {
      name: operand.name,
      frames,
      blocks: frames.reduce((sum, frame) => sum + frame.blocks.length, 0),
      codedBytes: sizeBytes,
      plainBytes: frames.reduce((sum, frame) => sum + frame.plainBytes, 0),
    };
  } finally {
    await file.close();
  }
}

/** The check of the last block, which is that of the whole frame; of several frames none stands for all. */
function checkOf({ frames }: Listed): string {
  const [only, ...others] = frames;
  return only && others.length === 0 ? checkOfFrame(only) : "-";
}

function checkOfFrame(frame: FrameSummary): string {
  return checkText(frame.check);
}

/** The newest of the frames' versions: what a program must know to read them all. */
function versionOf({ frames }: Listed): number {
  return Math.max(...frames.map((frame) => frame.header.version));
}

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
    const { name, frames, blocks, codedBytes, plainBytes } = archive;
    return row(frames.length, blocks, codedBytes, plainBytes, checkOf(archive), visible(name));
  });
  if (listed.length > 1) {
    const sum = (count: (archive: Listed) => number) => listed.reduce((total, archive) => total + count(archive), 0);
    const frames = sum((archive) => archive.frames.length);
    const blocks = sum((archive) => archive.blocks);
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

function detailsOf(archive: Listed, threads: number): string {
  const { name, codedBytes, plainBytes } = archive;
  const lines = [
    `${visible(name)}:`,
    `  compressed:     ${sizeText(codedBytes)} (${codedBytes} bytes)`,
    `  uncompressed:   ${sizeText(plainBytes)} (${plainBytes} bytes)`,
    `  ratio:          ${ratioText(plainBytes, codedBytes)}`,
    `  format version: ${versionOf(archive)}`,
  ];
  archive.frames.forEach((frame, i) => {
    const { blocks, header } = frame;
    const stored = blocks.filter((block) => block.kind === "stored").length;
    lines.push(`  frame ${i + 1}:`, `    blocks:       ${blocks.length} (${stored} stored)`);
    lines.push(`    check:        xxHash64 ${checkOfFrame(frame)}`, ...modelLines(header.model));
    const seconds = secondsFor(frame, threads);
    if (seconds > 0)
      lines.push(`    decoding:     about ${durationText(Math.max(1, seconds))} here (CPU, ${threads} threads)`);
  });
  return lines.join("\n");
}

/** What decoding a frame takes on this CPU; 0 without a model. */
function secondsFor({ header, blocks }: FrameSummary, threads: number): number {
  if (!header.model) return 0;
  const modelled = blocks.filter(({ kind }) => kind !== "stored");
  const plainBytes = modelled.reduce((sum, block) => sum + block.plainBytes, 0);
  return decodeSeconds(header.model.hyper, plainBytes, threads);
}

function modelLines(model: FrameModel | undefined): string[] {
  if (!model) return ["    model:        none"];
  const { streams, learningRate, ...shape } = model.hyper;
  const numbers = Object.entries(shape).map(([name, value]) => `${name} ${value}`);
  return [
    isOfPaper(model) ? "    preset:       paper" : `    level:        ${levelOf(model) ?? "none of this version's"}`,
    `    model:        contract ${MODEL_CONTRACT_VERSION}, ${numbers.join(", ")}`,
    `    learning:     rate ${learningRate} / 2^24`,
    `    streams:      ${streams} in ${model.groupCount} coder groups`,
  ];
}

const LEVELS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** The level that gives this model, in this version. */
function levelOf({ hyper }: FrameModel): number | undefined {
  return LEVELS.find((level) => hasShape(hyper, shapeOfLevel(level)));
}

/** Made with --preset paper, which has no level. */
function isOfPaper({ hyper }: FrameModel): boolean {
  return hasShape(hyper, PAPER);
}

/** One object per archive; fields are only ever added. */
function jsonOf(archive: Listed, threads: number): string {
  const { name, codedBytes, plainBytes, blocks } = archive;
  const frames = archive.frames.map((frame) => ({
    offsetBytes: frame.offsetBytes,
    codedBytes: frame.lengthBytes,
    plainBytes: frame.plainBytes,
    check: checkOfFrame(frame),
    blocks: frame.blocks.map(({ kind, plainBytes: bytes }) => ({ kind, plainBytes: bytes })),
    ...(frame.header.model && {
      model: { contract: MODEL_CONTRACT_VERSION, ...frame.header.model.hyper },
      groups: frame.header.model.groupCount,
      level: levelOf(frame.header.model) ?? null,
      ...(isOfPaper(frame.header.model) && { preset: "paper" }),
      decodeSeconds: Number(secondsFor(frame, threads).toPrecision(2)),
    }),
  }));
  const facts = { name, codedBytes, plainBytes, blockCount: blocks, formatVersion: versionOf(archive), frames };
  return JSON.stringify(facts);
}

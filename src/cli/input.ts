/**
 * Reads operands: files by name, or standard input, piece by piece. Nothing here holds more than a piece and the block
 * that a caller asks for.
 */
import { type Stats, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { resolve } from "node:path";
import { holeAt } from "../platform/holes.ts";
import { FileError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { Operand } from "./normalise.ts";

const PIECE_BYTES = 1 << 18;
/** No file in /sys claims more than a page, and the largest page of a system that fade runs on is this. */
const CLAIMED_BYTES_MAX = 1 << 16;
/** What stat counts a file's room in, everywhere. */
const DISK_BLOCK_BYTES = 512;

export interface Input {
  readonly operand: Operand;
  /** As shown to people. */
  readonly name: string;
  /** undefined for standard input. */
  readonly stats?: Stats;
  /** As the file system has them: `stats` counts milliseconds, in numbers that are good to 53 bits. */
  readonly facts?: FileFacts;
}

/** Nanoseconds since 1970. */
export interface FileTimes {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

/** What tells whether a file is still the same. */
interface FileFacts extends FileTimes {
  readonly ctimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
}

export const STANDARD_INPUT: Operand = { name: "-", isStandardInput: true };

export function displayName(operand: Operand): string {
  if (operand.isStandardInput) return "standard input";
  return operand.name === "" ? "''" : operand.name;
}

/** Looks at an input without reading it. @throws FileError, system errors */
export async function findInput(io: Io, operand: Operand): Promise<Input> {
  const name = displayName(operand);
  if (operand.isStandardInput) return { operand, name };
  // resolve() would make the current directory of it.
  if (operand.name === "") throw new FileError("no such file or directory", undefined, name);
  const path = resolve(io.cwd, operand.name);
  // First, so that a change in between is one against `stats`, too (removeSource).
  const { atimeNs, mtimeNs, ctimeNs, dev, ino, size } = statSync(path, { bigint: true });
  const stats = statSync(path);
  if (stats.isDirectory())
    throw new FileError("is a directory", "use -r for the files in it, or pipe it: tar c DIR | fade > DIR.tar.fade");
  return { operand, name, stats, facts: { atimeNs, mtimeNs, ctimeNs, dev, ino, size } };
}

/** An input that is being read. */
export interface OpenInput {
  /** Bytes in all; undefined for what has no length (pipes, devices) or does not tell it (/proc, /sys). */
  readonly sizeBytes?: number;
  /**
   * The next bytes, as many as there are; none at the end. The next call overwrites them.
   *
   * @param countMax of a file, no more than that @throws system errors
   */
  read(countMax?: number): Promise<Uint8Array>;
  /** Files with holes only: how many of the next bytes are one. */
  holeAhead?(): number;
  /** Goes on behind the next `count` bytes of a hole. */
  skip?(count: number): void;
  /** Files only: any bytes, fewer at the end. @throws system errors */
  readAt?(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Standard input only: the file that it comes from, for forecasts. */
  readonly forecast?: Io["stdin"]["file"];
  close(): Promise<void>;
}

/** A part of a file: from `start` up to, but not including, `end`. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The i-th of n parts of a file (i from 1): bytes floor((i-1) size / n) to floor(i size / n), so that parts differ by
 * one byte at most, and every machine cuts alike.
 */
export function shardRange(sizeBytes: number, index: number, count: number): ByteRange {
  const at = (i: number) => Number((BigInt(i) * BigInt(sizeBytes)) / BigInt(count));
  return { start: at(index - 1), end: at(index) };
}

/** Whether a file takes less of its disk than it has bytes: then it may have holes, or be compressed. */
const hasHoles = (facts: Stats) => facts.isFile() && facts.blocks * DISK_BLOCK_BYTES < facts.size;

/** @param range only these bytes, of a file @throws FileError, system errors */
export async function openInput(io: Io, { operand, stats }: Input, range?: ByteRange): Promise<OpenInput> {
  if (operand.isStandardInput) {
    const { file } = io.stdin;
    return { read: () => io.stdin.read(), close: async () => {}, ...(file && { forecast: file }) };
  }
  return await openFile(resolve(io.cwd, operand.name), stats, range);
}

/** @throws system errors */
export async function openFile(path: string, stats?: Stats, range?: ByteRange): Promise<OpenInput> {
  const file = await fs.open(path, "r");
  const facts = stats ?? (await file.stat());
  const isSeekable = facts.isFile();
  const sizeBytes = range ? range.end - range.start : facts.size;
  const isSizeKnown = range !== undefined || (isSeekable && sizeBytes > 0 && (await isSizeTrue(file, facts)));
  let offset = range?.start ?? 0;
  const readInto = async (piece: Uint8Array, offsetBytes: number) => {
    const lengthBytes = piece.length;
    let done = 0;
    while (done < lengthBytes) {
      const { bytesRead } = await file.read(piece, done, lengthBytes - done, isSeekable ? offsetBytes + done : null);
      if (bytesRead === 0) break;
      done += bytesRead;
      if (!isSeekable) break;
    }
    return piece.subarray(0, done);
  };
  const readAt = (offsetBytes: number, lengthBytes: number) => readInto(new Uint8Array(lengthBytes), offsetBytes);
  // One for all reads: new ones would be garbage faster than they are collected.
  const room = new Uint8Array(isSizeKnown ? Math.max(1, Math.min(PIECE_BYTES, sizeBytes)) : PIECE_BYTES);
  const read = async (countMax = room.length) => {
    const left = range ? range.end - offset : room.length;
    const piece = await readInto(room.subarray(0, Math.min(room.length, countMax, left)), offset);
    offset += piece.length;
    return piece;
  };
  const holes = hasHoles(facts) && {
    holeAhead: () => holeAt(file.fd, offset, range?.end ?? facts.size),
    skip: (count: number) => {
      offset += count;
    },
  };
  return {
    read,
    ...holes,
    ...(isSeekable && { readAt }),
    ...(isSizeKnown && { sizeBytes }),
    close: () => file.close(),
  };
}

/**
 * Files in /sys claim to hold a page, whatever they hold. They take no room on a disk, as few others do; those are read
 * to see.
 */
async function isSizeTrue(file: fs.FileHandle, { size, blocks }: Stats): Promise<boolean> {
  if (blocks > 0 || size > CLAIMED_BYTES_MAX) return true;
  const room = new Uint8Array(size + 1);
  let done = 0;
  for (let count = -1; count !== 0 && done < room.length; done += count) {
    count = (await file.read(room, done, room.length - done, done)).bytesRead;
  }
  return done === size;
}

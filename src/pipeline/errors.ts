/**
 * What the pipeline refuses, and what it finds wrong, as classes that carry the facts. Nothing is imported here but the
 * archive's errors: the library hands them to everybody.
 */
import { ArchiveError } from "../archive/errors.ts";

/** More would come out of an archive than may. */
export class OutputLimitError extends Error {
  constructor(
    /** What the archive says of itself, so far. */
    readonly claimedBytes: number,
    readonly limitBytes: number,
  ) {
    super(`holds ${claimedBytes} bytes or more, and no more than ${limitBytes} may come out of it`);
    this.name = "OutputLimitError";
  }
}

/** Decoding would take longer than it may. */
export class TimeLimitError extends Error {
  constructor(
    readonly estimatedSeconds: number,
    readonly limitSeconds: number,
  ) {
    super(`takes about ${Math.ceil(estimatedSeconds)} s to decode, and no more than ${limitSeconds} s may be spent`);
    this.name = "TimeLimitError";
  }
}

/** The frame's model would not fit into the memory that it may use. */
export class MemoryLimitError extends Error {
  constructor(
    readonly neededBytes: number,
    readonly limitBytes: number,
  ) {
    super(`needs about ${neededText(neededBytes)} of memory, and ${limitText(limitBytes)} may be used`);
    this.name = "MemoryLimitError";
  }
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** An estimate, rounded up. */
function neededText(bytes: number): string {
  return bytes > MIB - KIB ? `${Math.ceil(bytes / MIB)} MiB` : `${Math.ceil(bytes / KIB)} KiB`;
}

/** Small limits exactly, in the largest unit that does; large ones rounded down, since more may not be used. */
function limitText(bytes: number): string {
  if (bytes >= 64 * MIB || (bytes > 0 && bytes % MIB === 0)) return `${Math.floor(bytes / MIB)} MiB`;
  if (bytes > 0 && bytes % KIB === 0) return `${bytes / KIB} KiB`;
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

/** Something is wrong in a block; says which, so that people know what is lost. */
export class BlockError extends ArchiveError {
  constructor(
    override readonly cause: ArchiveError,
    /** Counted from 1, over all frames. */
    readonly block: number,
    /** Plain bytes before the block, all of them sound. */
    readonly soundBytes: number,
  ) {
    super(`${cause.message} (in block ${block}, behind ${soundBytes} sound bytes)`, cause.offsetBytes);
    this.name = "BlockError";
  }
}

/** The input did not have the length that it was said to have. */
export class InputSizeError extends Error {
  constructor(
    readonly expectedBytes: number,
    readonly foundBytes: number,
  ) {
    super(`changed while it was read: ${expectedBytes} bytes were expected, ${foundBytes} are there`);
    this.name = "InputSizeError";
  }
}

/** A thread that prepares blocks died or threw; nothing is wrong with the input. */
export class PreparerError extends Error {
  constructor(readonly detail: string) {
    super(`a thread that prepares blocks failed: ${detail}`);
    this.name = "PreparerError";
  }
}

/**
 * What can go wrong in the coder, as classes that carry the facts; the command line chooses the words and exit codes.
 */

/** Why coded bytes cannot be what an encoder wrote. */
export type CorruptReason = "value-outside-table" | "data-too-short" | "data-too-long";

const SAYS: Record<CorruptReason, string> = {
  "value-outside-table": "the coded value belongs to no byte",
  "data-too-short": "the coded data end too early",
  "data-too-long": "coded data are left over at the end",
};

/** Coded bytes that no encoder wrote: a damaged archive, or one decoded with another model. */
export class CorruptDataError extends Error {
  constructor(
    readonly reason: CorruptReason,
    /** Which coder group, counted from 0; undefined when a decoder runs outside a group. */
    readonly group: number | undefined,
    /** Bytes of the group that had been consumed, implied zeros after its end included. */
    readonly positionBytes: number,
  ) {
    const where = group === undefined ? "" : ` of coder group ${group}`;
    super(`${SAYS[reason]} (byte ${positionBytes}${where})`);
    this.name = "CorruptDataError";
  }
}

/** An engine handed over a frequency table that cannot be coded: an error in the engine, never in the data. */
export class IntervalError extends Error {
  constructor(
    readonly start: number,
    readonly frequency: number,
  ) {
    super(`interval start ${start}, frequency ${frequency} cannot be coded: the engine broke its promise`);
    this.name = "IntervalError";
  }
}

/** A coder thread died or threw; what it was coding is lost, nothing else is. */
export class CoderWorkerError extends Error {
  constructor(
    readonly worker: number,
    readonly detail: string,
  ) {
    super(`coder worker ${worker} failed: ${detail}`);
    this.name = "CoderWorkerError";
  }
}

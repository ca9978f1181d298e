/**
 * What the main thread and the coder workers say to each other.
 *
 * Compression talks by messages, a few per chunk. Decompression has a barrier per step, so it talks through a small
 * block of shared memory: a round trip by message costs 5 us, one by Atomics after a short spin below 1 us.
 */
import type { CorruptDataError, CorruptReason } from "./errors.ts";

export interface EncodeSetup {
  readonly role: "encode";
  readonly streams: number;
  readonly groups: number;
  /** The groups that this worker codes. */
  readonly owned: readonly number[];
  /** One buffer of intervals per slot. */
  readonly intervals: readonly SharedArrayBuffer[];
}

export interface DecodeSetup {
  readonly role: "decode";
  readonly streams: number;
  readonly ends: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
}

export type WorkerSetup = EncodeSetup | DecodeSetup;

/** Requests; each is answered by exactly one reply, in order, except "decode-block", whose answers go by Control. */
export type Request =
  | { readonly kind: "encode-chunk"; readonly slot: number; readonly steps: number; readonly liveInLastStep: number }
  | { readonly kind: "finish-block" }
  | {
      readonly kind: "decode-block";
      readonly groups: number;
      readonly owned: readonly { readonly group: number; readonly payload: Uint8Array }[];
      /** The generation after which this block's steps begin. */
      readonly generation: number;
    };

export type Reply =
  | { readonly kind: "ready" }
  | { readonly kind: "coded"; readonly codedBytes: number }
  | {
      readonly kind: "finished";
      readonly payloads: readonly { readonly group: number; readonly payload: Uint8Array }[];
    };

/** Places in the Int32Array over `DecodeSetup.control`. */
export const Control = {
  /** Counted up by the main thread to start a step; workers wait on it. */
  GENERATION: 0,
  /** What to do in this generation: streams that are live, or LEAVE_BLOCK. */
  COMMAND: 1,
  /** Workers that have finished this generation; the main thread waits on it. */
  DONE: 2,
  /** 0, or why the first worker that failed did so. */
  FAILURE: 3,
  FAILED_GROUP: 4,
  FAILED_POSITION: 5,
  LENGTH: 6,
} as const;

/** Command: check that the payloads are used up, and go back to waiting for messages. */
export const LEAVE_BLOCK = -1;
/** Command: drop the block and go back to waiting for messages. */
export const ABANDON_BLOCK = -2;

/** Failures by number; anything else that a worker throws is UNEXPECTED and arrives as its "error" event too. */
const UNEXPECTED = 255;
const REASONS: readonly CorruptReason[] = ["value-outside-table", "data-too-short", "data-too-long"];

/** Leaves the facts of an error for the main thread; the first worker to fail wins. */
export function storeFailure(control: Int32Array, error: CorruptDataError | undefined): void {
  const code = error === undefined ? UNEXPECTED : 1 + REASONS.indexOf(error.reason);
  if (Atomics.compareExchange(control, Control.FAILURE, 0, code) !== 0) return;
  Atomics.store(control, Control.FAILED_GROUP, error?.group ?? -1);
  Atomics.store(control, Control.FAILED_POSITION, Math.min(error?.positionBytes ?? 0, 0x7fffffff));
}

/** The reason behind a failure number; undefined for UNEXPECTED. */
export function reasonOf(failure: number): CorruptReason | undefined {
  return REASONS[failure - 1];
}

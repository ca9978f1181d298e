/**
 * Decoding: a barrier per step. The engine puts the frequency tables into shared memory, every thread decodes the
 * bytes of its groups, and the step is done when all have answered. The main thread decodes a share itself, since it
 * could only wait.
 */
import { host } from "../platform/host.ts";
import { waitWhile } from "./barrier.ts";
import { CoderWorkerError, CorruptDataError } from "./errors.ts";
import { checkGroups, decodeGroup, ownedGroups, type StreamShare, shareOfGroup } from "./groups.ts";
import { ABANDON_BLOCK, Control, type DecodeSetup, LEAVE_BLOCK, reasonOf } from "./protocol.ts";
import { RangeDecoder } from "./range.ts";
import { CoderThread } from "./thread.ts";

/**
 * Streams that a thread must have to itself before it pays. Decoding 1024 takes about 70 us. The engine's part of a
 * step is longer than anybody should spin, so the workers sleep through it, and waking them costs 10 to 60 us.
 */
const DECODE_STREAMS_PER_THREAD = 1024;

/** How many threads should decode, the main one included. */
export function decodeThreadsFor(
  workers: number,
  groups: number,
  streams: number,
  streamsPerThread = DECODE_STREAMS_PER_THREAD,
): number {
  if (!host.sharesMemory) return 1;
  return Math.max(1, Math.min(workers, groups, Math.floor(streams / streamsPerThread)));
}

/** How long the main thread sleeps before it lets the event loop tell it whether a worker has died. */
const PATIENCE_MS = 20;

/**
 * Decodes blocks step by step. One block is open at a time: openBlock, decodeStep for each step, finishBlock. After
 * an error only `close` is allowed.
 */
export class StepDecoder {
  /** streams x 256 cumulative frequencies: filled before each `decodeStep`. Shared memory if there are threads. */
  readonly ends: Uint32Array;
  /** The bytes of the step that was decoded last, one per stream; 0 for streams that have ended. */
  readonly bytes: Uint8Array;
  readonly #streams: number;
  readonly #control: Int32Array;
  readonly #threads: readonly CoderThread[];
  /** Threads that have a part in the open block; the others sleep. */
  #active: readonly CoderThread[] = [];
  #local: { share: StreamShare; decoder: RangeDecoder }[] = [];

  private constructor(streams: number, threads: number) {
    this.#streams = streams;
    const memory = (size: number) => (threads === 0 ? new ArrayBuffer(size) : new SharedArrayBuffer(size));
    const ends = memory(streams * 256 * 4);
    const bytes = memory(streams);
    const control = memory(Control.LENGTH * 4);
    this.ends = new Uint32Array(ends);
    this.bytes = new Uint8Array(bytes);
    this.#control = new Int32Array(control);
    this.#threads = Array.from({ length: threads }, (_, index) => {
      const setup = { role: "decode", streams, ends, bytes, control } as DecodeSetup;
      return new CoderThread(index, setup);
    });
  }

  /**
   * @param threads threads that decode, the main one included: no more than there are groups is useful
   * @throws CoderWorkerError if a worker does not start
   */
  static async open(streams: number, threads: number): Promise<StepDecoder> {
    const decoder = new StepDecoder(streams, Math.max(0, threads - 1));
    try {
      await Promise.all(decoder.#threads.map((thread) => thread.receive()));
    } catch (error) {
      await decoder.close();
      throw error;
    }
    return decoder;
  }

  /** Takes the payloads of a block, one per group. @throws CorruptDataError, RangeError for an impossible count */
  openBlock(payloads: readonly Uint8Array[]): void {
    const groups = payloads.length;
    checkGroups(groups, this.#streams);
    const shares = Math.min(groups, this.#threads.length + 1);
    this.#active = this.#threads.slice(0, shares - 1);
    this.#local = ownedGroups(0, shares, groups).map((group) => ({
      share: shareOfGroup(group, groups, this.#streams),
      decoder: new RangeDecoder(payloads[group] as Uint8Array, group),
    }));
    const generation = Atomics.load(this.#control, Control.GENERATION);
    for (const [index, thread] of this.#active.entries()) {
      // Copies: a view would take the whole buffer that it looks at to the other thread, once for each group.
      const owned = ownedGroups(index + 1, shares, groups).map((group) => ({
        group,
        payload: (payloads[group] as Uint8Array).slice(),
      }));
      const buffers = owned.map(({ payload }) => payload.buffer);
      thread.send({ kind: "decode-block", groups, owned, generation }, buffers);
    }
  }

  /**
   * Decodes one byte of each of the first `live` streams into `bytes`, by `ends`.
   *
   * @throws CorruptDataError, CoderWorkerError
   */
  async decodeStep(live: number): Promise<void> {
    this.#command(live);
    for (const { share, decoder } of this.#local) decodeGroup(decoder, share, this.ends, live, this.bytes);
    if (this.#active.length > 0) await this.#barrier();
  }

  /** Ends the block, and checks that its payloads are used up. @throws CorruptDataError, CoderWorkerError */
  async finishBlock(): Promise<void> {
    this.#command(LEAVE_BLOCK);
    for (const { decoder } of this.#local) decoder.finish();
    if (this.#active.length > 0) await this.#barrier();
    this.#active = [];
    this.#local = [];
  }

  /** Ends the threads, in the middle of a block too. */
  async close(): Promise<void> {
    // A thread asleep on the barrier must wake before it can be ended.
    this.#command(ABANDON_BLOCK);
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #command(command: number): void {
    Atomics.store(this.#control, Control.COMMAND, command);
    Atomics.store(this.#control, Control.DONE, 0);
    Atomics.add(this.#control, Control.GENERATION, 1);
    Atomics.notify(this.#control, Control.GENERATION);
  }

  async #barrier(): Promise<void> {
    const control = this.#control;
    for (;;) {
      const done = Atomics.load(control, Control.DONE);
      if (done >= this.#active.length) break;
      if (waitWhile(control, Control.DONE, done, PATIENCE_MS)) continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      for (const thread of this.#active) if (thread.failure !== undefined) throw thread.failure;
    }
    const failure = Atomics.load(control, Control.FAILURE);
    if (failure !== 0) throw await this.#failure(failure);
  }

  /** The error that a worker left in the control block. */
  async #failure(failure: number): Promise<Error> {
    const reason = reasonOf(failure);
    if (reason !== undefined) {
      const group = Atomics.load(this.#control, Control.FAILED_GROUP);
      return new CorruptDataError(reason, group, Atomics.load(this.#control, Control.FAILED_POSITION));
    }
    // Its "error" event says more, and is on its way.
    for (let waits = 0; waits < 100; waits += 1) {
      const known = this.#active.find((thread) => thread.failure !== undefined)?.failure;
      if (known !== undefined) return known;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return new CoderWorkerError(-1, "it threw an error that it did not tell");
  }
}

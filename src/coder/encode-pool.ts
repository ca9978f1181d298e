/**
 * Encoding: coder groups shared out over worker threads, or coded on the main thread where threads would not pay.
 *
 * The engine fills one slot of intervals while the workers code the other. Each group is coded by one encoder in step
 * order, so the bytes depend on the number of groups only.
 */
import { host } from "../platform/host.ts";
import { checkGroups, encodeGroup, LONE_BYTES, ownedGroups, type StreamShare, shareOfGroup } from "./groups.ts";
import type { EncodeSetup } from "./protocol.ts";
import { RangeEncoder } from "./range.ts";
import { CoderThread } from "./thread.ts";

/** Slots of intervals: one that the engine fills, one that is coded. */
export const SLOTS = 2;

export interface ChunkEncoder {
  /** SLOTS buffers of chunkSteps x streams x (start, frequency) for the engine to fill; shared memory with threads. */
  readonly slots: readonly Uint32Array[];
  /**
   * Codes the first `steps` steps of slots[slot], which must not change until this resolves. Chunks must be given in
   * order, one at a time.
   *
   * @returns coded bytes of the block so far @throws IntervalError, CoderWorkerError
   */
  encodeChunk(slot: number, steps: number, liveInLastStep: number): Promise<number>;
  /** Ends the block: its payloads, one per group. The next chunk begins a new block. */
  finishBlock(): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

interface EncoderShape {
  readonly streams: number;
  readonly groups: number;
  readonly chunkSteps: number;
}

/**
 * @param workers threads that may code, the main one included; with 1, or one group, no thread is started
 * @param expectedBytes that will be coded, about; for a few, no thread is started either
 * @throws CoderWorkerError if a worker does not start
 */
export async function openEncoder(
  shape: EncoderShape,
  workers: number,
  expectedBytes = Number.POSITIVE_INFINITY,
): Promise<ChunkEncoder> {
  checkGroups(shape.groups, shape.streams);
  const threads = expectedBytes < LONE_BYTES || !host.sharesMemory ? 1 : Math.min(workers, shape.groups);
  if (threads <= 1) return new LocalEncoder(shape);
  // The main thread keeps free for the engine, which waits for its answers there.
  const encoder = new ThreadedEncoder(shape, threads - 1);
  await encoder.start();
  return encoder;
}

const slotLength = ({ chunkSteps, streams }: EncoderShape) => chunkSteps * streams * 2;

class LocalEncoder implements ChunkEncoder {
  readonly slots: readonly Uint32Array[];
  readonly #streams: number;
  readonly #shares: readonly StreamShare[];
  #encoders: RangeEncoder[];

  constructor(shape: EncoderShape) {
    this.slots = Array.from({ length: SLOTS }, () => new Uint32Array(slotLength(shape)));
    this.#streams = shape.streams;
    this.#shares = Array.from({ length: shape.groups }, (_, g) => shareOfGroup(g, shape.groups, shape.streams));
    this.#encoders = this.#shares.map(() => new RangeEncoder());
  }

  async encodeChunk(slot: number, steps: number, liveInLastStep: number): Promise<number> {
    const intervals = this.slots[slot];
    if (intervals === undefined) throw new RangeError(`there is no slot ${slot}`);
    let codedBytes = 0;
    for (const [group, encoder] of this.#encoders.entries()) {
      const share = this.#shares[group] as StreamShare;
      encodeGroup(encoder, share, intervals, { streams: this.#streams, steps, liveInLastStep });
      codedBytes += encoder.lengthBytes;
    }
    return codedBytes;
  }

  async finishBlock(): Promise<Uint8Array[]> {
    const payloads = this.#encoders.map((encoder) => encoder.finish());
    this.#encoders = this.#shares.map(() => new RangeEncoder());
    return payloads;
  }

  async close(): Promise<void> {}
}

class ThreadedEncoder implements ChunkEncoder {
  readonly slots: readonly Uint32Array[];
  readonly #groups: number;
  readonly #threads: readonly CoderThread[];

  constructor(shape: EncoderShape, threads: number) {
    const buffers = Array.from({ length: SLOTS }, () => new SharedArrayBuffer(slotLength(shape) * 4));
    this.slots = buffers.map((buffer) => new Uint32Array(buffer));
    this.#groups = shape.groups;
    this.#threads = Array.from({ length: threads }, (_, index) => {
      const setup: EncodeSetup = {
        role: "encode",
        streams: shape.streams,
        groups: shape.groups,
        owned: ownedGroups(index, threads, shape.groups),
        intervals: buffers,
      };
      return new CoderThread(index, setup);
    });
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#threads.map((thread) => thread.receive()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async encodeChunk(slot: number, steps: number, liveInLastStep: number): Promise<number> {
    for (const thread of this.#threads) thread.send({ kind: "encode-chunk", slot, steps, liveInLastStep });
    const replies = await Promise.all(this.#threads.map((thread) => thread.receive()));
    return replies.reduce((sum, reply) => sum + (reply.kind === "coded" ? reply.codedBytes : 0), 0);
  }

  async finishBlock(): Promise<Uint8Array[]> {
    for (const thread of this.#threads) thread.send({ kind: "finish-block" });
    const replies = await Promise.all(this.#threads.map((thread) => thread.receive()));
    const payloads = new Array<Uint8Array | undefined>(this.#groups).fill(undefined);
    for (const reply of replies) {
      if (reply.kind !== "finished") continue;
      for (const { group, payload } of reply.payloads) payloads[group] = payload;
    }
    return payloads.map((payload, group) => {
      if (payload === undefined) throw new Error(`no worker coded group ${group}`);
      return payload;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

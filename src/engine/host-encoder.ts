/**
 * Encoding with the coder on the host, for engines whose network gives intervals of known bytes.
 *
 * Two slots go round: while the coder works on the intervals of one chunk, the network fills those of the next.
 */
import { type ChunkEncoder, openEncoder, SLOTS } from "../coder/encode-pool.ts";
import type { CoderObserver, EncoderOptions } from "./engine.ts";
import type { IntervalModel } from "./network.ts";

/** The encoding half of a Model, made of an IntervalModel. */
export class HostEncoder {
  readonly #model: IntervalModel;
  readonly #chunkSteps: number;
  /** Opened by the first block; what it says of threads holds for the others, too. */
  #encoder: ChunkEncoder | undefined;
  #groups: number | undefined;
  #observer: CoderObserver | undefined;
  /** The chunk that each slot is in: when its promise settles, the slot may be filled again. */
  readonly #inSlot: Promise<number>[] = Array.from({ length: SLOTS }, () => Promise.resolve(0));
  #slot = 0;

  /** @param chunkSteps steps that a slot holds */
  constructor(model: IntervalModel, chunkSteps: number) {
    this.#model = model;
    this.#chunkSteps = chunkSteps;
  }

  /** As Model's. @throws RangeError for an impossible number of groups, CoderWorkerError */
  async beginPayloads(groups: number, { workers, expectedBytes, observer }: EncoderOptions): Promise<void> {
    this.#observer = observer;
    if (groups === this.#groups) return;
    this.#groups = undefined;
    await this.#encoder?.close();
    const { streams } = this.#model.hyper;
    this.#encoder = await openEncoder({ streams, groups, chunkSteps: this.#chunkSteps }, workers, expectedBytes);
    this.#groups = groups;
  }

  /** As Model's. @throws IntervalError, CoderWorkerError, what the model throws */
  encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number> {
    const { streams } = this.#model.hyper;
    for (let first = 0; first < stepCount; first += this.#chunkSteps) {
      const end = Math.min(first + this.#chunkSteps, stepCount);
      const chunk = bytes.subarray(first * streams, end * streams);
      const before = this.#newest;
      const slot = (this.#slot + 1) % SLOTS;
      this.#inSlot[slot] = this.#encodeChunk(chunk, slot, end === stepCount ? liveInLastStep : streams, before);
      this.#slot = slot;
      // Whoever called hears of a failure; so does whoever calls next.
      this.#newest.catch(() => {});
    }
    return this.#newest;
  }

  /** The chunk that came last. */
  get #newest(): Promise<number> {
    return this.#inSlot[this.#slot] as Promise<number>;
  }

  /** Settles when nothing is read or written for this chunk any more, and the chunks before it have settled, too. */
  async #encodeChunk(bytes: Uint8Array, slot: number, live: number, before: Promise<number>): Promise<number> {
    await this.#inSlot[slot];
    const encoder = this.#openEncoder;
    const intervals = (encoder.slots[slot] as Uint32Array).subarray(0, 2 * bytes.length);
    const { streams } = this.#model.hyper;
    const shape = { streams, steps: bytes.length / streams, liveInLastStep: live };
    await this.#model.fillIntervals(bytes, shape.steps, intervals);
    return await this.#observed(async () => {
      // Only now: were both awaited at once, a failure there would end this chunk while its slot is being filled.
      await before;
      this.#observer?.intervals?.(intervals, shape);
      return await encoder.encodeChunk(slot, shape.steps, live);
    });
  }

  /** As Model's. @throws CoderWorkerError */
  async takePayloads(): Promise<Uint8Array[]> {
    await Promise.all(this.#inSlot);
    return await this.#observed(() => this.#openEncoder.finishBlock());
  }

  /** In the middle of a block, too: when nothing fills a slot any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#inSlot);
    await this.#encoder?.close();
  }

  get #openEncoder(): ChunkEncoder {
    if (!this.#encoder) throw new Error("steps were encoded before beginPayloads");
    return this.#encoder;
  }

  /** Work of the coder, with the observer told. */
  async #observed<T>(work: () => Promise<T>): Promise<T> {
    this.#observer?.coding?.(true);
    try {
      return await work();
    } finally {
      this.#observer?.coding?.(false);
    }
  }
}

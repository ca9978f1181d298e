/**
 * Decoding with the coder on the host, for engines that give tables and take bytes step by step: the CPU engine, the
 * reference, and a GPU where the device cannot decode. Every step waits for the bytes of the one before, so there is
 * nothing to overlap but this: the model is told the bytes and asked for the next tables in one go, before either has
 * happened.
 */
import { decodeThreadsFor, StepDecoder } from "../coder/decode-pool.ts";
import { LONE_BYTES } from "../coder/groups.ts";
import type { CoderObserver, DecoderOptions } from "./engine.ts";
import type { StepModel } from "./network.ts";

/** The decoding half of a Model, made of a StepModel. */
export class HostDecoder {
  readonly #model: StepModel;
  /** Opened by the first block, whose groups say how many threads are of use. */
  #decoder: StepDecoder | undefined;
  #isOpen = false;
  #observer: CoderObserver | undefined;
  /** All calls so far: the next begins when they have ended. */
  #queue: Promise<void> = Promise.resolve();

  constructor(model: StepModel) {
    this.#model = model;
  }

  /** As Model's. @throws CorruptDataError, RangeError for an impossible number of groups, CoderWorkerError */
  async openPayloads(payloads: readonly Uint8Array[], options: DecoderOptions): Promise<void> {
    await this.#queue;
    this.#observer = options.observer;
    this.#decoder ??= await openDecoder(this.#model.hyper.streams, payloads.length, options);
    this.#decoder.openBlock(payloads);
    this.#isOpen = true;
  }

  /** As Model's. @throws CorruptDataError, CoderWorkerError, what the model throws */
  decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    const decoded = this.#queue.then(() => this.#decode(bytes, stepCount, liveInLastStep));
    this.#queue = decoded;
    // Whoever called hears of a failure; so does whoever calls next.
    decoded.catch(() => {});
    return decoded;
  }

  async #decode(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    const decoder = this.#decoder;
    if (!decoder || !this.#isOpen) throw new Error("decodeSteps was called without payloads");
    const { streams } = this.#model.hyper;
    let learned: Promise<void> = Promise.resolve();
    for (let step = 0; step < stepCount; step++) {
      await Promise.all([learned, this.#model.predict(decoder.ends)]);
      this.#observer?.coding?.(true);
      await decoder.decodeStep(step === stepCount - 1 ? liveInLastStep : streams);
      this.#observer?.coding?.(false);
      const row = bytes.subarray(step * streams, (step + 1) * streams);
      row.set(decoder.bytes);
      learned = this.#model.learn(row);
      learned.catch(() => {}); // awaited with the next prediction
    }
    await learned;
  }

  /** As Model's. @throws CorruptDataError, CoderWorkerError */
  async finishPayloads(): Promise<void> {
    await this.#queue;
    this.#isOpen = false;
    await this.#decoder?.finishBlock();
  }

  /** In the middle of a block, too. */
  async close(): Promise<void> {
    await this.#decoder?.close();
  }
}

async function openDecoder(streams: number, groups: number, options: DecoderOptions): Promise<StepDecoder> {
  const { workers, streamsPerThread, expectedBytes = Number.POSITIVE_INFINITY } = options;
  const isLone = streamsPerThread === undefined && expectedBytes < LONE_BYTES;
  return await StepDecoder.open(streams, isLone ? 1 : decodeThreadsFor(workers, groups, streams, streamsPerThread));
}

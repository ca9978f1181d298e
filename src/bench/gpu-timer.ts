/**
 * Times dispatches on a GPU: by its own clock where the adapter has timestamps, else whole batches from submit to end,
 * less what a batch of nothing takes. The least of several samples counts, because everything else only adds time.
 */
import type { GpuDevice } from "../engine/gpu/device.ts";
import { type Dispatch, record } from "../engine/gpu/kernel.ts";

const QUERY_RESOLVE = 0x200;
const COPY_SOURCE = 0x04;
const MAP_READ = 0x01;
const COPY_TARGET = 0x08;

const SAMPLES = 5;
/** A sample should last so long that the clock's grain does not matter. */
const SAMPLE_MICROSECONDS = { timestamps: 500, batches: 4000 } as const;
const REPEATS_MAX = 256;

/** Two timestamps and the way back to the host. */
interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly staging: GPUBuffer;
}

export class GpuTimer {
  readonly #gpu: GpuDevice;
  readonly #queries: Queries | undefined;
  #batchMicroseconds = 0;

  private constructor(gpu: GpuDevice) {
    const { device } = gpu;
    this.#gpu = gpu;
    if (!device.features.has("timestamp-query")) return;
    this.#queries = {
      set: device.createQuerySet({ type: "timestamp", count: 2 }),
      resolved: device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SOURCE }),
      staging: device.createBuffer({ size: 16, usage: MAP_READ | COPY_TARGET }),
    };
  }

  static async open(gpu: GpuDevice): Promise<GpuTimer> {
    const timer = new GpuTimer(gpu);
    // The least of many: if something else made all of few too long, what is measured later would seem to take nothing.
    if (!timer.#queries) timer.#batchMicroseconds = await timer.roundTripMicroseconds([]);
    return timer;
  }

  /** How times are taken, for people. */
  get clock(): string {
    return this.#queries ? "timestamps of the adapter" : "whole batches";
  }

  /** Microseconds that `dispatches` take in this order, as one of many times in a row. */
  async microseconds(dispatches: readonly Dispatch[]): Promise<number> {
    // The least of several here, too: a disturbed guess would make the samples too short.
    const once = Math.max(0.01, await this.#least(dispatches, 1));
    const wanted = this.#queries ? SAMPLE_MICROSECONDS.timestamps : SAMPLE_MICROSECONDS.batches;
    const repeats = Math.min(REPEATS_MAX, Math.ceil(wanted / once));
    return (await this.#least(dispatches, repeats)) / repeats;
  }

  /** From a submit to its result in hand: the least time of a step in decompression. */
  async roundTripMicroseconds(dispatches: readonly Dispatch[]): Promise<number> {
    let least = Infinity;
    for (let sample = 0; sample < SAMPLES * 8; sample += 1) least = Math.min(least, await this.#batch(dispatches, 1));
    return least;
  }

  async #least(dispatches: readonly Dispatch[], repeats: number): Promise<number> {
    let least = Infinity;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      least = Math.min(least, await this.#sample(dispatches, repeats));
    }
    return Math.max(0, least);
  }

  async #sample(dispatches: readonly Dispatch[], repeats: number): Promise<number> {
    if (this.#queries) return await this.#stamped(dispatches, repeats, this.#queries);
    return (await this.#batch(dispatches, repeats)) - this.#batchMicroseconds;
  }

  async #stamped(
    dispatches: readonly Dispatch[],
    repeats: number,
    { set, resolved, staging }: Queries,
  ): Promise<number> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass({ timestampWrites });
    for (let repeat = 0; repeat < repeats; repeat += 1) record(pass, dispatches);
    pass.end();
    encoder.resolveQuerySet(set, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await this.#gpu.settled(staging.mapAsync(MAP_READ));
    const [from = 0n, to = 0n] = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return Number(to - from) / 1000;
  }

  async #batch(dispatches: readonly Dispatch[], repeats: number): Promise<number> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let repeat = 0; repeat < repeats; repeat += 1) record(pass, dispatches);
    pass.end();
    const commands = encoder.finish();
    const startedAtMs = performance.now();
    device.queue.submit([commands]);
    await this.#gpu.settled(device.queue.onSubmittedWorkDone());
    return (performance.now() - startedAtMs) * 1000;
  }

  close(): void {
    this.#queries?.set.destroy();
    this.#queries?.resolved.destroy();
    this.#queries?.staging.destroy();
  }
}

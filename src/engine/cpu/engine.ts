/**
 * The CPU engine: the numeric contract in WebAssembly SIMD on all cores, for machines without a GPU.
 *
 * Each model has one shared memory and its own worker threads; the caller's thread is one of the threads and is busy
 * while a call runs. A call returns when all threads have finished, so its promise is already settled.
 */

import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { DataKind } from "../../contract/contexts.ts";
import { checkHyperParameters, type HyperParameters } from "../../contract/hyper.ts";
import { luts } from "../../contract/luts.ts";
import { collect } from "../../platform/release.ts";
import { startWorker } from "../../platform/workers.ts";
import { type Engine, EngineLimitError, type Model } from "../engine.ts";
import { Command, Control, CpuThreadError } from "./control.ts";
import { readKernels } from "./kernels.ts";
import { CHUNK_STEPS, CpuLayout } from "./layout.ts";
import { Network, type PhaseTimes } from "./network.ts";
import { type RecallMemory, readRecall, writePlan } from "./recall-layout.ts";
import { readState, type TrainedState, writeInitialState } from "./weights.ts";

export interface CpuEngineOptions {
  /** Threads, at least 1; by default as many as the machine runs at once. */
  readonly threads?: number;
}

/** More threads than this only wait for each other. */
const THREADS_MAX = 256;

export async function createCpuEngine(options: CpuEngineOptions = {}): Promise<Engine> {
  const wanted = options.threads ?? availableParallelism();
  const threads = Math.max(1, Math.min(THREADS_MAX, Math.floor(wanted)));
  return {
    name: "cpu",
    description: `WebAssembly SIMD, ${threads} thread${threads === 1 ? "" : "s"}`,
    chunkSteps: CHUNK_STEPS,
    openModel: async (hyper) => await CpuModel.open(hyper, threads),
    close: async () => {},
  };
}

/** A memory of exactly the model's size. @throws EngineLimitError if the machine does not have it */
function allocate(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    throw new EngineLimitError("cpu", `there are no ${Math.ceil(pages / 16)} MiB of memory for the model`);
  }
}

/** Thread 0's exponents, and the memory with its map. */
type Inspection = Pick<Network["thread"], "exponents" | "gradientScales" | "at"> & { readonly buffer: ArrayBufferLike };

export class CpuModel implements Model {
  readonly #memory: WebAssembly.Memory;
  readonly #network: Network;
  readonly #workers: readonly Worker[];
  readonly #bytes: Uint8Array;
  readonly #intervals: Uint32Array;
  readonly #ends: Uint32Array;
  #failure: Error | undefined;
  #closing = false;

  /**
   * Starts the threads and returns when all are ready.
   *
   * @param clock milliseconds, for the times of the phases
   */
  static async open(hyper: HyperParameters, threads: number, clock?: () => number): Promise<CpuModel> {
    checkHyperParameters(hyper);
    // A thread without streams only costs meetings.
    const useful = Math.min(threads, Math.ceil(hyper.streams / 4));
    const at = new CpuLayout(hyper, useful);
    // Computed once for all models, and before the memory is there, beside which nobody collects the garbage.
    luts();
    const memory = allocate(at.pages);
    writeInitialState(at, memory.buffer);
    const setup = { hyper, threads: useful, memory, kernels: readKernels() };
    const workers = Array.from({ length: useful - 1 }, (_, i) => startWorker("engine", { ...setup, index: i + 1 }));
    try {
      await Promise.all(workers.map(ready));
    } catch (error) {
      for (const worker of workers) void worker.terminate();
      throw error;
    }
    const network = new Network({ ...setup, index: 0 }, clock);
    network.prepare();
    collect();
    return new CpuModel(hyper, memory, network, workers);
  }

  private constructor(
    readonly hyper: HyperParameters,
    memory: WebAssembly.Memory,
    network: Network,
    workers: readonly Worker[],
  ) {
    this.#memory = memory;
    this.#network = network;
    this.#workers = workers;
    const { at } = network.thread;
    this.#bytes = new Uint8Array(memory.buffer, at.bytes, CHUNK_STEPS * hyper.streams);
    this.#intervals = new Uint32Array(memory.buffer, at.intervals, CHUNK_STEPS * hyper.streams * 2);
    this.#ends = new Uint32Array(memory.buffer, at.ends, hyper.streams * 256);
    for (const worker of workers) {
      worker.on("error", (error) => this.#fail(error instanceof Error ? error.message : String(error)));
      worker.on("exit", () => this.#fail("it ended"));
    }
  }

  /** The workers are idle between two calls, and see the plan with their next command. */
  async describe({ stride }: DataKind): Promise<void> {
    writePlan(this.#network.thread.at.recall, this.hyper, stride, this.#memory.buffer);
  }

  async encodeSteps(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const { streams } = this.hyper;
    for (let done = 0; done < stepCount; ) {
      const steps = Math.min(CHUNK_STEPS, stepCount - done);
      this.#bytes.set(bytes.subarray(done * streams, (done + steps) * streams));
      this.#run(Command.ENCODE, steps);
      intervals.set(this.#intervals.subarray(0, steps * streams * 2), done * streams * 2);
      done += steps;
    }
  }

  async predict(ends: Uint32Array): Promise<void> {
    this.#run(Command.PREDICT, 1);
    ends.set(this.#ends);
  }

  async learn(bytes: Uint8Array): Promise<void> {
    this.#bytes.set(bytes.subarray(0, this.hyper.streams));
    this.#run(Command.LEARN, 1);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#command(Command.CLOSE, 0);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Times of thread 0, for benchmarks. */
  get times(): PhaseTimes {
    return this.#network.times;
  }

  /** The trained state and thread 0's view of the exponents, for tests. */
  inspect(): TrainedState & RecallMemory & Inspection {
    const { exponents, gradientScales, at } = this.#network.thread;
    const { buffer } = this.#memory;
    return { ...readState(at, buffer), ...readRecall(at.recall, buffer), exponents, gradientScales, at, buffer };
  }

  /** Wakes the workers. */
  #command(command: number, steps: number): void {
    const { control } = this.#network.thread;
    Atomics.store(control, Control.COMMAND, command);
    Atomics.store(control, Control.STEPS, steps);
    Atomics.add(control, Control.COMMAND_COUNT, 1);
    Atomics.notify(control, Control.COMMAND_COUNT);
  }

  /** Runs a command on all threads. @throws CpuThreadError if one has failed, now or earlier */
  #run(command: number, steps: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#command(command, steps);
    try {
      this.#network.obey();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #fail(detail: string): void {
    if (!this.#closing) this.#failure ??= new CpuThreadError(detail);
  }
}

/** Resolves at a worker's first message. @throws CpuThreadError if it dies before */
function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", (error: unknown) => reject(new CpuThreadError(String(error))));
    worker.once("exit", (code: number) => reject(new CpuThreadError(`it ended with code ${code}`)));
  });
}

/**
 * Where models of the CPU engine live: a shared memory and the threads that work in it. A room outlasts its model if it
 * is small: then it serves the next model of the same shape, however large that one's slots and tables are.
 */
import type { HyperParameters } from "../../contract/hyper.ts";
import { luts } from "../../contract/luts.ts";
import { collect } from "../../platform/release.ts";
import { startWorker, type Worker } from "../../platform/workers.ts";
import { EngineLimitError } from "../engine.ts";
import { Command, Control, CpuThreadError } from "./control.ts";
import { readKernels } from "./kernels.ts";
import { CpuLayout } from "./layout.ts";
import { Network } from "./network.ts";
import { writeInitialState } from "./weights.ts";

/** Slots and rows of reusable rooms, as powers of two: enough for inputs of 64 KiB. */
const SLOT_BITS = 16;
const TABLE_BITS = 12;
/** A reusable room is at most this large, with the copy of its first state, of which nobody's limit knows. */
const REUSABLE_BYTES_MAX = 56 << 20;
const PAGE_BYTES = 65536;

/** The fields of a model that may differ from one to the next in the same room. */
const SIZES: ReadonlySet<string> = new Set(["slotBits", "tableBits"]);

/** The largest model of this one's shape for which a reusable room is made; undefined if this one is too large. */
export function reusableHyper(hyper: HyperParameters): HyperParameters | undefined {
  if (hyper.slotBits > SLOT_BITS || hyper.tableBits > TABLE_BITS) return undefined;
  const largest = { ...hyper, slotBits: SLOT_BITS, tableBits: TABLE_BITS };
  const at = new CpuLayout(largest, 1);
  // Slots and tables, which come last, are not copied.
  const bytes = at.pages * PAGE_BYTES + at.recall.entries;
  return bytes <= REUSABLE_BYTES_MAX ? largest : undefined;
}

/** A memory of exactly the model's size. @throws EngineLimitError if the machine does not have it */
function allocate(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    throw new EngineLimitError("cpu", `there are no ${Math.ceil(pages / 16)} MiB of memory for the model`);
  }
}

interface RoomOptions {
  readonly threads: number;
  readonly isReusable?: boolean;
  /** Milliseconds, for the times of the phases. */
  readonly clock?: () => number;
}

export class Room {
  /** Why no model can go on here, if so: a thread has failed. */
  failure: Error | undefined;
  /** Models that have begun here. */
  models = 0;
  #isClosing = false;

  private constructor(
    readonly hyper: HyperParameters,
    readonly memory: WebAssembly.Memory,
    /** The caller's thread. */
    readonly network: Network,
    readonly workers: readonly Worker[],
    readonly isReusable: boolean,
  ) {
    for (const worker of workers) {
      worker.on("error", (error: unknown) => this.fail(error instanceof Error ? error.message : String(error)));
      worker.on("exit", () => this.fail("it ended"));
    }
  }

  /** Starts the threads and returns when all are ready. @throws EngineLimitError, CpuThreadError */
  static async open(hyper: HyperParameters, options: RoomOptions): Promise<Room> {
    const { threads, isReusable = false, clock } = options;
    const at = new CpuLayout(hyper, threads);
    // Computed once for all models, and before the memory is there, beside which nobody collects the garbage.
    luts();
    const memory = allocate(at.pages);
    writeInitialState(at, memory.buffer);
    const setup = { hyper, threads, memory, kernels: readKernels(), isReusable };
    const workers = Array.from({ length: threads - 1 }, (_, i) => startWorker("engine", { ...setup, index: i + 1 }));
    try {
      await Promise.all(workers.map(ready));
    } catch (error) {
      for (const worker of workers) void worker.terminate();
      throw error;
    }
    const network = new Network({ ...setup, index: 0 }, clock);
    network.prepare();
    // Small rooms leave little behind, and their inputs are done sooner than a collection.
    if (!isReusable) collect();
    return new Room(hyper, memory, network, workers, isReusable);
  }

  /** Whether the next model may be this one, on so many threads. */
  suits(hyper: HyperParameters, threads: number): boolean {
    if (!this.isReusable || this.failure !== undefined || this.workers.length !== threads - 1) return false;
    const fields = Object.keys(hyper) as (keyof HyperParameters)[];
    return fields.every((field) =>
      SIZES.has(field) ? hyper[field] <= this.hyper[field] : hyper[field] === this.hyper[field],
    );
  }

  /** Nobody waits for the threads of a room in which no model is. */
  set isIdle(isIdle: boolean) {
    for (const worker of this.workers) isIdle ? worker.unref() : worker.ref();
  }

  /** Wakes the workers. */
  command(command: number, steps: number): void {
    const { control } = this.network.thread;
    Atomics.store(control, Control.COMMAND, command);
    Atomics.store(control, Control.STEPS, steps);
    Atomics.add(control, Control.COMMAND_COUNT, 1);
    Atomics.notify(control, Control.COMMAND_COUNT);
  }

  fail(detail: string): void {
    if (!this.#isClosing) this.failure ??= new CpuThreadError(detail);
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.command(Command.CLOSE, 0);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
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

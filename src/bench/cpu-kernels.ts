/**
 * Times every kernel of the CPU engine as its step calls it, on one thread. The exports of the WebAssembly are wrapped,
 * and the engine's own passes run: so the list, the shapes and the order are the engine's, and need no upkeep here.
 */

import type { HyperParameters } from "../contract/hyper.ts";
import { CALIBRATION_STEPS } from "../contract/schedule.ts";
import { Command, Control } from "../engine/cpu/control.ts";
import { CpuModel, createCpuEngine } from "../engine/cpu/engine.ts";
import type { Kernels } from "../engine/cpu/kernel-signatures.ts";
import { readKernels } from "../engine/cpu/kernels.ts";
import { CpuLayout } from "../engine/cpu/layout.ts";
import { Network } from "../engine/cpu/network.ts";
import { writeInitialState } from "../engine/cpu/weights.ts";
import { benchBytes, CHECK_STEPS, differenceFromReference } from "./check.ts";
import { type CpuCall, cpuShapeOf, cpuWorkOf } from "./cpu-work.ts";
import type { KernelBenchRequest } from "./gpu-kernels.ts";
import { type KernelSubject, type ModelSubject, type PeakResult, ratesOf } from "./kernel-results.ts";
import { benchMixers } from "./mixers.ts";
import { stepWork } from "./model-work.ts";

/** Steps that are timed; of each call the fastest counts. */
const TIMED_STEPS = 30;
/** Steps of decompression, for the kernels that only it has. */
const PREDICTED_STEPS = 10;
/** A peak is the best of so many loops. */
const PEAK_SAMPLES = 40;
const DOT_ROUNDS = 65536;
/** Multiply-adds in a round of peakDots: eight sums of vectors of eight. */
const PRODUCTS_PER_ROUND = 64;
const COPY_BYTES = 2 ** 25;
const CACHED_COPY_BYTES = 2 ** 18;

/** @param device the processor's name */
export async function benchCpuKernels(request: KernelBenchRequest, device: string): Promise<void> {
  const { models, mixers = [], filter = "", onResult } = request;
  const subject: KernelSubject = { engine: "cpu", device };
  const engine = await createCpuEngine({ threads: 1 });
  await benchMixers({ engine, subject, models: mixers, onResult }).finally(() => engine.close());
  let peaks: PeakResult[] | undefined;
  for (const { setting, hyper } of models) {
    const model: ModelSubject = { ...subject, setting, streams: hyper.streams };
    const bench = new WatchedNetwork(hyper);
    if (!peaks) {
      peaks = cpuPeaks(bench.kernels, subject);
      for (const peak of peaks) await onResult(peak);
      const what = "a call of a kernel, timed";
      await onResult({ kind: "overhead", ...subject, what, microseconds: bench.clockMs * 1000 });
    }
    const difference = await checkModel(hyper);
    const checked = { kind: "check", ...model, steps: CHECK_STEPS } as const;
    await onResult({ ...checked, ...(difference !== undefined && { difference }) });
    const { groups, wholeMs } = bench.run();
    let kernelsMicroseconds = 0;
    const encoding = groups.filter(({ isDecoding }) => !isDecoding);
    const calls = encoding.reduce((sum, group) => sum + group.calls, 0);
    for (const group of groups) {
      if (!group.call.kernel.includes(filter)) continue;
      const microseconds = (group.ms * 1000) / group.calls;
      kernelsMicroseconds += group.isDecoding ? 0 : group.ms * 1000;
      const { kernel } = group.call;
      const rates = ratesOf(microseconds, cpuWorkOf(group.call), peaks);
      const { shape, calls } = group;
      const only = group.isDecoding ? { isDecodingOnly: true as const } : {};
      await onResult({ kind: "kernel", ...model, kernel, shape, calls, ...only, microseconds, ...rates });
    }
    const used = new Set(groups.map(({ call }) => call.kernel));
    for (const kernel of Object.keys(bench.kernels).sort()) {
      if (used.has(kernel) || !kernel.includes(filter) || PROBES.has(kernel)) continue;
      await onResult({ kind: "kernel", ...model, kernel, shape: "", calls: 0, microseconds: 0 });
    }
    const clock = "performance.now, one thread";
    const wholeMicroseconds = wholeMs * 1000;
    const times = { kernelsMicroseconds, wholeMicroseconds, ...stepWork(hyper, wholeMicroseconds, peaks) };
    await onResult({ kind: "step", ...model, ...times, calls, clock });
  }
}

/** Exports that are not kernels of a step. */
const PROBES = new Set(["peakDots", "memory"]);

async function checkModel(hyper: HyperParameters): Promise<string | undefined> {
  const model = await CpuModel.open(hyper, 1);
  try {
    return await differenceFromReference(hyper, {
      fillIntervals: (...parameters) => model.fillIntervals(...parameters),
      readTrained: async () => model.inspect(),
    });
  } finally {
    await model.close();
  }
}

function cpuPeaks(kernels: Kernels, subject: KernelSubject): PeakResult[] {
  const peak = (what: PeakResult["what"], loop: string, amount: number, run: () => void): PeakResult => {
    let least = Infinity;
    for (let sample = 0; sample < PEAK_SAMPLES; sample += 1) {
      const startedAtMs = performance.now();
      run();
      least = Math.min(least, performance.now() - startedAtMs);
    }
    return { kind: "peak", ...subject, what, loop, perSecond: (amount * 1000) / least };
  };
  const copy = (sizeBytes: number, times: number) => {
    const [from, to] = [new Uint8Array(sizeBytes).fill(1), new Uint8Array(sizeBytes)];
    return () => {
      for (let i = 0; i < times; i += 1) to.set(from);
    };
  };
  return [
    peak("multiply-adds", "i32x4.dot_i16x8_s on registers", DOT_ROUNDS * PRODUCTS_PER_ROUND, () => {
      kernels.peakDots(DOT_ROUNDS);
    }),
    peak("bytes", `copy of ${COPY_BYTES / 2 ** 20} MiB, read and written`, 2 * COPY_BYTES, copy(COPY_BYTES, 1)),
    peak("bytes", `copy of ${CACHED_COPY_BYTES / 2 ** 10} KiB`, 64 * CACHED_COPY_BYTES, copy(CACHED_COPY_BYTES, 32)),
  ];
}

interface TimedGroup {
  readonly call: CpuCall;
  readonly shape: string;
  readonly isDecoding: boolean;
  /** In a step. */
  calls: number;
  ms: number;
}

interface LoggedCall {
  readonly kernel: string;
  readonly parameters: number[];
  readonly ms: number;
}

/** One thread's network with its kernels wrapped: every call is noted, in the order of the step. */
class WatchedNetwork {
  readonly kernels: Kernels;
  /** What it takes to look at the clock twice. */
  readonly clockMs: number;
  readonly #network: Network;
  readonly #hyper: HyperParameters;
  readonly #memory: WebAssembly.Memory;
  #log: LoggedCall[] = [];

  constructor(hyper: HyperParameters) {
    const at = new CpuLayout(hyper, 1);
    this.#hyper = hyper;
    this.#memory = new WebAssembly.Memory({ initial: at.pages, maximum: at.pages, shared: true });
    writeInitialState(at, this.#memory.buffer);
    this.#network = new Network({ hyper, index: 0, threads: 1, memory: this.#memory, kernels: readKernels() });
    this.#network.prepare();
    this.kernels = this.#network.thread.kernels;
    this.clockMs = this.#clockCost();
    const wrapped = Object.entries(this.kernels).map(([name, member]: [string, unknown]) => [
      name,
      typeof member === "function" ? this.#wrap(name, member as (...parameters: number[]) => unknown) : member,
    ]);
    // The passes ask the thread for its kernels at every call.
    Reflect.set(this.#network.thread, "kernels", Object.fromEntries(wrapped));
  }

  #wrap(kernel: string, run: (...parameters: number[]) => unknown) {
    return (...parameters: number[]): unknown => {
      const startedAtMs = performance.now();
      const result = run(...parameters);
      this.#log.push({ kernel, parameters, ms: performance.now() - startedAtMs });
      return result;
    };
  }

  #clockCost(): number {
    let least = Infinity;
    const nothing = this.#wrap("nothing", () => 0);
    for (let i = 0; i < 1000; i += 1) nothing(1, 2, 3);
    for (const { ms } of this.#log) least = Math.min(least, ms);
    this.#log = [];
    return least;
  }

  /** Trains, and gives the fastest time of each call of a step. */
  run(): { groups: TimedGroup[]; wholeMs: number } {
    const rows = benchBytes(CALIBRATION_STEPS + TIMED_STEPS, this.#hyper.streams);
    const steps: LoggedCall[][] = [];
    let wholeMs = Infinity;
    for (let step = 0; step < CALIBRATION_STEPS + TIMED_STEPS; step += 1) {
      this.#log = [];
      const startedAtMs = performance.now();
      this.#command(Command.ENCODE, rows.subarray(step * this.#hyper.streams, (step + 1) * this.#hyper.streams));
      const tookMs = performance.now() - startedAtMs;
      if (step < CALIBRATION_STEPS) continue;
      wholeMs = Math.min(wholeMs, tookMs);
      steps.push(this.#log);
    }
    const encoding = this.#groups(steps, false);
    const seen = new Set(encoding.map(({ call }) => call.kernel));
    const predictions: LoggedCall[][] = [];
    for (let step = 0; step < PREDICTED_STEPS; step += 1) {
      const row = rows.subarray(step * this.#hyper.streams, (step + 1) * this.#hyper.streams);
      this.#log = [];
      this.#command(Command.PREDICT, row);
      this.#command(Command.LEARN, row);
      predictions.push(this.#log.filter(({ kernel }) => !seen.has(kernel)));
    }
    return { groups: [...encoding, ...this.#groups(predictions, true)], wholeMs };
  }

  #command(command: number, bytes: Uint8Array): void {
    const { control, at } = this.#network.thread;
    new Uint8Array(this.#memory.buffer, at.bytes, bytes.length).set(bytes);
    Atomics.store(control, Control.COMMAND, command);
    Atomics.store(control, Control.STEPS, 1);
    this.#network.obey();
  }

  /** The n-th call is the same in every step; calls of one kernel with one shape are shown together. */
  #groups(steps: readonly (readonly LoggedCall[])[], isDecoding: boolean): TimedGroup[] {
    const groups = new Map<string, TimedGroup>();
    for (const [index, first] of (steps[0] ?? []).entries()) {
      const leastMs = steps.reduce((least, step) => Math.min(least, step[index]?.ms ?? Infinity), Infinity);
      const call = { kernel: first.kernel, parameters: first.parameters };
      const shape = cpuShapeOf(call);
      const key = `${call.kernel} ${shape}`;
      const group = groups.get(key) ?? { call, shape, isDecoding, calls: 0, ms: 0 };
      group.calls += 1;
      group.ms += Math.max(0, leastMs - this.clockMs);
      groups.set(key, group);
    }
    return [...groups.values()];
  }
}

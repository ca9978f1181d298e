/**
 * Times every kernel of the GPU engine at the shapes of a model. The list is what the engine's own step registers: its
 * compiler is watched while it binds, so that nothing has to be kept up to date by hand and nothing is forgotten.
 */
import { randomBytes } from "node:crypto";
import { coderGroupsFor } from "../coder/groups.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { ModelBuffers, sharedConstants } from "../engine/gpu/buffers.ts";
import { openDevice } from "../engine/gpu/dawn.ts";
import { GpuDecoder } from "../engine/gpu/decoder.ts";
import type { GpuDevice } from "../engine/gpu/device.ts";
import { engineOn } from "../engine/gpu/engine.ts";
import { type Dispatch, record } from "../engine/gpu/kernel.ts";
import { GpuModel, type ModelOptions } from "../engine/gpu/model.ts";
import { decoderFor, tileFor } from "../engine/gpu/path.ts";
import { FUSED_KERNELS, KERNELS } from "../engine/gpu/shaders.ts";
import { buildStep } from "../engine/gpu/step.ts";
import { benchBytes, CHECK_STEPS, differenceFromReference } from "./check.ts";
import { gpuPeaks } from "./gpu-peaks.ts";
import { GpuTimer } from "./gpu-timer.ts";
import {
  type KernelBenchResult,
  type KernelResult,
  type KernelSubject,
  type ModelSubject,
  type PeakResult,
  ratesOf,
} from "./kernel-results.ts";
import { type BoundCall, shapeOf, workOf } from "./kernel-work.ts";
import { benchMixers } from "./mixers.ts";
import { stepWork } from "./model-work.ts";
import { WatchedCompiler } from "./watched-compiler.ts";

interface BenchedModel {
  readonly setting: string;
  readonly hyper: HyperParameters;
}

export interface KernelBenchRequest {
  /** Networks. */
  readonly models: readonly BenchedModel[];
  readonly mixers?: readonly BenchedModel[];
  /** Only kernels whose name contains it are timed. */
  readonly filter?: string;
  readonly onResult: (result: KernelBenchResult) => Promise<void>;
}

/** @param adapter a part of its name @throws EngineUnavailableError, EngineDeviceError, ShaderError */
export async function benchGpuKernels(request: KernelBenchRequest, adapter?: string): Promise<void> {
  const gpu = await openDevice(adapter, ["timestamp-query"]);
  try {
    await benchOn(gpu, request);
  } finally {
    gpu.device.destroy();
  }
}

/** @param gpu destroyed by the caller */
export async function benchOn(gpu: GpuDevice, request: KernelBenchRequest): Promise<void> {
  const { models, mixers = [], filter, onResult } = request;
  const subject: KernelSubject = { engine: "gpu", device: gpu.name };
  await benchMixers({ engine: engineOn(gpu, {}), subject, models: mixers, onResult });
  if (models.length === 0) return;
  const timer = await GpuTimer.open(gpu);
  try {
    const { peaks, overheads } = await gpuPeaks(gpu, timer, subject, gpu.isSoftware);
    for (const result of [...peaks, ...overheads]) await onResult(result);
    for (const { setting, hyper } of models) {
      const common = { subject, setting, hyper, peaks, onResult, ...(filter !== undefined && { filter }) };
      // The way that the engine takes comes last; without fused kernels it is the only one.
      if (await isFused(gpu, hyper))
        await benchModel(gpu, timer, { ...common, setting: `${setting} (a kernel to a box)` }, "boxes");
      await benchModel(gpu, timer, common, undefined);
    }
    gpu.check();
  } finally {
    timer.close();
  }
}

const CHUNK_STEPS = 16;

type Path = ModelOptions["path"];

interface BenchParts {
  readonly subject: KernelSubject;
  readonly setting: string;
  readonly hyper: HyperParameters;
  readonly peaks: readonly PeakResult[];
  readonly filter?: string;
  readonly onResult: (result: KernelBenchResult) => Promise<void>;
}

/** One way of a model's step: checked, then timed. */
async function benchModel(gpu: GpuDevice, timer: GpuTimer, parts: BenchParts, path: Path): Promise<void> {
  const { subject, setting, hyper, ...rest } = parts;
  const model: ModelSubject = { ...subject, setting, streams: hyper.streams };
  const difference = await checkModel(gpu, hyper, path);
  const checked = { kind: "check", ...model, steps: CHECK_STEPS } as const;
  await parts.onResult({ ...checked, ...(difference !== undefined && { difference }) });
  await timeModel(gpu, timer, hyper, { model, ...rest }, path);
}

async function isFused(gpu: GpuDevice, hyper: HyperParameters): Promise<boolean> {
  const buffers = new ModelBuffers(gpu.device, hyper, CHUNK_STEPS);
  const tile = await tileFor(gpu, buffers);
  buffers.destroy();
  return tile !== undefined;
}

async function checkModel(gpu: GpuDevice, hyper: HyperParameters, path: Path): Promise<string | undefined> {
  const model = await GpuModel.open(gpu, hyper, CHUNK_STEPS, path === undefined ? {} : { path });
  try {
    return await differenceFromReference(hyper, {
      fillIntervals: (...parameters) => model.fillIntervals(...parameters),
      readTrained: async () => ({
        master: await model.readBuffer("master"),
        moment: await model.readBuffer("moment"),
        square: await model.readBuffer("square"),
      }),
    });
  } finally {
    await model.close();
  }
}

interface TimingParts extends Pick<BenchParts, "peaks" | "filter" | "onResult"> {
  readonly model: ModelSubject;
}

async function timeModel(
  gpu: GpuDevice,
  timer: GpuTimer,
  hyper: HyperParameters,
  parts: TimingParts,
  path: Path,
): Promise<void> {
  const { model, peaks, filter = "", onResult } = parts;
  const buffers = new ModelBuffers(gpu.device, hyper, CHUNK_STEPS);
  try {
    const compiler = new WatchedCompiler(gpu.device, sharedConstants(hyper, buffers.layout, buffers.pastRows));
    const step = await buildStep(compiler, buffers, path === "boxes" ? undefined : await tileFor(gpu, buffers));
    // The kernels of a step without training are among those of one with it.
    const dispatches: readonly Dispatch[] = [...step.forward, ...step.backward];
    await warmUp(gpu, buffers, dispatches, hyper);
    const wholeMicroseconds = await timer.microseconds(dispatches);
    let kernelsMicroseconds = 0;
    for (const group of groupsOf(dispatches, compiler.calls)) {
      if (!group.call.kernel.includes(filter)) continue;
      const microseconds = await timer.microseconds([group.first]);
      kernelsMicroseconds += microseconds * group.calls;
      await onResult(resultOf(model, group, microseconds, peaks));
    }
    if ("decode".includes(filter)) {
      const decoding = await timeDecoding(gpu, timer, buffers, compiler);
      if (decoding) {
        const result = resultOf(model, decoding.group, decoding.microseconds, peaks);
        await onResult({ ...result, isDecodingOnly: true });
      }
    }
    const used = new Set([...compiler.calls.values()].map(({ kernel }) => kernel));
    const names = Object.keys(used.has("forward") ? FUSED_KERNELS : KERNELS);
    for (const kernel of names.filter((name) => !used.has(name) && name.includes(filter))) {
      await onResult({ kind: "kernel", ...model, kernel, shape: "", calls: 0, microseconds: 0 });
    }
    const times = { kernelsMicroseconds, wholeMicroseconds, ...stepWork(hyper, wholeMicroseconds, peaks) };
    await onResult({ kind: "step", ...model, ...times, calls: dispatches.length, clock: timer.clock });
  } finally {
    buffers.destroy();
  }
}

/** A group's payload: noise is what coded bytes look like, and so much of it lasts for all repeats. */
const PAYLOAD_BYTES = 2 ** 22;

/** The coder of decompression, between the passes of a step; undefined where the host decodes. */
async function timeDecoding(
  gpu: GpuDevice,
  timer: GpuTimer,
  buffers: ModelBuffers,
  compiler: WatchedCompiler,
): Promise<{ group: Group; microseconds: number } | undefined> {
  const lanes = decoderFor(gpu.isSoftware);
  if (lanes === "host") return undefined;
  const decoder = new GpuDecoder(gpu.device, buffers, lanes, compiler);
  try {
    const noise = randomBytes(PAYLOAD_BYTES);
    const payloads = Array.from({ length: coderGroupsFor(buffers.hyper.streams) }, () => noise);
    const first = await decoder.open(payloads);
    const call = first && compiler.calls.get(first);
    if (!call) return undefined;
    const microseconds = await timer.microseconds([first]);
    return { group: { call, first, shape: shapeOf(call), calls: 1 }, microseconds };
  } finally {
    decoder.destroy();
  }
}

/** Some real steps, so that the numbers in the buffers are such as a model has. */
async function warmUp(
  gpu: GpuDevice,
  buffers: ModelBuffers,
  dispatches: readonly Dispatch[],
  hyper: HyperParameters,
): Promise<void> {
  const plain = benchBytes(CHECK_STEPS, hyper.streams);
  const padded = new Uint8Array(CHECK_STEPS * buffers.rowWords * 4);
  for (let row = 0; row < CHECK_STEPS; row += 1) {
    padded.set(plain.subarray(row * hyper.streams, (row + 1) * hyper.streams), row * buffers.rowWords * 4);
  }
  gpu.device.queue.writeBuffer(buffers.get("bytes"), 0, padded);
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let step = 0; step < CHECK_STEPS; step += 1) record(pass, dispatches);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.settled(gpu.device.queue.onSubmittedWorkDone());
}

interface Group {
  readonly call: BoundCall;
  readonly first: Dispatch;
  readonly shape: string;
  calls: number;
}

/** Dispatches of the same kernel at the same shape take the same time: one of them is timed. */
function groupsOf(dispatches: readonly Dispatch[], calls: ReadonlyMap<Dispatch, BoundCall>): Group[] {
  const groups = new Map<string, Group>();
  for (const dispatch of dispatches) {
    const call = calls.get(dispatch);
    if (!call) throw new Error(`a dispatch of ${dispatch.name} was not bound by the step's compiler`);
    const shape = shapeOf(call);
    const key = `${call.kernel} ${shape} ${call.workgroups.join("x")}`;
    const known = groups.get(key);
    if (known) known.calls += 1;
    else groups.set(key, { call, first: dispatch, shape, calls: 1 });
  }
  return [...groups.values()];
}

function resultOf(
  model: ModelSubject,
  { call, shape, calls }: Group,
  microseconds: number,
  peaks: readonly PeakResult[],
): KernelResult {
  const rates = ratesOf(microseconds, workOf(call), peaks);
  return { kind: "kernel", ...model, kernel: call.kernel, shape, calls, microseconds, ...rates };
}

/**
 * What an adapter can do at best, for kernels to be held against: a loop of nothing but the instruction that the
 * products use, and a copy of nothing but memory. Their text is here and not in shaders/, because no archive is made
 * with them.
 */
import type { GpuDevice } from "../engine/gpu/device.ts";
import type { Dispatch } from "../engine/gpu/kernel.ts";
import type { GpuTimer } from "./gpu-timer.ts";
import type { KernelSubject, OverheadResult, PeakResult } from "./kernel-results.ts";

const STORAGE = 0x80;
const CHAINS = 16;
const DOT_ROUNDS = 256;
const DOT_GROUPS = 256;
const INVOCATIONS = 64;
const PRODUCTS_PER_DOT = 4;

/** Independent sums, so that no one waits for the one before; the operand changes, so that nothing is hoisted. */
const DOT_LOOP = `
@group(0) @binding(0) var<storage, read_write> out: array<i32>;
@compute @workgroup_size(${INVOCATIONS}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var sums = array<i32, ${CHAINS}>();
  var y = id.x * 0x9e3779b1u;
  for (var i = 0u; i < ${DOT_ROUNDS}u; i++) {
${Array.from({ length: CHAINS }, (_, i) => `    sums[${i}] += dot4I8Packed(id.x + ${i * 77}u, y);`).join("\n")}
    y += 0x01030507u;
  }
  var sum = 0;
  for (var i = 0u; i < ${CHAINS}u; i++) { sum ^= sums[i]; }
  out[id.x] = sum;
}`;

const COPY_LOOP = `
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> target_words: array<vec4<u32>>;
@compute @workgroup_size(${INVOCATIONS}) fn main(
  @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${INVOCATIONS}u + lane;
  if (i < arrayLength(&source)) { target_words[i] = source[i]; }
}`;

const COUNTER = `
@group(0) @binding(0) var<storage, read_write> out: array<i32>;
@compute @workgroup_size(1) fn main() { out[0] += 1; }`;

const VEC4_BYTES = 16;
const COPY_BYTES_MAX = 2 ** 28;
/** A software adapter copies at the speed of the machine's memory; more would only take longer. */
const SOFTWARE_COPY_BYTES = 2 ** 25;
/** The size of a step's arrays, which caches hold. */
const CACHED_COPY_BYTES = 2 ** 19;

type Four = [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];

async function compile(device: GPUDevice, code: string): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code });
  return await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
}

/** These are not kernels of the engine; only the timer sees them. */
function dispatchOf(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  buffers: readonly GPUBuffer[],
  groups: number,
): Dispatch {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const rows = Math.ceil(groups / 65535);
  const workgroups = [Math.ceil(groups / rows), rows, 1] as const;
  return { name: "peak" as Dispatch["name"], pipeline, bindGroup, workgroups };
}

/** Peaks and overheads of the device. */
export async function gpuPeaks(
  { device }: GpuDevice,
  timer: GpuTimer,
  subject: KernelSubject,
  isSoftware: boolean,
): Promise<{ peaks: PeakResult[]; overheads: OverheadResult[] }> {
  const limit = Math.min(COPY_BYTES_MAX, device.limits.maxStorageBufferBindingSize);
  const copyBytes = isSoftware ? Math.min(SOFTWARE_COPY_BYTES, limit) : limit;
  const buffer = (size: number) => device.createBuffer({ size, usage: STORAGE });
  const small = buffer(4 * DOT_GROUPS * INVOCATIONS);
  const [from, to, near, far] = [copyBytes, copyBytes, CACHED_COPY_BYTES, CACHED_COPY_BYTES].map(buffer) as Four;
  try {
    const dots = dispatchOf(device, await compile(device, DOT_LOOP), [small], DOT_GROUPS);
    const copyLoop = await compile(device, COPY_LOOP);
    const copyGroups = (sizeBytes: number) => Math.ceil(sizeBytes / VEC4_BYTES / INVOCATIONS);
    const copy = dispatchOf(device, copyLoop, [from, to], copyGroups(copyBytes));
    const cachedCopy = dispatchOf(device, copyLoop, [near, far], copyGroups(CACHED_COPY_BYTES));
    const count = dispatchOf(device, await compile(device, COUNTER), [small], 1);
    const products = DOT_GROUPS * INVOCATIONS * DOT_ROUNDS * CHAINS * PRODUCTS_PER_DOT;
    const dotMicroseconds = await timer.microseconds([dots]);
    const copyMicroseconds = await timer.microseconds([copy]);
    const cachedMicroseconds = await timer.microseconds([cachedCopy]);
    const dispatchMicroseconds = await timer.microseconds(Array.from({ length: 64 }, () => count));
    const roundTripMicroseconds = await timer.roundTripMicroseconds([count]);
    const peak = (what: PeakResult["what"], loop: string, amount: number, microseconds: number): PeakResult => {
      return { kind: "peak", ...subject, what, loop, perSecond: (amount * 1e6) / microseconds };
    };
    const overhead = (what: string, microseconds: number): OverheadResult => {
      return { kind: "overhead", ...subject, what, microseconds };
    };
    return {
      peaks: [
        peak("multiply-adds", "dot4I8Packed on registers", products, dotMicroseconds),
        peak("bytes", `copy of ${copyBytes / 2 ** 20} MiB, read and written`, 2 * copyBytes, copyMicroseconds),
        peak("bytes", `copy of ${CACHED_COPY_BYTES / 2 ** 10} KiB`, 2 * CACHED_COPY_BYTES, cachedMicroseconds),
      ],
      overheads: [
        overhead("a dispatch that waits for the one before", dispatchMicroseconds / 64),
        overhead("a submit and its end", roundTripMicroseconds),
      ],
    };
  } finally {
    for (const each of [small, from, to, near, far]) each.destroy();
  }
}

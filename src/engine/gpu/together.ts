/**
 * Whether eight neighbouring invocations of a device are one subgroup, so that each can load one of eight words and all
 * have all of them (shaders/eight_together.wgsl). WebGPU promises no order of invocations in a subgroup, so the device
 * is asked: the same loads both ways, compared with ==, in workgroups of the sizes that kernels have.
 */
import { type Dispatch, KernelCompiler, record } from "./kernel.ts";

/** Invocations of the workgroups that load together: of forward and backward, and of weights. */
const GROUP_SIZES = [8, 64] as const;
const GROUPS = 3;
const known = new WeakMap<GPUDevice, Promise<boolean>>();

/** The answer is remembered for the device. A device whose compiler refuses subgroups cannot. */
export function canLoadTogether(device: GPUDevice): Promise<boolean> {
  const answer = known.get(device) ?? probe(device).catch(() => false);
  known.set(device, answer);
  return answer;
}

async function probe(device: GPUDevice): Promise<boolean> {
  if (!device.features.has("subgroups")) return false;
  for (const lanes of GROUP_SIZES) {
    const apart = await loads(device, lanes, 1);
    const together = await loads(device, lanes, 8);
    if (apart.some((word, i) => word !== together[i])) return false;
  }
  return true;
}

/** What all invocations of a few workgroups have loaded: 8 words each. */
async function loads(device: GPUDevice, lanes: number, together: 1 | 8): Promise<Uint32Array> {
  const sizeBytes = GROUPS * lanes * 8 * 4;
  const out = device.createBuffer({ size: sizeBytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: sizeBytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const compiler = new KernelCompiler(device, { LANES: lanes, TOGETHER: together });
  const dispatch: Dispatch = await compiler.bind("probe_together", {}, { out }, [GROUPS, 1, 1]);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  record(pass, [dispatch]);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, staging, 0, sizeBytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(staging.getMappedRange()).slice();
  staging.destroy();
  out.destroy();
  return words;
}

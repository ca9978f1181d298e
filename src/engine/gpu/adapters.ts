/**
 * GPUs by what WebGPU says of them, whoever offers it: which there are, which one a name means, and its device.
 * dawn.ts finds them for the program, offered.ts for the library.
 */
import { EngineUnavailableError } from "../engine.ts";

export interface GpuAdapter {
  /** The driver's name for it, as `--adapter` takes it (any part of it will do). */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** Driver and version, where the driver tells. */
  readonly description: string;
  /** It runs shaders on the CPU (SwiftShader, lavapipe, WARP). */
  readonly isSoftware: boolean;
}

/** What a device may be given of what its adapter has: as on other adapters, for tests. */
export interface DeviceLimits {
  readonly storageBuffers?: number;
  readonly bindingBytes?: number;
}

/** Storage buffers that a mixer binds where its rows lie apart (mixer_rows_apart.wgsl); nothing binds more. */
export const MIXER_BUFFERS = 12;
/** What engines use where it is there. */
const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ["subgroups"];

/** By any part of its name, vendor or architecture; without `wanted` the first. @throws EngineUnavailableError */
export function chooseAdapter<A extends Pick<GpuAdapter, "name"> & Partial<GpuAdapter>>(
  adapters: readonly A[],
  wanted?: string,
): A {
  const [first] = adapters;
  if (!first) {
    const hint = "install the graphics driver with its Vulkan part, or use --engine cpu";
    throw new EngineUnavailableError("gpu", "no GPU was found", hint);
  }
  if (wanted === undefined) return first;
  const part = wanted.toLowerCase();
  const text = ({ name, vendor = "", architecture = "" }: A) => `${name}\n${vendor}\n${architecture}`.toLowerCase();
  const found =
    adapters.find(({ name }) => name.toLowerCase() === part) ?? adapters.find((each) => text(each).includes(part));
  if (found) return found;
  const names = adapters.map(({ name }) => name).join(", ");
  throw new EngineUnavailableError("gpu", `no GPU here is called ${wanted}`, `there is: ${names}`);
}

/** @param name by which the offer knows the adapter; without it, what WebGPU says of it */
export function describeAdapter({ info }: GPUAdapter, name?: string): GpuAdapter {
  const { vendor, architecture, description, isFallbackAdapter } = info;
  const called = name ?? (description || [vendor, architecture].filter(Boolean).join(" ") || "a GPU");
  const isSoftware =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${called} ${architecture}`);
  return { name: called, vendor, architecture, description, isSoftware };
}

/**
 * The device of an adapter, which gives only one.
 *
 * @param features asked for where the adapter has them; look at device.features for what was granted
 * @param limits no less than WebGPU promises: 8 storage buffers, bindings of 2^27 bytes
 * @throws EngineUnavailableError if its driver refuses
 */
export async function deviceOf(
  adapter: GPUAdapter,
  name: string,
  features: readonly GPUFeatureName[],
  { storageBuffers = MIXER_BUFFERS, bindingBytes = Number.POSITIVE_INFINITY }: DeviceLimits,
): Promise<GPUDevice> {
  try {
    const { maxBufferSize } = adapter.limits;
    const maxStorageBufferBindingSize = Math.min(bindingBytes, adapter.limits.maxStorageBufferBindingSize);
    // Fused kernels and mixers bind more than the 8 that every GPU has; without them others do the work.
    const maxStorageBuffersPerShaderStage = Math.min(storageBuffers, adapter.limits.maxStorageBuffersPerShaderStage);
    return await adapter.requestDevice({
      // All other limits stay at WebGPU's defaults (256 invocations a workgroup): every GPU has them.
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage },
      requiredFeatures: [...OPTIONAL_FEATURES, ...features].filter((feature) => adapter.features.has(feature)),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineUnavailableError("gpu", `${name} cannot be opened: ${reason}`, "update its driver");
  }
}

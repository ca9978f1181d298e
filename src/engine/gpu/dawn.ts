/**
 * Finds and opens GPUs through Dawn, the WebGPU implementation of npm's `webgpu`. What is peculiar about it stays in
 * this file and its neighbours addon.ts, polling.ts and quiet.ts; the rest of the engine sees standard WebGPU.
 *
 * The provider is always this addon, never a navigator.gpu that a later Bun may bring.
 */
import { loadSystemLibrary } from "../../platform/dynamic-linker.ts";
import { EngineUnavailableError } from "../engine.ts";
import { type DawnAddon, loadAddon, VULKAN_LOADER } from "./addon.ts";
import { MIXER_BUFFERS } from "./path.ts";
import { throttleDawnPolling } from "./polling.ts";
import { withoutNativeStderr } from "./quiet.ts";

export interface GpuAdapter {
  /** The driver's name for it, as `--adapter` takes it (any part of it will do). */
  readonly name: string;
  readonly backend: "vulkan" | "metal" | "d3d12";
  readonly vendor: string;
  readonly architecture: string;
  /** Driver and version, where the driver tells. */
  readonly description: string;
  /** It runs shaders on the CPU (SwiftShader, lavapipe, WARP). */
  readonly isSoftware: boolean;
}

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly adapter: GpuAdapter;
}

/** What a device may be given of what its adapter has: as on other adapters, for tests. */
export interface DeviceLimits {
  readonly storageBuffers?: number;
  readonly bindingBytes?: number;
}

const FLAGS = [
  // Timestamps in nanoseconds, and experimental features visible.
  "enable-dawn-features=allow_unsafe_apis",
  "disable-dawn-features=timestamp_quantization",
];
/** The backends that run shaders; Dawn's null backend validates and runs nothing, so it is never offered. */
const BACKENDS = ["vulkan", "metal", "d3d12"] as const;
/** What engines use where it is there. */
const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ["subgroups"];
const NO_ADAPTER = "(no adapter has this name)";

/** Dawn crashes if an instance is collected while one of its promises is pending: they live as long as the process. */
const instances = new Map<string, GPU>();
Object.assign(globalThis, { [Symbol.for("fade.dawn")]: instances });
let loadedAddon: Promise<DawnAddon> | undefined;
let knownAdapters: readonly GpuAdapter[] | undefined;

/**
 * Every GPU that Dawn can use here, hardware first; empty if there is none. The answer is remembered.
 * @throws EngineUnavailableError if Dawn itself cannot run here
 */
export async function listAdapters(): Promise<readonly GpuAdapter[]> {
  if (knownAdapters) return knownAdapters;
  const adapters: GpuAdapter[] = [];
  for (const { backend, name } of await adapterNames()) {
    const adapter = await requestAdapter(backend, name);
    if (adapter) adapters.push(describe(adapter, backend, name));
  }
  knownAdapters = adapters.sort((a, b) => speedRank(a) - speedRank(b));
  return knownAdapters;
}

/**
 * Opens the adapter whose name has `wanted` in it, or the one most likely to be fast.
 * @param features asked for where the adapter has them; look at device.features for what was granted
 * @param most no less than WebGPU promises: 8 storage buffers, bindings of 2^27 bytes
 * @throws EngineUnavailableError if there is no such adapter, or its driver refuses
 */
export async function openDevice(
  wanted?: string,
  features: readonly GPUFeatureName[] = [],
  { storageBuffers = MIXER_BUFFERS, bindingBytes = Number.POSITIVE_INFINITY }: DeviceLimits = {},
): Promise<OpenedDevice> {
  const description = chooseAdapter(await listAdapters(), wanted);
  const adapter = await requestAdapter(description.backend, description.name); // one adapter gives one device only
  if (!adapter) throw new EngineUnavailableError("gpu", `${description.name} has disappeared`, "try again");
  try {
    const { maxBufferSize } = adapter.limits;
    const maxStorageBufferBindingSize = Math.min(bindingBytes, adapter.limits.maxStorageBufferBindingSize);
    // Fused kernels and mixers bind more than the 8 that every GPU has; without them others do the work.
    const maxStorageBuffersPerShaderStage = Math.min(storageBuffers, adapter.limits.maxStorageBuffersPerShaderStage);
    const device = await adapter.requestDevice({
      // All other limits stay at WebGPU's defaults (256 invocations a workgroup): every GPU has them.
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage },
      requiredFeatures: [...OPTIONAL_FEATURES, ...features].filter((feature) => adapter.features.has(feature)),
    });
    return { device, adapter: description };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineUnavailableError("gpu", `${description.name} cannot be opened: ${reason}`, "update its driver");
  }
}

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

/** WebGPU has no list of adapters; Dawn names them all when asked for one that does not exist. */
async function adapterNames(): Promise<{ backend: GpuAdapter["backend"]; name: string }[]> {
  const instance = await openInstance([`adapter=${NO_ADAPTER}`]);
  const request = withoutNativeStderr(() => instance.requestAdapter());
  const message = await request.then(
    () => "",
    (error: unknown) => String(error),
  );
  return parseAdapterNames(message);
}

/** Lines such as ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`; a name is listed once. */
export function parseAdapterNames(message: string): { backend: GpuAdapter["backend"]; name: string }[] {
  const found = new Map<string, { backend: GpuAdapter["backend"]; name: string }>();
  for (const [, backendName, name] of message.matchAll(/^ \* backend: '([^']*)', name: '(.*)'$/gm)) {
    const backend = BACKENDS.find((each) => each === backendName);
    if (backend && name && !found.has(`${backend} ${name}`)) found.set(`${backend} ${name}`, { backend, name });
  }
  return [...found.values()];
}

async function requestAdapter(backend: string, name: string): Promise<GPUAdapter | null> {
  const instance = await openInstance([`backend=${backend}`, `adapter=${name}`]);
  return await withoutNativeStderr(() => instance.requestAdapter());
}

function describe(adapter: GPUAdapter, backend: GpuAdapter["backend"], name: string): GpuAdapter {
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const isSoftware = isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${name} ${architecture}`);
  return { name, backend, vendor, architecture, description, isSoftware };
}

/** Hardware before software, and among the latter lavapipe, which is ten times as fast as SwiftShader. */
function speedRank({ isSoftware, architecture }: GpuAdapter): number {
  if (!isSoftware) return 0;
  return architecture === "swiftshader" ? 2 : 1;
}

/** @throws EngineUnavailableError if the addon or the Vulkan loader is missing */
async function openInstance(flags: readonly string[]): Promise<GPU> {
  const key = flags.join("\n");
  const known = instances.get(key);
  if (known) return known;
  loadedAddon ??= openAddon();
  const gpu = (await loadedAddon).create([...FLAGS, ...flags]);
  instances.set(key, gpu);
  return gpu;
}

async function openAddon(): Promise<DawnAddon> {
  requireVulkanLoader();
  throttleDawnPolling();
  try {
    const addon = await loadAddon();
    Object.assign(globalThis, addon.globals);
    return addon;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = "use --engine cpu, or set XDG_CACHE_HOME to a folder of your own that programs may be loaded from";
    throw new EngineUnavailableError("gpu", `WebGPU cannot be loaded: ${reason}`, hint);
  }
}

/** Dawn opens the loader by this name and says nothing if it is not there. */
function requireVulkanLoader(): void {
  if (process.platform !== "linux" || loadSystemLibrary(VULKAN_LOADER)) return;
  const hint = "install it (Debian and Ubuntu: apt install libvulkan1) and the GPU's driver, or use --engine cpu";
  throw new EngineUnavailableError("gpu", "the Vulkan loader libvulkan.so.1 is not installed", hint);
}

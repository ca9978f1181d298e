/**
 * Finds and opens GPUs through Dawn, the WebGPU implementation of npm's `webgpu`. What is peculiar about it stays in
 * this file and its neighbours addon.ts, polling.ts and quiet.ts; the rest of the engine sees standard WebGPU.
 *
 * The provider is always this addon, never a navigator.gpu that a later Bun may bring.
 */
import { loadSystemLibrary } from "../../platform/dynamic-linker.ts";
import { EngineUnavailableError } from "../engine.ts";
import { chooseAdapter, type DeviceLimits, describeAdapter, deviceOf, type GpuAdapter } from "./adapters.ts";
import { type DawnAddon, loadAddon, VULKAN_LOADER } from "./addon.ts";
import { GpuDevice } from "./device.ts";
import { throttleDawnPolling } from "./polling.ts";
import { withoutNativeStderr } from "./quiet.ts";

/** One that Dawn offers. */
export interface DawnAdapter extends GpuAdapter {
  readonly backend: "vulkan" | "metal" | "d3d12";
}

const FLAGS = [
  // Timestamps in nanoseconds, and experimental features visible.
  "enable-dawn-features=allow_unsafe_apis",
  "disable-dawn-features=timestamp_quantization",
];
/** The backends that run shaders; Dawn's null backend validates and runs nothing, so it is never offered. */
const BACKENDS = ["vulkan", "metal", "d3d12"] as const;
const NO_ADAPTER = "(no adapter has this name)";

/** Dawn crashes if an instance is collected while one of its promises is pending: they live as long as the process. */
const instances = new Map<string, GPU>();
Object.assign(globalThis, { [Symbol.for("fade.dawn")]: instances });
let loadedAddon: Promise<DawnAddon> | undefined;
let knownAdapters: readonly DawnAdapter[] | undefined;

/**
 * Every GPU that Dawn can use here, hardware first; empty if there is none. The answer is remembered.
 * @throws EngineUnavailableError if Dawn itself cannot run here
 */
export async function listAdapters(): Promise<readonly DawnAdapter[]> {
  if (knownAdapters) return knownAdapters;
  const adapters: DawnAdapter[] = [];
  for (const { backend, name } of await adapterNames()) {
    const adapter = await requestAdapter(backend, name);
    if (adapter) adapters.push({ ...describeAdapter(adapter, name), backend });
  }
  knownAdapters = adapters.sort((a, b) => speedRank(a) - speedRank(b));
  return knownAdapters;
}

/**
 * Opens the adapter whose name has `wanted` in it, or the one most likely to be fast.
 * @param features asked for where the adapter has them; look at device.features for what was granted
 * @throws EngineUnavailableError if there is no such adapter, or its driver refuses
 */
export async function openDevice(
  wanted?: string,
  features: readonly GPUFeatureName[] = [],
  limits: DeviceLimits = {},
): Promise<GpuDevice> {
  const { backend, name, isSoftware } = chooseAdapter(await listAdapters(), wanted);
  const adapter = await requestAdapter(backend, name); // one adapter gives one device only
  if (!adapter) throw new EngineUnavailableError("gpu", `${name} has disappeared`, "try again");
  return new GpuDevice(await deviceOf(adapter, name, features, limits), name, isSoftware);
}

/** WebGPU has no list of adapters; Dawn names them all when asked for one that does not exist. */
async function adapterNames(): Promise<{ backend: DawnAdapter["backend"]; name: string }[]> {
  const instance = await openInstance([`adapter=${NO_ADAPTER}`]);
  const request = withoutNativeStderr(() => instance.requestAdapter());
  const message = await request.then(
    () => "",
    (error: unknown) => String(error),
  );
  return parseAdapterNames(message);
}

/** Lines such as ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`; a name is listed once. */
export function parseAdapterNames(message: string): { backend: DawnAdapter["backend"]; name: string }[] {
  const found = new Map<string, { backend: DawnAdapter["backend"]; name: string }>();
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

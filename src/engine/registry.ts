/**
 * Chooses and opens engines. Archives are the same from all of them, so the choice is about speed only: a hardware GPU,
 * then the CPU engine, then a GPU in software, then the reference. Small work goes to the CPU engine at once: to find a
 * GPU, load its driver and compile shaders takes longer, machine by machine from 0.1 s to seconds. So do mixers of few
 * lanes, of which a GPU has nothing: each is a workgroup that waits for itself.
 *
 * Engines are imported when they are opened: a run that only lists an archive should not load a GPU driver.
 */
import { gpuParts } from "#gpu";
import { type Engine, EngineLimitError, type EngineName, EngineUnavailableError } from "./engine.ts";
import type { AdapterFacts, EngineParts } from "./engine-parts.ts";

export type { AdapterFacts, EngineParts } from "./engine-parts.ts";

export interface EngineRequest {
  readonly engine: "auto" | EngineName;
  /** A part of the wanted GPU adapter's name, in any case of letters; it asks for the GPU engine. */
  readonly adapter?: string;
  /** Threads that a CPU engine may use; at least 1. */
  readonly threads: number;
  /** The work is done sooner than a GPU is found: "auto" then takes the CPU engine, and looks for nothing else. */
  readonly isSmall?: boolean;
}

/**
 * Lanes for each thread of the processor, and at all, from which on a GPU is asked for a mixer. By the forecast in
 * docs/GPU.md a lane on a large GPU is about as fast as a thread, and a small one is some times slower; none of it has
 * been measured on hardware, so the GPU should win with much to spare.
 */
export const GPU_LANES_PER_THREAD = 16;
export const GPU_LANES_MIN = 64;

/** Whether a GPU may be faster than the processor's threads at a mixer of so many lanes. */
export function isForGpu(lanes: number, threads: number): boolean {
  return lanes >= Math.max(GPU_LANES_MIN, GPU_LANES_PER_THREAD * threads);
}

/** @throws EngineUnavailableError, and what the engine throws while it opens */
export async function openEngine(request: EngineRequest, parts: EngineParts = BUILT_IN): Promise<Engine> {
  const { engine, adapter, threads } = request;
  const openGpu = () => parts.createGpuEngine({ ...(adapter !== undefined && { adapter }) });
  if (adapter !== undefined && engine !== "auto" && engine !== "gpu") {
    const hint = `leave out --adapter or --engine ${engine}`;
    throw new EngineUnavailableError(engine, `the ${engine} engine runs on no adapter`, hint);
  }
  if (engine === "gpu" || adapter !== undefined) return await openGpu();
  if (engine === "reference") return await parts.createReferenceEngine();
  if (engine === "cpu") {
    if (parts.createCpuEngine) return await parts.createCpuEngine({ threads });
    const hint = "use --engine gpu, or --engine reference (slow, the same archives)";
    throw new EngineUnavailableError("cpu", "this build has no CPU engine", hint);
  }
  const { createCpuEngine } = parts;
  const small = request.isSmall && createCpuEngine && (await orUndefined(() => createCpuEngine({ threads })));
  return small || (await openBest(parts, threads));
}

/** Tries them best first: a driver that refuses to open is no reason to fail while something else would do. */
async function openBest(parts: EngineParts, threads: number): Promise<Engine> {
  const adapters = (await orUndefined(() => parts.listAdapters())) ?? [];
  const { createCpuEngine } = parts;
  const openGpu = async ({ name }: AdapterFacts) => {
    const gpu = await parts.createGpuEngine({ adapter: name, spareThreads: threads });
    return createCpuEngine ? withSpare(gpu, () => createCpuEngine({ threads })) : gpu;
  };
  const hardware = adapters.filter((adapter) => !adapter.isSoftware);
  const software = adapters.filter((adapter) => adapter.isSoftware);
  const candidates = [
    ...hardware.map((adapter) => () => openGpu(adapter)),
    ...(createCpuEngine ? [() => createCpuEngine({ threads })] : []),
    ...software.map((adapter) => () => openGpu(adapter)),
  ];
  for (const open of candidates) {
    const engine = await orUndefined(open);
    if (engine) return engine;
  }
  return await parts.createReferenceEngine();
}

/** A GPU's engine; what does not fit on the device is left to another, which is opened when it is needed. */
function withSpare(gpu: Engine, openSpare: () => Promise<Engine>): Engine {
  let spare: Promise<Engine> | undefined;
  return {
    name: gpu.name,
    description: gpu.description,
    openModel: async (...model) => {
      try {
        return await gpu.openModel(...model);
      } catch (error) {
        if (!(error instanceof EngineLimitError)) throw error;
        spare ??= openSpare();
        return await (await spare).openModel(...model);
      }
    },
    close: async () => {
      await (await spare)?.close();
      await gpu.close();
    },
  };
}

/** The result of `call`, or undefined if that engine cannot run here. */
async function orUndefined<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof EngineUnavailableError) return undefined;
    throw error;
  }
}

/** The engines of this build. */
export const BUILT_IN: EngineParts = {
  ...gpuParts,
  async createCpuEngine(options) {
    const { createCpuEngine } = await import("./cpu/engine.ts");
    return await createCpuEngine(options);
  },
  async createReferenceEngine() {
    const { createReferenceEngine } = await import("./reference/engine.ts");
    return createReferenceEngine();
  },
};

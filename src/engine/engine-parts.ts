/** What the choice of an engine is made of. */
import type { Engine } from "./engine.ts";

/** A GPU that WebGPU offers here. */
export interface AdapterFacts {
  readonly name: string;
  /** A driver that runs shaders on the CPU: right, but slower than an engine made for the CPU. */
  readonly isSoftware: boolean;
}

/** Where engines come from; a parameter, so that the choice can be tested on machines with and without GPUs. */
export interface EngineParts {
  /** Empty if there is no GPU. @throws EngineUnavailableError if WebGPU itself cannot be loaded */
  listAdapters(): Promise<readonly AdapterFacts[]>;
  /**
   * @param options.adapter a part of the adapter's name
   * @param options.spareThreads take the lanes of a mixer that the device cannot hold; without them that is an error
   */
  createGpuEngine(options: { adapter?: string; spareThreads?: number }): Promise<Engine>;
  /** Absent in builds without a CPU engine. */
  createCpuEngine?(options: { threads: number }): Promise<Engine>;
  createReferenceEngine(): Promise<Engine>;
}

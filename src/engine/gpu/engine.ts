/**
 * The GPU engine: networks and mixers in WGSL compute shaders on one adapter.
 */
import { checkHyperParameters, hasNetwork } from "../../contract/hyper.ts";
import { type Engine, EngineLimitError } from "../engine.ts";
import { openMixer } from "../mixer/model.ts";
import type { GpuDevice } from "./device.ts";
import { ForeseeingMixer } from "./foreseeing-mixer.ts";
import { GpuMixer } from "./mixer.ts";
import { GpuModel } from "./model.ts";

/** Steps per submit: enough that encoding and the round trip vanish beside the work. */
const CHUNK_STEPS = 256;
/** On a software adapter a step takes milliseconds, and progress should move a few times a second. */
const SOFTWARE_CHUNK_STEPS = 16;

interface GpuEngineOptions {
  /**
   * Threads for the lanes of a mixer that the device cannot hold, without which that is an error, or that foresee
   * pixels.
   */
  readonly spareThreads?: number;
  /** Of a mixer's buffers; for tests. By default what the device allows. */
  readonly bufferBytesMax?: number;
}

/** The engine on a device, which closing it destroys. */
export function engineOn(gpu: GpuDevice, options: GpuEngineOptions): Engine {
  const chunkSteps = gpu.isSoftware ? SOFTWARE_CHUNK_STEPS : CHUNK_STEPS;
  const { bufferBytesMax } = options;
  return {
    name: "gpu",
    description: gpu.name,
    openModel: async (hyper, expectedBytes, prior) => {
      checkHyperParameters(hyper);
      if (hasNetwork(hyper)) return GpuModel.open(gpu, hyper, chunkSteps);
      const { spareThreads } = options;
      const known = { ...(expectedBytes !== undefined && { expectedBytes }), ...(prior && { prior }) };
      const onHost = { engine: "gpu", threads: spareThreads ?? 1, ...known } as const;
      try {
        const limits = bufferBytesMax === undefined ? {} : { bufferBytesMax };
        return new ForeseeingMixer(await GpuMixer.open(gpu, hyper, prior, limits), onHost);
      } catch (error) {
        if (!(error instanceof EngineLimitError) || spareThreads === undefined) throw error;
        return openMixer(hyper, onHost);
      }
    },
    close: async () => gpu.device.destroy(),
  };
}

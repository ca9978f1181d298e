/**
 * The GPU engine: the network in WGSL compute shaders on one adapter.
 */
import { checkHyperParameters, hasNetwork } from "../../contract/hyper.ts";
import { host } from "../../platform/host.ts";
import type { Engine } from "../engine.ts";
import { openMixer } from "../mixer/model.ts";
import { openDevice } from "./dawn.ts";
import { GpuDevice } from "./device.ts";
import { GpuModel } from "./model.ts";

/** Steps per submit: enough that encoding and the round trip vanish beside the work. */
const CHUNK_STEPS = 256;
/** On a software adapter a step takes milliseconds, and progress should move a few times a second. */
const SOFTWARE_CHUNK_STEPS = 16;

export interface GpuEngineOptions {
  /** A part of the adapter's name; without it the one most likely to be fast. */
  readonly adapter?: string;
}

/** @throws EngineUnavailableError if there is no such adapter, or no GPU at all */
export async function createGpuEngine(options: GpuEngineOptions = {}): Promise<Engine> {
  const { device, adapter } = await openDevice(options.adapter);
  const gpu = new GpuDevice(device, adapter.name, adapter.isSoftware);
  const chunkSteps = adapter.isSoftware ? SOFTWARE_CHUNK_STEPS : CHUNK_STEPS;
  return {
    name: "gpu",
    description: adapter.name,
    openModel: async (hyper, expectedBytes, prior) => {
      checkHyperParameters(hyper);
      if (!hasNetwork(hyper)) {
        const threads = host.processorCount();
        const known = { ...(expectedBytes !== undefined && { expectedBytes }), ...(prior && { prior }) };
        return openMixer(hyper, { engine: "gpu", threads, ...known });
      }
      return GpuModel.open(gpu, hyper, chunkSteps);
    },
    close: async () => device.destroy(),
  };
}

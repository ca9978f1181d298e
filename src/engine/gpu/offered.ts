/**
 * The GPU engine on what a runtime itself offers as WebGPU, as standard code sees it: a browser's navigator.gpu, or
 * npm's `webgpu` in Node. There is no list of adapters: the runtime hands out its best.
 */
import { EngineUnavailableError } from "../engine.ts";
import type { EngineParts } from "../engine-parts.ts";
import { chooseAdapter, describeAdapter, deviceOf, type GpuAdapter } from "./adapters.ts";

const HINT = "leave it to the engine cpu, whose archives are the same";

interface Offered {
  readonly adapter: GPUAdapter;
  readonly facts: GpuAdapter;
}

/** @param offer of WebGPU, where there is one; asked again for each adapter, each of which gives one device */
export function offeredParts(
  offer: () => Promise<GPU | undefined>,
): Pick<EngineParts, "listAdapters" | "createGpuEngine"> {
  const best = async (): Promise<Offered | undefined> => {
    const adapter = await (await offer())?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
    return adapter ? { adapter, facts: describeAdapter(adapter) } : undefined;
  };
  return {
    async listAdapters() {
      const found = await best();
      return found ? [found.facts] : [];
    },
    async createGpuEngine({ adapter: wanted, ...options }) {
      const found = await best();
      if (!found) throw new EngineUnavailableError("gpu", "WebGPU offers no GPU here", HINT);
      const { name, isSoftware } = chooseAdapter([found.facts], wanted);
      const device = await deviceOf(found.adapter, name, [], {});
      const [{ engineOn }, { GpuDevice }] = await Promise.all([import("./engine.ts"), import("./device.ts")]);
      return engineOn(new GpuDevice(device, name, isSoftware), options);
    },
  };
}

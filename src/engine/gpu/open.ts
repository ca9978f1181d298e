/** The GPU engine, loaded when it is first asked for: a run that only lists an archive should not load a driver. */
import type { EngineParts } from "../engine-parts.ts";

export const gpuParts: Pick<EngineParts, "listAdapters" | "createGpuEngine"> = {
  async listAdapters() {
    const { listAdapters } = await import("./dawn.ts");
    return await listAdapters();
  },
  async createGpuEngine(options) {
    const [{ openDevice }, { engineOn }] = await Promise.all([import("./dawn.ts"), import("./engine.ts")]);
    return engineOn(await openDevice(options.adapter), options);
  },
};

/** In place of the GPU engine where none is bundled: Node's library. */
import { EngineUnavailableError } from "./engine.ts";
import type { EngineParts } from "./engine-parts.ts";

const HINT = "leave it to the engine cpu, whose archives are the same, or use the program";
const refuse = () => Promise.reject(new EngineUnavailableError("gpu", "this build has no GPU engine", HINT));

export const gpuParts: Pick<EngineParts, "listAdapters" | "createGpuEngine"> = {
  listAdapters: refuse,
  createGpuEngine: refuse,
};

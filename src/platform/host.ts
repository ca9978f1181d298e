/**
 * The seam between fade and the runtime: all that the pipeline, the archive, the coder, the engines and the model need
 * and the language itself does not have. Another runtime needs an object like this, and no other change in those
 * folders; what loads native code (the WebGPU addon) and what the command line does with files stand apart.
 */
import { bunHost } from "./bun.ts";
import type { Host } from "./host-interface.ts";

export type { Host, Sha256, WorkerEnd } from "./host-interface.ts";

export const host: Host = bunHost;

/**
 * The seam between fade and the runtime: all that the library, the pipeline, the archive, the coder, the engines and
 * the model need and the language itself does not have. There are three: bun.ts, node.ts and browser.ts; who bundles or
 * runs the program chooses, by the conditions that package.json names under "imports". Bun's has native functions, and
 * is the program's. What loads native code (the WebGPU addon) and what the command line does with files stand apart.
 */
export { host } from "#host";
export type { Sha256, Worker, WorkerEnd } from "./host-interface.ts";

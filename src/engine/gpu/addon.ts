/**
 * Loads Dawn's native addon, in a way that `bun build --compile` can follow: one literal require per platform, behind
 * tests that Bun folds for the target, so that exactly one addon is embedded. (The package's own index.js computes
 * the path; besides that it only unmaps buffers when their device is destroyed, which fade does not rely on.)
 */

export interface DawnAddon {
  /** @param flags such as "adapter=…"; the object that it returns must never be collected while work is pending */
  create(flags: string[]): GPU;
  /** GPUBufferUsage and the other names that WebGPU code expects on globalThis. */
  readonly globals: Record<string, unknown>;
}

/** @throws what the loader says, on an unknown platform or if a library that the addon needs is missing */
export function requireAddon(): DawnAddon {
  if (process.platform === "linux" && process.arch === "x64") return require("webgpu/dist/linux-x64/dawn.node");
  if (process.platform === "linux" && process.arch === "arm64") return require("webgpu/dist/linux-arm64/dawn.node");
  if (process.platform === "win32" && process.arch === "x64") return require("webgpu/dist/win32-x64/dawn.node");
  if (process.platform === "win32" && process.arch === "arm64") return require("webgpu/dist/win32-arm64/dawn.node");
  if (process.platform === "darwin") return require("webgpu/dist/darwin-universal/dawn.node");
  throw new Error(`there is no WebGPU for ${process.platform}-${process.arch}`);
}

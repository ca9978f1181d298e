/** In place of addon.ts where there is no addon: Dawn's are for glibc, and musl loads none of them. */
export type { DawnAddon } from "./addon.ts";

export const VULKAN_LOADER = "libvulkan.so.1";

/** @throws Error always */
export async function loadAddon(): Promise<never> {
  throw new Error("there is no WebGPU for musl");
}

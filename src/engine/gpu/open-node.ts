/**
 * The GPU engine in Node and Bun, for the npm package's library, where the project has npm's package `webgpu`, too: it
 * brings Dawn for each platform, 180 MB of it, which nobody gets who has not asked for it.
 */
import { offeredParts } from "./offered.ts";
import { throttleDawnPolling } from "./polling.ts";

interface DawnPackage {
  create(flags: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** Not for the bundler: it is there or not where the library runs. */
const PACKAGE: string = "webgpu";
let opened: Promise<GPU | undefined> | undefined;

/** It lives as long as the thread: Dawn crashes if it is collected while one of its promises is pending. */
async function openDawn(): Promise<GPU | undefined> {
  let dawn: DawnPackage;
  try {
    dawn = (await import(PACKAGE)) as DawnPackage;
  } catch {
    return undefined;
  }
  throttleDawnPolling();
  Object.assign(globalThis, dawn.globals);
  return dawn.create([]);
}

export const gpuParts = offeredParts(() => {
  opened ??= openDawn();
  return opened;
});

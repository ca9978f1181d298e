/**
 * Loads Dawn's native addon: from node_modules when fade runs from source, and out of the executable otherwise.
 *
 * `bun build --compile` embeds what a literal import names, so there is one per platform, behind tests that Bun folds
 * for the target: exactly one addon is embedded. (The package's own index.js computes the path; besides that it only
 * unmaps buffers when their device is destroyed, which fade does not rely on.) It is embedded as a plain file, because
 * what Bun does with an embedded addon is not safe where /tmp is shared: it writes it there under a name that can be
 * foretold, and Dawn then looks for `libvulkan.so.1` beside it. Here it goes to a folder of this user's alone
 * (private-folder.ts), next to a link to the system's Vulkan loader. That link is also why Dawn does not go on to look
 * in the folder of the executable, which may be one where others can write, too.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { isOutOfReach, placeFile, placeLink, privateFolders } from "../../platform/private-folder.ts";
import { isCompiled } from "../../platform/workers.ts";

export interface DawnAddon {
  /** @param flags such as "adapter=…"; the object that it returns must never be collected while work is pending */
  create(flags: string[]): GPU;
  /** GPUBufferUsage and the other names that WebGPU code expects on globalThis. */
  readonly globals: Record<string, unknown>;
}

const FOLDER = "fade";
/** What Dawn opens on Linux. */
export const VULKAN_LOADER = "libvulkan.so.1";

/** @throws Error with what is missing: an addon for this platform, a folder to unpack it to, a library it needs */
export async function loadAddon(): Promise<DawnAddon> {
  return isCompiled ? unpackAddon(readFileSync(await embeddedPath())) : requireAddon();
}

const unknownPlatform = () => new Error(`there is no WebGPU for ${process.platform}-${process.arch}`);

/** The package's folders. */
const FOLDERS: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "win32-x64": "win32-x64",
  "win32-arm64": "win32-arm64",
  "darwin-x64": "darwin-universal",
  "darwin-arm64": "darwin-universal",
};

/** From source: the package's own file, by a path that the bundler does not follow. */
function requireAddon(): DawnAddon {
  const folder = FOLDERS[`${process.platform}-${process.arch}`];
  if (folder === undefined) throw unknownPlatform();
  return createRequire(import.meta.url)(`webgpu/dist/${folder}/dawn.node`) as DawnAddon;
}

/** In the executable: the path from which the embedded bytes can be read. */
async function embeddedPath(): Promise<string> {
  if (process.platform === "linux" && process.arch === "x64") {
    return (await import("webgpu/dist/linux-x64/dawn.node", { with: { type: "file" } })).default;
  }
  if (process.platform === "linux" && process.arch === "arm64") {
    return (await import("webgpu/dist/linux-arm64/dawn.node", { with: { type: "file" } })).default;
  }
  if (process.platform === "win32" && process.arch === "x64") {
    return (await import("webgpu/dist/win32-x64/dawn.node", { with: { type: "file" } })).default;
  }
  if (process.platform === "win32" && process.arch === "arm64") {
    return (await import("webgpu/dist/win32-arm64/dawn.node", { with: { type: "file" } })).default;
  }
  if (process.platform === "darwin") {
    return (await import("webgpu/dist/darwin-universal/dawn.node", { with: { type: "file" } })).default;
  }
  throw unknownPlatform();
}

function unpackAddon(bytes: Uint8Array): DawnAddon {
  // Versions of fade that run side by side do not take each other's file away.
  const fileName = `dawn-${Bun.hash.xxHash64(bytes).toString(16)}.node`;
  let failure = new Error("there is no folder of this user's alone to unpack it to");
  for (const folder of privateFolders(FOLDER)) {
    try {
      guideToLoader(folder);
      const module: { exports: unknown } = { exports: {} };
      process.dlopen(module, placeFile(folder, fileName, bytes));
      return module.exports as DawnAddon;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
  }
  throw failure;
}

/** Lets Dawn find the Vulkan loader that is loaded already. @throws Error if it could find somebody else's before */
function guideToLoader(folder: string): void {
  if (process.platform !== "linux") return;
  const loader = loadedPath(VULKAN_LOADER);
  if (loader !== undefined) placeLink(folder, VULKAN_LOADER, loader);
  else if (!isOutOfReach(dirname(process.execPath))) {
    throw new Error(`others can write to ${dirname(process.execPath)}, where Dawn looks for libraries`);
  }
}

/** The file from which a library was loaded into this process; undefined if the system does not tell. */
function loadedPath(name: string): string | undefined {
  let maps: string;
  try {
    maps = readFileSync("/proc/self/maps", "utf8");
  } catch {
    return undefined;
  }
  const version = name.replaceAll(".", "\\.");
  return new RegExp(`^\\S+ \\S+ \\S+ \\S+ \\S+ +(/.*/${version}[.0-9]*)$`, "m").exec(maps)?.[1];
}

/**
 * The GPUs that tests run on: SwiftShader, which npm brings, and lavapipe where it is installed.
 *
 *     describe.each(testAdapters)("on %s", (which) => { … await openTestDevice(which) … });
 *
 * FADE_TEST_ADAPTERS names the ones to use, with commas: `swiftshader`, `lavapipe`, or a part of the name of any GPU
 * of the machine. What it names and is not there fails the tests; so does a machine on which there is none at all.
 */
import { dlopen } from "bun:ffi";
import { globSync } from "node:fs";
import { type DawnAdapter, listAdapters, openDevice } from "../../src/engine/gpu/dawn.ts";
import type { GpuDevice } from "../../src/engine/gpu/device.ts";
import { unpackSwiftShader } from "./swiftshader.ts";

const NONE = "no adapter";
const DEMANDED = (process.env.FADE_TEST_ADAPTERS ?? "")
  .split(",")
  .map((name) => name.trim())
  .filter((name) => name !== "");
/** How the drivers call themselves. */
const DRIVER_NAMES: Readonly<Record<string, string>> = { swiftshader: "SwiftShader", lavapipe: "llvmpipe" };
const HINTS: Readonly<Record<string, string>> = {
  swiftshader: "run `npm ci` with its development dependencies, on x86-64 Linux",
  lavapipe: "install mesa-vulkan-drivers 25 or newer; on Debian 12 from bookworm-backports, as .ci/run does",
};

/** @throws Error on systems without a C library of this name */
function setNativeEnvironment(name: string, value: string): void {
  const { symbols } = dlopen(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6", {
    setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" },
  });
  symbols.setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 1);
  process.env[name] = value; // for the processes that tests start: Bun keeps an environment of its own
}

function prepareDrivers(): void {
  if (process.platform !== "linux") return;
  // Where tests are for a GPU of the machine, the package need not be there.
  const isSwiftShaderWanted = DEMANDED.length === 0 || DEMANDED.includes("swiftshader");
  const swiftShader = isSwiftShaderWanted ? unpackSwiftShader() : undefined;
  const isSystemWanted = DEMANDED.some((name) => !(name in DRIVER_NAMES));
  const installed = globSync(["/usr/share/vulkan/icd.d/*.json", "/etc/vulkan/icd.d/*.json"]);
  const manifests = installed.filter((path) => isSystemWanted || /\/lvp_icd[^/]*$/.test(path));
  if (swiftShader) manifests.push(swiftShader.manifest);
  setNativeEnvironment("VK_ICD_FILENAMES", manifests.join(":"));
  // Test kernels are small: handing them to threads costs lavapipe more than the work.
  if (process.env.LP_NUM_THREADS === undefined) setNativeEnvironment("LP_NUM_THREADS", "0");
  // Most of a test's time on lavapipe is compilation with a cold cache: a third less without optimizing.
  if (process.env.GALLIVM_PERF === undefined) setNativeEnvironment("GALLIVM_PERF", "nopt");
  if (swiftShader) provideLoader(swiftShader.loader, swiftShader.folder);
}

/** Once it is loaded, whoever asks for libvulkan.so.1 gets it; processes that tests start find it by the path. */
function provideLoader(loader: string, folder: string): void {
  const symbols = { vkGetInstanceProcAddr: { args: ["ptr", "cstring"], returns: "ptr" } } as const;
  try {
    dlopen("libvulkan.so.1", symbols);
  } catch {
    dlopen(loader, symbols);
    process.env.LD_LIBRARY_PATH = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  }
}

async function findAdapters(): Promise<ReadonlyMap<string, DawnAdapter>> {
  prepareDrivers();
  const all = await listAdapters().catch((error: unknown) => {
    process.stderr.write(`test adapters: ${error instanceof Error ? error.message : String(error)}\n`);
    return [];
  });
  const found = new Map<string, DawnAdapter>();
  for (const which of DEMANDED.length > 0 ? DEMANDED : Object.keys(DRIVER_NAMES)) {
    const part = (DRIVER_NAMES[which] ?? which).toLowerCase();
    const adapter = all.find(({ name }) => name.toLowerCase().includes(part));
    if (adapter) found.set(which, adapter);
  }
  const text = [...found].map(([which, { name, description }]) => `${which} (${name}; ${description})`);
  process.stderr.write(`test adapters: ${text.join(", ") || "none"}\n`);
  return found;
}

const adapters = await findAdapters();

/** For describe.each; never empty: a stand-in for what is missing makes the tests fail when they open it. */
export const testAdapters: readonly string[] =
  DEMANDED.length > 0 ? DEMANDED : adapters.size > 0 ? [...adapters.keys()] : [NONE];

/** The name under which fade knows it, as for --adapter. @throws Error saying how to get it, if it is missing */
export function testAdapterName(which: string): string {
  const adapter = adapters.get(which);
  if (adapter) return adapter.name;
  const hint = HINTS[which] ?? `${HINTS.swiftshader}; or ${HINTS.lavapipe}`;
  throw new Error(`these tests need a GPU, real or in software, and ${which} was not found: ${hint}`);
}

/** The adapter that scripts take where none is named: the last, and faster, of those of the tests. */
export const lastTestAdapterName = () => testAdapterName(testAdapters.at(-1) as string);

/** A device of its own for each caller, who destroys it. */
export async function openTestDevice(which: string): Promise<GpuDevice> {
  return await openDevice(testAdapterName(which));
}

/**
 * Whole levels on a GPU that offers less: a device is opened with 8 and with 10 storage buffers and bindings of 128
 * MiB, as browsers and small GPUs have them; each model codes a block there, and the payloads must be those of the CPU
 * engine and decode there again. What does not fit must say so, and be left to threads where the user chose no engine.
 *
 *     bun scripts/forced-limits.ts [--adapter NAME] [--models 1,5,9,paper,network-1,network-9] [--bytes 2048]
 *         [--size 67108864] [--streams 16]
 *
 * Models have the memories of an input of --size bytes, of which --bytes are coded. Prints a line to each; exits with 1
 * at the first difference. On lavapipe it takes minutes, most of them for compiling.
 */
import type { HyperParameters } from "../src/contract/hyper.ts";
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import { type Engine, EngineLimitError } from "../src/engine/engine.ts";
import type { DeviceLimits } from "../src/engine/gpu/adapters.ts";
import { openDevice } from "../src/engine/gpu/dawn.ts";
import type { GpuDevice } from "../src/engine/gpu/device.ts";
import { engineOn } from "../src/engine/gpu/engine.ts";
import { openEngine } from "../src/engine/registry.ts";
import { hyperFor, type ModelChoice, modelOfLevel, modelOfPreset } from "../src/library/work.ts";
import { lastTestAdapterName } from "../test/setup/adapters.ts";
import { compressBlock, decompressBlock } from "../test/support/in-memory.ts";
import { trainingBytes } from "../test/support/text.ts";
import { optionsOf } from "./shared.ts";

const values = optionsOf(
  { models: "1,5,9,paper,network-1,network-5,network-9", bytes: 2048, size: 2 ** 26, streams: 16 },
  ["adapter"],
);

const LIMITS: readonly DeviceLimits[] = [8, 10].map((storageBuffers) => ({ storageBuffers, bindingBytes: 2 ** 27 }));
const OPTIONS = { workers: 1 };
const THREADS = 2;

function hyperOf(name: string): HyperParameters {
  const choice: ModelChoice = /^[1-9]$/.test(name) ? modelOfLevel(Number(name)) : modelOfPreset(name);
  return hyperFor({ ...choice, streams: values.streams }, values.size);
}

/** Why a model cannot be opened there; undefined if it can. */
async function refusalOf(engine: Engine, hyper: HyperParameters): Promise<string | undefined> {
  try {
    await (await engine.openModel(hyper)).close();
    return undefined;
  } catch (error) {
    if (error instanceof EngineLimitError) return error.message;
    throw error;
  }
}

/** The engine that `auto` takes on a machine whose GPU is this device, as if it were no software. */
function autoOn(gpu: GpuDevice): Promise<Engine> {
  return openEngine(
    { engine: "auto", threads: THREADS },
    {
      listAdapters: async () => [{ name: gpu.name, isSoftware: false }],
      createGpuEngine: async ({ spareThreads }) => engineOn(gpu, spareThreads === undefined ? {} : { spareThreads }),
      createCpuEngine,
      createReferenceEngine: () => Promise.reject(new Error("nobody should need the reference")),
    },
  );
}

const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i] as Uint8Array) === 0);

/** How the payloads of a device differ from others, in words; undefined if they are equal and decode there. */
async function differenceOn(gpu: GpuDevice, hyper: HyperParameters, wanted: readonly Uint8Array[]) {
  const engine = await autoOn(gpu);
  const { groups } = await compressBlock(engine, hyper, data, OPTIONS);
  if (!same(groups, wanted)) return "payloads DIFFER from the CPU engine's";
  const restored = await decompressBlock(engine, hyper, data.length, wanted, OPTIONS);
  return same([restored], [data]) ? undefined : "what it decodes DIFFERS";
}

const data = trainingBytes(values.bytes, 1);
const cpu = await createCpuEngine({ threads: THREADS });
let failed = false;
for (const name of values.models.split(",")) {
  const hyper = hyperOf(name);
  const { groups } = await compressBlock(cpu, hyper, data, OPTIONS);
  const codedBytes = groups.reduce((sum, { length }) => sum + length, 0);
  for (const limits of LIMITS) {
    const gpu = await openDevice(values.adapter ?? lastTestAdapterName(), [], limits);
    const refusal = await refusalOf(engineOn(gpu, {}), hyper);
    const difference = await differenceOn(gpu, hyper, groups);
    gpu.check();
    gpu.device.destroy();
    failed ||= difference !== undefined;
    const where = refusal === undefined ? "on the device" : `not there (${refusal}), by auto on threads`;
    const found = difference ?? `the CPU engine's ${codedBytes} bytes, and restored`;
    console.log(`${name}, ${limits.storageBuffers} storage buffers, bindings of 128 MiB: ${where}: ${found}`);
  }
}
await cpu.close();
process.exit(failed ? 1 : 0);

/**
 * How long a GPU takes until a model has made its first step, by number of streams: one after the other in one process,
 * so that the first pays for the compiler and the others show whether they need it again. Prints for each how many
 * texts the device's compiler was given, the seconds of wall and processor from opening the model to the end of its
 * first step (some drivers compile only then), and those of a second step, which compiles nothing.
 *
 *     bun scripts/compile-times.ts [--adapter NAME] [--preset network-5] [--streams 64,72,488] [--size 1048576]
 *
 * A driver may keep what it compiled from process to process. To see without that, on lavapipe:
 * MESA_SHADER_CACHE_DISABLE=true; to see it alone, begin with an empty folder MESA_SHADER_CACHE_DIR, and call twice
 * with different numbers.
 */
import { openDevice } from "../src/engine/gpu/dawn.ts";
import { GpuModel } from "../src/engine/gpu/model.ts";
import { hyperFor, modelOfPreset } from "../src/library/work.ts";
import { lastTestAdapterName } from "../test/setup/adapters.ts";
import { optionsOf } from "./shared.ts";

const values = optionsOf({ preset: "network-5", streams: "64,72,488", size: 2 ** 20 }, ["adapter"]);

/** Steps of a submit, as the engine has them on software adapters. */
const CHUNK_STEPS = 16;

const gpu = await openDevice(values.adapter ?? lastTestAdapterName());
let given = 0;
const compile = gpu.device.createShaderModule.bind(gpu.device);
gpu.device.createShaderModule = (descriptor) => {
  given++;
  return compile(descriptor);
};

/** Begins to count; what it returns says how long that was. */
function clock(): () => string {
  const [began, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    const [wallSeconds, cpuSeconds] = [(performance.now() - began) / 1e3, (user + system) / 1e6];
    return `${wallSeconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of the processor`;
  };
}

console.log(`${values.preset} on ${gpu.name}`);
for (const streams of values.streams.split(",").map(Number)) {
  const hyper = hyperFor({ ...modelOfPreset(values.preset), streams }, values.size);
  const before = given;
  const begin = clock();
  const model = await GpuModel.open(gpu, hyper, CHUNK_STEPS);
  await model.learnSteps(new Uint8Array(streams), 1);
  const first = begin();
  const next = clock();
  await model.learnSteps(new Uint8Array(streams), 1);
  console.log(`${streams} streams: ${given - before} texts, ${first}; a second step ${next()}`);
  await model.close();
}
gpu.device.destroy();
process.exit(0);

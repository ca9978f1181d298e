/**
 * Everything that is to be known of fade on one GPU, in one command: are all results equal to the reference, what does
 * a step cost, who should decode, how fast are the kernels, how fast are files. Writes JSON and logs into a directory.
 *
 *     bun scripts/gpu-report.ts OUT [--adapter NAME] [--streams 4096] [--levels 1,5,paper] FILE...
 *
 * Without --adapter it takes the one that fade itself would take. A part that fails is noted in OUT/summary.json and
 * the others go on. `summary.json` says what was run and how it ended; the exit code is 1 if anything failed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { coderGroupsFor, shareOfGroup } from "../src/coder/groups.ts";
import { type HyperParameters, WITHOUT } from "../src/contract/hyper.ts";
import { buildAssembly } from "../src/engine/cpu/assembly/build.ts";
import { chooseAdapter, listAdapters, openDevice } from "../src/engine/gpu/dawn.ts";
import { GpuDevice } from "../src/engine/gpu/device.ts";
import { GpuModel, type ModelOptions } from "../src/engine/gpu/model.ts";
import { HARDWARE_TILE, SOFTWARE_TILE } from "../src/engine/gpu/path.ts";
import { networkShape } from "../src/model/levels.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    adapter: { type: "string" },
    streams: { type: "string", default: "4096" },
    levels: { type: "string", default: "1,5,paper" },
  },
});
const [out, ...files] = positionals;
if (out === undefined) throw new Error("usage: bun scripts/gpu-report.ts OUT [--adapter NAME] FILE...");
mkdirSync(out, { recursive: true });

const MINIMAL: HyperParameters = {
  ...WITHOUT,
  history: 4,
  embedding: 8,
  globalHidden: 32,
  cacheStep: 4,
  fineHidden: 32,
  coarseHidden: 16,
  streams: 1,
  learningRate: 1 << 15,
};
const PATHS: readonly (readonly [string, ModelOptions])[] = [
  ["as chosen", {}],
  ["a kernel to a box", { path: "boxes" }],
  ["fused, streams apart", { path: SOFTWARE_TILE }],
  ["fused, streams shared", { path: HARDWARE_TILE }],
];
const SAMPLES = 5;

/** Microseconds a step, least of some runs: many steps per submit, and one with its round trip. */
async function stepTimes(gpu: GpuDevice, hyper: HyperParameters, options: ModelOptions, steps: number) {
  const startedAtMs = performance.now();
  const model = await GpuModel.open(gpu, hyper, steps, options);
  const bytes = Uint8Array.from({ length: steps * hyper.streams }, (_, i) => (i * 29) % 96);
  const intervals = new Uint32Array(2 * bytes.length);
  const ends = new Uint32Array(256 * hyper.streams);
  await model.fillIntervals(bytes, steps, intervals);
  const openMilliseconds = performance.now() - startedAtMs;
  const least = async (run: () => Promise<void>) => {
    let best = Infinity;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const atMs = performance.now();
      await run();
      best = Math.min(best, performance.now() - atMs);
    }
    return (best * 1000) / steps;
  };
  const compression = await least(() => model.fillIntervals(bytes, steps, intervals));
  const decompression = await least(async () => {
    for (let step = 0; step < steps; step++) {
      await model.predict(ends);
      await model.learn(bytes.subarray(0, hyper.streams));
    }
  });
  const dispatches = { compression: model.step.forward.length + model.step.backward.length };
  await model.close();
  return {
    openMilliseconds,
    compressionMicroseconds: compression,
    decompressionMicroseconds: decompression,
    dispatches,
  };
}

/**
 * Microseconds a step of decompression, least of some runs, with the host's coder or a coder on the device. Payloads of
 * zeros decode to the first byte for ever, and take as many looks at the frequencies as any others.
 */
async function decodingTime(gpu: GpuDevice, hyper: HyperParameters, decoder: "host" | number, steps: number) {
  const { streams } = hyper;
  const model = await GpuModel.open(gpu, hyper, steps, { decoder });
  const groups = coderGroupsFor(streams);
  const bytesMax = 4 * shareOfGroup(groups - 1, groups, streams).end * steps * (SAMPLES + 1);
  const payloads = Array.from({ length: groups }, () => new Uint8Array(Math.ceil(bytesMax / groups) + 8));
  const bytes = new Uint8Array(steps * streams);
  await model.openPayloads(payloads, { workers: 1 });
  let best = Infinity;
  for (let sample = 0; sample <= SAMPLES; sample++) {
    const atMs = performance.now();
    await model.decodeSteps(bytes, steps, streams);
    if (sample > 0) best = Math.min(best, performance.now() - atMs);
  }
  await model.close();
  return (best * 1000) / steps;
}

/** The host's coder, and coders on the device with so many invocations a group. */
const DECODERS = ["host", 1, 32, 64, 128, 256] as const;

async function decoding(gpu: GpuDevice): Promise<void> {
  const streams = Number(values.streams);
  const shapes: readonly (readonly [string, HyperParameters, number])[] = [
    ["minimal, one stream", MINIMAL, 256],
    ["level 1, 64 streams", { ...networkShape(1), streams: 64 }, 64],
    [`level 1, ${streams} streams`, { ...networkShape(1), streams }, 32],
  ];
  const results = [];
  for (const [model, hyper, count] of shapes) {
    for (const decoder of DECODERS) {
      results.push({ model, decoder, microseconds: await decodingTime(gpu, hyper, decoder, count) });
      writeFileSync(join(out as string, "decoding.json"), `${JSON.stringify(results, null, 1)}\n`);
    }
  }
}

async function steps(gpu: GpuDevice): Promise<void> {
  const streams = Number(values.streams);
  const shapes: readonly (readonly [string, HyperParameters, number])[] = [
    ["minimal, one stream", MINIMAL, 256],
    [`level 5, ${streams} streams`, { ...networkShape(5), streams }, 32],
  ];
  const results = [];
  for (const [model, hyper, count] of shapes) {
    for (const [path, options] of PATHS) {
      const times = await stepTimes(gpu, hyper, options, count).catch((error: unknown) => ({ error: String(error) }));
      results.push({ model, path, ...times });
      writeFileSync(join(out as string, "steps.json"), `${JSON.stringify(results, null, 1)}\n`);
    }
  }
  if (results.some((result) => "error" in result)) throw new Error("see steps.json");
}

/** Runs a program of ours; its output goes to a file. */
async function run(name: string, command: readonly string[], environment: Record<string, string> = {}): Promise<void> {
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: Bun.file(join(out as string, name)),
    stderr: Bun.file(join(out as string, `${name}.stderr`)),
  });
  const code = await child.exited;
  if (code !== 0) throw new Error(`exit code ${code}, see ${name} and ${name}.stderr`);
}

await buildAssembly();
const adapter = chooseAdapter(await listAdapters(), values.adapter);
const opened = await openDevice(adapter.name, ["timestamp-query"]);
const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = opened.device.limits;
const limits = { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize };
const engine = ["--engine", "gpu", "--adapter", adapter.name];
const levels = ["--levels", values.levels];
const gpu = new GpuDevice(opened.device, adapter.name, adapter.isSoftware);
const parts: Readonly<Record<string, () => Promise<void>>> = {
  steps: () => steps(gpu),
  decoding: () => decoding(gpu),
  tests: () => run("tests.txt", ["test", "--timeout=300000", "test/engine/gpu"], { FADE_TEST_ADAPTERS: adapter.name }),
  kernels: () =>
    run("kernels.json", ["src/cli/main.ts", "bench", "kernels", "--json", ...engine, "--streams", values.streams]),
  files: () =>
    run("files.json", ["src/cli/main.ts", "bench", "--json", "--against", "none", ...engine, ...levels, ...files]),
};
const summary: Record<string, string> = {};
for (const [name, part] of Object.entries(parts)) {
  if (name === "files" && files.length === 0) continue;
  const startedAtMs = performance.now();
  const ended = await part().then(
    () => "ok",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  summary[name] = `${ended} (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`;
  writeFileSync(join(out, "summary.json"), `${JSON.stringify({ adapter, limits, parts: summary }, null, 1)}\n`);
  console.log(`${name}: ${summary[name]}`);
}
opened.device.destroy();
process.exit(Object.values(summary).some((ended) => !ended.startsWith("ok")) ? 1 : 0);

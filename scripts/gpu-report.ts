/**
 * Everything that is to be known of fade on one GPU, in one command and a limited time: is all equal to the reference,
 * what does a byte of a lane and a step of a network cost, kernel by kernel, who should decode, how fast are files.
 *
 *     bun scripts/gpu-report.ts OUT [--adapter NAME] [--seconds 220] [--parts adapter,network-5] [FILE...]
 *
 * Parts run in the order of their worth, each in a process of its own with a limit of its own; JSON lines are appended
 * to OUT/results.jsonl as they come, so what was measured stays if time runs out. OUT/summary.json says how each part
 * ended; the exit code is 1 if one failed. Without --adapter it takes the one that fade itself would take.
 *
 * It runs in a bare place: Bun, the packages cac, webgpu and fast-check, and the compiled WebAssembly are enough. Where
 * there is no compiler nothing is compiled; what is missing then is named. Tests run without their set-up.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { coderGroupsFor, shareOfGroup } from "../src/coder/groups.ts";
import { type HyperParameters, WITHOUT } from "../src/contract/hyper.ts";
import { chooseAdapter } from "../src/engine/gpu/adapters.ts";
import { listAdapters, openDevice } from "../src/engine/gpu/dawn.ts";
import type { GpuDevice } from "../src/engine/gpu/device.ts";
import { GpuModel, type ModelOptions } from "../src/engine/gpu/model.ts";
import { HARDWARE_TILE, SOFTWARE_TILE } from "../src/engine/gpu/path.ts";
import { networkShape } from "../src/model/levels.ts";
import { optionsAndWords } from "./shared.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = optionsAndWords({ seconds: 220 }, ["adapter", "parts", "own"]);
const [folder, ...files] = positionals;
if (folder === undefined) throw new Error("usage: bun scripts/gpu-report.ts OUT [--adapter NAME] [FILE...]");
const out = resolve(folder);
mkdirSync(out, { recursive: true });

/** A result, as one line. */
const say = (result: unknown) => console.log(JSON.stringify(result));

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
  const shapes: readonly (readonly [string, HyperParameters, number])[] = [
    ["minimal, one stream", MINIMAL, 256],
    ["network-1, 1952 streams", { ...networkShape(1), streams: 1952 }, 32],
    ["network-5, 488 streams", { ...networkShape(5), streams: 488 }, 32],
  ];
  for (const [model, hyper, count] of shapes) {
    for (const decoder of DECODERS) {
      say({ kind: "decoding", model, decoder, microseconds: await decodingTime(gpu, hyper, decoder, count) });
    }
  }
}

async function steps(gpu: GpuDevice): Promise<void> {
  const shapes: readonly (readonly [string, HyperParameters, number])[] = [
    ["minimal, one stream", MINIMAL, 256],
    ["network-5, 488 streams", { ...networkShape(5), streams: 488 }, 32],
  ];
  for (const [model, hyper, count] of shapes) {
    for (const [path, options] of PATHS) {
      say({ kind: "steps", model, path, ...(await stepTimes(gpu, hyper, options, count)) });
    }
  }
}

/** What the adapter offers. */
async function adapterFacts(gpu: GpuDevice): Promise<void> {
  const { limits, features } = gpu.device;
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = limits;
  const some = { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize };
  const adapter = (await listAdapters()).find(({ name }) => name === gpu.name);
  say({ kind: "adapter", ...adapter, limits: some, features: [...features] });
}

/** Parts that are measured here and not by fade's own commands. */
const OWN: Readonly<Record<string, (gpu: GpuDevice) => Promise<void>>> = { adapter: adapterFacts, steps, decoding };

interface Part {
  readonly seconds: number;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const TESTS = [
  "magnitude kernels decode together training-shared training-boxes limits faults dawn mixer".split(" "),
].flatMap((names) => names.map((name) => `test/engine/gpu/${name}.test.ts`));

/** A part of an adapter's name, without the commas that part names. */
const wordsOf = (adapter: string) => adapter.split(",")[0] as string;

/** In the order of their worth. */
function partsFor(adapter: string): Readonly<Record<string, Part>> {
  const engine = ["--json", "--engine", "gpu", "--adapter", adapter];
  const own = (name: string, seconds: number): Part => {
    return { seconds, command: ["scripts/gpu-report.ts", out, "--adapter", adapter, "--own", name] };
  };
  const kernels = (seconds: number, ...model: string[]): Part => {
    return { seconds, command: ["src/cli/main.ts", "bench", "kernels", ...engine, ...model] };
  };
  const bench = (seconds: number, ...options: string[]): Part => {
    return { seconds, command: ["src/cli/main.ts", "bench", "--against", "none", ...engine, ...options, ...files] };
  };
  // No set-up: it asks for packages that these tests do without.
  const config = join(out, "no-setup.toml");
  writeFileSync(config, "");
  const tests = [`--config=${config}`, "test", "--timeout=60000", ...TESTS];
  const ofFiles = { files: bench(90, "--levels", "5,1", "--streams", "352"), paper: bench(40, "--preset", "paper") };
  return {
    adapter: own("adapter", 15),
    "network-5": kernels(60, "--preset", "network-5", "--streams", "488"),
    "network-1": kernels(40, "--preset", "network-1", "--streams", "1952"),
    "level-5": kernels(40, "-5", "--streams", "1056"),
    decoding: own("decoding", 40),
    tests: { seconds: 120, command: tests, environment: { FADE_TEST_ADAPTERS: wordsOf(adapter) } },
    ...(files.length > 0 ? { files: ofFiles.files } : {}),
    "level-1": kernels(40, "-1", "--streams", "1056"),
    "level-9": kernels(40, "-9", "--streams", "240"),
    steps: own("steps", 60),
    ...(files.length > 0 ? { paper: ofFiles.paper } : {}),
  };
}

/** Runs a part for so long at most. @returns how it ended */
async function run(name: string, { command, environment = {} }: Part, seconds: number): Promise<string> {
  appendFileSync(join(out, "results.jsonl"), `${JSON.stringify({ part: name })}\n`);
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const isTests = name === "tests";
  await Promise.all([
    copied(child.stdout, isTests ? "tests.txt" : "results.jsonl"),
    copied(child.stderr, isTests ? "tests.txt" : "log.txt"),
  ]);
  const code = await child.exited;
  clearTimeout(timer);
  if (isLate) return `ended after ${seconds} s`;
  return code === 0 ? "ok" : `exit code ${code}`;
}

/** Into a file, as it comes. */
async function copied(stream: ReadableStream<Uint8Array>, name: string): Promise<void> {
  for await (const chunk of stream) appendFileSync(join(out, name), chunk);
}

/** The WebAssembly that this checkout's build files make. */
function webAssembly(): string[] {
  const builds = [...new Bun.Glob("src/**/assembly/build.ts").scanSync({ cwd: ROOT })];
  return builds.flatMap((build) => {
    const [, name] = /"(\w+\.wasm)"/.exec(readFileSync(join(ROOT, build), "utf8")) ?? [];
    return name === undefined ? [] : [join(build, "..", "..", name)];
  });
}

/** Compiles what is stale, if there is a compiler. @throws Error if something is not there */
async function prepareAssembly(): Promise<void> {
  if (existsSync(join(ROOT, "node_modules", "assemblyscript"))) {
    const { buildAssembly } = await import("../src/engine/cpu/assembly/build.ts");
    return await buildAssembly();
  }
  const missing = webAssembly().filter((path) => !existsSync(join(ROOT, path)));
  if (missing.length === 0) return;
  throw new Error(`bring ${missing.join(", ")}, as npm run build makes them: there is no compiler here`);
}

async function report(): Promise<number> {
  await prepareAssembly();
  const adapter = chooseAdapter(await listAdapters(), values.adapter);
  const parts = partsFor(adapter.name);
  const wanted = values.parts?.split(",") ?? Object.keys(parts);
  const endsAtMs = performance.now() + values.seconds * 1000;
  const summary: Record<string, string> = {};
  for (const name of wanted) {
    const part = parts[name];
    if (part === undefined) throw new Error(`there is no part ${name}; there is: ${Object.keys(parts).join(", ")}`);
    const startedAtMs = performance.now();
    const left = Math.floor((endsAtMs - startedAtMs) / 1000);
    const ended = left < SECONDS_MIN ? "no time left" : await run(name, part, Math.min(left, part.seconds));
    summary[name] = `${ended} (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`;
    writeFileSync(join(out, "summary.json"), `${JSON.stringify({ adapter, parts: summary }, null, 1)}\n`);
    console.log(`${name}: ${summary[name]}`);
  }
  return Object.values(summary).some((ended) => ended.startsWith("exit")) ? 1 : 0;
}

async function measureOwn(name: string): Promise<number> {
  const measure = OWN[name];
  if (measure === undefined) throw new Error(`there is no ${name}; there is: ${Object.keys(OWN).join(", ")}`);
  const gpu = await openDevice(values.adapter, ["timestamp-query"]);
  await measure(gpu);
  gpu.device.destroy();
  return 0;
}

/** A part that has less does not begin. */
const SECONDS_MIN = 8;
process.exit(values.own === undefined ? await report() : await measureOwn(values.own));

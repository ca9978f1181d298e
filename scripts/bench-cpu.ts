/**
 * Figures of the CPU engine: kB/s each way, scaling over threads, and where the time of a step goes. What each kernel
 * takes, beside the peak, `fade bench kernels --engine cpu` says.
 *
 *     bun scripts/bench-cpu.ts [--level 5] [--streams 64] [--threads 1,2] [--seconds 4] [--paper] [--file text]
 *                              [--recall]
 *
 * With --recall: the same steps with and without the recall stream in turns, one thread, and what it costs. Its memory
 * has the size that 8 KiB a stream get; a file's bytes reach more of it than the built-in words do.
 *
 * Speeds are those of the fastest step, because other programs disturb; means are beside them. Ratios are between
 * figures of one run.
 */

import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { type HyperParameters, WITHOUT } from "../src/contract/hyper.ts";
import { buildAssembly } from "../src/engine/cpu/assembly/build.ts";
import type { CpuModel as Model } from "../src/engine/cpu/engine.ts";
import { hyperForSize, networkOf, PAPER_LEVEL } from "../src/model/levels.ts";
import { optionsOf } from "./shared.ts";

await buildAssembly();
const { CpuModel } = await import("../src/engine/cpu/engine.ts");

const values = optionsOf(
  { level: 5, streams: 64, threads: `1,${cpus().length}`, seconds: 4, paper: false, recall: false },
  ["file"],
);

const level = values.paper ? PAPER_LEVEL : networkOf(values.level);
const hyper = hyperForSize(level, 8192 * values.streams, values.streams);
const file = values.file === undefined ? undefined : readFileSync(values.file);

/** English-like bytes: the network must have something to learn, or gradients are not typical. */
function text(step: number, stream: number): number {
  if (file !== undefined) return file[(Math.floor((file.length / hyper.streams) * stream) + step) % file.length] ?? 0;
  const words = "the of and to in is was for that on as with by he at from his it an were which are this also be ";
  return words.charCodeAt((step + stream * 31 + ((step * stream) >> 5)) % words.length);
}

function chunk(first: number, steps: number): Uint8Array {
  const bytes = new Uint8Array(steps * hyper.streams);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = text(first + Math.floor(i / hyper.streams), i % hyper.streams);
  }
  return bytes;
}

const PHASES = ["forward", "backward", "recall", "optimizer", "waiting"] as const;

/** The least milliseconds that one step took, as a whole and by phase of thread 0, in about `seconds`. */
async function measure(model: Model, run: (bytes: Uint8Array) => Promise<void>): Promise<Record<string, number>> {
  const best: Record<string, number> = { step: Infinity, sum: 0 };
  const end = performance.now() + values.seconds * 1000;
  let steps = 0;
  for (; performance.now() < end; steps++) {
    const bytes = chunk(steps, 1);
    const before = { ...model.times };
    const start = performance.now();
    await run(bytes);
    const took = performance.now() - start;
    best.sum = (best.sum ?? 0) + took;
    best.step = Math.min(best.step ?? Infinity, took);
    for (const phase of PHASES) {
      best[phase] = Math.min(best[phase] ?? Infinity, model.times[phase] - before[phase]);
    }
  }
  return { ...best, mean: (best.sum ?? 0) / steps };
}

async function benchThreads(threads: number): Promise<number> {
  const model = await CpuModel.open(hyper, threads, () => performance.now());
  const intervals = new Uint32Array(2 * hyper.streams * 32);
  const ends = new Uint32Array(256 * hyper.streams);
  await model.fillIntervals(chunk(0, 32), 32, intervals); // compiles the kernels
  const encoded = await measure(model, (bytes) => model.fillIntervals(bytes, 1, intervals));
  const decoded = await measure(model, async (bytes) => {
    await model.predict(ends);
    await model.learn(bytes);
  });
  await model.close();
  const speed = (ms = 0) => (hyper.streams / ms).toFixed(1);
  console.log(
    `${threads} thread(s): compress ${speed(encoded.step)} kB/s (mean ${speed(encoded.mean)}), ` +
      `decompress ${speed(decoded.step)} kB/s (mean ${speed(decoded.mean)})`,
  );
  console.log(`  ms of a step: ${PHASES.map((phase) => `${phase} ${encoded[phase]?.toFixed(3)}`).join(", ")}`);
  return hyper.streams / (encoded.step ?? 1);
}

/** Milliseconds of processor time, in which other programs count less: for one thread. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The recall stream's share of a step of one thread: two models take the same steps in turns. */
async function benchRecall(): Promise<void> {
  const shapes: HyperParameters[] = [{ ...hyper, ...WITHOUT }, hyper];
  const models = await Promise.all(shapes.map((each) => CpuModel.open(each, 1, worked)));
  const intervals = new Uint32Array(2 * hyper.streams);
  const took: [number[], number[]] = [[], []];
  const own: number[] = [];
  const end = performance.now() + values.seconds * 1000;
  for (let step = 0; performance.now() < end; step++) {
    const bytes = chunk(step, 1);
    for (const i of [0, 1] as const) {
      const model = models[i] as Model;
      const before = model.times.recall;
      const start = worked();
      await model.fillIntervals(bytes, 1, intervals);
      took[i].push(worked() - start);
      if (i === 1) own.push(model.times.recall - before);
    }
  }
  for (const model of models) await model.close();
  // The first steps compile the kernels, and find their memory in the caches.
  const middle = (times: number[]) => {
    const late = times.slice(times.length >> 2).sort((a, b) => a - b);
    return late[late.length >> 1] ?? 0;
  };
  const [without, complete] = [middle(took[0]), middle(took[1])];
  const share = ((100 * (complete - without)) / complete).toFixed(1);
  console.log(
    `median of ${own.length} steps, ms: ${without.toFixed(3)} without recall, ${complete.toFixed(3)} with it, ` +
      `which is ${share} %; look-up and learning ${middle(own).toFixed(3)}`,
  );
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Bun ${Bun.version}, ${process.platform}-${process.arch}`);
const { streams, history, embedding, globalHidden, fineHidden } = hyper;
console.log(`B ${streams}, T ${history}, D ${embedding}, G ${globalHidden}, F ${fineHidden}`);
if (values.recall) {
  await benchRecall();
  process.exit(0);
}
const speeds: number[] = [];
for (const threads of values.threads.split(",").map(Number)) speeds.push(await benchThreads(threads));
if (speeds.length > 1) console.log(`scaling: ${((speeds.at(-1) ?? 0) / (speeds[0] ?? 1)).toFixed(2)}`);
process.exit(0);

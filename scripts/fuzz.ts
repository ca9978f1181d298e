/**
 * The nightly fuzz run over the decoder; the rules are in test/support/fuzz.ts.
 *
 *     bun scripts/fuzz.ts [--inputs 100000] [--cpu-inputs 2000] [--seed N]
 *
 * Most inputs go through a small engine for tests, --cpu-inputs through the CPU engine. Without a seed, every run tries
 * others. Prints the figures, the peak of the memory among them; ends with an error at the first broken rule, and names
 * the seed.
 */
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import type { Engine } from "../src/engine/engine.ts";
import { FakeEngine, tinyMixer } from "../test/support/fake-engine.ts";
import { type FuzzOptions, fuzz } from "../test/support/fuzz.ts";
import { optionsOf } from "./shared.ts";

const values = optionsOf({ inputs: 100000, "cpu-inputs": 2000, "mixer-inputs": 20000, seed: Date.now() % 2 ** 31 });

/** Small models, and blocks of some 50 kB: a payload of zeros may rightly claim 100,000 times its length. */
const MEMORY = 2 ** 19;
const PORTION = 5000;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 0)} MiB`;
const peakBytes = () => process.resourceUsage().maxRSS * (process.platform === "darwin" ? 1 : 1024);

async function series(
  name: string,
  engine: Engine,
  inputs: number,
  blockBytes: number,
  model: Partial<FuzzOptions> = {},
): Promise<void> {
  const limits = { memoryBytesMax: MEMORY, ...model };
  const startMs = performance.now();
  const refusedBy: Record<string, number> = {};
  let accepted = 0;
  let slowestMs = 0;
  let largestModelBytes = 0;
  for (let done = 0; done < inputs; done += PORTION) {
    const portion = Math.min(PORTION, inputs - done);
    const seed = values.seed + done;
    const report = await fuzz({ engine, inputs: portion, seed, blockBytes, ...limits });
    accepted += report.accepted;
    slowestMs = Math.max(slowestMs, report.slowestMs);
    largestModelBytes = Math.max(largestModelBytes, report.largestModelBytes);
    for (const [error, count] of Object.entries(report.refusedBy)) refusedBy[error] = (refusedBy[error] ?? 0) + count;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const refused = Object.entries(refusedBy).map(([error, count]) => `${error} ${count}`);
  console.log(`${name}: ${inputs} inputs in ${seconds} s, seed ${values.seed}`);
  console.log(`  accepted with the right bytes: ${accepted}; refused: ${refused.join(", ")}`);
  console.log(
    `  slowest ${slowestMs.toFixed(0)} ms; largest model ${mib(largestModelBytes)} of ${mib(limits.memoryBytesMax)}`,
  );
}

const before = peakBytes();
await series("test engine", new FakeEngine(), values.inputs, 150);
const cpu = await createCpuEngine({ threads: 1 });
await series("cpu engine", cpu, values["cpu-inputs"], 100);
await series("mixer", cpu, values["mixer-inputs"], 100, { memoryBytesMax: 2 ** 26, hyperFor: tinyMixer });
const counted = (lanes: number) => ({ ...tinyMixer(lanes), mixerCounters: 2 });
await series("counters", cpu, values["mixer-inputs"], 100, { memoryBytesMax: 2 ** 26, hyperFor: counted });
await cpu.close();
console.log(`peak of the memory: ${mib(before)} before, ${mib(peakBytes())} in all`);
process.exit(0);

/**
 * The nightly run of forged archives; the rules are in test/support/fuzz-forged.ts.
 *
 *     bun scripts/fuzz-forged.ts [--inputs 100000] [--cpu-inputs 500] [--runs 60] [--program bin/fade] [--seed N]
 *
 * --inputs go through a small engine for tests, --cpu-inputs through the CPU engine, all in this process; --runs of
 * them through the program, once from a file and once from a pipe, whose processor time and memory the system counts.
 * Ends with an error at the first broken rule, and names the seed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import type { Engine } from "../src/engine/engine.ts";
import { FakeEngine } from "../test/support/fake-engine.ts";
import { forgedArchive, fuzzForged, OUTPUT_BYTES_MAX, SECONDS_MAX } from "../test/support/fuzz-forged.ts";
import { FADE, optionsOf } from "./shared.ts";

const values = optionsOf({ inputs: 100000, "cpu-inputs": 500, runs: 60, program: FADE, seed: Date.now() % 2 ** 31 });

const SEED = values.seed;
const MIB = 2 ** 20;
const MEMORY = 64 * MIB;
/** What the program and its runtime may take on top. */
const PROGRAM_BYTES = 150 * MIB;
/** A process takes this long to start, whatever it reads. */
const START_SECONDS = 1;
const mib = (bytes: number) => `${(bytes / MIB).toFixed(0)} MiB`;

/** What the system's count of resources says has in it what the parent had; Linux knows better. */
function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * (process.platform === "darwin" ? 1 : 1024);
  const [, kib = "0"] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib) * 1024;
}

async function series(name: string, engine: Engine, inputs: number): Promise<void> {
  const startMs = performance.now();
  const report = await fuzzForged({ engine, inputs, seed: SEED, memoryBytesMax: MEMORY });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const refused = Object.entries(report.refusedBy).map(([error, count]) => `${error} ${count}`);
  const slowest = `${report.slowestSeconds.toFixed(2)} s of processor time (input ${report.slowestInput})`;
  console.log(`${name}: ${inputs} inputs in ${seconds} s, seed ${SEED}`);
  console.log(`  accepted: ${report.accepted}; refused: ${refused.join(", ")}`);
  console.log(`  slowest ${slowest}; most output ${mib(report.mostOutputBytes)} of ${mib(OUTPUT_BYTES_MAX)}`);
  const peak = peakBytes();
  console.log(`  peak of the process so far: ${mib(peak)}, ${mib(MEMORY + PROGRAM_BYTES)} are allowed`);
  if (peak > MEMORY + PROGRAM_BYTES) throw new Error(`seed ${SEED}: the process took ${mib(peak)}`);
}

/** One archive through the program: what it took, by the system's count. */
async function runProgram(path: string, isPiped: boolean) {
  const limits = [`-M${MEMORY}`, `--max-output=${OUTPUT_BYTES_MAX}`, "--max-time=1", "-T1", "--engine=cpu"];
  const child = Bun.spawn([...command, "-t", ...limits, ...(isPiped ? [] : [path])], {
    stdin: isPiped ? Bun.file(path) : "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const exitCode = await child.exited;
  const usage = child.resourceUsage();
  return { exitCode, seconds: Number(usage?.cpuTime.total ?? 0) / 1e6, peak: usage?.maxRSS ?? 0 };
}

const command = values.program.endsWith(".ts") ? [process.execPath, values.program] : [values.program];

async function throughProgram(runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fade-forged-"));
  let most = { seconds: 0, peak: 0 };
  try {
    for (let run = 0; run < runs; run += 1) {
      // Every third is a long one, if there are so many.
      const path = join(folder, "forged.fade");
      writeFileSync(path, forgedArchive(SEED, run % 3 === 0 ? longInput(run / 3) : run));
      for (const isPiped of [false, true]) {
        const { exitCode, seconds, peak } = await runProgram(path, isPiped);
        most = { seconds: Math.max(most.seconds, seconds), peak: Math.max(most.peak, peak) };
        const isFine =
          [0, 3, 4].includes(exitCode) && seconds < SECONDS_MAX + START_SECONDS && peak < MEMORY + PROGRAM_BYTES;
        if (!isFine) throw new Error(`seed ${SEED}, run ${run}: exit code ${exitCode}, ${seconds} s, ${mib(peak)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    `program: ${2 * runs} runs, at most ${most.seconds.toFixed(2)} s of processor time and ${mib(most.peak)}`,
  );
}

/** The number of the n-th long input. */
function longInput(n: number): number {
  let left = n;
  for (let input = 0; ; input += 1) {
    if (forgedArchive(SEED, input).length < 20_000) continue;
    if (left === 0) return input;
    left -= 1;
  }
}

await throughProgram(values.runs);
await series("test engine", new FakeEngine(), values.inputs);
const cpu = await createCpuEngine({ threads: 1 });
await series("cpu engine", cpu, values["cpu-inputs"]);
await cpu.close();
process.exit(0);

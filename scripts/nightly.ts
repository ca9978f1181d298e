/**
 * What is too long for every commit: `npm run nightly` (.github/workflows/nightly.yml runs it every night).
 *
 *     bun scripts/nightly.ts [--only fuzz,predictors,faults,engines,memory]
 *
 * 100,000 damaged archives and as many stretches of numbers, 1000 kills, every engine against every other, and 2 GB
 * through a pipe. Needs bin/fade. Goes on after a failure; the last line is "N passed, N failed", and the exit code is
 * 1 if anything failed.
 */
import { spawnSync } from "node:child_process";
import { optionsOf, ROOT } from "./shared.ts";

/** Each in a process of its own, so that a crash or a leak of one is not another's. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  fuzz: ["scripts/fuzz.ts", "--inputs", "100000", "--cpu-inputs", "2000"],
  predictors: ["scripts/fuzz-predict.ts"],
  faults: ["scripts/faults.ts", "1000"],
  engines: ["scripts/cross-engine.ts", "--bytes", "2000", "--models", "1,5,9", "test/golden"],
  memory: ["scripts/memory.ts", "--noise", "--gigabytes", "2", "--limit-megabytes", "1024", "--seconds", "600"],
};

const values = optionsOf({}, ["only"]);
const names = values.only?.split(",") ?? Object.keys(STEPS);
let failed = 0;
for (const name of names) {
  const words = STEPS[name];
  if (!words) throw new Error(`there is no step ${name}; there is ${Object.keys(STEPS).join(", ")}`);
  console.log(`\n$ bun ${words.join(" ")}`);
  const { status } = spawnSync(process.execPath, words, { cwd: ROOT, stdio: "inherit" });
  if (status === 0) continue;
  failed += 1;
  console.log(`(fail) ${name}`);
}
console.log(`\n${names.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

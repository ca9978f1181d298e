/**
 * Damaged and forged archives: a share of what scripts/fuzz.ts and scripts/fuzz-forged.ts do every night. The rules are
 * in test/support/fuzz.ts and fuzz-forged.ts.
 */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { FakeEngine, tinyHyper, tinyMixer } from "../support/fake-engine.ts";
import { fuzz } from "../support/fuzz.ts";

/** Small models, and blocks of some 50 kB: a payload of zeros may rightly claim 100,000 times its length. */
const MEMORY = 2 ** 19;

test("2,000 damaged archives: no crash, no hang, no wrong byte, no allocation beyond the limit", async () => {
  const report = await fuzz({
    engine: new FakeEngine(),
    inputs: 2000,
    seed: 1,
    memoryBytesMax: MEMORY,
    blockBytes: 150,
  });
  // Damage of all depths was done: some archives are refused at the door, some after decoding, some are sound.
  expect(report.accepted).toBeGreaterThan(20);
  for (const name of ["NotAnArchiveError", "TruncatedError", "CorruptError", "BlockError"]) {
    expect(report.refusedBy[name] ?? 0).toBeGreaterThan(5);
  }
});

const MODELS = {
  network: { memoryBytesMax: MEMORY, hyperFor: tinyHyper },
  mixer: { memoryBytesMax: 2 ** 26, hyperFor: tinyMixer },
};

test.each(Object.entries(MODELS))("100 damaged archives of a %s through the CPU engine", async (_, model) => {
  const engine = await createCpuEngine({ threads: 1 });
  try {
    const report = await fuzz({ engine, inputs: 100, seed: 2, blockBytes: 100, ...model });
    // Some got as far as the engine, and some were sound.
    expect(report.refusedBy.BlockError ?? 0).toBeGreaterThan(5);
    expect(report.accepted).toBeGreaterThan(1);
  } finally {
    await engine.close();
  }
});

test("700 forged archives in a process of their own: its memory and its time stay within bounds", () => {
  const script = join(import.meta.dir, "../../scripts/fuzz-forged.ts");
  const program = join(import.meta.dir, "../../src/cli/main.ts");
  const counts = ["--inputs=700", "--cpu-inputs=10", "--runs=2", "--seed=1"];
  const ran = spawnSync(process.execPath, [script, `--program=${program}`, ...counts], { encoding: "utf8" });
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: "" });
  // It reached what lies behind the guards.
  for (const name of ["accepted", "CorruptError", "MemoryLimitError", "OutputLimitError", "TimeLimitError"]) {
    expect(ran.stdout).toContain(name);
  }
});

/** A thread that dies in the middle of a file: an error that says so, the target as it was, the next file done. */
import { expect, mock } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as workers from "../../src/platform/workers.ts";
import { namesIn, testInDirectory } from "./support.ts";

// Kills each worker as soon as it has said that it is ready; otherwise nothing is changed.
let killsCoders = false;
const original = { ...workers };
mock.module("../../src/platform/workers.ts", () => ({
  ...original,
  startWorker: (name: workers.WorkerName, data: unknown): workers.Worker => {
    const worker = original.startWorker(name, data);
    if (killsCoders) worker.once("message", () => void setTimeout(() => void worker.terminate(), 1));
    return worker;
  },
}));

const { runFade } = await import("../cli/harness.ts");
const { trainingBytes } = await import("../support/text.ts");
const { FakeEngine } = await import("../support/fake-engine.ts");

const TEXT = trainingBytes(70_000, 1);

testInDirectory("a dead coder worker", async (cwd) => {
  writeFileSync(join(cwd, "a"), TEXT);
  writeFileSync(join(cwd, "a.fade"), "old");
  // Groups of many streams and bytes for them, so that there is more than one thread, and time to die.
  const argv = ["-qf", "-T2", "--streams=512", "a"];
  const engine = async () => new FakeEngine({ chunkSteps: 16, delayMs: 10 });
  killsCoders = true;
  const broken = await runFade(argv, { cwd, engine });
  killsCoders = false;
  expect(broken).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^fade: a: coder worker \d+ failed/) });
  expect([namesIn(cwd), readFileSync(join(cwd, "a.fade"), "utf8")]).toEqual([["a", "a.fade"], "old"]);
  expect(await runFade(argv, { cwd, engine })).toMatchObject({ exitCode: 0, stderr: "" });
});

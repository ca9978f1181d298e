/** What a run does when its engine does not open, or is lost: the next file gets another, and nobody hears it twice. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineDeviceError, EngineUnavailableError } from "../../src/engine/engine.ts";
import { decodeSeconds } from "../../src/library/estimate.ts";
import { networkShape } from "../../src/model/levels.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { trainingBytes } from "../support/text.ts";
import { inDirectory, runFade } from "./harness.ts";

const TEXT = trainingBytes(1000, 1);

async function withFiles(names: readonly string[], work: (cwd: string) => Promise<void>): Promise<void> {
  await inDirectory(async (cwd) => {
    for (const name of names) writeFileSync(join(cwd, name), TEXT);
    await work(cwd);
  });
}

test("an engine that did not open is tried again for the next file, and the hint is given once", async () => {
  await withFiles(["a", "b", "c"], async (cwd) => {
    let calls = 0;
    const engine = async () => {
      calls += 1;
      if (calls < 3) throw new EngineUnavailableError("cpu", "it is busy", "wait");
      return new FakeEngine();
    };
    const ran = await runFade(["-q", "a", "b", "c"], { cwd, engine });
    expect(ran.stderr).toBe("fade: a: it is busy\nfade: hint: wait\nfade: b: it is busy\n");
    expect([ran.exitCode, calls]).toEqual([4, 3]);
  });
});

test("a device that was lost is given back, and the next file gets another", async () => {
  await withFiles(["a", "b"], async (cwd) => {
    let [opened, closed] = [0, 0];
    const engine = async () => {
      opened += 1;
      const isFirst = opened === 1;
      const made = new FakeEngine();
      const openModel = () => Promise.reject(new EngineDeviceError("gpu", "it was lost"));
      return Object.assign(made, {
        ...(isFirst && { openModel }),
        close: async () => {
          closed += 1;
        },
      });
    };
    const ran = await runFade(["-q", "a", "b"], { cwd, engine });
    expect(ran).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^fade: a: the device failed: it was lost\n/),
    });
    expect([opened, closed]).toEqual([2, 2]);
  });
});

test("fade -lv tells how long decoding takes, from the model, the size and the threads", async () => {
  await withFiles(["a"], async (cwd) => {
    await runFade(["-q", "--preset=network-9", "a"], { cwd });
    const { stdout } = await runFade(["-lv", "-T2", "a.fade"], { cwd });
    expect(new TextDecoder().decode(stdout)).toMatch(/^ {4}decoding: {5}about \d+ s here \(CPU, 2 threads\)$/m);
    const json = await runFade(["-l", "--json", "-T2", "a.fade"], { cwd });
    const { frames } = JSON.parse(new TextDecoder().decode(json.stdout));
    const hyper = { ...networkShape(9), streams: 8 };
    const seconds = decodeSeconds(hyper, TEXT.length, 2);
    expect(frames[0].decodeSeconds).toBeCloseTo(seconds, 1);
    // Twice the bytes take twice as long, and a wider model longer.
    expect(decodeSeconds(hyper, 2 * TEXT.length, 2)).toBeCloseTo(2 * seconds, 6);
    expect(decodeSeconds({ ...networkShape(1), streams: 8 }, TEXT.length, 2)).toBeLessThan(seconds / 5);
    await runFade(["-q", "-o", "s", "/dev/null"], { cwd });
    const stored = await runFade(["-lv", "s"], { cwd });
    expect(new TextDecoder().decode(stored.stdout)).not.toContain("decoding");
  });
});

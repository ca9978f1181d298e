/** The worker pools: faults of workers reach the main thread as errors, and threads end when told to. */
import { describe, expect, mock, test } from "bun:test";
import * as workers from "../../src/platform/workers.ts";

// Remembers the workers that are started, so that a test can kill one; otherwise nothing is changed.
const started: workers.Worker[] = [];
const original = { ...workers };
mock.module("../../src/platform/workers.ts", () => ({
  ...original,
  startWorker: (name: workers.WorkerName, data: unknown) => {
    const worker = original.startWorker(name, data);
    started.push(worker);
    return worker;
  },
}));

const { StepDecoder } = await import("../../src/coder/decode-pool.ts");
const { openEncoder } = await import("../../src/coder/encode-pool.ts");
const { coderGroupsFor, shareOfGroup } = await import("../../src/coder/groups.ts");

/** Far more than ending three threads takes on a loaded machine. */
const CLOSE_MS = 20_000;
const SHAPE = { streams: 8, groups: 4, chunkSteps: 2 };

describe("groups", () => {
  test("cover every stream once, in order", () => {
    for (const streams of [1, 2, 7, 64, 100, 4096, 65536]) {
      const groups = coderGroupsFor(streams);
      let next = 0;
      for (let group = 0; group < groups; group += 1) {
        const share = shareOfGroup(group, groups, streams);
        expect(share.first).toBe(next);
        expect(share.end).toBeGreaterThan(share.first);
        next = share.end;
      }
      expect(next).toBe(streams);
    }
  });

  test("an impossible number is refused", async () => {
    await expect(openEncoder({ ...SHAPE, groups: 9 }, 1)).rejects.toThrow(RangeError);
    await expect(openEncoder({ ...SHAPE, groups: 0 }, 1)).rejects.toThrow(RangeError);
  });
});

describe("encoding", () => {
  test("no thread is started for one worker or one group", async () => {
    const before = started.length;
    await (await openEncoder(SHAPE, 1)).close();
    await (await openEncoder({ ...SHAPE, groups: 1 }, 8)).close();
    await (await StepDecoder.open(8, 1)).close();
    expect(started.length).toBe(before);
  });

  test("an interval that a worker cannot code is an error on the main thread", async () => {
    const encoder = await openEncoder(SHAPE, 3);
    encoder.slots[1]!.fill(0);
    await expect(encoder.encodeChunk(1, 2, 8)).rejects.toThrow(/coder worker . failed: interval start 0, frequency 0/);
    await expect(encoder.finishBlock()).rejects.toThrow("coder worker");
    await encoder.close();
  });

  test("a worker that is killed is an error, before and during a call", async () => {
    const encoder = await openEncoder(SHAPE, 3);
    for (const slot of encoder.slots) slot.fill(1);
    await started.at(-1)!.terminate();
    await expect(encoder.encodeChunk(0, 2, 8)).rejects.toThrow("coder worker");
    await encoder.close();
  });
});

describe("decoding", () => {
  const payloads = () => Array.from({ length: 4 }, () => new Uint8Array(4000));

  test("a worker that is killed in the middle of a block is an error, not a hang", async () => {
    const decoder = await StepDecoder.open(8, 3);
    for (let i = 0; i < decoder.ends.length; i += 1) decoder.ends[i] = ((i % 256) + 1) << 14;
    decoder.openBlock(payloads());
    for (let step = 0; step < 10; step += 1) await decoder.decodeStep(8);
    const killed = started.at(-1)!.terminate();
    const steps = (async () => {
      for (let step = 0; step < 1000; step += 1) await decoder.decodeStep(8);
    })();
    await expect(steps).rejects.toThrow("coder worker");
    await decoder.close();
    await killed;
  });

  test("many short steps in a row: no thread runs ahead of the others, or sleeps through a step", async () => {
    // A wake-up may come after the sleeper has seen the change by itself and sleeps on the next one.
    const steps = 15_000;
    const byteAt = (step: number, stream: number) => (step * (stream + 3) + (step >> 3)) & 255;
    const encoder = await openEncoder({ ...SHAPE, chunkSteps: steps }, 1);
    const intervals = encoder.slots[0]!;
    for (let i = 0; i < steps * 8; i += 1) {
      intervals[2 * i] = byteAt(i >> 3, i & 7) << 14;
      intervals[2 * i + 1] = 1 << 14;
    }
    await encoder.encodeChunk(0, steps, 8);
    const coded = await encoder.finishBlock();
    const decoder = await StepDecoder.open(8, 4);
    for (let i = 0; i < decoder.ends.length; i += 1) decoder.ends[i] = ((i % 256) + 1) << 14;
    decoder.openBlock(coded);
    let wrong = 0;
    for (let step = 0; step < steps; step += 1) {
      await decoder.decodeStep(8);
      for (let stream = 0; stream < 8; stream += 1) if (decoder.bytes[stream] !== byteAt(step, stream)) wrong += 1;
    }
    await decoder.finishBlock();
    await decoder.close();
    expect(wrong).toBe(0);
  });

  test("close in the middle of a block ends threads that sleep on the barrier", async () => {
    for (let round = 0; round < 5; round += 1) {
      const first = started.length;
      const decoder = await StepDecoder.open(8, 4);
      const threads = started.slice(first);
      expect(threads.length).toBe(3);
      const ended = threads.map((thread) => new Promise<void>((resolve) => thread.once("exit", () => resolve())));
      for (let i = 0; i < decoder.ends.length; i += 1) decoder.ends[i] = ((i % 256) + 1) << 14;
      decoder.openBlock(payloads());
      await decoder.decodeStep(8);
      await Bun.sleep(round);
      // A thread that sleeps on would keep this test waiting for ever, and the whole run with it.
      const closed = Promise.all([decoder.close(), ...ended]).then(() => "closed");
      expect(await Promise.race([closed, Bun.sleep(CLOSE_MS).then(() => "still open")])).toBe("closed");
    }
  });

  test("a program that leaves without closing its pool ends at once", async () => {
    const program = `
      import { StepDecoder } from "${import.meta.dir}/../../src/coder/decode-pool.ts";
      const decoder = await StepDecoder.open(8, 3);
      decoder.ends.fill(1 << 22);
      decoder.openBlock([1, 2, 3].map(() => new Uint8Array(9)));
      await decoder.decodeStep(8);
      await Bun.sleep(20);
      process.exit(7);`;
    const child = Bun.spawn([process.execPath, "-e", program], { timeout: 10_000, stderr: "inherit" });
    expect(await child.exited).toBe(7);
  });
});

/** The learning curve: exact bits, every byte counted once. */
import { expect, test } from "bun:test";
import { LearningCurve } from "../../src/bench/curve.ts";
import { measureCompression } from "../../src/bench/fade.ts";
import { FREQUENCY_TOTAL } from "../../src/contract/frequency.ts";
import { TINY } from "../model/tiny.ts";
import { FakeEngine } from "../support/fake-engine.ts";

test("a stretch is the mean of its bytes, and streams that have ended do not count", () => {
  const curve = new LearningCurve(7, 3); // stretches of 3 bytes or the steps that hold them
  const half = [0, FREQUENCY_TOTAL / 2];
  const eighth = [0, FREQUENCY_TOTAL / 8];
  const never = [0, 1];
  curve.add(Uint32Array.from([...half, ...half, ...eighth, ...eighth]), { streams: 2, steps: 2, liveInLastStep: 2 });
  curve.add(Uint32Array.from([...half, ...eighth, ...eighth, ...never]), { streams: 2, steps: 2, liveInLastStep: 1 });
  expect(curve.finish()).toEqual([
    { bytesDone: 4, bitsPerByte: 2 },
    { bytesDone: 7, bitsPerByte: 7 / 3 },
  ]);
});

test("a stretch ends with the byte that fills it", () => {
  const curve = new LearningCurve(4, 2);
  const half = [0, FREQUENCY_TOTAL / 2];
  curve.add(Uint32Array.from([...half, ...half, ...half, ...half]), { streams: 2, steps: 2, liveInLastStep: 2 });
  expect(curve.finish().map(({ bytesDone }) => bytesDone)).toEqual([2, 4]);
});

test("the curve of a compression sums to what the coder wrote", async () => {
  const plain = new TextEncoder().encode("the way of a byte through fade, ".repeat(300));
  const { bytes, curve = [] } = await measureCompression(plain, async () => new FakeEngine(), {
    workers: 1,
    memoryBytesMax: 1e9,
    blockBytes: 4000,
    hyperFor: () => ({ ...TINY, streams: 7 }),
    wantsCurve: true,
  });
  let bits = 0;
  let before = 0;
  for (const { bytesDone, bitsPerByte } of curve) {
    expect(bytesDone).toBeGreaterThan(before);
    bits += bitsPerByte * (bytesDone - before);
    before = bytesDone;
  }
  expect(before).toBe(plain.length);
  expect(curve.length).toBeGreaterThan(50);
  // Three blocks: header, index, checks and the ends of the coder groups come on top.
  expect(bytes.length - bits / 8).toBeGreaterThan(0);
  expect(bytes.length - bits / 8).toBeLessThan(250);
});

/** Chunks by time: longer while they are quick, shorter as soon as they are slow, never none. */
import { expect, test } from "bun:test";
import { ChunkPace } from "../../src/pipeline/pacer.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("begins with one step and grows by no more than four times to the engine's most", () => {
  const pace = new ChunkPace(64);
  expect(pace.steps).toBe(1);
  for (let chunks = 0; pace.steps < 64; chunks += 1) {
    const { steps } = pace;
    pace.begin(steps)();
    expect(pace.steps).toBeLessThanOrEqual(4 * steps);
    if (chunks > 1000) throw new Error("it does not grow");
  }
  expect(pace.steps).toBe(64);
});

test("a slow chunk makes the next one short, and one that takes for ever leaves one step", async () => {
  const pace = new ChunkPace(1000);
  const slow = pace.begin(600);
  await sleep(200);
  slow();
  expect(pace.steps).toBeLessThanOrEqual(300);
  const one = pace.begin(1);
  await sleep(200);
  one();
  expect(pace.steps).toBe(1);
});

test("a chunk that waits behind another is not blamed for that one's time", async () => {
  const pace = new ChunkPace(1000);
  const [first, second] = [pace.begin(10), pace.begin(40)];
  await sleep(150);
  first();
  const afterFirst = pace.steps;
  expect(afterFirst).toBeLessThan(10);
  second();
  expect(pace.steps).toBeGreaterThan(afterFirst);
});

/** Nobody gets more at a time than is done in some tenths of a second, whatever a step takes. */
import { describe, expect, test } from "bun:test";
import { StepPace } from "../../src/platform/pace.ts";

/** A dispatch of so many steps that takes so long, or a little longer. */
async function dispatch(pace: StepPace, steps: number, milliseconds: number): Promise<void> {
  const ended = pace.begin(steps);
  if (milliseconds > 0) await Bun.sleep(milliseconds);
  ended();
}

describe("steps of the next dispatch", () => {
  test("grow from one to the most that an engine takes", () => {
    const pace = new StepPace(1, 100, 64);
    expect(pace.steps).toBe(1);
    for (let chunks = 0; pace.steps < 64; chunks += 1) {
      const { steps } = pace;
      pace.begin(steps)();
      expect(pace.steps).toBeLessThanOrEqual(4 * steps);
      if (chunks > 1000) throw new Error("it does not grow");
    }
    expect(pace.steps).toBe(64);
  });

  test("are few as long as nothing is known", () => {
    expect(new StepPace(4).steps).toBe(4);
  });

  test("are no more than 120 ms hold", async () => {
    const pace = new StepPace(64);
    await dispatch(pace, 16, 60);
    expect(pace.steps).toBeLessThanOrEqual(32);
    expect(pace.steps).toBeGreaterThan(1);
    await dispatch(pace, 8, 250);
    expect(pace.steps).toBeLessThanOrEqual(3);
    await dispatch(pace, 1, 130);
    expect(pace.steps).toBe(1);
  });

  test("are as many as the time that is said holds", async () => {
    const pace = new StepPace(64, 30);
    await dispatch(pace, 16, 60);
    expect(pace.steps).toBeLessThanOrEqual(8);
  });

  test("grow to four times as many, and fewer of them take none away", async () => {
    const pace = new StepPace(4);
    await dispatch(pace, 4, 0);
    expect(pace.steps).toBe(16);
    await dispatch(pace, 16, 0);
    expect(pace.steps).toBe(64);
    await dispatch(pace, 1, 0);
    expect(pace.steps).toBe(64);
  });

  test("that wait for others before them are not taken to be slow", async () => {
    const pace = new StepPace(4);
    const [first, second] = [pace.begin(4), pace.begin(4)];
    await Bun.sleep(60);
    first();
    const afterFirst = pace.steps;
    expect(afterFirst).toBeLessThan(10);
    second();
    expect(pace.steps).toBeGreaterThan(Math.max(7, afterFirst));
  });
});

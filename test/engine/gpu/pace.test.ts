/** A GPU gets no more at a time than it does in some tenths of a second, whatever a step takes it. */
import { describe, expect, test } from "bun:test";
import { DispatchPace } from "../../../src/engine/gpu/pace.ts";

/** A dispatch of so many steps that takes so long, or a little longer. */
async function dispatch(pace: DispatchPace, steps: number, milliseconds: number): Promise<void> {
  const ended = pace.begin(steps);
  if (milliseconds > 0) await Bun.sleep(milliseconds);
  ended();
}

describe("steps of the next dispatch", () => {
  test("are few as long as nothing is known", () => {
    expect(new DispatchPace(4).steps).toBe(4);
  });

  test("are no more than 120 ms hold", async () => {
    const pace = new DispatchPace(64);
    await dispatch(pace, 16, 60);
    expect(pace.steps).toBeLessThanOrEqual(32);
    expect(pace.steps).toBeGreaterThan(1);
    await dispatch(pace, 8, 250);
    expect(pace.steps).toBeLessThanOrEqual(3);
    await dispatch(pace, 1, 130);
    expect(pace.steps).toBe(1);
  });

  test("grow to four times as many, and fewer of them take none away", async () => {
    const pace = new DispatchPace(4);
    await dispatch(pace, 4, 0);
    expect(pace.steps).toBe(16);
    await dispatch(pace, 16, 0);
    expect(pace.steps).toBe(64);
    await dispatch(pace, 1, 0);
    expect(pace.steps).toBe(64);
  });

  test("that wait for others before them are not taken to be slow", async () => {
    const pace = new DispatchPace(4);
    const [first, second] = [pace.begin(4), pace.begin(4)];
    await Bun.sleep(60);
    first();
    second();
    expect(pace.steps).toBeGreaterThanOrEqual(8);
  });
});

/**
 * How threads of the CPU engine wait: a colleague that failed, or that never comes, must end the wait with an error.
 */
import { expect, test } from "bun:test";
import { CONTROL_WORDS, Control, CpuThreadError, waitForChange } from "../../src/engine/cpu/control.ts";

const words = () => new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));

test("returns at once when the value is already another", () => {
  const control = words();
  control[Control.GENERATION] = 1;
  waitForChange(control, Control.GENERATION, 0, 0);
  expect(control[Control.GENERATION]).toBe(1);
});

test("a colleague that never comes is an error after so many sleeps", () => {
  expect(() => waitForChange(words(), Control.GENERATION, 0, 1)).toThrow(CpuThreadError);
});

test("a colleague that failed is an error, however long one may wait", () => {
  const control = words();
  control[Control.FAILED] = 1;
  expect(() => waitForChange(control, Control.GENERATION, 0)).toThrow(CpuThreadError);
});

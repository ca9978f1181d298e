/** Initial weights: pinned, and distributed as docs/NUMERICS.md section 4 says. */
import { expect, test } from "bun:test";
import { mix32 } from "../../src/contract/fixed.ts";
import { initialWeights } from "../../src/contract/initial.ts";
import { layoutOf, type TensorName } from "../../src/contract/tensors.ts";
import { PAPER } from "../../src/model/levels.ts";
import { hashOf, inPinnedOrder } from "./hash.ts";

const layout = layoutOf({ ...PAPER, globalHidden: 1024, fineHidden: 256, streams: 4 });
const master = initialWeights(layout);

function of(name: TensorName): Float64Array {
  const { offset, size } = layout.byName[name];
  return Float64Array.from(master.subarray(offset, offset + size), (value) => value / 2 ** 24);
}

const mean = (x: Float64Array) => x.reduce((a, b) => a + b, 0) / x.length;
const sigma = (x: Float64Array) => Math.sqrt(mean(x.map((value) => value * value)) - mean(x) ** 2);

test("the initial weights have not changed: they are in no archive and in every archive", () => {
  expect(mix32(0)).toBe(0);
  expect(mix32(1)).toBe(1753845952);
  expect(hashOf(inPinnedOrder(layout, master))).toBe("cadf77fce832dfe9");
});

test("uniform tensors fill -1/sqrt(fanIn) to 1/sqrt(fanIn)", () => {
  const fanIn = { global: 1024, router: 512, fine: 512, fineOut: 256, gate: 256, globalBias: 1024 } as const;
  for (const [name, inputs] of Object.entries(fanIn)) {
    const x = of(name as TensorName);
    const bound = 1 / Math.sqrt(inputs);
    const largest = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(bound * 0.98);
    expect(Math.abs(sigma(x) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(4 / Math.sqrt(x.length));
    expect(Math.abs(mean(x))).toBeLessThan((4 * bound) / Math.sqrt(3 * x.length));
  }
});

test("normal tensors have mean 0 and sigma 0.01", () => {
  for (const name of ["embedding", "logits", "memory", "memoryBias"] as const) {
    const x = of(name);
    expect(Math.abs(mean(x))).toBeLessThan(0.04 / Math.sqrt(x.length));
    expect(Math.abs(sigma(x) / 0.01 - 1)).toBeLessThan(4 / Math.sqrt(x.length));
  }
});

test("norms start as the identity, skips as 1, the bias of the logits as 0", () => {
  for (const name of ["inputNormScale", "lastNormScale", "globalSkip", "coarseSkip", "fineSkip"] as const) {
    expect(of(name).every((value) => value === 1)).toBe(true);
  }
  for (const name of ["inputNormShift", "localNormShift", "logitsBias"] as const) {
    expect(of(name).every((value) => value === 0)).toBe(true);
  }
});

test("no two tensors are alike", () => {
  expect(hashOf(of("gate").subarray(0, 64))).not.toBe(hashOf(of("router").subarray(0, 64)));
});

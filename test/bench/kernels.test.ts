/**
 * The kernel benchmark: nothing that the engines run is missing from it, a wrong number is found, and what a call must
 * do is counted right. Times themselves are not tested; they are of this machine.
 */
import { describe, expect, test } from "bun:test";
import { type CheckedModel, differenceFromReference } from "../../src/bench/check.ts";
import { benchCpuKernels } from "../../src/bench/cpu-kernels.ts";
import { cpuShapeOf, cpuWorkOf } from "../../src/bench/cpu-work.ts";
import { benchOn } from "../../src/bench/gpu-kernels.ts";
import {
  type KernelBenchResult,
  type KernelResult,
  type MixerResult,
  ratesOf,
} from "../../src/bench/kernel-results.ts";
import { type BoundCall, shapeOf, workOf } from "../../src/bench/kernel-work.ts";
import { mixerDifference } from "../../src/bench/mixers.ts";
import { stepWork } from "../../src/bench/model-work.ts";
import { instantiateKernels, readKernels } from "../../src/engine/cpu/kernels.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openDevice } from "../../src/engine/gpu/dawn.ts";
import { CODER_KERNELS, FUSED_KERNELS, KERNELS } from "../../src/engine/gpu/shaders.ts";
import { createReferenceEngine, ReferenceModel } from "../../src/engine/reference/engine.ts";
import { levelOf } from "../../src/model/levels.ts";
import { multiplyAddsOfStep } from "../../src/model/step-work.ts";
import { TINY } from "../model/tiny.ts";
import { testAdapterName, testAdapters } from "../setup/adapters.ts";

const MODELS = [{ setting: "-1", hyper: TINY }];

function collector() {
  const results: KernelBenchResult[] = [];
  return { results, onResult: async (result: KernelBenchResult) => void results.push(result) };
}

/** What holds for every engine's results. */
function expectComplete(results: readonly KernelBenchResult[], names: readonly string[]): void {
  const kinds = results.map(({ kind }) => kind);
  expect(kinds.indexOf("check")).toBeLessThan(kinds.indexOf("kernel"));
  for (const check of results) if (check.kind === "check") expect(check.difference).toBeUndefined();
  const rows = results.filter((result): result is KernelResult => result.kind === "kernel");
  expect([...new Set(rows.map(({ kernel }) => kernel))].sort()).toEqual([...names].sort());
  for (const { kernel, calls, microseconds } of rows) {
    // The shortest calls on the CPU take no longer than looking at the clock, which is taken off.
    const isPlausible = calls > 0 ? Number.isFinite(microseconds) && microseconds >= 0 : microseconds === 0;
    expect(`${kernel} ${isPlausible}`).toBe(`${kernel} true`);
  }
  const peaks = results.filter((result) => result.kind === "peak");
  expect(new Set(peaks.map(({ what }) => what))).toEqual(new Set(["multiply-adds", "bytes"]));
  for (const { perSecond } of peaks) expect(perSecond).toBeGreaterThan(1e7);
  const step = results.at(-1);
  if (step?.kind !== "step") throw new Error("the last result is not the step");
  const own = rows.filter((row) => !row.isDecodingOnly && row.setting === step.setting);
  expect(step.calls).toBe(own.reduce((sum, { calls }) => sum + calls, 0));
  expect(step.kernelsMicroseconds).toBeGreaterThan(0);
  expect(step.wholeMicroseconds).toBeGreaterThan(0);
}

describe.each(testAdapters)("kernels of the GPU engine on %s", (which) => {
  async function results(features: readonly GPUFeatureName[], filter = ""): Promise<KernelBenchResult[]> {
    const opened = await openDevice(testAdapterName(which), features);
    try {
      const { results, onResult } = collector();
      await benchOn(opened, { models: MODELS, onResult, filter });
      return results;
    } finally {
      opened.device.destroy();
    }
  }

  test("all of them, by the adapter's timestamps", async () => {
    const all = await results(["timestamp-query"]);
    expectComplete(all, Object.keys({ ...KERNELS, ...FUSED_KERNELS, ...CODER_KERNELS }));
    const decoding = all.filter((result) => result.kind === "kernel" && result.isDecodingOnly);
    expect([...new Set(decoding.map((result) => result.kind === "kernel" && result.kernel))]).toEqual(["decode"]);
    expect(all.at(-1)).toMatchObject({ clock: "timestamps of the adapter" });
    for (const row of all) if (row.kind === "kernel" && row.calls > 0) expect(row.microseconds).toBeGreaterThan(0);
    const overheads = all.filter((result) => result.kind === "overhead");
    expect(overheads.length).toBe(2);
    for (const { microseconds } of overheads) expect(microseconds).toBeGreaterThan(0);
  });

  test("those that a filter names, by whole batches", async () => {
    const some = await results([], "norm");
    const names = Object.keys(KERNELS).filter((name) => name.includes("norm"));
    expect(some.at(-1)).toMatchObject({ clock: "whole batches", kernelsMicroseconds: expect.any(Number) });
    const rows = some.filter((result) => result.kind === "kernel");
    expect([...new Set(rows.map(({ kernel }) => kernel))].sort()).toEqual(names.sort());
    for (const { microseconds } of rows) expect(microseconds).toBeGreaterThan(0);
  });
});

test("all kernels of the CPU engine, those of decompression too", async () => {
  const { results, onResult } = collector();
  await benchCpuKernels({ models: MODELS, onResult }, "a processor");
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
  const exported = Object.entries(instantiateKernels(readKernels(), memory)).flatMap(
    ([name, member]: [string, unknown]) => (typeof member === "function" && name !== "peakDots" ? [name] : []),
  );
  expectComplete(results, exported);
  // What the exports were called with, and what the layout says, are the same products.
  const counted = results.filter((result) => result.kind === "kernel");
  const products = counted.reduce((sum, { calls, work }) => sum + calls * (work?.multiplyAdds ?? 0), 0);
  expect(products).toBe(multiplyAddsOfStep(TINY));
  const decoding = results.filter((result) => result.kind === "kernel" && result.isDecodingOnly);
  expect(decoding).toMatchObject([{ kernel: "cumulate", calls: 1 }]);
});

/** A mixer of so few contexts that software GPUs take seconds for it. */
const MIXER = { ...levelOf(1).shape, mixerContexts: 4, streams: 2, mixerBits: 10 };

function expectTimed(results: readonly KernelBenchResult[], engine: string): void {
  expect(results).toMatchObject([
    { kind: "check", engine, setting: "-1", streams: 2, isMixer: true },
    { kind: "mixer", engine, setting: "-1", streams: 2, contexts: 4, counters: 0, lineBits: 10 },
  ]);
  expect(results[0]).not.toHaveProperty("difference");
  const mixer = results[1] as MixerResult;
  for (const microseconds of [mixer.microseconds, mixer.restoreMicroseconds]) expect(microseconds).toBeGreaterThan(0);
  expect(mixer.bytesPerSecond).toBeCloseTo(2e6 / mixer.microseconds, 3);
}

test("a mixer on the CPU", async () => {
  const { results, onResult } = collector();
  await benchCpuKernels({ models: [], mixers: [{ setting: "-1", hyper: MIXER }], onResult }, "a processor");
  expectTimed(
    results.filter(({ kind }) => kind !== "peak" && kind !== "overhead"),
    "cpu",
  );
});

test.each(testAdapters)("a mixer on %s", async (which) => {
  const opened = await openDevice(testAdapterName(which), []);
  const { results, onResult } = collector();
  await benchOn(opened, { models: [], mixers: [{ setting: "-1", hyper: MIXER }], onResult });
  opened.device.destroy();
  expectTimed(results, "gpu");
});

test("payloads that are not the reference's are named", async () => {
  const right = createReferenceEngine();
  const spoiled = (how: (payloads: Uint8Array[]) => Uint8Array[]): Engine => ({
    ...right,
    openModel: async (...all) => {
      const model = await right.openModel(...all);
      const take = model.takePayloads.bind(model);
      model.takePayloads = async () => how(await take());
      return model;
    },
  });
  expect(await mixerDifference(right, MIXER)).toBeUndefined();
  const flipped = spoiled((all) =>
    all.map((bytes, lane) => bytes.map((byte, i) => (lane === 1 && i === 9 ? ~byte : byte))),
  );
  expect(await mixerDifference(flipped, MIXER)).toMatch(/^byte 9 of lane 1 is \d+, the reference has \d+$/);
  const longer = spoiled((all) => all.map((bytes) => new Uint8Array([...bytes, 0])));
  expect(await mixerDifference(longer, MIXER)).toMatch(/^lane 0 has \d+ bytes, the reference \d+$/);
});

describe("the check against the reference", () => {
  const reference = (spoil: (model: ReferenceModel, intervals: Uint32Array) => void): CheckedModel => {
    const model = new ReferenceModel(TINY);
    return {
      async fillIntervals(bytes, steps, intervals) {
        await model.fillIntervals(bytes, steps, intervals);
        spoil(model, intervals);
      },
      readTrained: async () => model.state,
    };
  };

  test("passes what is equal", async () => {
    expect(
      await differenceFromReference(
        TINY,
        reference(() => {}),
      ),
    ).toBeUndefined();
  });

  test.each([
    ["interval 3", (_: ReferenceModel, intervals: Uint32Array) => intervals.set([1], 3)],
    ["master 5", ({ state }: ReferenceModel) => state.master.set([123456], 5)],
    ["moment 0", ({ state }: ReferenceModel) => state.moment.set([7_654_321], 0)],
    ["square 99", ({ state }: ReferenceModel) => state.square.set([-1], 99)],
  ])("names %s", async (what, spoil) => {
    expect(await differenceFromReference(TINY, reference(spoil))).toStartWith(`${what} is `);
  });

  test("has gone on until weights have changed", async () => {
    let untrained: Int32Array | undefined;
    const model = reference(({ state }) => {
      untrained = state.master;
    });
    await differenceFromReference(TINY, model);
    expect(untrained).not.toEqual(new ReferenceModel(TINY).state.master);
  });
});

describe("what a call must do", () => {
  const call = (kernel: string, changes: Partial<BoundCall>): BoundCall => {
    return { kernel, constants: {}, bindings: [], workgroups: [1, 1, 1], ...changes };
  };
  const bound = (name: string, access: string, sizeBytes: number) => ({ name, access, sizeBytes });

  test("a product: rows, its own weights, bias not counted", () => {
    const linear = call("linear", {
      constants: { ROWS: 64, MATRIX_ROWS: 64, OUTPUTS: 32, INPUTS: 16 },
      bindings: [
        bound("x", "read", 64 * 16),
        bound("copies", "read", 1e6),
        bound("master", "read", 4e6),
        bound("control", "read", 400),
        bound("out", "read_write", 64 * 32 * 4),
      ],
    });
    const weights = 32 * 16;
    expect(workOf(linear)).toEqual({
      multiplyAdds: 64 * weights,
      bytes: 64 * 16 + weights + 64 * 32 * 4,
    });
    expect(shapeOf(linear)).toBe("rows 64 outputs 32 inputs 16");
  });

  test("an update reads and writes master and moments, and writes the copy", () => {
    const bindings = ["master", "moment", "square", "copies"].map((name) => bound(name, "read_write", 1e6));
    const weights = call("linear_weights", { constants: { ROWS: 4, MATRIX_ROWS: 4, OUTPUTS: 8, INPUTS: 8 }, bindings });
    expect(workOf(weights)).toEqual({ multiplyAdds: 4 * 64, bytes: 64 * (3 * 8 + 1) });
  });

  test("matrices of the streams count once for each stream", () => {
    const constants = { ROWS: 18, MATRIX_ROWS: 2, OUTPUTS: 16, INPUTS: 16 };
    const bindings = [bound("copies", "read", 1e6)];
    for (const kernel of ["linear", "linear_weights"]) {
      expect(workOf(call(kernel, { constants, bindings }))).toEqual({ multiplyAdds: 18 * 256, bytes: 9 * 256 });
    }
  });

  test("others move their arrays, of a ring one place", () => {
    const bindings = [bound("x", "read", 800), bound("constants", "read", 9999), bound("out", "read_write", 4000)];
    expect(workOf(call("geglu", { constants: { N: 4, RING: 10 }, bindings }))).toEqual({
      multiplyAdds: 0,
      bytes: 800 + 400,
    });
  });

  test("of the recall stream's memories, what the streams touch", () => {
    const constants = { STREAMS: 5, CONTEXTS: 4, LOGIT_TABLES: 3 };
    const bindings = [bound("entries", "read", 1e6), bound("slots", "read_write", 1e6)];
    expect(workOf(call("remember", { constants, bindings }))?.bytes).toBe(5 * 3 * 1024 + 2 * 5 * 4 * 4);
  });

  test("a kernel without a case has no work, but a shape", () => {
    const fused = call("a_kernel_of_tomorrow", { workgroups: [8, 2, 1] });
    expect(workOf(fused)).toBeUndefined();
    expect(shapeOf(fused)).toBe("8x2 groups");
    expect(cpuWorkOf({ kernel: "aKernelOfTomorrow", parameters: [1, 2] })).toBeUndefined();
  });

  test("products of the CPU engine", () => {
    const forward = { kernel: "multiplyForward", parameters: [0, 512, 0, 64, 0, 256, 128, 0, 14, 7, 0, 0, 0] };
    expect(cpuShapeOf(forward)).toBe("64 x 256 x 128");
    expect(cpuWorkOf(forward)).toEqual({
      multiplyAdds: 64 * 256 * 128,
      bytes: 2 * (64 * 256 + 256 * 128 + 64 * 128),
    });
  });
});

test("a whole step is held against the peak of products", () => {
  const peak = { kind: "peak", engine: "cpu", device: "d", what: "multiply-adds", loop: "", perSecond: 1e9 } as const;
  const multiplyAdds = multiplyAddsOfStep(TINY);
  expect(multiplyAddsOfStep({ ...TINY, streams: 12 })).toBe(3 * multiplyAdds);
  const work = stepWork(TINY, multiplyAdds / 500, [peak, { ...peak, what: "bytes", perSecond: 9e9 }]);
  expect(work.multiplyAdds).toBe(multiplyAdds);
  expect(work.shareOfPeak).toBeCloseTo(0.5);
});

test("rates are held against the highest peak of each kind, and the nearest counts", () => {
  const peak = (what: "multiply-adds" | "bytes", perSecond: number) =>
    ({ kind: "peak", engine: "gpu", device: "d", what, loop: "", perSecond }) as const;
  const peaks = [peak("bytes", 1e9), peak("bytes", 4e9), peak("multiply-adds", 1e10)];
  const rates = ratesOf(2, { multiplyAdds: 10_000, bytes: 1000 }, peaks);
  expect(rates).toMatchObject({ multiplyAddsPerSecond: 5e9, bytesPerSecond: 5e8, nearest: "multiply-adds" });
  expect(rates.shareOfPeak).toBeCloseTo(0.5);
  expect(ratesOf(2, { multiplyAdds: 0, bytes: 6000 }, peaks)).toMatchObject({ shareOfPeak: 0.75, nearest: "bytes" });
  expect(ratesOf(2, undefined, peaks)).toEqual({});
});

/**
 * Devices that offer less than software adapters do: 8 or 10 storage buffers, as small GPUs and browsers, and bindings
 * of 128 MiB, which is what WebGPU promises. Payloads are the same, whichever way a model then goes; what fits nowhere
 * says so. Whole levels: scripts/forced-limits.ts.
 */
import { describe, expect, test } from "bun:test";
import { planDevice } from "../../../src/bench/plan-device.ts";
import type { HyperParameters } from "../../../src/contract/hyper.ts";
import { type Engine, EngineLimitError } from "../../../src/engine/engine.ts";
import { ModelBuffers } from "../../../src/engine/gpu/buffers.ts";
import { openDevice } from "../../../src/engine/gpu/dawn.ts";
import { engineOn } from "../../../src/engine/gpu/engine.ts";
import { bindingsOf } from "../../../src/engine/gpu/kernel.ts";
import { GpuMixer } from "../../../src/engine/gpu/mixer.ts";
import { GpuModel } from "../../../src/engine/gpu/model.ts";
import { FUSED_BUFFERS } from "../../../src/engine/gpu/path.ts";
import { createReferenceEngine } from "../../../src/engine/reference/engine.ts";
import { hyperForSize, levelOf, networkOf } from "../../../src/model/levels.ts";
import { TINY_RECALL } from "../../model/tiny.ts";
import { testAdapterName, testAdapters } from "../../setup/adapters.ts";
import { testDevice } from "../../support/gpu-device.ts";
import { compressBlock } from "../../support/in-memory.ts";
import { allShaderTexts } from "../../support/shader-texts.ts";
import { trainingBytes } from "../../support/text.ts";

const BINDING_BYTES = 2 ** 27;
const ALONE = { workers: 1 };
/** More lanes than a binding of 128 MiB holds: 4.5 MB each. */
const MIXER: HyperParameters = { ...levelOf(1).shape, mixerContexts: 4, mixerBits: 10, streams: 34 };

async function payloadsOf(engine: Engine, hyper: HyperParameters): Promise<string[]> {
  const { groups } = await compressBlock(engine, hyper, trainingBytes(8 * hyper.streams + 3, 1), ALONE);
  return groups.map((bytes) => Buffer.from(bytes).toString("hex"));
}

describe.each(testAdapters)("on %s", (which) => {
  describe.each([8, FUSED_BUFFERS])("with %i storage buffers", (storageBuffers) => {
    const limits = { storageBuffers, bindingBytes: BINDING_BYTES };
    const gpu = testDevice(which, () => openDevice(testAdapterName(which), [], limits));

    test("the device has no more", () => {
      const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = gpu().device.limits;
      expect(maxStorageBuffersPerShaderStage).toBe(storageBuffers);
      expect(maxStorageBufferBindingSize).toBe(BINDING_BYTES);
    });

    test("a network goes the way that fits, to the same payloads", async () => {
      const model = await GpuModel.open(gpu(), TINY_RECALL, 16);
      const names = model.step.forward.map(({ name }) => name);
      await model.close();
      expect(names.includes("forward")).toBe(storageBuffers >= FUSED_BUFFERS);
      const wanted = await payloadsOf(createReferenceEngine(), TINY_RECALL);
      expect(await payloadsOf(engineOn(gpu(), {}), TINY_RECALL)).toEqual(wanted);
      gpu().check();
    }, 120_000);

    test("lanes of a mixer are dealt to banks, to the same payloads", async () => {
      const mixer = await GpuMixer.open(gpu(), MIXER);
      expect(mixer.bankCount).toBe(2);
      await mixer.close();
      expect(await payloadsOf(engineOn(gpu(), {}), MIXER)).toEqual(await payloadsOf(createReferenceEngine(), MIXER));
      gpu().check();
    }, 120_000);
  });
});

test("the largest networks fit into no binding of 128 MiB, and say so", () => {
  const hyper = hyperForSize(networkOf(9), 2 ** 26, 8);
  const small = planDevice({ storageBuffers: 10, bindingBytes: BINDING_BYTES });
  expect(() => new ModelBuffers(small, hyper, 16)).toThrow(EngineLimitError);
  expect(() => new ModelBuffers(small, hyper, 16)).toThrow(/buffer of \d+ bytes, the adapter allows 134217728/);
});

test("no kernel binds more than ten buffers, but the mixer where its rows lie apart", async () => {
  const counts = (await allShaderTexts()).map(({ kernel, text }) => [kernel, bindingsOf(text).length] as const);
  const many = counts.filter(([, count]) => count > FUSED_BUFFERS);
  expect([...new Set(many.map(([kernel]) => kernel))]).toEqual(["mixer"]);
  // A kernel to a box does with what every device has.
  const ten = counts.filter(([, count]) => count > 8).map(([kernel]) => kernel);
  expect([...new Set(ten)].sort()).toEqual(["backward", "forward", "mixer", "weights"]);
});

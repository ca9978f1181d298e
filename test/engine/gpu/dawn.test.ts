/** The GPU's glue: adapters are found by name, compute what they should. */
import { describe, expect, test } from "bun:test";
import { EngineUnavailableError } from "../../../src/engine/engine.ts";
import { chooseAdapter, MIXER_BUFFERS } from "../../../src/engine/gpu/adapters.ts";
import { type DawnAdapter, listAdapters, parseAdapterNames } from "../../../src/engine/gpu/dawn.ts";
import { FUSED_BUFFERS } from "../../../src/engine/gpu/path.ts";
import { testAdapterName, testAdapters } from "../../setup/adapters.ts";
import { compute } from "../../support/compute.ts";
import { testDevice } from "../../support/gpu-device.ts";

const COUNT = 64;
const SHADER = `
@group(0) @binding(0) var<storage, read_write> values: array<i32>;
@compute @workgroup_size(${COUNT}) fn main(@builtin(local_invocation_index) i: u32) {
  values[i] = values[i] * -1640531527 + (values[i] >> 3u);
}`;

describe.each([...testAdapters])("on %s", (which) => {
  const gpu = testDevice(which);

  test("integers wrap and shift as in WebAssembly", async () => {
    const { device, name } = gpu();
    expect(name).toBe(testAdapterName(which));
    const input = Int32Array.from({ length: COUNT }, (_, i) => Math.imul(i - 7, 0x1234567));
    const output = new Int32Array(await compute(device, SHADER, [input], 1));
    expect(output).toEqual(input.map((value) => (Math.imul(value, -1640531527) + (value >> 3)) | 0));
  });

  test("asks for large buffers, for as many as fused kernels bind, and for nothing else", async () => {
    const { device } = gpu();
    expect(device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(1 << 27);
    expect([8, FUSED_BUFFERS, MIXER_BUFFERS]).toContain(device.limits.maxStorageBuffersPerShaderStage);
    expect(device.limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  });

  test("is listed as software", async () => {
    const found = (await listAdapters()).find(({ name }) => name === testAdapterName(which));
    const isKnownSoftware = which === "swiftshader" || which === "lavapipe";
    expect(found?.isSoftware || !isKnownSoftware).toBe(true);
  });

  test("waiting for the GPU does not take the main thread's core", async () => {
    const { device } = gpu();
    let polls = 0;
    const throttled = globalThis.setImmediate;
    globalThis.setImmediate = Object.assign((...args: Parameters<typeof throttled>) => {
      polls++; // Dawn looks the function up at every poll
      return throttled(...args);
    }, throttled);
    const start = performance.now();
    try {
      await compute(device, SHADER, [new Int32Array(COUNT)], 1, 4000);
    } finally {
      globalThis.setImmediate = throttled;
    }
    const milliseconds = performance.now() - start;
    expect(polls).toBeLessThan(500 + 2 * milliseconds); // unthrottled: 150 and more in a millisecond
  });
});

const adapter = (name: string, isSoftware = false): DawnAdapter => ({
  name,
  backend: "vulkan",
  vendor: "",
  architecture: "",
  description: "",
  isSoftware,
});

test("Dawn's list of adapters is read line by line, and its null backend is no GPU", () => {
  const message = `Error: no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'A 'quoted' GPU (x, y)'
 * backend: 'vulkan', name: 'A 'quoted' GPU (x, y)'
 * backend: 'null', name: 'Null backend'
 * backend: 'metal', name: 'M'`;
  expect(parseAdapterNames(message)).toEqual([
    { backend: "vulkan", name: "A 'quoted' GPU (x, y)" },
    { backend: "metal", name: "M" },
  ]);
  expect(parseAdapterNames("Error: something else")).toEqual([]);
});

test("an adapter is chosen by a part of its name, the whole name first", () => {
  const adapters = [adapter("Big GPU 2"), adapter("Big GPU")];
  expect(chooseAdapter(adapters).name).toBe("Big GPU 2");
  expect(chooseAdapter(adapters, "big gpu").name).toBe("Big GPU");
  expect(chooseAdapter(adapters, "2").name).toBe("Big GPU 2");
  expect(() => chooseAdapter(adapters, "tiny")).toThrow("no GPU here is called tiny");
  expect(() => chooseAdapter([])).toThrow(EngineUnavailableError);
});

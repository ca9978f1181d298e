/**
 * What goes wrong on a GPU must end as an error that says so, at once: a shader that the compiler refuses, a device
 * that is lost in the middle of the work, a model that the device cannot hold, a dispatch that it finds invalid.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { HyperParameterError } from "../../../src/contract/hyper.ts";
import { EngineDeviceError, EngineLimitError } from "../../../src/engine/engine.ts";
import { ModelBuffers } from "../../../src/engine/gpu/buffers.ts";
import { GpuDevice } from "../../../src/engine/gpu/device.ts";
import { KernelCompiler, ShaderError } from "../../../src/engine/gpu/kernel.ts";
import { GpuModel } from "../../../src/engine/gpu/model.ts";
import { gpuParts } from "../../../src/engine/gpu/open.ts";
import { openTestDevice, testAdapterName, testAdapters } from "../../setup/adapters.ts";
import { tinyHyper } from "../../support/fake-engine.ts";

const STREAMS = 8; // a shape that other tests compile as well
const MISSING_BUFFER_BYTES = 64;

/** What a promise fails with; a test that waits for ever fails by its timeout. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
}

/** The device with smaller buffers; `alive` holds those that were created through it and not yet destroyed. */
function smallDevice(device: GPUDevice, sizeMax: number, alive: Set<GPUBuffer>): GPUDevice {
  const createBuffer = (descriptor: GPUBufferDescriptor) => {
    const buffer = device.createBuffer(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.add(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  const limits = { maxStorageBufferBindingSize: sizeMax, maxBufferSize: 2 * sizeMax };
  return { limits, createBuffer, queue: device.queue } as unknown as GPUDevice;
}

describe.each(testAdapters)("faults on %s", (which) => {
  const opened: GPUDevice[] = [];
  const open = async () => {
    const { device, name } = await openTestDevice(which);
    opened.push(device);
    return new GpuDevice(device, name);
  };
  afterEach(() => {
    for (const device of opened.splice(0)) device.destroy();
  });

  test("a shader that does not compile is reported with the compiler's words", async () => {
    const { device } = await open();
    const error = await failureOf(new KernelCompiler(device, {}).bind("mix", { COUNT: 1 }, {}, [1, 1, 1]));
    expect(error).toBeInstanceOf(ShaderError);
    expect((error as ShaderError).kernel).toBe("mix");
    expect((error as ShaderError).message).toContain("unresolved value 'LUTS_AT'");
  });

  test("a buffer that was forgotten is a programmer's error with its name", async () => {
    const { device } = await open();
    const error = await failureOf(new KernelCompiler(device, {}).bind("mix", { COUNT: 1, LUTS_AT: 0 }, {}, [1, 1, 1]));
    expect(String(error)).toContain("kernel mix has no buffer for its binding r");
  });

  test("what the device reports by callback is thrown by the next check", async () => {
    const gpu = await open();
    gpu.check();
    gpu.device.createBuffer({ size: MISSING_BUFFER_BYTES, usage: 0x01 | 0x80 }); // mappable storage: not allowed
    await failureOf(gpu.settled(gpu.device.queue.onSubmittedWorkDone()));
    expect(() => gpu.check()).toThrow(EngineDeviceError);
  });

  test("a device that is lost while it encodes", async () => {
    const gpu = await open();
    const model = await GpuModel.open(gpu, tinyHyper(STREAMS), 16);
    const count = 64;
    const bytes = new Uint8Array(count * STREAMS).fill(97);
    const first = failureOf(model.fillIntervals(bytes, count, new Uint32Array(2 * bytes.length)));
    const second = failureOf(model.fillIntervals(bytes, count, new Uint32Array(2 * bytes.length)));
    gpu.device.destroy();
    expect(await first).toBeInstanceOf(EngineDeviceError);
    expect(await second).toBeInstanceOf(EngineDeviceError);
    const later = model.fillIntervals(bytes, count, new Uint32Array(2 * bytes.length));
    expect(await failureOf(later)).toBeInstanceOf(EngineDeviceError);
    await model.close();
  });

  test("a device that is lost while it predicts", async () => {
    const gpu = await open();
    const model = await GpuModel.open(gpu, tinyHyper(STREAMS), 16);
    const ends = new Uint32Array(256 * STREAMS);
    await model.predict(ends);
    await model.learn(new Uint8Array(STREAMS));
    const lost = failureOf(model.predict(ends));
    gpu.device.destroy();
    expect(await lost).toBeInstanceOf(EngineDeviceError);
    expect(await failureOf(model.predict(ends))).toBeInstanceOf(EngineDeviceError);
    await model.close();
  });

  test("a model that does not fit in a buffer of the device, which leaves nothing behind", async () => {
    const { device } = await open();
    const alive = new Set<GPUBuffer>();
    const small = smallDevice(device, 1 << 16, alive);
    const words = /this model needs a buffer of \d+ bytes, the adapter allows 65536/;
    expect(() => new ModelBuffers(small, tinyHyper(STREAMS), 16)).toThrow(EngineLimitError);
    expect(() => new ModelBuffers(small, tinyHyper(STREAMS), 16)).toThrow(words);
    expect(alive.size).toBe(0);
    const buffers = new ModelBuffers(smallDevice(device, 1 << 20, alive), tinyHyper(STREAMS), 16);
    expect(alive.size).toBeGreaterThan(0);
    buffers.destroy();
    expect(alive.size).toBe(0);
  });

  test("illegal hyper-parameters are refused before anything is allocated", async () => {
    const engine = await gpuParts.createGpuEngine({ adapter: testAdapterName(which) });
    const error = await failureOf(engine.openModel({ ...tinyHyper(STREAMS), cacheStep: 3 }));
    expect(error).toBeInstanceOf(HyperParameterError);
    await engine.close();
  });
});

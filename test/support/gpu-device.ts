/** A device for the tests of a block: opened before the first of them, and destroyed behind the last. */
import { afterAll, beforeAll } from "bun:test";
import type { GpuDevice } from "../../src/engine/gpu/device.ts";
import { openTestDevice } from "../setup/adapters.ts";

export function testDevice(which: string, open: (which: string) => Promise<GpuDevice> = openTestDevice) {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await open(which);
  });
  afterAll(() => gpu.device.destroy());
  return () => gpu;
}

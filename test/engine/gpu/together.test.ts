/** Which devices can load words together: what the probe finds on adapters that are known, and its way to say no. */
import { describe, expect, test } from "bun:test";
import { canLoadTogether } from "../../../src/engine/gpu/together.ts";
import { openTestDevice, testAdapters } from "../../setup/adapters.ts";

/** lavapipe has subgroups of eight invocations, SwiftShader of four. */
const CAN: Readonly<Record<string, boolean>> = { lavapipe: true, swiftshader: false };

describe.each(testAdapters)("on %s", (which) => {
  test("the answer is the adapter's, and is remembered", async () => {
    const { device } = await openTestDevice(which);
    const answer = canLoadTogether(device);
    expect(canLoadTogether(device)).toBe(answer);
    expect(await answer).toBe(CAN[which] ?? (await answer));
    device.destroy();
  });
});

test("a device without subgroups cannot", async () => {
  const device = { features: new Set() } as unknown as GPUDevice;
  expect(await canLoadTogether(device)).toBe(false);
});

test("a device that loses its work cannot", async () => {
  const { device } = await openTestDevice(testAdapters[0] as string);
  device.destroy();
  expect(await canLoadTogether(device)).toBe(false);
});

/**
 * Magnitudes as all kernels take them, of the extremes, and the larger of two. An H100's driver made wrong code of
 * signed maxima of two `abs` (docs/PERFORMANCE.md), and abs(-2^31) is undefined in some shading languages.
 */
import { describe, expect, test } from "bun:test";
import { kernelSource } from "../../../src/engine/gpu/kernel.ts";
import { KERNELS } from "../../../src/engine/gpu/shaders.ts";
import { testAdapters } from "../../setup/adapters.ts";
import { compute } from "../../support/compute.ts";
import { testDevice } from "../../support/gpu-device.ts";
import { Random } from "../../support/gpu-values.ts";

const PAIRS = 4096;
const LOWEST = -(2 ** 31);

/** In place of a kernel's own text, behind the prelude. */
const TEXT = `
@group(0) @binding(0) var<storage, read> pairs: array<vec2<i32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let pair = pairs[id.x];
  out[id.x] = vec2<u32>(magnitude(pair.x), max(magnitude(pair.x), magnitude(pair.y)));
}`;

/** Extremes, those that the H100 took wrongly, and random ones of all sizes. */
function pairsOf(): Int32Array<ArrayBuffer> {
  const random = new Random(7);
  const known = [LOWEST, 0, LOWEST, LOWEST, 0, 0, 2 ** 31 - 1, LOWEST, -1, 1, -21101, 6969, 6969, -21101];
  const pairs = Int32Array.from(
    { length: 2 * PAIRS },
    () => random.between(LOWEST, 2 ** 31 - 1) >> random.between(0, 31),
  );
  pairs.set(known);
  return pairs;
}

describe.each(testAdapters)("on %s", (which) => {
  const gpu = testDevice(which);

  test("magnitudes, also of -2^31, and the larger of two", async () => {
    const { device } = gpu();
    const pairs = pairsOf();
    const code = kernelSource("sum_gradients", {}).replace(KERNELS.sum_gradients, TEXT);
    expect(code).toEndWith(TEXT);
    const found = new Uint32Array(await compute(device, code, [pairs, new Int32Array(2 * PAIRS)], PAIRS / 64));
    const wanted = Uint32Array.from(pairs, (value, i) =>
      i % 2 === 0 ? Math.abs(value) : Math.max(Math.abs(value), Math.abs(pairs[i - 1] as number)),
    );
    expect(found).toEqual(wanted);
  });
});

/** Which way a model's step takes, from what a device allows and what the model needs. */
import { describe, expect, test } from "bun:test";
import {
  FUSED_BUFFERS,
  fusedTile,
  HARDWARE_TILE,
  type PathFacts,
  SOFTWARE_TILE,
  TOGETHER_TILE,
} from "../../../src/engine/gpu/path.ts";
import { FUSED_WEIGHTS_MAX } from "../../../src/engine/gpu/weights-plan.ts";

const GOOD: PathFacts = {
  storageBuffers: FUSED_BUFFERS,
  bindingBytes: 1 << 27,
  invocations: 256,
  isSoftware: false,
  loadsTogether: true,
  arenaBytes: 1 << 27,
  sharedWeights: FUSED_WEIGHTS_MAX,
};

describe("fusedTile", () => {
  test("a device that has all that is needed runs fused, in tiles for its kind", () => {
    expect(fusedTile(GOOD)).toEqual(HARDWARE_TILE);
    expect(fusedTile({ ...GOOD, isSoftware: true, loadsTogether: false })).toEqual(SOFTWARE_TILE);
    expect(fusedTile({ ...GOOD, isSoftware: true })).toEqual(TOGETHER_TILE);
  });

  test.each([
    ["eight storage buffers", { storageBuffers: 8 }],
    ["an arena beyond one binding", { arenaBytes: (1 << 27) + 4 }],
    ["no arena", { arenaBytes: undefined }],
    ["a wide model", { sharedWeights: FUSED_WEIGHTS_MAX + 1 }],
    ["few invocations", { invocations: HARDWARE_TILE.lanes - 1 }],
  ] as const)("%s: a kernel to a box", (_, facts) => {
    expect(fusedTile({ ...GOOD, ...facts })).toBeUndefined();
  });

  test("tiles are powers of two, and every stream has as many invocations as any other", () => {
    for (const { streams, lanes } of [HARDWARE_TILE, SOFTWARE_TILE, TOGETHER_TILE]) {
      expect([streams, lanes].map((n) => 2 ** (31 - Math.clz32(n)))).toEqual([streams, lanes]);
      expect(Math.max(streams, lanes) % Math.min(streams, lanes)).toBe(0);
    }
  });
});

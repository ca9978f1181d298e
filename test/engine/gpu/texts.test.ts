/**
 * What compilers are given depends on the shape of a network and on what the device is, never on the number of streams
 * or the size of the input: a driver takes seconds for a text, and a second file should not wait for it again.
 */
import { expect, test } from "bun:test";
import { planDevice } from "../../../src/bench/plan-device.ts";
import type { HyperParameters } from "../../../src/contract/hyper.ts";
import { GpuDevice } from "../../../src/engine/gpu/device.ts";
import type { TileSize } from "../../../src/engine/gpu/fused-plan.ts";
import { GpuMixer } from "../../../src/engine/gpu/mixer.ts";
import { GpuModel } from "../../../src/engine/gpu/model.ts";
import {
  HARDWARE_DECODE_LANES,
  HARDWARE_TILE,
  SOFTWARE_DECODE_LANES,
  SOFTWARE_TILE,
  TOGETHER_TILE,
} from "../../../src/engine/gpu/path.ts";
import { SLICE_ROWS } from "../../../src/engine/gpu/weights-plan.ts";
import { hyperForSize, levelOf, networkOf, PAPER_LEVEL } from "../../../src/model/levels.ts";
import { builtInPrior, PRESENT_FIRST } from "../../../src/prior/built-in.ts";

const CHUNK_STEPS = 16;
const PATHS: Readonly<Record<string, "boxes" | TileSize>> = {
  "a kernel to a box": "boxes",
  "tiles for hardware": HARDWARE_TILE,
  "tiles for software": SOFTWARE_TILE,
  "tiles that load together": TOGETHER_TILE,
};
/** With few rows matrices are not cut into slices, and the kernel for that is not compiled. */
const MANY = [SLICE_ROWS + 2, 488, 1953];
const FEW = [1, SLICE_ROWS / 2];

interface Given {
  readonly kernel: string;
  readonly text: string;
}

/** Everything that is compiled for a model, with its decoder, in the order of the text. */
async function givenFor(hyper: HyperParameters, path: "boxes" | TileSize, decoder: number): Promise<Given[]> {
  const given: Given[] = [];
  const device = planDevice(undefined, (kernel, text) => given.push({ kernel, text }));
  const model = await GpuModel.open(new GpuDevice(device, "none"), hyper, CHUNK_STEPS, { path, decoder });
  await model.openPayloads([new Uint8Array(8)], { workers: 0 });
  return given.sort((a, b) => (a.text < b.text ? -1 : 1));
}

const NETWORKS = { "network-1": networkOf(1), "network-5": networkOf(5), "network-9": networkOf(9) };
const CASES = [
  ...Object.entries(NETWORKS).flatMap(([name, level]) => Object.keys(PATHS).map((path) => ({ name, level, path }))),
  { name: "paper", level: PAPER_LEVEL, path: "a kernel to a box" },
];
/** Of inputs: with the second, memories are larger, too. */
const SIZES = [2 ** 16, 2 ** 26] as const;

test.each(CASES)("$name, $path: a new number of streams, or another size, compiles nothing new", async (each) => {
  const { level } = each;
  const path = PATHS[each.path] as "boxes" | TileSize;
  const decoder = path === HARDWARE_TILE ? HARDWARE_DECODE_LANES : SOFTWARE_DECODE_LANES;
  const givenTo = (streams: number, sizeBytes: number) =>
    givenFor(hyperForSize(level, sizeBytes, streams), path, decoder);
  const first = await givenTo(200, SIZES[0]);
  expect(first.length).toBeGreaterThan(4);
  for (const streams of MANY) expect(await givenTo(streams, SIZES[1])).toEqual(first);
  const notSliced = first.filter(({ kernel }) => kernel !== "gradients");
  for (const streams of FEW) expect(await givenTo(streams, SIZES[1])).toEqual(notSliced);
});

test("mixers: neither the number of lanes nor the size is in the text, nor which tallies there are", async () => {
  const givenTo = async (lanes: number, sizeBytes: number, prior?: number) => {
    const given: string[] = [];
    const device = planDevice(undefined, (_, text) => given.push(text));
    const hyper = hyperForSize(levelOf(5), sizeBytes, lanes);
    const behind = prior === undefined ? undefined : builtInPrior(prior);
    const mixer = await GpuMixer.open(new GpuDevice(device, "none"), hyper, behind);
    await mixer.close();
    return given;
  };
  const first = await givenTo(4, 2 ** 20);
  expect(first.length).toBe(1);
  for (const lanes of [1, 2, 132]) expect(await givenTo(lanes, 2 ** 24)).toEqual(first);
  // Where lanes do not fit into one bank their rows lie apart: one more text for all such numbers.
  const apart = await givenTo(528, 2 ** 26);
  expect(apart.length).toBe(1);
  expect(await givenTo(1056, 2 ** 27)).toEqual(apart);
  // Behind tallies another one; behind a prior without them the same.
  const tallied = await givenTo(4, 2 ** 20, PRESENT_FIRST);
  expect(tallied).not.toEqual(first);
  expect(await givenTo(2, 2 ** 24, PRESENT_FIRST + 1)).toEqual(tallied);
  expect(await givenTo(4, 2 ** 20, 1)).toEqual(first);
});

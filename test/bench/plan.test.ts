/** What a GPU would be made to do is counted right, without a GPU; and nothing that it would do is left out. */
import { describe, expect, test } from "bun:test";
import { backwardProduct, forwardProduct, planOf, slicesCount, tensorCount } from "../../src/bench/gpu-plan.ts";
import { backwardWalks, forwardWalks, normCount, walkCount } from "../../src/bench/gpu-walks.ts";
import { mixerPlanOf } from "../../src/bench/mixer-plan.ts";
import { type HyperParameters, widthOf } from "../../src/contract/hyper.ts";
import { operandColumns } from "../../src/contract/network.ts";
import type { TileSize } from "../../src/engine/gpu/fused-plan.ts";
import { HARDWARE_TILE } from "../../src/engine/gpu/path.ts";
import { FUSED_KERNELS, KERNELS, LIBRARIES } from "../../src/engine/gpu/shaders.ts";
import type { WeightRecord } from "../../src/engine/gpu/weights-plan.ts";
import { hyperForSize, levelOf, networkShape, PAPER } from "../../src/model/levels.ts";
import { multiplyAddsOfStep } from "../../src/model/step-work.ts";

const NETWORK: HyperParameters = { ...networkShape(5), streams: 488 };
const TILE: TileSize = { streams: 4, lanes: 128, together: 1 };

describe("a product", () => {
  const hyper = { ...NETWORK, streams: 42 };

  test("forward: four rows by four outputs to an invocation, two words at a time", () => {
    const fields = { OUTPUTS: 256, WORDS: 32, ROWS_PER_STREAM: 1 };
    // 64 tasks for 128 invocations, so that each has half of the words; the last of eleven tiles is half empty.
    expect(forwardProduct({ name: "logits", fields }, hyper, TILE)).toEqual({
      iterations: 8,
      multiplyAdds: 42 * 256 * 128,
      slots: 11 * 128 * 16 * 4 * 4 * 4,
      words: 11 * 64 * 32 * 8 + 42 * 256,
    });
    const iterations = (changed: Partial<typeof fields>, tile: TileSize = TILE) =>
      forwardProduct({ name: "fine", fields: { ...fields, ...changed } }, hyper, tile).iterations;
    expect(iterations({ OUTPUTS: 512 })).toBe(16);
    expect(iterations({ OUTPUTS: 516 })).toBe(32);
    expect(iterations({ OUTPUTS: 64 })).toBe(2);
    // No more slices than words, and two rows of each stream are twice as many tasks.
    expect(iterations({ OUTPUTS: 4, WORDS: 7 })).toBe(1);
    expect(iterations({ ROWS_PER_STREAM: 2 })).toBe(16);
    expect(iterations({}, { ...TILE, streams: 16 })).toBe(32);
  });

  test("backward: four rows by a word, four outputs at a time; then the bias", () => {
    const fields = { OUTPUTS: 128, WORDS: 16, FROM: 15, UNTIL: 16, ROWS_PER_STREAM: 1, ADDS: 0 };
    const count = backwardProduct({ name: "global", fields }, hyper, TILE);
    // One task, so that each of 32 invocations has four outputs.
    expect(count).toMatchObject({ iterations: 1 + 1, multiplyAdds: 42 * 128 * 4, slots: 11 * 128 * 64 });
    const wide = { ...fields, FROM: 0, UNTIL: 32, OUTPUTS: 256 };
    expect(backwardProduct({ name: "logits", fields: wide }, hyper, TILE).iterations).toBe(16 + 2);
    const nothing = { ...fields, FROM: 0, UNTIL: 0 };
    const unlearnt = backwardProduct({ name: "feature", fields: nothing }, hyper, TILE);
    expect(unlearnt).toMatchObject({ iterations: 1, multiplyAdds: 0, slots: 0 });
  });

  test("weights: eight by eight to an invocation, over all rows", () => {
    const record = { TASKS: 3 * 4, ROWS: 976, OUTPUTS: 20, INPUTS: 32, SUMS: 0 } as WeightRecord;
    expect(tensorCount(record)).toMatchObject({ iterations: 976, multiplyAdds: 976 * 20 * 32, slots: 976 * 64 * 64 });
    // Sixteen slices of 64 rows, the last with 16.
    const sliced = { iterations: 32, multiplyAdds: 976 * 20 * 32, slots: 16 * 64 * 64 * 64 };
    expect(slicesCount(record)).toMatchObject(sliced);
    // Master, moments and the sum, read and written, and two copies.
    const summed = { ...record, TASKS: 5 * 32, ROWS: 0, SUMS: 7 };
    expect(tensorCount(summed)).toMatchObject({ iterations: 4, multiplyAdds: 0, words: 640 * 8.5 });
  });
});

describe("walks over values", () => {
  /** Functions of a text that deal values among a stream's invocations. */
  const walkers = (text: string) =>
    text.split(/^fn /m).flatMap((body) => (/\+= SHARE|BYTES_EACH;/.test(body) ? [body.split("(")[0]] : []));

  test.each([
    ["forward", FUSED_KERNELS.forward + LIBRARIES.forwardShared, forwardWalks(NETWORK)],
    ["backward", FUSED_KERNELS.backward + LIBRARIES.backwardShared + LIBRARIES.fusedEnds, backwardWalks(NETWORK)],
  ] as const)("all of %s are counted", (_, text, walks) => {
    const counted = new Set(Object.keys(walks).map((name) => name.split(" ")[0] as string));
    expect([...new Set(walkers(text))].sort()).toEqual([...counted].sort());
  });

  test("more invocations to a stream go through fewer values each, and all through as many", () => {
    const shared = walkCount(forwardWalks(NETWORK), NETWORK, TILE);
    const alone = walkCount(forwardWalks(NETWORK), NETWORK, { ...TILE, lanes: 4 });
    expect(alone.words).toBe(shared.words);
    expect(alone.iterations).toBeGreaterThan(4 * shared.iterations);
    expect(normCount("forward", NETWORK, { ...TILE, lanes: 4 }).iterations).toBeGreaterThan(
      normCount("forward", NETWORK, TILE).iterations,
    );
  });
});

describe("a step", () => {
  test("of a network is its kernels, each counted; products are those of the layout", async () => {
    const results = await planOf("network-5", NETWORK);
    const names = "look_up forward backward gradients weights learn_recall remember end_step decode".split(" ");
    expect(results.map(({ kernel }) => kernel)).toEqual(names);
    expect(results.filter(({ isDecodingOnly }) => isDecodingOnly)).toMatchObject([{ kernel: "decode" }]);
    const forward = results.find(({ kernel }) => kernel === "forward");
    const tiles = Math.ceil(488 / HARDWARE_TILE.streams);
    expect(forward).toMatchObject({ calls: 1, workgroups: tiles, invocations: HARDWARE_TILE.lanes });
    const parts = forward?.parts?.reduce((sum, { iterations }) => sum + iterations, 0);
    expect(forward?.iterations).toBe(parts as number);
    // The streams' own matrices are walked over by both passes; the gradient of features goes nowhere.
    const own = 2 * 488 * NETWORK.coarseHidden ** 2;
    const features = 488 * widthOf(NETWORK) * operandColumns(NETWORK, "feature");
    const products = results.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
    expect(products + 2 * own + features).toBe(multiplyAddsOfStep(NETWORK));
    for (const { kernel, lanesUsed = 1, bytes, iterations } of results) {
      const isPlausible = lanesUsed > 0 && lanesUsed <= 1 && bytes >= 0 && iterations > 0;
      expect([kernel, isPlausible]).toEqual([kernel, true]);
    }
  });

  test("of the paper's model is a kernel to a box, and so is any where a device binds eight buffers", async () => {
    const paper = await planOf("paper", { ...PAPER, streams: 16 });
    const narrow = await planOf(
      "network-1",
      { ...networkShape(1), streams: 16 },
      { storageBuffers: 8, bindingBytes: 2 ** 27 },
    );
    for (const results of [paper, narrow]) {
      const unknown = results.filter(({ kernel }) => kernel !== "decode" && !(kernel in KERNELS));
      expect(unknown).toEqual([]);
      expect(results.find(({ kernel }) => kernel === "linear")?.calls).toBeGreaterThan(5);
    }
    const products = paper.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
    // A kernel to a box makes the gradient of the whole cache.
    const cache = 16 * widthOf(PAPER) * (PAPER.globalHidden - PAPER.cacheStep);
    expect(products).toBe(multiplyAddsOfStep({ ...PAPER, streams: 16 }) + cache);
  });
});

describe("a mixer", () => {
  const hyper = (level: number, lanes: number) => hyperForSize(levelOf(level), lanes * 2 ** 20, lanes);

  test("a lane's own words decide what share of invocations has any; lanes add up", () => {
    const one = mixerPlanOf("-5", hyper(5, 132));
    expect(one).toMatchObject({ kernel: "mixer", calls: 1, workgroups: 132, invocations: 32, lanesUsed: 24 / 32 });
    const more = mixerPlanOf("-5", hyper(5, 1056));
    expect(more).toMatchObject({ iterations: one.iterations, bytes: 8 * one.bytes, lanesUsed: 24 / 32 });
    expect(mixerPlanOf("-9", hyper(9, 132)).bytes).toBeGreaterThan(one.bytes);
  });

  test("small bindings take more dispatches", () => {
    const limits = { storageBuffers: 8, bindingBytes: 2 ** 27 };
    expect(mixerPlanOf("-5", hyper(5, 132), limits).calls).toBeGreaterThan(1);
  });
});

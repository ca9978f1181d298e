/**
 * Every kernel alone against the reference's functions, compared with ==, on extreme and on random inputs.
 *
 * The cases stand in cases/, one table to a family. Each is run with all inputs following the same pattern, for every
 * pattern, and then with patterns mixed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { bindingsOf } from "../../../src/engine/gpu/kernel.ts";
import { KERNELS, shaderText } from "../../../src/engine/gpu/shaders.ts";
import { openTestDevice, testAdapters } from "../../setup/adapters.ts";
import { GpuHarness } from "../../support/gpu-harness.ts";
import { draw, PATTERN_COUNT, Random } from "../../support/gpu-values.ts";
import { expectEqual } from "../../support/same-cpu-state.ts";
import { type Input, type KernelCase, type Named, shapeWith } from "./cases/case.ts";
import { ELEMENTWISE_CASES } from "./cases/elementwise.ts";
import { EMBEDDING_CASES } from "./cases/embedding.ts";
import { END_STEP_CASES } from "./cases/end-step.ts";
import { FREQUENCY_CASES } from "./cases/frequencies.ts";
import { LINEAR_CASES } from "./cases/linear.ts";
import { NORM_CASES } from "./cases/norms.ts";
import { OPTIMIZER_CASES } from "./cases/optimizer.ts";
import { QUANTISER_CASES } from "./cases/quantisers.ts";
import { RECALL_CASES } from "./cases/recall.ts";

const CASES: readonly KernelCase[] = [
  ...ELEMENTWISE_CASES,
  ...QUANTISER_CASES,
  ...EMBEDDING_CASES,
  ...END_STEP_CASES,
  ...FREQUENCY_CASES,
  ...LINEAR_CASES,
  ...NORM_CASES,
  ...OPTIMIZER_CASES,
  ...RECALL_CASES,
];
const MIXED_ROUNDS = 10;
/** What cases have that say nothing of it. */
const SMALLEST = { shared: shapeWith({}).shared, constants: {} };

function drawInput(input: Input, pattern: number, random: Random) {
  return typeof input === "function" ? input(random) : draw(input, pattern, random);
}

/** The inputs of round `round`; the first rounds share a pattern. */
function inputsOf(kernelCase: KernelCase, round: number): Named {
  const random = new Random(round);
  const pattern = () => (round < PATTERN_COUNT ? round : random.between(0, PATTERN_COUNT - 1));
  const entries = Object.entries(kernelCase.inputs);
  return Object.fromEntries(entries.map(([name, input]) => [name, drawInput(input, pattern(), random)]));
}

test("every kernel has a test", () => {
  expect([...new Set(CASES.map(({ kernel }) => kernel))].sort()).toEqual(
    (Object.keys(KERNELS) as (keyof typeof KERNELS)[]).sort(),
  );
});

describe.each(testAdapters)("kernels on %s", (which) => {
  let harness: GpuHarness;
  beforeAll(async () => {
    harness = new GpuHarness((await openTestDevice(which)).device);
  });
  afterAll(() => harness.device.destroy());

  test.each(CASES.map((each) => [each.kernel, each.title, each] as const))("%s: %s", async (_name, _title, each) => {
    const written = bindingsOf(shaderText(each.kernel)).filter(({ access }) => access === "read_write");
    for (let round = 0; round < PATTERN_COUNT + (each.mixedRounds ?? MIXED_ROUNDS); round++) {
      const expected = inputsOf(each, round);
      each.expect(expected);
      const actual = await harness.run({ ...SMALLEST, ...each }, inputsOf(each, round));
      for (const { name } of written) {
        expectEqual(actual[name] as Int32Array, expected[name] as Int32Array, `round ${round}: ${name}`);
      }
    }
  });
});

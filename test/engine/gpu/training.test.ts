/**
 * Whole training runs on the GPU against the reference: every weight, moment, copy and exponent, and every interval
 * that the coder gets, compared with ==.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GpuDevice } from "../../../src/engine/gpu/device.ts";
import { GpuModel } from "../../../src/engine/gpu/model.ts";
import { type HyperParameters, shapeOfLevel } from "../../../src/model/hyper.ts";
import { ReferenceModel } from "../../../src/model/reference/engine.ts";
import { openTestDevice, testAdapters } from "../../setup/adapters.ts";
import { tinyHyper } from "../../support/fake-engine.ts";
import { expectSameState } from "../../support/same-state.ts";
import { trainingBytes } from "../../support/text.ts";

interface Run {
  readonly title: string;
  readonly hyper: HyperParameters;
  readonly steps: number;
}

const SMALL: Run = { title: "256 steps of a small shape", hyper: tinyHyper(8), steps: 256 };
const ODD: Run = { title: "200 steps of 33 streams", hyper: tinyHyper(33), steps: 200 };

const RUNS: readonly Run[] = [
  SMALL,
  ODD,
  { title: "one stream, a ring of 12 slots of 8", hyper: { ...tinyHyper(1), slot: 8, globalHidden: 96 }, steps: 40 },
  { title: "level 5", hyper: { ...shapeOfLevel(5), streams: 9 }, steps: 5 },
  { title: "level 9, wider than the tiles", hyper: { ...shapeOfLevel(9), fineHidden: 1056, streams: 2 }, steps: 3 },
  {
    title: "the widest network, with the shortest embedding",
    hyper: { ...tinyHyper(3), history: 64, embedding: 16, coarseHidden: 128 },
    steps: 3,
  },
];

interface Expected {
  readonly reference: ReferenceModel;
  readonly bytes: Uint8Array;
  readonly intervals: Uint32Array;
}

const expectations = new Map<Run, Promise<Expected>>();

/** The reference's run, made once for all adapters. */
function expectedOf(run: Run): Promise<Expected> {
  const known = expectations.get(run) ?? runReference(run);
  expectations.set(run, known);
  return known;
}

async function runReference({ hyper, steps }: Run): Promise<Expected> {
  const reference = new ReferenceModel(hyper);
  const bytes = trainingBytes(steps, hyper.streams);
  const intervals = new Uint32Array(2 * bytes.length);
  await reference.encodeSteps(bytes, steps, intervals);
  return { reference, bytes, intervals };
}

/** The interval of each stream's byte, out of the tables of predict. */
function intervalsIn(ends: Uint32Array, row: Uint8Array): number[] {
  return [...row].flatMap((byte, stream) => {
    const start = byte === 0 ? 0 : (ends[stream * 256 + byte - 1] as number);
    return [start, (ends[stream * 256 + byte] as number) - start];
  });
}

describe.each(testAdapters)("training on %s", (which) => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    const { device, adapter } = await openTestDevice(which);
    gpu = new GpuDevice(device, adapter.name);
  });
  afterAll(() => gpu.device.destroy());

  /** Three calls in flight at once, of unequal length, and chunks that do not divide them. */
  test.each(RUNS.map((run) => [run.title, run] as const))("encoding: %s", async (_title, run) => {
    const { reference, bytes, intervals } = await expectedOf(run);
    const { streams } = run.hyper;
    const model = await GpuModel.open(gpu, run.hyper, 16);
    const actual = new Uint32Array(intervals.length);
    const cuts = [0, Math.floor(run.steps / 5), Math.floor((2 * run.steps) / 3), run.steps];
    await Promise.all(
      cuts.slice(1).map((end, i) => {
        const first = cuts[i] as number;
        const into = actual.subarray(2 * first * streams, 2 * end * streams);
        return model.encodeSteps(bytes.subarray(first * streams, end * streams), end - first, into);
      }),
    );
    expect(Buffer.compare(Buffer.from(actual.buffer), Buffer.from(intervals.buffer))).toBe(0);
    await expectSameState(model, reference.state);
    await model.close();
  });

  /** Chunks of 7 steps: the window of rows starts again many times. One stream, and rows that are not whole words. */
  test.each([
    [8, 16],
    [33, 24],
  ])("decoding %i streams gives the intervals and the state of encoding", async (streams, steps) => {
    const hyper = tinyHyper(streams);
    const { reference, bytes, intervals } = await runReference({ title: "", hyper, steps });
    const model = await GpuModel.open(gpu, hyper, 7);
    const ends = new Uint32Array(256 * streams);
    for (let step = 0; step < steps; step++) {
      const row = bytes.subarray(step * streams, (step + 1) * streams);
      await model.predict(ends);
      const expected = [...intervals.subarray(2 * step * streams, 2 * (step + 1) * streams)];
      expect(intervalsIn(ends, row)).toEqual(expected);
      await model.learn(row);
    }
    const expectedEnds = new Uint32Array(ends.length);
    await reference.predict(expectedEnds);
    await model.predict(ends); // the last row is learned when the next prediction is asked for
    expect(ends).toEqual(expectedEnds);
    await expectSameState(model, reference.state);
    await model.close();
  });

  test("a step is learned before the next prediction even when nobody waits", async () => {
    const hyper = tinyHyper(8);
    const { reference, bytes } = await runReference({ title: "", hyper, steps: 10 });
    const model = await GpuModel.open(gpu, hyper, 3);
    const ends = new Uint32Array(256 * hyper.streams);
    const pending: Promise<void>[] = [];
    for (let step = 0; step < 10; step++) {
      pending.push(model.predict(ends), model.learn(bytes.subarray(8 * step, 8 * step + 8)));
    }
    pending.push(model.predict(ends));
    await Promise.all(pending);
    reference.forward.run();
    await expectSameState(model, reference.state);
    await model.close();
  });
});

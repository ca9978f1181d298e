/**
 * Whole training runs on the GPU against the reference: every weight, moment, copy and exponent, all that the recall
 * stream remembers, and every interval that the coder gets, compared with ==.
 *
 * A run may begin with a late step and a past full of noise, and change its kind of data on the way.
 *
 * Each way through the kernels has a test file of its own, because files run beside each other.
 */
import { describe, expect, test } from "bun:test";
import { REACH, SEQUENCE } from "../../src/contract/contexts.ts";
import { type HyperParameters, TRAIN_ALWAYS_STEPS } from "../../src/contract/hyper.ts";
import type { GpuDevice } from "../../src/engine/gpu/device.ts";
import { GpuModel } from "../../src/engine/gpu/model.ts";
import { HARDWARE_TILE, SOFTWARE_TILE, TOGETHER_TILE } from "../../src/engine/gpu/path.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { networkShape } from "../../src/model/levels.ts";
import { testAdapters } from "../setup/adapters.ts";
import { tinyHyper } from "./fake-engine.ts";
import { testDevice } from "./gpu-device.ts";
import { type Path, pathsOf, type TitledPath, TOGETHER } from "./gpu-paths.ts";
import { Random } from "./gpu-values.ts";
import { expectSameState } from "./same-state.ts";
import { trainingBytes } from "./text.ts";

interface Run {
  readonly title: string;
  readonly hyper: HyperParameters;
  readonly steps: number;
  /** The shape of a network of its own: only for the ways that adapters of the kind take. */
  readonly isLevel?: true;
  /** The number of the first step; before it came noise. */
  readonly firstStep?: number;
  /** Strides from some of the run's steps on. */
  readonly strides?: Readonly<Record<number, number>>;
}

const SMALL: Run = { title: "128 steps of a small shape", hyper: tinyHyper(8), steps: 128 };
const ODD: Run = { title: "100 steps of 33 streams", hyper: tinyHyper(33), steps: 100 };

const CHUNK_STEPS = 16;
/** Slots and rows that collide in every step. */
const CROWDED = { slotBits: 8, tableBits: 8 };

/** Beginning where the network stops to train in every step. */
const RARELY_TRAINED: Run = {
  title: "4 contexts, training in every second step",
  hyper: { ...tinyHyper(8), ...CROWDED, contexts: 4, trainEvery: 2 },
  steps: 50,
  firstStep: TRAIN_ALWAYS_STEPS - 13,
  strides: { 30: 3 },
};

/** Around the end of the ring of rows, so that the longest strides meet bytes of both of its ends. */
const STRIDED: Run = {
  title: "12 contexts and 4 tables, with strides up to the longest",
  hyper: { ...tinyHyper(33), ...CROWDED, history: 8, contexts: 12, tables: 6 },
  steps: 60,
  firstStep: REACH + CHUNK_STEPS - 20,
  strides: { 8: SEQUENCE, 15: 3, 24: 64, 35: 4095, 54: 0 },
};

const RUNS: readonly Run[] = [
  RARELY_TRAINED,
  STRIDED,
  {
    title: "a table without contexts, training in every third step",
    hyper: { ...tinyHyper(5), ...CROWDED, tables: 1, trainEvery: 3 },
    steps: 40,
    firstStep: TRAIN_ALWAYS_STEPS - 13,
    strides: { 0: 3 },
  },
  SMALL,
  ODD,
  {
    title: "one stream, a ring of 12 slots of 8",
    hyper: { ...tinyHyper(1), cacheStep: 8, globalHidden: 96 },
    steps: 40,
  },
  // Slices of 64 rows; of matrices with two branches three, the last of 12.
  {
    title: "70 streams, whose rows are cut into slices",
    hyper: { ...tinyHyper(70), ...CROWDED, contexts: 4 },
    steps: 8,
  },
  { title: "level 5", hyper: { ...networkShape(5), streams: 9 }, steps: 5, isLevel: true },
  {
    title: "level 9, wider than the tiles",
    hyper: { ...networkShape(9), fineHidden: 1056, streams: 2 },
    steps: 3,
    isLevel: true,
  },
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

interface Segment {
  readonly first: number;
  readonly end: number;
  /** What the data is like from here on, if that is news. */
  readonly stride: number | undefined;
}

/** The run cut where its stride changes, and at `cuts`. */
function segmentsOf({ steps, strides = {} }: Run, cuts: readonly number[] = []): Segment[] {
  const places = [...new Set([0, ...Object.keys(strides).map(Number), ...cuts])].sort((a, b) => a - b);
  return places.map((first, i) => ({ first, end: places[i + 1] ?? steps, stride: strides[first] }));
}

/** The noise before a run that begins late: the byte of each stream in `step`. */
function noiseIn({ hyper }: Run, step: number): Uint8Array<ArrayBuffer> {
  const random = new Random(step);
  return Uint8Array.from({ length: hyper.streams }, () => random.between(0, 255));
}

function openReference(run: Run): ReferenceModel {
  const { hyper, firstStep = 0 } = run;
  const reference = new ReferenceModel(hyper);
  const { recall } = reference.state;
  reference.state.step = firstStep;
  for (let step = Math.max(0, firstStep - REACH); step < firstStep; step++) {
    noiseIn(run, step).forEach((byte, b) => {
      recall.past[b * REACH + (step % REACH)] = byte;
    });
  }
  return reference;
}

async function runReference(run: Run): Promise<Expected> {
  const { hyper, steps } = run;
  const reference = openReference(run);
  const bytes = trainingBytes(steps, hyper.streams);
  const intervals = new Uint32Array(2 * bytes.length);
  for (const { first, end, stride } of segmentsOf(run)) {
    if (stride !== undefined) await reference.describe({ stride });
    const part = bytes.subarray(first * hyper.streams, end * hyper.streams);
    await reference.fillIntervals(part, end - first, intervals.subarray(2 * first * hyper.streams));
  }
  return { reference, bytes, intervals };
}

async function openModel(gpu: GpuDevice, run: Run, path: Path): Promise<GpuModel> {
  const { hyper, firstStep = 0 } = run;
  const model = await GpuModel.open(gpu, hyper, CHUNK_STEPS, { firstStep, path });
  const { pastRows, rowWords } = model.buffers;
  for (let step = Math.max(0, firstStep - REACH); step < firstStep; step++) {
    const row = new Uint8Array(4 * rowWords);
    row.set(noiseIn(run, step));
    gpu.device.queue.writeBuffer(model.buffers.get("bytes"), (step % pastRows) * row.length, row);
  }
  return model;
}

const paths = new Map<string, Awaited<ReturnType<typeof pathsOf>>>();
for (const which of testAdapters) paths.set(which, await pathsOf(which));

/** Defines the tests of some ways through the kernels, on every adapter that has them. */
export function testTraining(ways: readonly TitledPath[]): void {
  const titles = ways.map(([title]) => title);
  const all = [...paths].flatMap(([which, had]) => had.map(([title, path]) => ({ which, title, path })));
  const chosen = all.filter(({ title }) => titles.includes(title));
  describe.each(chosen.map(({ which, title, path }) => [which, title, path] as const))(
    "training on %s, %s",
    trainingTests,
  );
}

function trainingTests(which: string, _title: string, path: Path): void {
  const gpu = testDevice(which);

  encodingTests(gpu, which, path);
  decodingTests(gpu, path);
  orderTests(gpu, path);
}

/** All calls in flight at once, of unequal length, and chunks that do not divide them. */
function encodingTests(gpu: () => GpuDevice, which: string, path: Path): void {
  const forLevels = paths.get(which)?.includes(TOGETHER) === true ? TOGETHER_TILE : SOFTWARE_TILE;
  const isForLevels = path === forLevels || path === HARDWARE_TILE;
  const runs = RUNS.filter(({ isLevel }) => isForLevels || !isLevel);
  test.each(runs.map((run) => [run.title, run] as const))("encoding: %s", async (_title, run) => {
    const { reference, bytes, intervals } = await expectedOf(run);
    const { streams } = run.hyper;
    const model = await openModel(gpu(), run, path);
    const actual = new Uint32Array(intervals.length);
    const pending: Promise<void>[] = [];
    for (const { first, end, stride } of segmentsOf(run, [
      Math.floor(run.steps / 5),
      Math.floor((2 * run.steps) / 3),
    ])) {
      if (stride !== undefined) pending.push(model.describe({ stride }));
      const into = actual.subarray(2 * first * streams, 2 * end * streams);
      pending.push(model.fillIntervals(bytes.subarray(first * streams, end * streams), end - first, into));
    }
    await Promise.all(pending);
    expect(Buffer.compare(Buffer.from(actual.buffer), Buffer.from(intervals.buffer))).toBe(0);
    await expectSameState(model, reference.state);
    await model.close();
  });
}

/** One stream, rows that are not whole words; strides that change between learning and predicting. */
function decodingTests(gpu: () => GpuDevice, path: Path): void {
  test.each(
    [
      { title: "8 streams", hyper: tinyHyper(8), steps: 16 },
      { title: "33 streams", hyper: tinyHyper(33), steps: 24 },
      RARELY_TRAINED,
      STRIDED,
    ].map((run: Run) => [run.title, run] as const),
  )("decoding: %s", async (_title, run) => {
    const { streams } = run.hyper;
    const bytes = trainingBytes(run.steps, streams);
    const reference = openReference(run);
    const model = await openModel(gpu(), run, path);
    const ends = new Uint32Array(256 * streams);
    const expectedEnds = new Uint32Array(ends.length);
    const expectSamePrediction = async () => {
      await reference.predict(expectedEnds);
      await model.predict(ends);
      expect(Buffer.compare(Buffer.from(ends.buffer), Buffer.from(expectedEnds.buffer))).toBe(0);
    };
    for (let step = 0; step < run.steps; step++) {
      const row = bytes.subarray(step * streams, (step + 1) * streams);
      const stride = run.strides?.[step];
      if (stride !== undefined) {
        // At odd steps, a prediction before the stride was known is in vain.
        if (step % 2 === 1) await expectSamePrediction();
        await Promise.all([reference.describe({ stride }), model.describe({ stride })]);
      }
      await expectSamePrediction();
      await reference.learn(row);
      await model.learn(row);
    }
    await expectSamePrediction(); // the last row is learned when the next prediction is asked for
    await expectSameState(model, reference.state);
    await model.close();
  });
}

function orderTests(gpu: () => GpuDevice, path: Path): void {
  test("a step is learned before the next prediction even when nobody waits", async () => {
    const hyper = tinyHyper(8);
    const { reference, bytes } = await runReference({ title: "", hyper, steps: 10 });
    const model = await GpuModel.open(gpu(), hyper, 3, { path });
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

  test("learning twice from one prediction is a programmer's error", async () => {
    const model = await GpuModel.open(gpu(), tinyHyper(8), CHUNK_STEPS, { path });
    await model.predict(new Uint32Array(256 * 8));
    await model.learn(new Uint8Array(8));
    await expect(model.learn(new Uint8Array(8))).rejects.toThrow("learn was called twice without predict between");
    await model.close();
  });
}

/**
 * The bit mixer on GPUs against the reference, with ==: payloads and whole states of every family, lanes, blocks,
 * priors; what one engine wrote, decoded by the other; damaged payloads, which must end as on the CPU.
 */
import { describe, expect, test } from "bun:test";
import { type HyperParameters, NO_NETWORK, WITHOUT } from "../../../src/contract/hyper.ts";
import { LANES_MAX } from "../../../src/contract/mixer.ts";
import type { LanePrior } from "../../../src/contract/prior.ts";
import { type Cue, type Engine, EngineDeviceError, EngineLimitError, type Model } from "../../../src/engine/engine.ts";
import { buildMixer } from "../../../src/engine/mixer/assembly/build.ts";
import { CuedLane } from "../../../src/engine/mixer/cued-lane.ts";
import type { LaneShape } from "../../../src/engine/mixer/lane.ts";
import { createReferenceEngine } from "../../../src/engine/reference/engine.ts";
import { ReferenceLane } from "../../../src/engine/reference/mixer.ts";
import { BlockCompressor } from "../../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../../src/pipeline/decompress.ts";
import { gatherSteps, layoutOf, scatterSteps } from "../../../src/pipeline/streams.ts";
import type { ForeseenBlock } from "../../../src/predict/foresight.ts";
import type { Stretch } from "../../../src/predict/list.ts";
import { transformSlowly } from "../../../src/predict/transform.ts";
import { encodeTallies } from "../../../src/prior/tally-bytes.ts";
import { openTestDevice, testAdapters } from "../../setup/adapters.ts";
import { testDevice } from "../../support/gpu-device.ts";
import { gpuStateOf } from "../../support/gpu-lane.ts";
import { compressBlock, decompressBlock } from "../../support/in-memory.ts";
import { stateOf } from "../../support/lane-state.ts";
import { CASES, COUNTED_CASES, dataOf, file } from "../../support/mixer-cases.ts";
import { pixelsOf } from "../../support/numbers.ts";
import { wildTallies } from "../../support/tallies.ts";

buildMixer();
const { engineOn } = await import("../../../src/engine/gpu/engine.ts");
const { GpuMixer, mixerChunk } = await import("../../../src/engine/gpu/mixer.ts");
const { ForeseeingMixer } = await import("../../../src/engine/gpu/foreseeing-mixer.ts");
type ForeseeingMixer = InstanceType<typeof ForeseeingMixer>;
type GpuMixerOptions = import("../../../src/engine/gpu/mixer.ts").GpuMixerOptions;
const { createCpuEngine } = await import("../../../src/engine/cpu/engine.ts");
const { MixerLane } = await import("../../../src/engine/mixer/lane.ts");

const ALONE = { workers: 1 };
const reference = createReferenceEngine();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const ALL_CASES = [...CASES.map((row) => [...row, 0] as const), ...COUNTED_CASES];

function shapeOf(streams: number, mixerContexts: number, mixerBits: number, mixerCounters = 0): HyperParameters {
  return { ...WITHOUT, ...NO_NETWORK, streams, mixerContexts, mixerBits, mixerCounters };
}

/** The reference's lane after a block, and its payload. */
function referenceOf(shape: LaneShape, stride: number, bytes: Uint8Array) {
  const lane = new ReferenceLane(shape);
  lane.describe(stride);
  lane.begin();
  lane.encode(bytes);
  return { lane, payload: lane.finishEncoding() };
}

/** All areas but what the GPU makes anew (gpu-lane.ts). */
function withoutInputs(lane: ReferenceLane): Record<string, string> {
  const { mapInputs: _, ...others } = stateOf(lane);
  return others;
}

/** Six small pictures, of which any three lanes have some as a whole. */
function foreseenBlock() {
  const numbers = { kind: "pixels", channels: 3, width: 10, frameBytes: 0, isRanked: true } as const;
  const picture = pixelsOf(4, numbers);
  const parts = Array.from({ length: 6 }, () => [dataOf("text").slice(0, 7), picture]).flat();
  const bytes = new Uint8Array(Buffer.concat(parts));
  const stretches: Stretch[] = Array.from({ length: 6 }, () => ({
    gapBytes: 7,
    lengthBytes: picture.length,
    numbers,
  }));
  for (const _ of transformSlowly(bytes, stretches, false, true));
  const across = { numbers, lengthBytes: bytes.length - 1 };
  return { bytes, across, foreseen: { stretches, seenBytes: bytes.length } };
}

const rowsOf = (bytes: Uint8Array, streams: number) => {
  const layout = layoutOf(bytes.length, streams);
  return { layout, rows: gatherSteps(bytes, layout, 0, layout.steps) };
};

/** Of a block, with a stride. */
async function payloadsOf(model: Model, bytes: Uint8Array, foreseen?: ForeseenBlock): Promise<string[]> {
  const { streams } = model.hyper;
  const { layout, rows } = rowsOf(bytes, streams);
  await model.describe({ stride: foreseen ? 30 : 0 }, foreseen);
  await model.beginPayloads(streams, ALONE);
  await model.encodeSteps(rows, layout.steps, layout.liveInLastStep);
  return (await model.takePayloads()).map(hex);
}

async function bytesOf(model: Model, payloads: readonly string[], size: number, foreseen?: ForeseenBlock) {
  const { streams } = model.hyper;
  const layout = layoutOf(size, streams);
  const rows = new Uint8Array(layout.steps * streams);
  await model.describe({ stride: foreseen ? 30 : 0 }, foreseen);
  await model.openPayloads(
    payloads.map((each) => new Uint8Array(Buffer.from(each, "hex"))),
    ALONE,
  );
  await model.decodeSteps(rows, layout.steps, layout.liveInLastStep);
  await model.finishPayloads();
  const bytes = new Uint8Array(size);
  scatterSteps(rows, layout, 0, layout.steps, bytes);
  return hex(bytes);
}

/** On software adapters a byte takes about a millisecond. */
const SOME_BYTES = 420;

describe.each(testAdapters)("the mixer on %s", (which) => {
  const gpu = testDevice(which);

  /** Closing it would destroy the device. */
  const engine: Engine = {
    name: "gpu",
    description: which,
    openModel: (...parameters) => engineOn(gpu(), {}).openModel(...parameters),
    close: async () => {},
  };

  test.each(ALL_CASES)(
    "%s with stride %d, %d contexts, 2^%d lines, %d with counters",
    async (name, stride, contexts, lineBits, counters) => {
      const bytes = dataOf(name).slice(-SOME_BYTES);
      const { lane, payload } = referenceOf({ contexts, lineBits, counters }, stride, bytes);
      const model = await GpuMixer.open(gpu(), shapeOf(1, contexts, lineBits, counters));
      await model.describe({ stride });
      await model.beginPayloads(1, ALONE);
      await model.encodeSteps(bytes, bytes.length, 1);
      expect((await model.takePayloads()).map(hex)).toEqual([hex(payload)]);
      expect(await gpuStateOf(model, 0)).toEqual(withoutInputs(lane));
      await model.close();
    },
  );

  test.each<[number, number, number, GpuMixerOptions]>([
    [32, 0, 2, { bufferBytesMax: 12_500_000, storageBuffersMax: 8 }],
    [32, 8, 2, { bufferBytesMax: 12_500_000, storageBuffersMax: 8 }],
    // The rows of the refining map in buffers of their own, those of two lanes in one, or of one.
    [32, 0, 1, { bufferBytesMax: 9_500_000 }],
    [8, 8, 1, { bufferBytesMax: 6_000_000 }],
  ])(
    "%d invocations to a lane, %d counters: three lanes in %d banks, chunks of any length",
    async (invocations, counters, banks, limits) => {
      const hyper = shapeOf(3, 12, 8, counters);
      const data = new Uint8Array([...dataOf("mixed").slice(0, 200), ...dataOf("lines").slice(-202)]);
      const steps = Math.ceil(data.length / 3);
      const { groups } = await compressBlock(reference, hyper, data, ALONE);
      const model = await GpuMixer.open(gpu(), hyper, undefined, { invocations, ...limits });
      expect(model.bankCount).toBe(banks);
      const rows = gatherSteps(data, layoutOf(data.length, 3), 0, steps);
      await model.beginPayloads(3, ALONE);
      const counts = [1, 2, 17, steps - 20];
      let first = 0;
      for (const count of counts) {
        const live = first + count === steps ? layoutOf(data.length, 3).liveInLastStep : 3;
        await model.encodeSteps(rows.slice(3 * first, 3 * (first + count)), count, live);
        first += count;
      }
      expect((await model.takePayloads()).map(hex)).toEqual(groups.map(hex));
      const back = new Uint8Array(rows.length);
      const decoder = await GpuMixer.open(gpu(), hyper, undefined, { invocations, ...limits });
      await decoder.openPayloads(groups);
      const [half, live] = [steps >> 1, layoutOf(data.length, 3).liveInLastStep];
      // The second call comes before the first has ended.
      const calls = [
        decoder.decodeSteps(back.subarray(0, 3 * half), half, 3),
        decoder.decodeSteps(back.subarray(3 * half), steps - half, live),
      ];
      await Promise.all(calls);
      await decoder.finishPayloads();
      expect(hex(back)).toBe(hex(rows));
      for (const lane of [0, 1, 2]) expect(await gpuStateOf(decoder, lane)).toEqual(await gpuStateOf(model, lane));
      await Promise.all([model.close(), decoder.close()]);
    },
  );

  test.each([0, 4])(
    "blocks of several kinds, one of them learned only; other engines make the same, %d counters",
    async (counters) => {
      const hyper = shapeOf(2, 10, 8, counters);
      const blocks: readonly { readonly bytes: Uint8Array; readonly stride: number }[] = [
        { bytes: file("text.bin", 400), stride: 0 },
        { bytes: dataOf("picture").slice(0, 300), stride: 90 },
        { bytes: Uint8Array.of(7), stride: 0 },
        { bytes: dataOf("letters").slice(0, 200), stride: 1 },
        { bytes: dataOf("stereo").slice(0, 203), stride: 3 },
        { bytes: file("text.bin", 400), stride: 0 },
      ];
      const coded: Record<string, string[][]> = {};
      for (const each of [engine, await createCpuEngine({ threads: 1 })]) {
        const compressor = await BlockCompressor.open(each, hyper, ALONE);
        coded[each.name] = [];
        for (const { bytes, stride } of blocks) {
          coded[each.name]?.push((await compressor.compress(bytes, { stride })).groups.map(hex));
        }
        await compressor.close();
      }
      expect(coded.gpu).toEqual(coded.cpu as string[][]);
      const decompressor = await BlockDecompressor.open(engine, hyper, ALONE);
      for (const [i, { bytes, stride }] of blocks.entries()) {
        if (i === 1) await decompressor.learn(bytes, { stride });
        else {
          const groups = ((coded.cpu as string[][])[i] as string[]).map(
            (group) => new Uint8Array(Buffer.from(group, "hex")),
          );
          expect(hex(await decompressor.decompress(bytes.length, groups, { stride }))).toBe(hex(bytes));
        }
      }
      await decompressor.close();
    },
  );

  test.each([0, 2])("behind a prior of stride %d", async (stride) => {
    const [contexts, lineBits] = [20, 8];
    const content = stride === 0 ? file("text.bin", 701) : dataOf("mono").slice(0, 701);
    const teacher = new MixerLane({ contexts, lineBits: 6 });
    teacher.begin();
    teacher.study(dataOf("mixed").slice(0, 300));
    const prior: LanePrior = { contexts, stride, content, trained: teacher.trained() };
    const judge = new ReferenceLane({ contexts, lineBits });
    judge.seed(prior);
    const model = await GpuMixer.open(gpu(), shapeOf(1, contexts, lineBits), prior);
    expect(await gpuStateOf(model, 0)).toEqual(withoutInputs(judge));
    for (const bytes of [file("text.bin", 900).slice(700), dataOf("rows").slice(0, 100)]) {
      judge.begin();
      judge.encode(bytes);
      await model.beginPayloads(1, ALONE);
      await model.encodeSteps(bytes, bytes.length, 1);
      expect((await model.takePayloads()).map(hex)).toEqual([hex(judge.finishEncoding())]);
      expect(await gpuStateOf(model, 0)).toEqual(withoutInputs(judge));
    }
    await model.close();
    const other = { ...prior, contexts: 19 };
    await expect(GpuMixer.open(gpu(), shapeOf(1, contexts, lineBits), other)).rejects.toThrow("a prior of 19 contexts");
    const counted = GpuMixer.open(gpu(), shapeOf(1, contexts, lineBits, 4), prior);
    await expect(counted).rejects.toThrow("0 of them with counters");
  });

  test.each([
    [0, 0],
    [2, 0],
    [0, 8],
  ])("lanes that are reminded between bytes, with stride %d and %d counters", async (stride, counters) => {
    const hyper = shapeOf(2, 20, counters > 0 ? 5 : 8, counters);
    const data = (stride === 0 ? file("text.bin", 900) : dataOf("mono")).slice(-241);
    const steps = 121;
    const rows = gatherSteps(data, layoutOf(data.length, 2), 0, steps);
    const cues: Cue[][] = [
      [
        { at: 0, bytes: dataOf("lines").slice(0, 41) },
        { at: 17, bytes: dataOf("text").slice(0, 30) },
        { at: 17, bytes: Uint8Array.of(10) },
      ],
      [{ at: 99, bytes: dataOf("mixed").slice(0, 90) }],
    ];
    const judge = await reference.openModel(hyper);
    const [coding, decoding] = [await GpuMixer.open(gpu(), hyper), await GpuMixer.open(gpu(), hyper)];
    for (const model of [judge, coding, decoding]) await model.describe({ stride });
    const payloads: string[][] = [];
    for (const model of [judge, coding]) {
      await model.beginPayloads(2, ALONE);
      await model.cue?.(cues);
      await model.encodeSteps(rows.subarray(0, 36), 18, 2);
      await model.encodeSteps(rows.subarray(36), steps - 18, 1);
      payloads.push((await model.takePayloads()).map(hex));
    }
    expect(payloads[1]).toEqual(payloads[0] as string[]);
    const back = new Uint8Array(rows.length).fill(99);
    await decoding.openPayloads((payloads[0] as string[]).map((each) => new Uint8Array(Buffer.from(each, "hex"))));
    await decoding.cue(cues);
    await decoding.decodeSteps(back, steps, 1);
    await decoding.finishPayloads();
    expect(hex(back)).toBe(hex(rows));
    for (const lane of [0, 1]) {
      const own = new ReferenceLane({ contexts: 20, lineBits: hyper.mixerBits, counters });
      const cued = new CuedLane(own);
      cued.describe(stride);
      cued.begin();
      cued.cue(cues[lane] as Cue[]);
      cued.encode(rows.filter((_, i) => i % 2 === lane).slice(0, steps - lane));
      for (const model of [coding, decoding]) expect(await gpuStateOf(model, lane)).toEqual(withoutInputs(own));
    }
    await Promise.all([coding.close(), decoding.close()]);
  });

  test("payloads that nobody wrote end as they do on the CPU", async () => {
    const hyper = shapeOf(2, 6, 8);
    const bytes = dataOf("mixed").slice(0, 160);
    const cpu = await createCpuEngine({ threads: 1 });
    const { groups } = await compressBlock(cpu, hyper, bytes, ALONE);
    const [first, second] = groups as [Uint8Array, Uint8Array];
    const damaged = first.slice();
    (damaged[5] as number) ^= 64;
    const cases = [
      [first, new Uint8Array([...second, 1])],
      [first.subarray(0, -9), second],
      [new Uint8Array(0), new Uint8Array(0)],
      [damaged, second],
      [first],
    ];
    const outcome = (each: Engine, payloads: readonly Uint8Array[]) =>
      decompressBlock(each, hyper, bytes.length, payloads, ALONE).then(hex, (error: unknown) => ({ error }));
    for (const payloads of cases) expect(await outcome(engine, payloads)).toEqual(await outcome(cpu, payloads));
    expect(await outcome(engine, groups)).toBe(hex(bytes));
    // Nothing was decoded of what is there.
    const model = await GpuMixer.open(gpu(), hyper);
    await model.openPayloads([Uint8Array.of(1), new Uint8Array(0)]);
    await expect(model.finishPayloads()).rejects.toMatchObject({ reason: "data-too-long", group: 0 });
    await model.close();
  });

  test("lanes with counters are on the device", async () => {
    const model = await engine.openModel(shapeOf(1, 4, 8, 4));
    expect((model as ForeseeingMixer).isOnDevice).toBe(true);
    await model.close();
  });

  describe("a block that is foreseen goes over to the host, with what lanes have learnt", () => {
    const [plain, later] = [dataOf("text").slice(0, 260), dataOf("rows").slice(0, 160)];
    const seen = foreseenBlock();
    // Of all three blocks, so that lines which are begun on either side have some.
    const TALLIES = encodeTallies(wildTallies(new Uint8Array([...plain, ...seen.bytes, ...later]), 8));
    const TOLD: LanePrior = { contexts: 8, stride: 0, content: file("text.bin", 300) };
    const cases: readonly [string, HyperParameters, LanePrior | undefined, GpuMixerOptions][] = [
      ["one lane", shapeOf(1, 10, 8), undefined, {}],
      ["two lanes, with counters, on two threads", shapeOf(2, 12, 8, 5), undefined, {}],
      ["rows of the refining map apart", shapeOf(3, 12, 8), undefined, { bufferBytesMax: 9_500_000 }],
      ["behind a prior", shapeOf(1, 8, 8), TOLD, {}],
      ["behind tallies, on two threads", shapeOf(3, 8, 8), { ...TOLD, skimmedBytes: 200, tallies: TALLIES }, {}],
      ["the same with counters", shapeOf(2, 8, 8, 3), { ...TOLD, counters: 3, tallies: TALLIES }, {}],
    ];

    test.each(cases)("%s", async (_, hyper, prior, limits) => {
      const judge = await (await createCpuEngine({ threads: 1 })).openModel(hyper, undefined, prior);
      const open = async () =>
        new ForeseeingMixer(await GpuMixer.open(gpu(), hyper, prior, limits), {
          engine: "gpu",
          threads: 2,
          ...(prior && { prior }),
        });
      const [coding, decoding, beginning] = [await open(), await open(), await open()];
      const first = await payloadsOf(judge, plain);
      expect(await payloadsOf(coding, plain)).toEqual(first);
      expect(coding.isOnDevice).toBe(true);
      const foreseen = await payloadsOf(judge, seen.bytes, seen.foreseen);
      expect(await payloadsOf(coding, seen.bytes, seen.foreseen)).toEqual(foreseen);
      expect(coding.isOnDevice).toBe(false);
      const last = await payloadsOf(judge, later);
      expect(await payloadsOf(coding, later)).toEqual(last);
      expect(await bytesOf(decoding, first, plain.length)).toBe(hex(plain));
      expect(await bytesOf(decoding, foreseen, seen.bytes.length, seen.foreseen)).toBe(hex(seen.bytes));
      expect(await bytesOf(decoding, last, later.length)).toBe(hex(later));
      const fresh = await (await createCpuEngine({ threads: 1 })).openModel(hyper, undefined, prior);
      const alone = await payloadsOf(fresh, seen.bytes, seen.foreseen);
      expect(await payloadsOf(beginning, seen.bytes, seen.foreseen)).toEqual(alone);
      await Promise.all([judge, fresh, coding, decoding, beginning].map((model) => model.close()));
    });

    test("pixels that no lane foresees stay on the device", async () => {
      const model = await engine.openModel(shapeOf(3, 4, 8));
      const across = { stretches: [{ ...seen.across, gapBytes: 1 }], seenBytes: seen.bytes.length };
      await model.describe({ stride: 0 }, across);
      expect((model as ForeseeingMixer).isOnDevice).toBe(true);
      await model.close();
    });
  });

  test("a lane that fits into no buffer is an error, or is left to threads", async () => {
    const [hyper, bytes, bufferBytesMax] = [shapeOf(2, 4, 8), dataOf("lines").slice(0, 100), 1 << 20];
    await expect(engineOn(gpu(), { bufferBytesMax }).openModel(hyper)).rejects.toBeInstanceOf(EngineLimitError);
    const { groups } = await compressBlock(engineOn(gpu(), { bufferBytesMax, spareThreads: 1 }), hyper, bytes, ALONE);
    expect(groups.map(hex)).toEqual((await compressBlock(reference, hyper, bytes, ALONE)).groups.map(hex));
  });

  test("a device that is lost", async () => {
    const lost = await openTestDevice(which);
    const model = await GpuMixer.open(lost, shapeOf(1, 4, 8));
    await model.beginPayloads(1, ALONE);
    const encoding = model.encodeSteps(new Uint8Array(200), 200, 1).catch((error: unknown) => error);
    lost.device.destroy();
    expect(await encoding).toBeInstanceOf(EngineDeviceError);
    await model.close();
  });
});

test("a dispatch takes whole words of a lane, however many lanes there are", () => {
  for (let lanes = 1; lanes <= LANES_MAX; lanes++) {
    expect(mixerChunk(lanes) % 4).toBe(0);
    expect(mixerChunk(lanes)).toBeGreaterThanOrEqual(64);
  }
});

/**
 * Lanes on GPUs behind priors with tallies, with ==: payloads and whole states against the reference, of lanes, blocks
 * and ways that rows lie; what one engine wrote, restored by the others. What the device looks tallies up in is held
 * against the reference for every tally of a built-in prior.
 */
import { describe, expect, test } from "bun:test";
import { mix32 } from "../../../src/contract/fixed.ts";
import { type HyperParameters, NO_NETWORK, WITHOUT } from "../../../src/contract/hyper.ts";
import type { LanePrior } from "../../../src/contract/prior.ts";
import { bucketBitsOf, tallyCounts, tallyLayout } from "../../../src/contract/tally.ts";
import { type Engine, EngineLimitError } from "../../../src/engine/engine.ts";
import { TALLY_HEADS, TALLY_RECORD_WORDS } from "../../../src/engine/gpu/mixer-layout.ts";
import { tallyWords } from "../../../src/engine/gpu/mixer-tallies.ts";
import { buildMixer } from "../../../src/engine/mixer/assembly/build.ts";
import { CuedLane } from "../../../src/engine/mixer/cued-lane.ts";
import { createReferenceEngine } from "../../../src/engine/reference/engine.ts";
import { ReferenceLane } from "../../../src/engine/reference/mixer.ts";
import { TallyBook } from "../../../src/engine/reference/mixer-tallies.ts";
import { BlockCompressor } from "../../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../../src/pipeline/decompress.ts";
import { gatherSteps, layoutOf } from "../../../src/pipeline/streams.ts";
import { builtInPrior, PRESENT_FIRST } from "../../../src/prior/built-in.ts";
import { fitPrior } from "../../../src/prior/fit.ts";
import { encodeTallies, type Tally } from "../../../src/prior/tally-bytes.ts";
import { testAdapters } from "../../setup/adapters.ts";
import { testDevice } from "../../support/gpu-device.ts";
import { gpuStateOf } from "../../support/gpu-lane.ts";
import { stateOf } from "../../support/lane-state.ts";
import { dataOf, file } from "../../support/mixer-cases.ts";
import { wildTallies } from "../../support/tallies.ts";

buildMixer();
const { engineOn } = await import("../../../src/engine/gpu/engine.ts");
const { GpuMixer } = await import("../../../src/engine/gpu/mixer.ts");
type GpuMixerOptions = import("../../../src/engine/gpu/mixer.ts").GpuMixerOptions;
type ForeseeingMixer = import("../../../src/engine/gpu/foreseeing-mixer.ts").ForeseeingMixer;
const { laneRange } = await import("../../../src/engine/mixer/model.ts");
const { createCpuEngine } = await import("../../../src/engine/cpu/engine.ts");

const ALONE = { workers: 1 };
const reference = createReferenceEngine();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const TEXT = file("text.bin", 1400);
const BINARY = dataOf("code").slice(0, 240);

function shapeOf(streams: number, mixerContexts: number, mixerBits: number, mixerCounters = 0): HyperParameters {
  return { ...WITHOUT, ...NO_NETWORK, streams, mixerContexts, mixerBits, mixerCounters };
}

/** A prior of one's own, whose tallies are of what lanes meet, and wrong. */
function ownPrior(contexts: number, counters = 0): LanePrior {
  const tallies = wildTallies(new Uint8Array([...TEXT.slice(200, 900), ...BINARY]), contexts);
  // Contexts with so few that all are in one bucket, or in two.
  const [few, some] = [tallies[1]?.slice(0, 3) ?? [], tallies[3]?.slice(0, 7) ?? []];
  const cut = tallies.map((own, i) => (i === 1 ? few : i === 3 ? some : own));
  const content = TEXT.slice(0, 300);
  return { contexts, counters, stride: 0, content, skimmedBytes: 180, tallies: encodeTallies(cut) };
}

/** Five million bytes of them on the device. */
function manyTallies(): Tally[][] {
  const hashes = Array.from({ length: 20_000 }, (_, i) => i * 2 ** 17);
  const followers = Array.from({ length: 16 }, (_, i) => [17 * i, 1] as const);
  return [hashes.map((hash) => ({ hash, followers })), [], [], []];
}

const PROSE = builtInPrior(PRESENT_FIRST) as LanePrior;
const EXECUTABLES = builtInPrior(PRESENT_FIRST + 5) as LanePrior;

/** All areas but what the GPU makes anew (gpu-lane.ts). */
function withoutInputs(lane: ReferenceLane): Record<string, string> {
  const { mapInputs: _, ...others } = stateOf(lane);
  return others;
}

describe("what the device looks up", () => {
  /** The states of a line, as mixer_tallies.wgsl finds them. */
  function statesIn(words: Uint32Array, context: number, hash: number, half: number): Uint8Array | undefined {
    const at = (place: number) => words[place - TALLY_HEADS] as number;
    const digits = words[2 * context] as number;
    if (digits === 0) return undefined;
    const bucket = (words[2 * context + 1] as number) + Math.floor(hash / 2 ** (33 - digits));
    const mark = (hash << (digits - 1)) >>> 16;
    for (let record = at(bucket); record < at(bucket + 1); record += TALLY_RECORD_WORDS) {
      if ((at(record) & 0xffff) !== mark) continue;
      const halves = at(record) >>> 16;
      const before = half === 0 ? [] : Array.from({ length: half - 1 }, (_, i) => (halves >> i) & 1);
      const line = half === 0 ? 0 : 1 + before.reduce((sum, bit) => sum + bit, 0);
      if (half > 0 && !((halves >> (half - 1)) & 1)) return new Uint8Array(16);
      const from = 4 * (at(record + 1) - TALLY_HEADS + 4 * line);
      return new Uint8Array(words.buffer).slice(from, from + 16);
    }
    return undefined;
  }

  /** A hash of each tally, and for each context one of chance. */
  function hashesOf(tallies: Uint8Array, contexts: number): (readonly [context: number, hash: number])[] {
    const counts = tallyCounts(tallies, contexts);
    const { bucketsAt, marksAt } = tallyLayout(counts, 0);
    const marks = new DataView(tallies.buffer, tallies.byteOffset + marksAt);
    const hashes: (readonly [number, number])[] = [];
    let [bucket, tally] = [bucketsAt, 0];
    for (const [context, count] of counts.entries()) {
      hashes.push([context, mix32(context)]);
      const bits = bucketBitsOf(count);
      for (let number = 0; count > 0 && number < 2 ** bits; number++, bucket++) {
        for (let left = tallies[bucket] as number; left > 0; left--, tally++) {
          hashes.push([context, number * 2 ** (32 - bits) + marks.getUint16(2 * tally, true) * 2 ** (16 - bits)]);
        }
      }
    }
    return hashes;
  }

  test.each([
    ["prose", PROSE],
    ["executables", EXECUTABLES],
    ["one's own", ownPrior(12)],
  ] as const)("says what the reference says: %s", (_, { contexts, tallies = new Uint8Array(0) }) => {
    const book = new TallyBook(tallies, contexts);
    const words = tallyWords(tallies, contexts);
    const hashes = hashesOf(tallies, contexts);
    const differing = hashes.filter(([context, hash], i) =>
      [0, 1 + (i % 16), 1 + ((i * 7 + 3) % 16)].some((half) => {
        const [found, wanted] = [statesIn(words, context, hash, half), book.states(context, hash, half)];
        return !found !== !wanted || (found && wanted && hex(found) !== hex(wanted));
      }),
    );
    expect(differing).toEqual([]);
    expect(hashes.length).toBeGreaterThan(tallyCounts(tallies, contexts).reduce((sum, count) => sum + count, 0));
  });
});

/** A lane's part of a block. */
const partOf = (bytes: Uint8Array, lanes: number, lane: number) =>
  bytes.subarray(...laneRange(bytes.length, lanes, lane));

/** Blocks, one of which is only learned. */
const BLOCKS = [
  { bytes: TEXT.slice(300, 800), stride: 0 },
  { bytes: BINARY, stride: 0, isLearned: true },
  { bytes: dataOf("rows").slice(0, 151), stride: 12 },
  { bytes: new Uint8Array([...BINARY.slice(100), ...TEXT.slice(700, 900)]), stride: 0 },
] as const;

describe.each(testAdapters)("on %s", (which) => {
  const gpu = testDevice(which);

  /** Closing it would destroy the device. */
  const engine: Engine = {
    name: "gpu",
    description: which,
    openModel: async (...parameters) => {
      const model = await engineOn(gpu(), {}).openModel(...parameters);
      expect((model as ForeseeingMixer).isOnDevice).toBe(true);
      return model;
    },
    close: async () => {},
  };

  test.each<[lanes: number, contexts: number, lineBits: number, counters: number, banks: number, GpuMixerOptions]>([
    [1, 28, 4, 0, 1, {}],
    [3, 12, 10, 0, 1, { invocations: 32 }],
    [3, 12, 6, 0, 2, { invocations: 32, bufferBytesMax: 12_500_000, storageBuffersMax: 8 }],
    // The rows of the refining map in buffers of their own.
    [3, 12, 8, 0, 1, { bufferBytesMax: 9_500_000 }],
    [2, 28, 5, 8, 1, {}],
    [3, 8, 8, 8, 1, { bufferBytesMax: 6_000_000 }],
  ])("%d lanes of %d contexts, 2^%d lines, %d counters, %d banks: states and payloads", async (lanes, ...rest) => {
    const [contexts, lineBits, counters, banks, options] = rest;
    const prior = ownPrior(contexts, counters);
    const judges = Array.from({ length: lanes }, () => new ReferenceLane({ contexts, lineBits, counters }));
    for (const judge of judges) judge.seed(prior);
    const model = await GpuMixer.open(gpu(), shapeOf(lanes, contexts, lineBits, counters), prior, options);
    expect(model.bankCount).toBe(banks);
    const expectSame = async () => {
      for (const [lane, judge] of judges.entries()) {
        expect(await gpuStateOf(model, lane)).toEqual(withoutInputs(judge));
      }
    };
    await expectSame();
    for (const { bytes, stride, ...block } of BLOCKS) {
      const layout = layoutOf(bytes.length, lanes);
      const rows = gatherSteps(bytes, layout, 0, layout.steps);
      const cues = judges.map(() => [{ at: 20, bytes: TEXT.slice(880, 930) }]);
      const cued = judges.map((judge) => new CuedLane(judge));
      await model.describe({ stride });
      for (const lane of cued) lane.describe(stride);
      if ("isLearned" in block) {
        await model.beginLearning();
        await model.learnSteps(rows, layout.steps, layout.liveInLastStep);
        for (const [lane, own] of cued.entries()) {
          own.begin();
          own.study(partOf(bytes, lanes, lane));
        }
      } else {
        await model.beginPayloads(lanes, ALONE);
        await model.cue(cues);
        await model.encodeSteps(rows, layout.steps, layout.liveInLastStep);
        const payloads = cued.map((own, lane) => {
          own.begin();
          own.cue(cues[lane] ?? []);
          own.encode(partOf(bytes, lanes, lane));
          return hex(own.finishEncoding());
        });
        expect((await model.takePayloads()).map(hex)).toEqual(payloads);
      }
      await expectSame();
    }
    await model.close();
  });

  test.each([
    ["prose", PROSE],
    ["executables", EXECUTABLES],
    ["one's own", ownPrior(20)],
    ["prose of six contexts", fitPrior(PROSE, { contexts: 6, counters: 0 })],
    ["prose of 28, 8 with counters", fitPrior(PROSE, { contexts: 28, counters: 8 })],
  ])("blocks behind %s: the same from all engines, and each restores them", async (_, prior) => {
    const hyper = shapeOf(2, prior.contexts, 9, prior.counters);
    const engines = [reference, await createCpuEngine({ threads: 2 }), engine];
    const coded: string[][][] = [];
    for (const each of engines) {
      const compressor = await BlockCompressor.open(each, hyper, { ...ALONE, prior });
      const groups: string[][] = [];
      for (const { bytes, stride } of BLOCKS)
        groups.push((await compressor.compress(bytes, { stride })).groups.map(hex));
      coded.push(groups);
      await compressor.close();
    }
    expect(coded[1]).toEqual(coded[0] as string[][]);
    expect(coded[2]).toEqual(coded[0] as string[][]);
    for (const each of engines) {
      const decompressor = await BlockDecompressor.open(each, hyper, { ...ALONE, prior });
      for (const [i, { bytes, stride, ...block }] of BLOCKS.entries()) {
        if ("isLearned" in block) {
          await decompressor.learn(bytes, { stride });
          continue;
        }
        const groups = coded[0]?.[i]?.map((group) => new Uint8Array(Buffer.from(group, "hex"))) ?? [];
        expect(hex(await decompressor.decompress(bytes.length, groups, { stride }))).toBe(hex(bytes));
      }
      await decompressor.close();
    }
  });

  test("tallies that fit into no buffer are an error, or are left to threads", async () => {
    const [hyper, bufferBytesMax] = [shapeOf(1, 4, 8), 5_000_000];
    const prior = { contexts: 4, stride: 0, content: new Uint8Array(0), tallies: encodeTallies(manyTallies()) };
    const opened = engineOn(gpu(), { bufferBytesMax }).openModel(hyper, undefined, prior);
    await expect(opened).rejects.toThrow(/the mixer needs a buffer of \d+ bytes \(tallies\)/);
    await expect(opened).rejects.toBeInstanceOf(EngineLimitError);
    const onHost = await engineOn(gpu(), { bufferBytesMax, spareThreads: 1 }).openModel(hyper, undefined, prior);
    expect("isOnDevice" in onHost).toBe(false);
    await onHost.close();
    const { tallies: _, ...without } = prior;
    const onDevice = await engineOn(gpu(), { bufferBytesMax }).openModel(hyper, undefined, without);
    await onDevice.close();
  });
});

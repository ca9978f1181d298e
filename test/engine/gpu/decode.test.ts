/**
 * Decoding on the device against the host's coder, with ==: the kernel alone on tables and payloads of every kind, and
 * whole blocks of the reference's archives, damaged ones too, which must end in the error that the host's coder throws.
 */
import { describe, expect, test } from "bun:test";
import { CorruptDataError } from "../../../src/coder/errors.ts";
import { decodeGroup, shareOfGroup } from "../../../src/coder/groups.ts";
import { RangeDecoder, RangeEncoder } from "../../../src/coder/range.ts";
import { FREQUENCY_TOTAL } from "../../../src/contract/frequency.ts";
import { type HyperParameters, TRAIN_ALWAYS_STEPS } from "../../../src/contract/hyper.ts";
import { type Engine, EngineDeviceError } from "../../../src/engine/engine.ts";
import { CODER_FIELDS, initialCoder, PAYLOAD_BYTES_MAX } from "../../../src/engine/gpu/decoder.ts";
import { GpuModel, type ModelOptions } from "../../../src/engine/gpu/model.ts";
import { HARDWARE_DECODE_LANES, SOFTWARE_DECODE_LANES, SOFTWARE_TILE } from "../../../src/engine/gpu/path.ts";
import { createReferenceEngine, ReferenceModel } from "../../../src/engine/reference/engine.ts";
import { BlockCompressor } from "../../../src/pipeline/compress.ts";
import { BlockDecompressor } from "../../../src/pipeline/decompress.ts";
import { openTestDevice, testAdapters } from "../../setup/adapters.ts";
import { tinyHyper } from "../../support/fake-engine.ts";
import { testDevice } from "../../support/gpu-device.ts";
import { type Arrays, GpuHarness } from "../../support/gpu-harness.ts";
import { Random } from "../../support/gpu-values.ts";
import { compressBlock, decompressBlock } from "../../support/in-memory.ts";
import { expectSameState } from "../../support/same-state.ts";
import { trainingBytes } from "../../support/text.ts";
import { controlWith, PAST_ROWS, shapeWith } from "./cases/case.ts";

const LANES = [SOFTWARE_DECODE_LANES, HARDWARE_DECODE_LANES] as const;
const ALONE = { workers: 1 };
const CHUNK_STEPS = 16;

/** Cumulative frequencies of one stream: every byte has one count, a few share the rest, or what is left of it. */
function drawTable(random: Random): number[] {
  const counts = new Array<number>(256).fill(1);
  let spare = random.between(0, 3) === 0 ? random.between(0, FREQUENCY_TOTAL - 256) : FREQUENCY_TOTAL - 256;
  const heirs = [1, 2, 30, 256][random.between(0, 3)] as number;
  for (let i = 0; i < heirs; i++) {
    const part = i === heirs - 1 ? spare : random.between(0, Math.floor((2 * spare) / heirs));
    const heir = [0, 255, random.between(0, 255), i][random.between(0, 3)] as number;
    counts[heir] = (counts[heir] as number) + Math.min(part, spare);
    spare -= Math.min(part, spare);
  }
  let end = 0;
  return counts.map((count) => {
    end += count;
    return end;
  });
}

/** After two of its bytes the range is 2^32, just too small. */
const EVEN_TABLE = Array.from({ length: 256 }, (_, byte) => (byte + 1) * (FREQUENCY_TOTAL / 256));

interface KernelInputs {
  readonly streams: number;
  readonly groups: number;
  readonly live: readonly number[];
  /** Of each step. */
  readonly tables: readonly Uint32Array[];
  readonly payloads: readonly Uint8Array[];
}

/** A kernel to each, so they are few. */
const STREAMS = [41, 6, 1];

/** Payloads that an encoder wrote, or that are cut or noise. */
function drawInputs(seed: number): KernelInputs {
  const random = new Random(seed);
  const streams = STREAMS[seed % STREAMS.length] as number;
  const groups = random.between(1, Math.min(streams, 5));
  const live = [streams, streams, random.between(1, streams)];
  const table = seed % 7 === 3 ? () => EVEN_TABLE : drawTable;
  const tables = live.map(() => Uint32Array.from(Array.from({ length: streams }, () => table(random)).flat()));
  const payloads = Array.from({ length: groups }, (_, group) => {
    const { first, end } = shareOfGroup(group, groups, streams);
    const encoder = new RangeEncoder();
    for (const [step, table] of tables.entries()) {
      for (let b = first; b < Math.min(end, live[step] as number); b++) {
        const symbol = random.between(0, 255);
        const start = symbol === 0 ? 0 : (table[b * 256 + symbol - 1] as number);
        encoder.encode(start, (table[b * 256 + symbol] as number) - start);
      }
    }
    const payload = encoder.finish();
    const kind = random.between(0, 5);
    if (kind === 0) return payload.slice(0, random.between(0, payload.length));
    if (kind === 1) return payload.map(() => random.between(0, 255));
    return payload;
  });
  return { streams, groups, live, tables, payloads };
}

/** What the host's coder makes of them: the bytes of each step, and how each group failed. */
function decodedOnHost({ streams, groups, live, tables, payloads }: KernelInputs) {
  const decoders = payloads.map((payload, group) => new RangeDecoder(payload, group));
  const failures: (readonly [number, CorruptDataError] | undefined)[] = payloads.map(() => undefined);
  const rows = tables.map((table, step) => {
    const row = new Uint8Array(streams);
    for (const [group, decoder] of decoders.entries()) {
      if (failures[group]) continue;
      try {
        decodeGroup(decoder, shareOfGroup(group, groups, streams), table, live[step] as number, row);
      } catch (error) {
        failures[group] = [step, error as CorruptDataError];
      }
    }
    return row;
  });
  return { rows, failures };
}

const numberOf = (coders: Int32Array, group: number, name: keyof typeof CODER_FIELDS) =>
  (coders[group * CODER_FIELDS.CODER_FIELDS + CODER_FIELDS[name]] as number) >>> 0;

/** The kernel alone, step by step; the ring is full of noise, and the steps go around its end. */
async function decodedOnDevice(harness: GpuHarness, inputs: KernelInputs, lanes: number) {
  const { streams, groups, live, tables, payloads } = inputs;
  const shape = shapeWith({ streams });
  const rowWords = Math.ceil(streams / 4);
  let start = 0;
  const packed = new Uint8Array(payloads.reduce((sum, { length }) => sum + 4 * Math.ceil(length / 4), 4));
  let coders = Int32Array.from(
    payloads.flatMap((payload) => {
      packed.set(payload, start);
      const coder = initialCoder(payload, start);
      start += 4 * Math.ceil(payload.length / 4);
      return coder;
    }),
  );
  const noise = new Random(streams);
  let bytes = Int32Array.from({ length: PAST_ROWS * rowWords }, () => noise.next());
  const before = new Uint8Array(bytes.slice().buffer);
  const firstStep = 3 * PAST_ROWS - 2;
  for (const [i, table] of tables.entries()) {
    const arrays: Arrays = {
      ends: new Int32Array(table),
      payloads: new Int32Array(packed.buffer),
      control: controlWith(shape, { [shape.places.step]: firstStep + i }),
      live: Int32Array.of(firstStep + tables.length - 1, live[i] as number),
      coders,
      bytes,
    };
    const constants = { ...CODER_FIELDS, LANES: lanes };
    const run = { kernel: "decode", shared: shape.shared, constants, workgroups: [groups, 1, 1] } as const;
    const written = await harness.run(run, arrays);
    coders = written.coders as Int32Array<ArrayBuffer>;
    bytes = written.bytes as Int32Array<ArrayBuffer>;
  }
  const after = new Uint8Array(bytes.buffer);
  const rows = tables.map((_, i) => {
    const at = ((firstStep + i) % PAST_ROWS) * rowWords * 4;
    return after.slice(at, at + streams);
  });
  // Nothing but those bytes has changed.
  for (const [i, row] of rows.entries()) before.set(row, ((firstStep + i) % PAST_ROWS) * rowWords * 4);
  expect(Buffer.compare(before, after)).toBe(0);
  return { rows, coders, firstStep };
}

/** The kernel's numbers of reasons. */
const REASONS = ["", "value-outside-table", "data-too-short"];
const KERNEL_ROUNDS = 42;

/** 33 streams in three groups: shares that are no whole words. */
const SHAPE: HyperParameters = tinyHyper(33);
const GROUPS = 3;
const RECALL = { contexts: 4, tables: 2, slotBits: 8, tableBits: 8 };

describe.each(testAdapters)("decoding on %s", (which) => {
  const gpu = testDevice(which);

  /** An engine of models that all have these options. */
  const engineWith = (options: ModelOptions): Engine => ({
    name: "gpu",
    description: which,
    openModel: (hyper) => GpuModel.open(gpu(), hyper, CHUNK_STEPS, options),
    close: async () => {},
  });

  test.each(LANES)("the kernel with %i invocations, on any tables and payloads", async (lanes) => {
    const harness = new GpuHarness(gpu().device);
    const seen = new Set<string>();
    for (let round = 0; round < KERNEL_ROUNDS; round++) {
      const inputs = drawInputs(round);
      const { rows, failures } = decodedOnHost(inputs);
      const actual = await decodedOnDevice(harness, inputs, lanes);
      for (const [group, failure] of failures.entries()) {
        const reason = REASONS[numberOf(actual.coders, group, "CODER_FAILURE")] as string;
        expect(reason).toBe(failure?.[1].reason ?? "");
        seen.add(reason);
        if (failure === undefined) continue;
        expect(numberOf(actual.coders, group, "CODER_FAILED_STEP")).toBe(actual.firstStep + failure[0]);
        expect(numberOf(actual.coders, group, "CODER_POSITION")).toBe(failure[1].positionBytes);
      }
      expect(actual.rows).toEqual(rows);
    }
    expect([...seen].sort()).toEqual([...REASONS].sort());
  });

  describe.each([
    ["fused, one invocation a group", { path: SOFTWARE_TILE, decoder: SOFTWARE_DECODE_LANES }],
    ["a kernel to a box, many invocations a group", { path: "boxes", decoder: HARDWARE_DECODE_LANES }],
  ] as const)("%s", (_title, options) => {
    test("blocks of the reference's archive, strides and learned blocks between them", async () => {
      const hyper = { ...SHAPE, ...RECALL };
      const reference = createReferenceEngine();
      const compressor = await BlockCompressor.open(reference, hyper, { ...ALONE, groups: GROUPS });
      const decompressor = await BlockDecompressor.open(engineWith(options), hyper, ALONE);
      // The last step full; with one stream; with one stream less than all; one step; nothing.
      const sizes = [33 * 20, 33 * 17 + 1, 33 * 40 - 1, 32, 0];
      const strides = [0, 3, 3, 0, 0];
      for (const [i, size] of sizes.entries()) {
        const data = trainingBytes(size, 1);
        const kind = { stride: strides[i] as number };
        const { groups } = await compressor.compress(data, kind);
        // The third is known otherwise: the model is only led through it.
        if (i === 2) await decompressor.learn(data, kind);
        else expect(await decompressor.decompress(size, groups, kind)).toEqual(data);
      }
      await compressor.close();
      await decompressor.close();
    });

    test("the model ends in the state of the reference", async () => {
      const hyper = { ...SHAPE, ...RECALL };
      const steps = 2 * CHUNK_STEPS + 5;
      const bytes = trainingBytes(steps, hyper.streams);
      const { groups } = await compressBlock(createReferenceEngine(), hyper, stored(bytes, hyper.streams), {
        ...ALONE,
        groups: GROUPS,
      });
      const reference = new ReferenceModel(hyper);
      await reference.fillIntervals(bytes, steps, new Uint32Array(2 * bytes.length));
      const model = await GpuModel.open(gpu(), hyper, CHUNK_STEPS, options);
      await model.openPayloads(groups, { workers: 1 });
      expect(model.decodesOnDevice).toBe(true);
      const restored = new Uint8Array(bytes.length);
      await model.decodeSteps(restored, steps, hyper.streams); // three submits
      await model.finishPayloads();
      expect(Buffer.compare(restored, bytes)).toBe(0);
      await expectSameState(model, reference.state);
      await model.close();
    });

    test("steps in which the network does not train", async () => {
      const hyper = { ...tinyHyper(8), ...RECALL, trainEvery: 3 };
      const late = { ...options, firstStep: TRAIN_ALWAYS_STEPS - 13 };
      const data = trainingBytes(8 * 50, 1);
      const host = engineWith({ ...late, decoder: "host" });
      const { groups } = await compressBlock(host, hyper, data, ALONE);
      expect(await decompressBlock(engineWith(late), hyper, data.length, groups, ALONE)).toEqual(data);
    });
  });

  const options = { decoder: SOFTWARE_DECODE_LANES } as const;

  /** What decoding ends in: bytes, or the facts of an error. */
  async function outcome(decoder: "host" | number, payloads: readonly Uint8Array[], size: number): Promise<unknown> {
    return await decompressBlock(engineWith({ decoder }), SHAPE, size, payloads, ALONE).catch((error: unknown) => {
      if (!(error instanceof CorruptDataError)) throw error;
      const { reason, group, positionBytes, message } = error;
      return { reason, group, positionBytes, message };
    });
  }

  test("damaged payloads end in the error, or the bytes, of the host's coder", async () => {
    const size = 33 * 18 + 7;
    const data = trainingBytes(size, 1);
    const { groups } = await compressBlock(engineWith(options), SHAPE, data, { ...ALONE, groups: GROUPS });
    const random = new Random(7);
    const reasons = new Set<unknown>();
    for (let round = 0; round < 15; round++) {
      const bad = groups.map((payload) => payload.slice());
      const group = random.between(0, GROUPS - 1);
      const payload = bad[group] as Uint8Array;
      const at = random.between(0, payload.length - 1);
      if (round % 3 === 0) payload[at] = (payload[at] as number) ^ (1 << random.between(0, 7));
      else if (round % 3 === 1) bad[group] = payload.slice(0, at);
      else bad[group] = Uint8Array.of(...payload, 1, 0, 0, 0, 0, 0, 0, 0);
      const expected = await outcome("host", bad, size);
      expect(await outcome(SOFTWARE_DECODE_LANES, bad, size)).toEqual(expected);
      reasons.add((expected as { reason?: string }).reason);
    }
    expect(reasons).toContain("data-too-short");
    expect(reasons).toContain("data-too-long");
  });

  test("empty payloads fail as on the host", async () => {
    const nothing = Array.from({ length: GROUPS }, () => new Uint8Array(0));
    expect(await outcome(SOFTWARE_DECODE_LANES, nothing, 5000)).toEqual(await outcome("host", nothing, 5000));
    // A block of no bytes takes no step.
    expect(await outcome(SOFTWARE_DECODE_LANES, nothing, 0)).toEqual(new Uint8Array(0));
    const rest = nothing.map(() => new Uint8Array(9));
    expect(await outcome(SOFTWARE_DECODE_LANES, rest, 0)).toEqual(await outcome("host", rest, 0));
  });

  test("more groups than an encoder makes, and very long payloads, are the host's", async () => {
    const data = trainingBytes(33 * 9, 1);
    const { groups } = await compressBlock(engineWith(options), SHAPE, data, { ...ALONE, groups: 17 });
    const model = await GpuModel.open(gpu(), SHAPE, CHUNK_STEPS, options);
    await model.openPayloads(groups, { workers: 1 });
    expect(model.decodesOnDevice).toBe(false);
    await model.openPayloads([new Uint8Array(PAYLOAD_BYTES_MAX - 3), new Uint8Array(1)], { workers: 1 });
    expect(model.decodesOnDevice).toBe(false);
    await model.close();
    expect(await decompressBlock(engineWith(options), SHAPE, data.length, groups, ALONE)).toEqual(data);
  });

  test("decoding without payloads is a programmer's error", async () => {
    const model = await GpuModel.open(gpu(), SHAPE, CHUNK_STEPS, options);
    await expect(model.decodeSteps(new Uint8Array(33), 1, 33)).rejects.toThrow("without payloads");
    await model.close();
  });

  test("a device that is lost while it decodes", async () => {
    const lost = await openTestDevice(which);
    const model = await GpuModel.open(lost, tinyHyper(8), CHUNK_STEPS, options);
    await model.openPayloads([new Uint8Array(1000)], { workers: 1 });
    const steps = 4 * CHUNK_STEPS;
    const decoding = model.decodeSteps(new Uint8Array(8 * steps), steps, 8).catch((error: unknown) => error);
    lost.device.destroy();
    expect(await decoding).toBeInstanceOf(EngineDeviceError);
    await model.close();
  });
});

/** Step-major bytes as a file whose streams they are. */
function stored(bytes: Uint8Array, streams: number): Uint8Array {
  const steps = bytes.length / streams;
  return bytes.map((_, i) => bytes[(i % steps) * streams + Math.floor(i / steps)] as number);
}

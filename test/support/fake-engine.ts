/**
 * A small deterministic engine for tests of everything around the network: adaptive order-0 counts per stream, plus a
 * count that all streams share, in integers. It obeys the interface strictly, and checks that its caller does.
 */
import { decodeGroup, shareOfGroup } from "../../src/coder/groups.ts";
import { RangeDecoder } from "../../src/coder/range.ts";
import { type DataKind, planFor } from "../../src/contract/contexts.ts";
import { FREQUENCY_TOTAL } from "../../src/contract/frequency.ts";
import { type HyperParameters, NO_NETWORK, WITHOUT } from "../../src/contract/hyper.ts";
import type { DecoderOptions, Engine } from "../../src/engine/engine.ts";
import { HostCodedModel } from "../../src/engine/host-coder.ts";

interface FakeEngineOptions {
  readonly chunkSteps?: number;
  /** Answers come this late, in ms, to shake out callers that rely on immediate ones; undefined: at once. */
  readonly delayMs?: number;
  /** The call, counted from 0 over predict, learn, fillIntervals and decodeSteps, that fails. */
  readonly failAtCall?: number;
  /** Models decode by themselves. */
  readonly decodes?: boolean;
}

export class FakeEngine implements Engine {
  readonly name = "reference";
  readonly description = "order-0 counts, for tests";
  readonly chunkSteps: number;
  readonly #options: FakeEngineOptions;
  /** Models opened and not yet closed. */
  openModels = 0;

  constructor(options: FakeEngineOptions = {}) {
    this.chunkSteps = options.chunkSteps ?? 32;
    this.#options = options;
  }

  async openModel(hyper: HyperParameters): Promise<FakeModel> {
    this.openModels += 1;
    return new FakeModel(hyper, this.chunkSteps, this.#options, () => {
      this.openModels -= 1;
    });
  }

  async close(): Promise<void> {}
}

/** Counts are halved when their sum passes this, so that the tables go on changing. */
const COUNTS_MAX = 1 << 14;
/** What a byte adds to its count. */
const GROWTH = 32;

export class FakeModel extends HostCodedModel {
  readonly #counts: Uint32Array;
  readonly #sums: Uint32Array;
  readonly #table = new Uint32Array(256);
  #queue: Promise<void> = Promise.resolve();
  #growth = GROWTH;
  #calls = 0;
  #mode: "encode" | "decode" | undefined;
  #closed = false;
  #decoders: RangeDecoder[] = [];

  constructor(
    readonly hyper: HyperParameters,
    chunkSteps: number,
    readonly options: FakeEngineOptions,
    readonly onClose: () => void,
  ) {
    super(chunkSteps);
    this.#counts = new Uint32Array(hyper.streams * 256).fill(1);
    this.#sums = new Uint32Array(hyper.streams).fill(256);
  }

  /** A stride changes how fast the counts grow, so a decoder that is not told the same goes astray. */
  describe({ stride }: DataKind): Promise<void> {
    planFor(this.hyper, { stride });
    const told = this.#queue.then(() => {
      this.#growth = GROWTH + (stride % 61);
    });
    this.#queue = told;
    return told;
  }

  fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const { streams } = this.hyper;
    if (bytes.length !== stepCount * streams) throw new Error(`${bytes.length} bytes for ${stepCount} steps`);
    if (intervals.length !== stepCount * streams * 2) throw new Error(`${intervals.length} numbers for intervals`);
    return this.#inOrder("encode", () => {
      for (let i = 0; i < bytes.length; i += 1) {
        const byte = bytes[i]!;
        this.#fillTable(i % streams);
        const start = byte === 0 ? 0 : this.#table[byte - 1]!;
        intervals[2 * i] = start;
        intervals[2 * i + 1] = this.#table[byte]! - start;
        this.#count(i % streams, byte);
      }
    });
  }

  predict(ends: Uint32Array): Promise<void> {
    return this.#inOrder("decode", () => {
      for (let stream = 0; stream < this.hyper.streams; stream += 1) {
        this.#fillTable(stream);
        ends.set(this.#table, stream * 256);
      }
    });
  }

  override async openPayloads(payloads: readonly Uint8Array[], options: DecoderOptions): Promise<void> {
    if (!this.options.decodes) return await super.openPayloads(payloads, options);
    this.#decoders = payloads.map((payload, group) => new RangeDecoder(payload, group));
  }

  override decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    const { streams } = this.hyper;
    if (bytes.length !== stepCount * streams) throw new Error(`${bytes.length} bytes for ${stepCount} steps`);
    if (!this.options.decodes) return super.decodeSteps(bytes, stepCount, liveInLastStep);
    return this.#inOrder("decode", () => {
      const ends = new Uint32Array(256 * streams);
      for (let step = 0; step < stepCount; step += 1) {
        const row = bytes.subarray(step * streams, (step + 1) * streams);
        for (let stream = 0; stream < streams; stream += 1) {
          this.#fillTable(stream);
          ends.set(this.#table, stream * 256);
        }
        const live = step === stepCount - 1 ? liveInLastStep : streams;
        for (const [group, decoder] of this.#decoders.entries()) {
          decodeGroup(decoder, shareOfGroup(group, this.#decoders.length, streams), ends, live, row);
        }
        row.forEach((byte, stream) => void this.#count(stream, byte));
      }
    });
  }

  override async finishPayloads(): Promise<void> {
    if (!this.options.decodes) return await super.finishPayloads();
    for (const decoder of this.#decoders) decoder.finish();
  }

  learn(bytes: Uint8Array): Promise<void> {
    if (bytes.length !== this.hyper.streams) throw new Error(`${bytes.length} bytes to learn`);
    return this.#inOrder("decode", () => bytes.forEach((byte, stream) => void this.#count(stream, byte)));
  }

  learnSteps(bytes: Uint8Array, stepCount: number): Promise<void> {
    const { streams } = this.hyper;
    if (bytes.length !== stepCount * streams) throw new Error(`${bytes.length} bytes for ${stepCount} steps`);
    return this.#inOrder("decode", () => bytes.forEach((byte, i) => void this.#count(i % streams, byte)));
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#queue;
    if (this.#closed) throw new Error("closed twice");
    this.#closed = true;
    this.onClose();
  }

  /** Runs after every call that was made before, and late if so ordered. */
  #inOrder(mode: "encode" | "decode", work: () => void): Promise<void> {
    if (this.#closed) throw new Error("used after close");
    if (this.#mode !== undefined && this.#mode !== mode) throw new Error(`${mode} after ${this.#mode}`);
    this.#mode = mode;
    const { delayMs, failAtCall } = this.options;
    const call = this.#calls;
    this.#calls += 1;
    const done = this.#queue.then(async () => {
      if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (call === failAtCall) throw new Error("the fake engine was told to fail");
      work();
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Cumulative frequencies: one for every byte, and the rest by count, rounded down. */
  #fillTable(stream: number): void {
    const sum = this.#sums[stream]!;
    const spare = FREQUENCY_TOTAL - 256;
    let end = 0;
    for (let byte = 0; byte < 256; byte += 1) {
      end += 1 + Math.floor((this.#counts[stream * 256 + byte]! * spare) / sum);
      this.#table[byte] = end;
    }
  }

  #count(stream: number, byte: number): void {
    const row = this.#counts.subarray(stream * 256, (stream + 1) * 256);
    row[byte] = row[byte]! + this.#growth;
    this.#sums[stream] = this.#sums[stream]! + this.#growth;
    if (this.#sums[stream]! <= COUNTS_MAX) return;
    let sum = 0;
    for (let i = 0; i < 256; i += 1) {
      row[i] = (row[i]! >> 1) + 1;
      sum += row[i]!;
    }
    this.#sums[stream] = sum;
  }
}

/** Hyper-parameters for tests: the smallest legal network with `streams` streams. */
/** A mixer that is made soon. */
export function tinyMixer(lanes: number): HyperParameters {
  return { ...WITHOUT, ...NO_NETWORK, streams: lanes, mixerContexts: 4, mixerBits: 8 };
}

export function tinyHyper(streams: number): HyperParameters {
  return {
    history: 4,
    embedding: 8,
    globalHidden: 32,
    cacheStep: 4,
    fineHidden: 32,
    coarseHidden: 16,
    streams,
    learningRate: 1 << 14,
    ...WITHOUT,
  };
}

/**
 * The bit mixer on the GPU (docs/MIXER.md): every lane is a workgroup, and goes through its bytes, coder included,
 * without the host: shaders/mixer.wgsl. The host cuts bytes into dispatches, and payloads together.
 *
 * Lanes share nothing, and a bit waits for the one before it: one lane is no faster than a thread of a processor, many
 * are. As many as fit into a binding are a bank (mixer-bank.ts).
 */
import { CorruptDataError } from "../../coder/errors.ts";
import type { DataKind } from "../../contract/contexts.ts";
import type { HyperParameters } from "../../contract/hyper.ts";
import { familyOf } from "../../contract/mixer.ts";
import type { LanePrior } from "../../contract/prior.ts";
import { host } from "../../platform/host.ts";
import { StepPace } from "../../platform/pace.ts";
import { type CoderObserver, type Cue, type EncoderOptions, EngineLimitError, type Model } from "../engine.ts";
import { CueCursor } from "../mixer/cue-cursor.ts";
import { MIXER_BUFFERS } from "./adapters.ts";
import type { GpuDevice } from "./device.ts";
import { KernelCompiler } from "./kernel.ts";
import {
  Bank,
  type BankShape,
  type BankWork,
  type LaneResult,
  laneBytes,
  type Mode,
  refineLanes,
} from "./mixer-bank.ts";
import { firstTablesOf, imageOf, SPECS_AT, tablesOf } from "./mixer-image.ts";
import { learntPlaces, mixerConstants, REFINE_BUFFERS } from "./mixer-layout.ts";
import { partOf, type Sequence, sequenceOf } from "./mixer-sequence.ts";
import { mixerLanes } from "./path.ts";
import { type Part, Staging } from "./staging.ts";

/** Bytes of all lanes in a dispatch, at most: coded ones take up to sixteen times as much. */
const DISPATCH_BYTES = 1 << 21;
/** Bytes of a lane in a dispatch, at least and at most. */
const CHUNK_MIN = 64;
const CHUNK_MAX = 1 << 14;
/** And in the first one. */
const FIRST_STEPS = 16;
/** Workgroups of a dispatch, at most. */
const BANK_LANES_MAX = 65535;
const STORAGE_AND_COPIES = 0x80 | 0x04 | 0x08;
/** Bytes of a lane's state that are read at a time. */
const READ_BYTES = 1 << 26;
/** What a decoder reads first, and so how far it is ahead. */
const LOOKAHEAD_BYTES = 4;

export interface GpuMixerOptions {
  /** Invocations of a workgroup; by default what suits the adapter (path.ts). */
  readonly invocations?: number;
  /** Bytes of a buffer, at most: what the device allows, or less. */
  readonly bufferBytesMax?: number;
  /** Storage buffers that it may bind: what the device allows, or less. */
  readonly storageBuffersMax?: number;
}

/** Bytes of a lane in a dispatch, at most: whole words, of which buffers are made. */
export function mixerChunk(lanes: number): number {
  return Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, 4 * Math.floor(DISPATCH_BYTES / lanes / 4)));
}

interface Parts {
  readonly gpu: GpuDevice;
  readonly tables: GPUBuffer;
  readonly banks: readonly Bank[];
  readonly chunkBytes: number;
  /** Bytes that every lane has gone through before the first block. */
  readonly contentBytes: number;
  readonly stride: number;
}

/** @throws EngineLimitError if a prior has more tallies than a binding holds */
function tablesOn({ device }: GpuDevice, words: Uint32Array<ArrayBuffer>, limitBytes: number): GPUBuffer {
  const size = words.byteLength;
  if (size > limitBytes) {
    const needed = `the mixer needs a buffer of ${size} bytes (tallies), the adapter allows ${limitBytes}`;
    throw new EngineLimitError("gpu", needed);
  }
  const tables = device.createBuffer({ label: "tables", size, usage: STORAGE_AND_COPIES });
  device.queue.writeBuffer(tables, 0, words);
  return tables;
}

export class GpuMixer implements Model {
  readonly chunkSteps: number;
  readonly #parts: Parts;
  readonly #staging: Staging;
  readonly #pace = new StepPace(FIRST_STEPS);
  /** As the kernel has it: that of a genome is 0. */
  #stride = 0;
  /** Of each lane: bytes of the block so far, with those that it was reminded of; and what these are. */
  #times: number[] = [];
  #cues: readonly CueCursor[] = [];
  /** The coders of the next dispatch begin; the next block goes on behind the prior. */
  #begins = true;
  #hasBegun = false;
  #isBehind: boolean;
  #observer: CoderObserver | undefined;
  /** Of each lane, in this block: coded bytes, while encoding; where its coder is, and its low. */
  #coded: Uint8Array[][] = [];
  #codedBytes = 0;
  #results: { position: number; low: number }[] = [];
  #payloadBytes: readonly number[] = [];

  private constructor(
    readonly hyper: HyperParameters,
    parts: Parts,
  ) {
    this.#parts = parts;
    this.#staging = new Staging(parts.gpu);
    this.chunkSteps = parts.chunkBytes;
    this.#isBehind = parts.contentBytes > 0 || parts.stride >= 0;
    this.#stride = Math.max(0, parts.stride);
    this.#begin();
  }

  /** @throws EngineLimitError, EngineDeviceError, ShaderError, RangeError for a prior that its lanes cannot have */
  static async open(
    gpu: GpuDevice,
    hyper: HyperParameters,
    prior?: LanePrior,
    options: GpuMixerOptions = {},
  ): Promise<GpuMixer> {
    const { mixerContexts: contexts, mixerBits: lineBits, mixerCounters: counters, streams } = hyper;
    const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = gpu.device.limits;
    const limitBytes = options.bufferBytesMax ?? Math.min(maxStorageBufferBindingSize, maxBufferSize);
    const { invocations = mixerLanes(gpu.isSoftware) } = options;
    const storageBuffers = options.storageBuffersMax ?? maxStorageBuffersPerShaderStage;
    const chunkBytes = mixerChunk(streams);
    const compiler = new KernelCompiler(gpu.device, {});
    const image = imageOf({ contexts, lineBits, counters }, prior);
    const tables = tablesOn(gpu, firstTablesOf(contexts, prior), limitBytes);
    const banks: Bank[] = [];
    try {
      gpu.device.pushErrorScope("out-of-memory");
      for (const shape of banksFor(hyper, limitBytes, storageBuffers)) {
        const bank = new Bank(gpu, compiler, hyper, shape, chunkBytes, limitBytes);
        banks.push(bank);
        bank.fill(image);
      }
      const refused = await gpu.device.popErrorScope();
      if (refused) throw new EngineLimitError("gpu", "the device does not have enough memory for the model");
      for (const bank of banks) {
        const isTallied = prior?.tallies !== undefined;
        await bank.bind(mixerConstants(invocations, counters, bank.shape.isApart, isTallied), tables);
      }
      gpu.check();
    } catch (error) {
      for (const bank of banks) bank.destroy();
      tables.destroy();
      throw error;
    }
    const stride = prior ? kernelStride(prior.stride) : -1;
    return new GpuMixer(hyper, { gpu, tables, banks, chunkBytes, contentBytes: prior?.content.length ?? 0, stride });
  }

  /** Whether a block has begun; until then lanes are as they were opened. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Into how many banks the lanes were dealt. */
  get bankCount(): number {
    return this.#parts.banks.length;
  }

  async describe({ stride }: DataKind): Promise<void> {
    const { gpu, tables } = this.#parts;
    const words = tablesOf(this.hyper.mixerContexts, stride);
    gpu.device.queue.writeBuffer(tables, 4 * SPECS_AT, words, SPECS_AT);
    this.#stride = kernelStride(stride);
  }

  /** @throws RangeError unless each lane has a payload of its own */
  async beginPayloads(groups: number, { observer }: EncoderOptions): Promise<void> {
    this.#checkGroups(groups);
    this.#observer = observer;
    this.#beginBlock();
  }

  async encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number> {
    const before = this.#codedBytes;
    await this.#run("encode", bytes, stepCount, liveInLastStep);
    this.#observer?.coded?.((stepCount - 1) * this.hyper.streams + liveInLastStep, this.#codedBytes - before);
    return this.#codedBytes;
  }

  async takePayloads(): Promise<Uint8Array[]> {
    return this.#coded.map((pieces, lane) => {
      const { low } = this.#results[lane] as { low: number };
      return host.concatenate(low === 0 ? pieces : [...pieces, Uint8Array.of((low >>> 24) + 1)]);
    });
  }

  /** @throws RangeError unless each lane has a payload of its own, EngineLimitError */
  async openPayloads(payloads: readonly Uint8Array[]): Promise<void> {
    this.#checkGroups(payloads.length);
    this.#beginBlock();
    this.#payloadBytes = payloads.map(({ length }) => length);
    for (const [bank, first] of this.#banks()) bank.open(payloads.slice(first, first + bank.lanes));
  }

  async decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    await this.#run("decode", bytes, stepCount, liveInLastStep);
  }

  /** @throws CorruptDataError */
  async finishPayloads(): Promise<void> {
    for (const [lane, { position, low }] of this.#results.entries()) {
      const right = Math.max(0, position - LOOKAHEAD_BYTES) + (low === 0 ? 0 : 1);
      const rest = (this.#payloadBytes[lane] as number) - right;
      if (rest !== 0) throw new CorruptDataError(rest > 0 ? "data-too-long" : "data-too-short", lane, Math.abs(rest));
    }
  }

  async beginLearning(): Promise<void> {
    this.#beginBlock();
  }

  async cue(cues: readonly (readonly Cue[])[]): Promise<void> {
    this.#cues = cues.map((own) => new CueCursor(own));
  }

  async learnSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    await this.#run("study", bytes, stepCount, liveInLastStep);
  }

  async close(): Promise<void> {
    const { gpu, banks, tables } = this.#parts;
    for (const bank of banks) bank.destroy();
    tables.destroy();
    this.#staging.destroy();
    gpu.device.queue.submit([]); // Dawn frees destroyed buffers only when the queue moves on
  }

  /** Of one lane: what it has learnt, what it has seen, its lines with their runs and counters. */
  async readLane(lane: number): Promise<Readonly<Record<"learnt" | "seen" | "lines", Uint32Array<ArrayBuffer>>>> {
    const [bank, first] = this.#banks().findLast(([, first]) => first <= lane) as readonly [Bank, number];
    const rows = bank.rowsOf(lane - first);
    const learnt = await this.#readPart(bank.laneOf("learnt", lane - first));
    return {
      learnt: rows ? joined(this.hyper, learnt, await this.#readPart(rows)) : learnt,
      seen: await this.#readPart(bank.laneOf("seen", lane - first)),
      lines: await this.#readPart(bank.laneOf("lines", lane - first)),
    };
  }

  async #readPart({ buffer, offset, size }: Part): Promise<Uint32Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    for (let from = 0; from < size; from += READ_BYTES) {
      const piece = { buffer, offset: offset + from, size: Math.min(READ_BYTES, size - from) };
      const encoder = this.#parts.gpu.device.createCommandEncoder();
      await this.#staging.read(encoder, [piece], ([read]) => bytes.set(read as Uint8Array, from));
    }
    return new Uint32Array(bytes.buffer);
  }

  /** Each bank, and its first lane. */
  #banks(): (readonly [Bank, number])[] {
    let first = 0;
    return this.#parts.banks.map((bank) => {
      first += bank.lanes;
      return [bank, first - bank.lanes] as const;
    });
  }

  #begin(): void {
    this.#begins = true;
    this.#coded = Array.from({ length: this.hyper.streams }, () => []);
    this.#codedBytes = 0;
    this.#results = Array.from({ length: this.hyper.streams }, () => ({ position: 0, low: 0 }));
  }

  /** What was learnt stays. The first block behind a prior goes on behind that. */
  #beginBlock(): void {
    this.#begin();
    this.#hasBegun = true;
    this.#times = Array<number>(this.hyper.streams).fill(this.#isBehind ? this.#parts.contentBytes : 0);
    this.#cues = [];
    if (!this.#isBehind) {
      const encoder = this.#parts.gpu.device.createCommandEncoder();
      for (const bank of this.#parts.banks) bank.clear(encoder);
      this.#parts.gpu.device.queue.submit([encoder.finish()]);
    }
    this.#isBehind = false;
  }

  /** Steps in dispatches of some tenths of a second. All are submitted before the first await, so calls keep order. */
  async #run(mode: Mode, rows: Uint8Array, stepCount: number, live: number): Promise<void> {
    const { streams } = this.hyper;
    const sequences = Array.from({ length: streams }, (_, lane) => {
      return sequenceOf(rows, streams, lane, stepCount - (lane < live ? 0 : 1), this.#cues[lane]);
    });
    const length = sequences.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
    // Of each lane, bytes that were decoded so far.
    const decoded = new Uint32Array(streams);
    const take = (lane: number, { position, low, bytes }: LaneResult, { isCue }: Sequence) => {
      this.#results[lane] = { position, low };
      if (mode === "encode" && bytes.length > 0) {
        (this.#coded[lane] as Uint8Array[]).push(bytes.slice());
        this.#codedBytes += bytes.length;
      }
      for (let t = 0; mode === "decode" && t < bytes.length; t++) {
        if (isCue?.[t]) continue;
        rows[(decoded[lane] as number) * streams + lane] = bytes[t] as number;
        (decoded[lane] as number)++;
      }
    };
    const pending: Promise<void>[] = [];
    for (let from = 0, count = 0; from < length; from += count) {
      count = Math.min(this.chunkSteps, this.#pace.steps, length - from);
      const parts = sequences.map((sequence) => partOf(sequence, from, count));
      pending.push(this.#dispatch(mode, parts, count, take));
    }
    await Promise.all(pending);
    if (mode === "decode") for (let lane = live; lane < streams; lane++) rows[(stepCount - 1) * streams + lane] = 0;
  }

  async #dispatch(
    mode: Mode,
    parts: readonly Sequence[],
    count: number,
    take: (lane: number, result: LaneResult, part: Sequence) => void,
  ): Promise<void> {
    const encoder = this.#parts.gpu.device.createCommandEncoder();
    const reads = this.#banks().map(([bank, first]) => {
      const end = first + bank.lanes;
      const times = this.#times.slice(first, end);
      const common = { mode, stride: this.#stride, begins: this.#begins };
      const work: BankWork = { ...common, times, parts: parts.slice(first, end) };
      bank.run(encoder, work);
      return { bank, first, work, places: bank.results(work) };
    });
    this.#begins = false;
    for (const [lane, { bytes }] of parts.entries()) (this.#times[lane] as number) += bytes.length;
    const ended = this.#pace.begin(count);
    const places = reads.flatMap((read) => read.places);
    const reading = this.#staging.read(encoder, places, (all) => {
      let at = 0;
      for (const { bank, first, work, places } of reads) {
        const results = bank.take(work, all.slice(at, at + places.length));
        at += places.length;
        for (const [i, result] of results.entries()) take(first + i, result, work.parts[i] as Sequence);
      }
    });
    for (const { bank } of reads) bank.submitted();
    await reading;
    ended();
  }

  #checkGroups(groups: number): void {
    const { streams } = this.hyper;
    if (groups !== streams) throw new RangeError(`${groups} payloads for ${streams} lanes`);
  }
}

/** As kernels have it. */
const kernelStride = (stride: number) => (familyOf(stride) === "genome" ? 0 : stride);

/** What a lane has learnt as it lies in one piece. */
function joined(
  { mixerContexts, mixerCounters }: HyperParameters,
  learnt: Uint32Array,
  rows: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const { refine, runMap, end } = learntPlaces(mixerContexts, mixerCounters);
  const whole = new Uint32Array(end);
  whole.set(learnt.subarray(0, refine));
  whole.set(rows, refine);
  whole.set(learnt.subarray(refine), runMap);
  return whole;
}

/**
 * The banks, each with as many lanes as fit into a buffer. Where they are too many for one bank, and the device binds
 * so many buffers, the rows of the refining map get buffers of their own, and fewer banks do.
 *
 * @param storageBuffers that the device binds at once
 * @throws EngineLimitError if not even one lane fits
 */
export function banksFor(hyper: HyperParameters, limitBytes: number, storageBuffers: number): BankShape[] {
  const neededBytes = Math.max(...laneBytes(hyper, false));
  const within = Math.min(BANK_LANES_MAX, Math.floor(limitBytes / neededBytes));
  const apart = Math.min(
    BANK_LANES_MAX,
    REFINE_BUFFERS * refineLanes(limitBytes),
    Math.floor(limitBytes / Math.max(...laneBytes(hyper, true))),
  );
  const banksOf = (lanes: number) => Math.ceil(hyper.streams / lanes);
  const isApart = storageBuffers >= MIXER_BUFFERS && banksOf(apart) < banksOf(within);
  const most = isApart ? apart : within;
  if (most === 0) {
    throw new EngineLimitError(
      "gpu",
      `a lane needs a buffer of ${neededBytes} bytes, the adapter allows ${limitBytes}`,
    );
  }
  const banks = banksOf(most);
  const startOf = (i: number) => Math.floor((hyper.streams * i) / banks);
  return Array.from({ length: banks }, (_, i) => ({ lanes: startOf(i + 1) - startOf(i), isApart }));
}

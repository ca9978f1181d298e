/**
 * Some lanes of a mixer on the device: buffers in which they lie one after the other, and the dispatch that takes them
 * on. As many lanes are a bank as fit into one binding of the device; banks have nothing in common but the tables.
 */
import type { HyperParameters } from "../../contract/hyper.ts";
import { inputsOf } from "../../contract/mixer.ts";
import { EngineLimitError } from "../engine.ts";
import type { GpuDevice } from "./device.ts";
import { type BoundDispatch, type KernelCompiler, record } from "./kernel.ts";
import type { LaneImage } from "./mixer-image.ts";
import {
  JOBS,
  LANE_JOB,
  learntPlaces,
  linesPlaces,
  MODES,
  REFINE_BUFFERS,
  REFINE_WORDS,
  RESULT_WORDS,
  SEEN,
} from "./mixer-layout.ts";
import type { Sequence } from "./mixer-sequence.ts";
import type { Part } from "./staging.ts";

const STORAGE = 0x80;
const COPY_SOURCE = 0x04;
const COPY_TARGET = 0x08;

export type Mode = Exclude<keyof typeof MODES, "cue">;

/** A bit costs at most 15 bits: coded bytes of a plain one, at most; and what the coder still holds. */
const CODED_PER_BYTE = 16;
const CODED_EXTRA_BYTES = 8;

/** What a bank's lanes do in one dispatch. */
export interface BankWork {
  readonly mode: Mode;
  readonly stride: number;
  /** The coders begin. */
  readonly begins: boolean;
  /** Of each lane, bytes of the block before these, and what comes now. While decoding only cues are known of it. */
  readonly times: readonly number[];
  readonly parts: readonly Sequence[];
}

/** Bytes of the lane that has most. */
const mostOf = (parts: readonly Sequence[]) => parts.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);

/** All words but those from `from` to `until`. */
function without(words: Uint32Array, from: number, until: number): Uint32Array<ArrayBuffer> {
  const rest = new Uint32Array(words.length - until + from);
  rest.set(words.subarray(0, from));
  rest.set(words.subarray(until), from);
  return rest;
}

const halfKib = (words: number) => Math.ceil(words / 128) * 128;

/** Bytes of a lane in each of the buffers that hold as many bytes for every lane. @param isApart see BankShape */
export function laneBytes(
  { mixerContexts, mixerBits, mixerCounters }: HyperParameters,
  isApart: boolean,
): readonly number[] {
  const [learnt, lines] = [
    learntPlaces(mixerContexts, mixerCounters, isApart),
    linesPlaces(mixerContexts, mixerBits, mixerCounters),
  ];
  return [learnt.end, SEEN.end, lines.end].map((words) => 4 * words);
}

/** How many lanes' rows of the refining map fit into one buffer of their own. */
export const refineLanes = (limitBytes: number) => Math.floor(limitBytes / (4 * REFINE_WORDS));

export interface BankShape {
  readonly lanes: number;
  /** The refining map lies in buffers of its own, so that more lanes fit into the others (mixer_rows_apart.wgsl). */
  readonly isApart: boolean;
}

export class Bank {
  readonly #device: GPUDevice;
  readonly #compiler: KernelCompiler;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #limitBytes: number;
  /** What a lane can take of a block before its history has to grow. */
  #historyWords = 0;
  #dispatch: BoundDispatch | undefined;
  /** Of the lanes' payloads: where each begins, in words. */
  #payloads: readonly { readonly at: number; readonly bytes: number }[] = [];

  /**
   * @param chunkBytes of a lane in one dispatch, at most
   * @throws EngineLimitError
   */
  constructor(
    gpu: GpuDevice,
    compiler: KernelCompiler,
    readonly hyper: HyperParameters,
    readonly shape: BankShape,
    chunkBytes: number,
    limitBytes: number,
  ) {
    this.#device = gpu.device;
    this.#compiler = compiler;
    this.#limitBytes = limitBytes;
    const { lanes, isApart } = shape;
    const [learnt, seen, lines] = laneBytes(hyper, isApart) as [number, number, number];
    this.#create("learnt", lanes * learnt);
    this.#create("seen", lanes * seen);
    this.#create("lines", lanes * lines);
    this.#create("jobs", 4 * (JOBS.end + lanes * (LANE_JOB.end + Math.ceil(chunkBytes / 32))));
    this.#create("plain", lanes * (4 * RESULT_WORDS + 4 * Math.ceil(chunkBytes / 4)));
    this.#create("coded", lanes * (CODED_PER_BYTE * chunkBytes + CODED_EXTRA_BYTES));
    this.#create("history", lanes * 4 * this.#growHistory(chunkBytes));
    if (isApart) for (const [name, count] of this.#refineBuffers()) this.#create(name, 4 * REFINE_WORDS * count);
  }

  get lanes(): number {
    return this.shape.lanes;
  }

  /** Names of the buffers of the refining map, and the lanes of each. */
  #refineBuffers(): (readonly [string, number])[] {
    const most = refineLanes(this.#limitBytes);
    return Array.from({ length: REFINE_BUFFERS }, (_, i) => {
      return [`refine${i}`, Math.max(0, Math.min(most, this.lanes - i * most))] as const;
    });
  }

  /** Compiles the kernel. @param constants of the kernel @throws ShaderError */
  async bind(constants: Readonly<Record<string, number | readonly number[]>>, tables: GPUBuffer): Promise<void> {
    const buffers = { ...Object.fromEntries(this.#buffers), tables };
    this.#dispatch = await this.#compiler.bind("mixer", constants, buffers, [this.lanes, 1, 1]);
  }

  /** Gives every lane what it begins with. */
  fill({ learnt, seen, lines, content }: LaneImage): void {
    this.#reserve(content.length, 0);
    this.#fillLearnt(learnt);
    if (seen) this.#copyToLanes("seen", seen);
    if (lines) this.#copyToLanes("lines", lines);
    if (content.length === 0) return;
    const words = new Uint32Array(this.#historyWords);
    new Uint8Array(words.buffer).set(content);
    this.#copyToLanes("history", words);
  }

  #fillLearnt(learnt: Uint32Array<ArrayBuffer>): void {
    if (!this.shape.isApart) {
      this.#copyToLanes("learnt", learnt);
      return;
    }
    const { mixerContexts, mixerCounters } = this.hyper;
    const { refine, runMap } = learntPlaces(mixerContexts, mixerCounters);
    this.#copyToLanes("learnt", without(learnt, refine, runMap));
    for (const [name, count] of this.#refineBuffers()) this.#copyToLanes(name, learnt.slice(refine, runMap), count);
  }

  /** A block begins in which nothing was seen. */
  clear(encoder: GPUCommandEncoder): void {
    encoder.clearBuffer(this.#get("seen"));
  }

  /** Takes the payloads of a block, one for each lane. @throws EngineLimitError */
  open(payloads: readonly Uint8Array[]): void {
    let at = 0;
    this.#payloads = payloads.map(({ length }) => {
      const place = { at, bytes: length };
      at += Math.ceil(length / 4);
      return place;
    });
    if (4 * at > (this.#buffers.get("payloads")?.size ?? 0)) this.#create("payloads", 4 * halfKib(at));
    const packed = new Uint8Array(4 * at);
    for (const [i, { at: word }] of this.#payloads.entries()) packed.set(payloads[i] as Uint8Array, 4 * word);
    if (at > 0) this.#device.queue.writeBuffer(this.#get("payloads"), 0, packed);
  }

  /**
   * Records the lanes' next bytes.
   *
   * @throws EngineLimitError
   */
  run(encoder: GPUCommandEncoder, work: BankWork): void {
    const most = mostOf(work.parts);
    const time = work.times.reduce((latest, each) => Math.max(latest, each), 0);
    this.#reserve(time + most, time, encoder);
    const plainWords = Math.ceil(most / 4);
    const isDecoding = work.mode === "decode";
    const hasCues = work.parts.some(({ isCue }) => isCue?.includes(1));
    if (!isDecoding || hasCues) {
      const bytes = new Uint8Array(4 * plainWords * this.lanes);
      for (const [lane, part] of work.parts.entries()) bytes.set(part.bytes, 4 * plainWords * lane);
      this.#device.queue.writeBuffer(this.#get("plain"), 4 * RESULT_WORDS * this.lanes, bytes);
    }
    this.#device.queue.writeBuffer(
      this.#get("jobs"),
      0,
      this.#jobs(work, plainWords, hasCues ? Math.ceil(most / 32) : 0),
    );
    const coded = this.#get(isDecoding && this.#buffers.has("payloads") ? "payloads" : "coded");
    const history = this.#get("history");
    const pass = encoder.beginComputePass();
    record(pass, [this.#compiler.rebind(this.#dispatch as BoundDispatch, { coded, history })]);
    pass.end();
  }

  #jobs({ mode, stride, begins, times, parts }: BankWork, plainWords: number, cueWords: number) {
    const { mixerContexts: contexts, mixerBits, mixerCounters: counters } = this.hyper;
    const cuesAt = JOBS.end + this.lanes * LANE_JOB.end;
    const jobs = new Uint32Array(cuesAt + this.lanes * cueWords);
    const set = (name: keyof typeof JOBS, value: number) => {
      jobs[JOBS[name]] = value;
    };
    set("mode", MODES[mode]);
    set("begins", Number(begins));
    set("stride", stride);
    set("contexts", contexts);
    set("counters", counters);
    set("inputWords", inputsOf(contexts, counters) / 2);
    set("lineBits", mixerBits);
    set("historyWords", this.#historyWords);
    set("plainWords", plainWords);
    set("lanes", this.lanes);
    set("cueWords", cueWords);
    set("refineLanes", refineLanes(this.#limitBytes));
    const codedWords = this.#codedWords(plainWords);
    for (const [lane, { bytes, isCue }] of parts.entries()) {
      const payload = this.#payloads[lane];
      const at = JOBS.end + lane * LANE_JOB.end;
      jobs[at + LANE_JOB.count] = bytes.length;
      jobs[at + LANE_JOB.time] = times[lane] as number;
      jobs[at + LANE_JOB.codedAt] = mode === "decode" ? (payload?.at ?? 0) : lane * codedWords;
      jobs[at + LANE_JOB.codedBytes] = mode === "decode" ? (payload?.bytes ?? 0) : 0;
      for (let t = 0; isCue && cueWords > 0 && t < bytes.length; t++) {
        const word = cuesAt + lane * cueWords + (t >> 5);
        jobs[word] = (jobs[word] as number) | ((isCue[t] as number) << (t & 31));
      }
    }
    return jobs;
  }

  /** Words that a lane's coded bytes may take. @param plainWords of those that are coded */
  #codedWords(plainWords: number): number {
    return CODED_PER_BYTE * plainWords + CODED_EXTRA_BYTES / 4;
  }

  /** What to read back of a dispatch: results, decoded bytes behind them; and coded bytes. */
  results({ mode, parts }: BankWork): readonly Part[] {
    const plainWords = Math.ceil(mostOf(parts) / 4);
    const part = (name: string, words: number) => ({
      buffer: this.#get(name),
      offset: 0,
      size: 4 * this.lanes * words,
    });
    if (mode === "decode") return [part("plain", RESULT_WORDS + plainWords)];
    const results = part("plain", RESULT_WORDS);
    return mode === "encode" ? [results, part("coded", this.#codedWords(plainWords))] : [results];
  }

  /** Takes from these parts what the lanes have made: coded or decoded bytes, where the coder is, and its low. */
  take({ mode, parts }: BankWork, read: readonly Uint8Array<ArrayBuffer>[]): LaneResult[] {
    const [plain, coded] = read as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    const numbers = new Uint32Array(plain.buffer, plain.byteOffset, RESULT_WORDS * this.lanes);
    const plainBytes = 4 * Math.ceil(mostOf(parts) / 4);
    return parts.map(({ bytes: { length } }, lane) => {
      const position = numbers[RESULT_WORDS * lane] as number;
      const low = numbers[RESULT_WORDS * lane + 1] as number;
      const at = 4 * RESULT_WORDS * this.lanes + plainBytes * lane;
      if (mode === "decode") return { position, low, bytes: plain.subarray(at, at + length) };
      const codedAt = 4 * this.#codedWords(plainBytes / 4) * lane;
      return { position, low, bytes: coded?.subarray(codedAt, codedAt + position) ?? new Uint8Array(0) };
    });
  }

  /** Room for so many bytes of a block; what is there of it so far moves. @param kept bytes of each lane */
  #reserve(bytes: number, kept: number, encoder?: GPUCommandEncoder): void {
    if (bytes <= 4 * this.#historyWords) return;
    const [before, wordsBefore] = [this.#get("history"), this.#historyWords];
    this.#buffers.delete("history");
    const words = this.#growHistory(bytes);
    this.#create("history", 4 * this.lanes * words);
    const size = 4 * Math.ceil(kept / 4);
    for (let lane = 0; encoder && size > 0 && lane < this.lanes; lane++) {
      encoder.copyBufferToBuffer(before, 4 * lane * wordsBefore, this.#get("history"), 4 * lane * words, size);
    }
    this.#retired.push(before);
  }

  /** Buffers that recorded work may still read. */
  readonly #retired: GPUBuffer[] = [];

  /** What is recorded has been submitted. */
  submitted(): void {
    for (const buffer of this.#retired.splice(0)) buffer.destroy();
  }

  /** Twice as much as before, or as fits into a buffer; more if that is too little. */
  #growHistory(bytes: number): number {
    const roomWords = 128 * Math.floor(this.#limitBytes / (512 * this.lanes));
    this.#historyWords = Math.max(Math.min(halfKib(2 * this.#historyWords), roomWords), halfKib(Math.ceil(bytes / 4)));
    return this.#historyWords;
  }

  #copyToLanes(name: string, image: Uint32Array<ArrayBuffer>, lanes = this.lanes): void {
    const size = image.byteLength;
    const model = this.#device.createBuffer({ size, usage: COPY_SOURCE | COPY_TARGET });
    this.#device.queue.writeBuffer(model, 0, image);
    const encoder = this.#device.createCommandEncoder();
    for (let lane = 0; lane < lanes; lane++) {
      encoder.copyBufferToBuffer(model, 0, this.#get(name), lane * size, size);
    }
    this.#device.queue.submit([encoder.finish()]);
    model.destroy();
  }

  #create(name: string, sizeBytes: number): void {
    if (sizeBytes > this.#limitBytes) {
      const needed = `the mixer needs a buffer of ${sizeBytes} bytes (${name}), the adapter allows ${this.#limitBytes}`;
      throw new EngineLimitError("gpu", needed);
    }
    this.#buffers.get(name)?.destroy();
    const size = Math.max(16, Math.ceil(sizeBytes / 4) * 4);
    this.#buffers.set(
      name,
      this.#device.createBuffer({ label: name, size, usage: STORAGE | COPY_SOURCE | COPY_TARGET }),
    );
  }

  #get(name: string): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) throw new Error(`a bank has no buffer ${name}`);
    return buffer;
  }

  /** A lane's part of a buffer. */
  laneOf(name: "learnt" | "seen" | "lines", lane: number): Part {
    const buffer = this.#get(name);
    const size = buffer.size / this.lanes;
    return { buffer, offset: lane * size, size };
  }

  /** A lane's rows of the refining map: undefined if they lie in `learnt`. */
  rowsOf(lane: number): Part | undefined {
    if (!this.shape.isApart) return undefined;
    const most = refineLanes(this.#limitBytes);
    const size = 4 * REFINE_WORDS;
    return { buffer: this.#get(`refine${Math.floor(lane / most)}`), offset: (lane % most) * size, size };
  }

  destroy(): void {
    for (const buffer of [...this.#buffers.values(), ...this.#retired]) buffer.destroy();
  }
}

export interface LaneResult {
  readonly position: number;
  readonly low: number;
  readonly bytes: Uint8Array;
}

/**
 * A model on the GPU: feeds bytes in, brings intervals, frequency tables or decoded bytes back.
 *
 * Compression records hundreds of steps into one submit; the step counter lives on the device, and the host counts
 * along, because it chooses what a step does. So does decompression where the device decodes (decoder.ts). With the
 * host's coder it submits the training of the last step and the prediction of the next one together, and waits once per
 * step. The bytes of the past stay on the device, in a ring of rows.
 */

import { type DataKind, packPlan, planFor } from "../../contract/contexts.ts";
import { type HyperParameters, trainsIn } from "../../contract/hyper.ts";
import { StepPace } from "../../platform/pace.ts";
import { type DecoderOptions, EngineLimitError } from "../engine.ts";
import { HostCodedModel } from "../host-coder.ts";
import type { Slice } from "./arena.ts";
import { ModelBuffers, sharedConstants } from "./buffers.ts";
import { GpuDecoder } from "./decoder.ts";
import type { GpuDevice } from "./device.ts";
import type { TileSize } from "./fused-plan.ts";
import { type Dispatch, KernelCompiler, record } from "./kernel.ts";
import { decoderFor, tileFor } from "./path.ts";
import { Staging } from "./staging.ts";
import { buildStep, type StepDispatches } from "./step.ts";

/** Steps of the first submit: a step of a wide network takes a small GPU some tens of milliseconds. */
const FIRST_STEPS = 4;
/** No driver resets a processor, and few steps are a submit there anyway: however long they take. */
const SOFTWARE_SUBMIT_MS = 2000;

export interface ModelOptions {
  /** Where the count of steps begins: what happens late can be tested early. */
  readonly firstStep?: number;
  /** A kernel to a box, or fused kernels with such tiles; by default what suits the model and the device. */
  readonly path?: "boxes" | TileSize;
  /** Who decodes: the host's coder, or the device with so many invocations a group; by default see decoderFor. */
  readonly decoder?: "host" | number;
}

/** What `allocate` makes, unless the device has too little memory. @throws EngineLimitError, what `allocate` throws */
async function allocated(device: GPUDevice, allocate: () => ModelBuffers): Promise<ModelBuffers> {
  device.pushErrorScope("out-of-memory");
  let buffers: ModelBuffers;
  try {
    buffers = allocate();
  } catch (error) {
    await device.popErrorScope();
    throw error;
  }
  if ((await device.popErrorScope()) === null) return buffers;
  buffers.destroy();
  throw new EngineLimitError("gpu", "the device does not have enough memory for the model");
}

/** The host's coder encodes, and decodes blocks that the device cannot. */
export class GpuModel extends HostCodedModel {
  /** Bytes have come that the device has not trained on yet. */
  #owesTraining = false;
  /** The number of the next step whose bytes come. */
  #nextStep: number;
  readonly #rowBytes: number;
  readonly #staging: Staging;
  readonly #pace: StepPace;
  readonly #decoder: GpuDecoder | undefined;
  /** What decodes a step of the open block. */
  #decode: Dispatch | undefined;

  private constructor(
    readonly hyper: HyperParameters,
    readonly gpu: GpuDevice,
    readonly buffers: ModelBuffers,
    readonly compiler: KernelCompiler,
    readonly step: StepDispatches,
    chunkSteps: number,
    { firstStep = 0, decoder = decoderFor(gpu.isSoftware) }: ModelOptions,
  ) {
    super(chunkSteps);
    this.#decoder = decoder === "host" ? undefined : new GpuDecoder(gpu.device, buffers, decoder, compiler);
    this.#pace = new StepPace(FIRST_STEPS, gpu.isSoftware ? SOFTWARE_SUBMIT_MS : undefined);
    this.#nextStep = firstStep;
    this.#rowBytes = buffers.rowWords * 4;
    this.#staging = new Staging(gpu);
    this.#writeControl(buffers.places.step, firstStep);
  }

  /**
   * @throws EngineLimitError, ShaderError
   */
  static async open(
    gpu: GpuDevice,
    hyper: HyperParameters,
    chunkSteps: number,
    options: ModelOptions = {},
  ): Promise<GpuModel> {
    const buffers = await allocated(gpu.device, () => new ModelBuffers(gpu.device, hyper, chunkSteps));
    const compiler = new KernelCompiler(gpu.device, sharedConstants(hyper, buffers.layout, buffers.pastRows));
    const { path } = options;
    try {
      const tile = path === "boxes" ? undefined : (path ?? (await tileFor(gpu, buffers)));
      const step = await buildStep(compiler, buffers, tile);
      gpu.check();
      return new GpuModel(hyper, gpu, buffers, compiler, step, chunkSteps, options);
    } catch (error) {
      compiler.destroy();
      buffers.destroy(); // the caller may go on with another engine, and needs the memory
      throw error;
    }
  }

  /** What the device has yet to learn belongs to the kind of data before. */
  async describe(kind: DataKind): Promise<void> {
    const plan = packPlan(planFor(this.hyper, kind), this.hyper.streams) as Int32Array<ArrayBuffer>;
    const encoder = this.gpu.device.createCommandEncoder();
    this.#settleAlone(encoder);
    // A prediction that nothing was learned from has left its claims on slots.
    encoder.clearBuffer(this.buffers.get("owners"));
    this.gpu.device.queue.submit([encoder.finish()]);
    const place = this.buffers.slice("plan");
    this.gpu.device.queue.writeBuffer(place.buffer, place.offset, plan);
  }

  async fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const pending: Promise<void>[] = [];
    for (let first = 0, count = 0; first < stepCount; first += count) {
      count = this.#submitSteps(stepCount - first);
      const { streams } = this.hyper;
      const part = bytes.subarray(first * streams, (first + count) * streams);
      pending.push(this.#fillChunk(part, count, intervals.subarray(2 * first * streams)));
    }
    await Promise.all(pending);
  }

  /** How many of some steps the next submit takes. */
  #submitSteps(left: number): number {
    return Math.min(this.chunkSteps, this.#pace.steps, left);
  }

  /** Everything up to the submit happens before the first await, so calls keep their order. */
  async #fillChunk(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const first = this.#nextStep;
    this.#give(bytes, stepCount);
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = first; step < first + stepCount; step++) {
      record(pass, this.step.forward);
      this.#recordLearning(pass, step);
    }
    pass.end();
    const ended = this.#pace.begin(stepCount);
    await this.#readWords(encoder, "intervals", 2 * stepCount * this.hyper.streams, intervals);
    ended();
  }

  async predict(ends: Uint32Array): Promise<void> {
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#settle(pass);
    record(pass, this.step.forward);
    pass.end();
    await this.#readWords(encoder, "ends", 256 * this.hyper.streams, ends);
  }

  async learn(bytes: Uint8Array): Promise<void> {
    if (this.#owesTraining) throw new Error("learn was called twice without predict between");
    this.#give(bytes, 1);
    this.#owesTraining = true;
  }

  /** Whether the device decodes the open block. */
  get decodesOnDevice(): boolean {
    return this.#decode !== undefined;
  }

  override async openPayloads(payloads: readonly Uint8Array[], options: DecoderOptions): Promise<void> {
    this.#decode = await this.#decoder?.open(payloads);
    if (this.#decode === undefined) await super.openPayloads(payloads, options);
    else this.#settleNow();
  }

  override async decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    if (this.#decode === undefined) return await super.decodeSteps(bytes, stepCount, liveInLastStep);
    const pending: Promise<void>[] = [];
    const { streams } = this.hyper;
    for (let first = 0, count = 0; first < stepCount; first += count) {
      count = this.#submitSteps(stepCount - first);
      const live = first + count === stepCount ? liveInLastStep : streams;
      pending.push(this.#decodeChunk(bytes.subarray(first * streams), count, live));
    }
    await Promise.all(pending);
  }

  /** Everything up to the submit happens before the first await, so calls keep their order. */
  async #decodeChunk(bytes: Uint8Array, stepCount: number, live: number): Promise<void> {
    const decoder = this.#decoder;
    const decode = this.#decode;
    if (decoder === undefined || decode === undefined) throw new Error("the device has no payloads");
    const first = this.#nextStep;
    this.#nextStep += stepCount;
    this.#writeControl(this.buffers.places.chunkStep, 0);
    decoder.endStreams(this.#nextStep - 1, live);
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = first; step < first + stepCount; step++) {
      record(pass, this.step.forward);
      record(pass, [decode]);
      this.#recordLearning(pass, step);
    }
    pass.end();
    const parts = [decoder.coders, ...this.#rowSlices(first, stepCount)];
    const ended = this.#pace.begin(stepCount);
    await this.#staging.read(encoder, parts, (mapped) => {
      const [coders, ...rows] = mapped as [Uint8Array<ArrayBuffer>, ...Uint8Array[]];
      decoder.check(new Uint32Array(coders.slice().buffer));
      this.#takeRows(rows, bytes);
    });
    ended();
  }

  override async finishPayloads(): Promise<void> {
    if (this.#decode === undefined) return await super.finishPayloads();
    this.#decoder?.finish();
    this.#decode = undefined;
  }

  /** As `fillIntervals` does, but nobody wants the intervals. */
  async learnSteps(bytes: Uint8Array, stepCount: number): Promise<void> {
    this.#settleNow();
    await this.fillIntervals(bytes, stepCount, new Uint32Array(2 * stepCount * this.hyper.streams));
  }

  /** Learns what is owed: what follows begins with a prediction. */
  #settleNow(): void {
    if (!this.#owesTraining) return;
    const encoder = this.gpu.device.createCommandEncoder();
    this.#settleAlone(encoder);
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  /** The rows of some steps in the ring: one piece, or two around its end. */
  #rowSlices(step: number, stepCount: number): Slice[] {
    const { pastRows } = this.buffers;
    const row = step % pastRows;
    const count = Math.min(stepCount, pastRows - row);
    const pieces = [
      { offset: row * this.#rowBytes, size: count * this.#rowBytes },
      { offset: 0, size: (stepCount - count) * this.#rowBytes },
    ];
    const buffer = this.buffers.get("bytes");
    return pieces.filter(({ size }) => size > 0).map((piece) => ({ ...piece, buffer, isShared: false }));
  }

  /** Step-major bytes from rows of whole words. */
  #takeRows(pieces: readonly Uint8Array[], bytes: Uint8Array): void {
    const { streams } = this.hyper;
    let to = 0;
    for (const piece of pieces) {
      for (let from = 0; from < piece.length; from += this.#rowBytes, to += streams) {
        bytes.set(piece.subarray(from, from + streams), to);
      }
    }
  }

  /** The same as `#settle`, in a pass of its own. */
  #settleAlone(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    this.#settle(pass);
    pass.end();
  }

  /** Records what the last step that was given has to learn, if that has not happened. */
  #settle(pass: GPUComputePassEncoder): void {
    if (this.#owesTraining) this.#recordLearning(pass, this.#nextStep - 1);
    this.#owesTraining = false;
  }

  #recordLearning(pass: GPUComputePassEncoder, step: number): void {
    record(pass, trainsIn(this.hyper, step) ? this.step.backward : this.step.untrained);
  }

  /** Uploads the bytes of the next steps into the ring, a row to a step; they are a chunk of their own. */
  #give(bytes: Uint8Array, stepCount: number): void {
    const { pastRows } = this.buffers;
    const rows = this.#rows(bytes, stepCount);
    const first = this.#nextStep % pastRows;
    const untilEnd = Math.min(stepCount, pastRows - first) * this.#rowBytes;
    this.#writeRows(first, rows.subarray(0, untilEnd));
    this.#writeRows(0, rows.subarray(untilEnd));
    this.#writeControl(this.buffers.places.chunkStep, 0);
    this.#nextStep += stepCount;
  }

  #writeRows(row: number, rows: Uint8Array<ArrayBuffer>): void {
    if (rows.length > 0) this.gpu.device.queue.writeBuffer(this.buffers.get("bytes"), row * this.#rowBytes, rows);
  }

  #writeControl(place: number, value: number): void {
    this.gpu.device.queue.writeBuffer(this.buffers.get("control"), 4 * place, Int32Array.of(value));
  }

  /** Step-major bytes with rows padded to whole words. */
  #rows(bytes: Uint8Array, stepCount: number): Uint8Array<ArrayBuffer> {
    const { streams } = this.hyper;
    const rows = new Uint8Array(stepCount * this.#rowBytes);
    for (let step = 0; step < stepCount; step++) {
      rows.set(bytes.subarray(step * streams, (step + 1) * streams), step * this.#rowBytes);
    }
    return rows;
  }

  /** Submits and reads `words` words of a buffer back into `into`. */
  async #readWords(encoder: GPUCommandEncoder, name: string, words: number, into: Uint32Array): Promise<void> {
    const part = { ...this.buffers.slice(name), size: words * 4 };
    await this.#staging.read(encoder, [part], ([bytes]) => {
      if (bytes) into.set(new Uint32Array(bytes.buffer, bytes.byteOffset, words));
    });
  }

  /** Reads a whole buffer, for tests. */
  async readBuffer(name: string): Promise<Int32Array> {
    const words = this.buffers.slice(name).size / 4;
    const out = new Uint32Array(words);
    await this.#readWords(this.gpu.device.createCommandEncoder(), name, words, out);
    return new Int32Array(out.buffer);
  }

  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#decoder?.destroy();
      this.#staging.destroy();
      this.compiler.destroy();
      this.buffers.destroy();
    }
  }
}

/**
 * A model on the GPU: feeds bytes in, brings intervals or frequency tables back.
 *
 * Compression records hundreds of steps into one submit; the step counter lives on the device, and the host counts
 * along, because it chooses what a step does. Decompression submits the training of the last step and the prediction
 * of the next one together, and waits once per step. The bytes of the past stay on the device, in a ring of rows.
 */

import { type DataKind, packPlan, planFor } from "../../model/contexts.ts";
import { type HyperParameters, trainsIn } from "../../model/hyper.ts";
import type { Model } from "../engine.ts";
import { ModelBuffers, sharedConstants } from "./buffers.ts";
import type { GpuDevice } from "./device.ts";
import type { TileSize } from "./fused-plan.ts";
import { KernelCompiler, record } from "./kernel.ts";
import { tileFor } from "./path.ts";
import { buildStep, type StepDispatches } from "./step.ts";

const MAP_MODE_READ = 1;

export interface ModelOptions {
  /** Where the count of steps begins: what happens late can be tested early. */
  readonly firstStep?: number;
  /** A kernel to a box, or fused kernels with such tiles; by default what suits the model and the device. */
  readonly path?: "boxes" | TileSize;
}

export class GpuModel implements Model {
  /** Bytes have come that the device has not trained on yet. */
  #owesTraining = false;
  /** The number of the next step whose bytes come. */
  #nextStep: number;
  readonly #rowBytes: number;

  private constructor(
    readonly hyper: HyperParameters,
    readonly gpu: GpuDevice,
    readonly buffers: ModelBuffers,
    readonly step: StepDispatches,
    readonly chunkSteps: number,
    firstStep: number,
  ) {
    this.#nextStep = firstStep;
    this.#rowBytes = buffers.rowWords * 4;
    this.#writeControl(buffers.places.step, firstStep);
  }

  /**
   * @throws EngineLimitError, ShaderError
   */
  static async open(
    gpu: GpuDevice,
    hyper: HyperParameters,
    chunkSteps: number,
    { firstStep = 0, path }: ModelOptions = {},
  ): Promise<GpuModel> {
    const buffers = new ModelBuffers(gpu.device, hyper, chunkSteps);
    const compiler = new KernelCompiler(gpu.device, sharedConstants(hyper, buffers.layout, buffers.pastRows));
    const tile = path === "boxes" ? undefined : (path ?? (await tileFor(gpu, buffers)));
    const step = await buildStep(compiler, buffers, tile);
    gpu.check();
    return new GpuModel(hyper, gpu, buffers, step, chunkSteps, firstStep);
  }

  /** What the device has yet to learn belongs to the kind of data before. */
  async describe(kind: DataKind): Promise<void> {
    const plan = packPlan(planFor(this.hyper, kind), this.hyper.streams) as Int32Array<ArrayBuffer>;
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#settle(pass);
    pass.end();
    // A prediction that nothing was learned from has left its claims on slots.
    encoder.clearBuffer(this.buffers.get("owners"));
    this.gpu.device.queue.submit([encoder.finish()]);
    const place = this.buffers.slice("plan");
    this.gpu.device.queue.writeBuffer(place.buffer, place.offset, plan);
  }

  async encodeSteps(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const pending: Promise<void>[] = [];
    for (let first = 0; first < stepCount; first += this.chunkSteps) {
      const count = Math.min(this.chunkSteps, stepCount - first);
      const { streams } = this.hyper;
      const part = bytes.subarray(first * streams, (first + count) * streams);
      pending.push(this.#encodeChunk(part, count, intervals.subarray(2 * first * streams)));
    }
    await Promise.all(pending);
  }

  /** Everything up to the submit happens before the first await, so calls keep their order. */
  async #encodeChunk(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const first = this.#nextStep;
    this.#give(bytes, stepCount);
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = first; step < first + stepCount; step++) {
      record(pass, this.step.forward);
      this.#recordLearning(pass, step);
    }
    pass.end();
    await this.#read(encoder, "intervals", 2 * stepCount * this.hyper.streams, intervals);
  }

  async predict(ends: Uint32Array): Promise<void> {
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#settle(pass);
    record(pass, this.step.forward);
    pass.end();
    await this.#read(encoder, "ends", 256 * this.hyper.streams, ends);
  }

  async learn(bytes: Uint8Array): Promise<void> {
    if (this.#owesTraining) throw new Error("learn was called twice without predict between");
    this.#give(bytes, 1);
    this.#owesTraining = true;
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
    this.gpu.device.queue.writeBuffer(this.buffers.get("shifts"), 4 * place, Int32Array.of(value));
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
  async #read(encoder: GPUCommandEncoder, name: string, words: number, into: Uint32Array): Promise<void> {
    const sizeBytes = words * 4;
    const staging = this.buffers.takeStaging(sizeBytes);
    const { buffer, offset } = this.buffers.slice(name);
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, sizeBytes);
    this.gpu.device.queue.submit([encoder.finish()]);
    await this.gpu.settled(staging.mapAsync(MAP_MODE_READ, 0, sizeBytes));
    into.set(new Uint32Array(staging.getMappedRange(0, sizeBytes)));
    staging.unmap();
    this.buffers.releaseStaging(staging);
  }

  /** Reads a whole buffer, for tests. */
  async readBuffer(name: string): Promise<Int32Array> {
    const words = this.buffers.slice(name).size / 4;
    const out = new Uint32Array(words);
    await this.#read(this.gpu.device.createCommandEncoder(), name, words, out);
    return new Int32Array(out.buffer);
  }

  async close(): Promise<void> {
    this.buffers.destroy();
  }
}

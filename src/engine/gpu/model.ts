/**
 * A model on the GPU: feeds bytes in, brings intervals or frequency tables back, keeps the history of each stream.
 *
 * Compression records hundreds of steps into one submit; the step counter lives on the device. Decompression submits
 * the training of the last step and the prediction of the next one together, and waits once per step.
 */

import type { HyperParameters } from "../../model/hyper.ts";
import type { Model } from "../engine.ts";
import { ModelBuffers, sharedConstants } from "./buffers.ts";
import type { GpuDevice } from "./device.ts";
import { KernelCompiler, record } from "./kernel.ts";
import { buildStep, type StepDispatches } from "./step.ts";

const MAP_MODE_READ = 1;

export class GpuModel implements Model {
  /** The last T rows of bytes, one byte of each stream to a row, padded to whole words. */
  #history: Uint8Array<ArrayBuffer>;
  /** Steps of the current chunk that the device has, when decoding. */
  #decodedInChunk = 0;
  /** Bytes have come that the device has not trained on yet. */
  #owesTraining = false;
  readonly #rowBytes: number;

  private constructor(
    readonly hyper: HyperParameters,
    readonly gpu: GpuDevice,
    readonly buffers: ModelBuffers,
    readonly step: StepDispatches,
    readonly chunkSteps: number,
  ) {
    this.#rowBytes = buffers.rowWords * 4;
    this.#history = new Uint8Array(hyper.history * this.#rowBytes);
    this.#startChunk(new Uint8Array(0));
  }

  /** @throws EngineLimitError, ShaderError */
  static async open(gpu: GpuDevice, hyper: HyperParameters, chunkSteps: number): Promise<GpuModel> {
    const buffers = new ModelBuffers(gpu.device, hyper, chunkSteps);
    const compiler = new KernelCompiler(gpu.device, sharedConstants(hyper, buffers.layout, buffers.rowWords));
    const step = await buildStep(compiler, buffers);
    gpu.check();
    return new GpuModel(hyper, gpu, buffers, step, chunkSteps);
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
    this.#startChunk(this.#rows(bytes, stepCount));
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = 0; step < stepCount; step++) {
      record(pass, this.step.forward);
      record(pass, this.step.backward);
    }
    pass.end();
    await this.#read(encoder, "intervals", 2 * stepCount * this.hyper.streams, intervals);
  }

  async predict(ends: Uint32Array): Promise<void> {
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    if (this.#owesTraining) {
      record(pass, this.step.backward);
      this.#owesTraining = false;
    }
    record(pass, this.step.forward);
    pass.end();
    await this.#read(encoder, "ends", 256 * this.hyper.streams, ends);
  }

  async learn(bytes: Uint8Array): Promise<void> {
    const row = this.#rows(bytes, 1);
    if (this.#decodedInChunk === this.chunkSteps) this.#continueChunk();
    const at = (this.hyper.history + this.#decodedInChunk) * this.#rowBytes;
    this.gpu.device.queue.writeBuffer(this.buffers.get("bytes"), at, row);
    this.#remember(row);
    this.#decodedInChunk++;
    this.#owesTraining = true;
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

  /** Keeps the last T rows of history and `rows` together. */
  #remember(rows: Uint8Array): void {
    const all = new Uint8Array(this.#history.length + rows.length);
    all.set(this.#history);
    all.set(rows, this.#history.length);
    this.#history = all.slice(rows.length);
  }

  /** Uploads the history and the rows of a chunk, and sets the device's chunk step to 0. */
  #startChunk(rows: Uint8Array<ArrayBuffer>): void {
    const { queue } = this.gpu.device;
    queue.writeBuffer(this.buffers.get("bytes"), 0, this.#history);
    if (rows.length > 0) queue.writeBuffer(this.buffers.get("bytes"), this.#history.length, rows);
    queue.writeBuffer(this.buffers.get("shifts"), 4 * this.buffers.places.chunkStep, new Int32Array([0]));
    this.#remember(rows);
  }

  /** The decoder's window of rows is full: the history moves to its start. */
  #continueChunk(): void {
    if (this.#owesTraining) throw new Error("learn was called twice without predict between");
    this.#startChunk(new Uint8Array(0));
    this.#decodedInChunk = 0;
  }

  /** Submits and reads `words` words of a buffer back into `into`. */
  async #read(encoder: GPUCommandEncoder, name: string, words: number, into: Uint32Array): Promise<void> {
    const sizeBytes = words * 4;
    const staging = this.buffers.takeStaging(sizeBytes);
    encoder.copyBufferToBuffer(this.buffers.get(name), 0, staging, 0, sizeBytes);
    this.gpu.device.queue.submit([encoder.finish()]);
    await this.gpu.settled(staging.mapAsync(MAP_MODE_READ, 0, sizeBytes));
    into.set(new Uint32Array(staging.getMappedRange(0, sizeBytes)));
    staging.unmap();
    this.buffers.releaseStaging(staging);
  }

  /** Reads a whole buffer, for tests. */
  async readBuffer(name: string): Promise<Int32Array> {
    const words = this.buffers.get(name).size / 4;
    const out = new Uint32Array(words);
    await this.#read(this.gpu.device.createCommandEncoder(), name, words, out);
    return new Int32Array(out.buffer);
  }

  async close(): Promise<void> {
    this.buffers.destroy();
  }
}

/** Brings parts of a device's buffers back to the host; mappable buffers are kept for the next time. */
import type { Slice } from "./arena.ts";
import type { GpuDevice } from "./device.ts";

const MAP_READ = 0x01;
const COPY_TARGET = 0x08;
const MAP_MODE_READ = 1;

/** A part of a buffer. */
export type Part = Pick<Slice, "buffer" | "offset" | "size">;

export class Staging {
  readonly #gpu: GpuDevice;
  readonly #idle: GPUBuffer[] = [];

  constructor(gpu: GpuDevice) {
    this.#gpu = gpu;
  }

  /**
   * Submits what is recorded, and behind it the copies. Everything up to the submit happens before the first await.
   *
   * @param parts whole words
   * @param take gets the bytes of the parts, which it may not keep
   * @throws EngineDeviceError
   */
  async read(
    encoder: GPUCommandEncoder,
    parts: readonly Part[],
    take: (parts: readonly Uint8Array<ArrayBuffer>[]) => void,
  ): Promise<void> {
    const sizeBytes = parts.reduce((sum, { size }) => sum + size, 0);
    const staging = this.#take(sizeBytes);
    const starts: number[] = [];
    let at = 0;
    for (const { buffer, offset, size } of parts) {
      encoder.copyBufferToBuffer(buffer, offset, staging, at, size);
      starts.push(at);
      at += size;
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.#gpu.settled(staging.mapAsync(MAP_MODE_READ, 0, sizeBytes));
    const mapped = staging.getMappedRange(0, sizeBytes);
    try {
      take(parts.map(({ size }, i) => new Uint8Array(mapped, starts[i], size)));
    } finally {
      staging.unmap();
      this.#idle.push(staging);
    }
  }

  #take(sizeBytes: number): GPUBuffer {
    const found = this.#idle.findIndex((buffer) => buffer.size >= sizeBytes);
    if (found >= 0) return this.#idle.splice(found, 1)[0] as GPUBuffer;
    return this.#gpu.device.createBuffer({ label: "staging", size: sizeBytes, usage: MAP_READ | COPY_TARGET });
  }

  destroy(): void {
    for (const buffer of this.#idle) buffer.destroy();
  }
}

/**
 * A WebGPU device whose faults are not lost: Dawn reports validation errors and a lost device through callbacks, this
 * class remembers them and throws at the next call, so that a wrong dispatch or a driver reset never passes for a
 * result.
 */
import { EngineDeviceError } from "../engine.ts";

export class GpuDevice {
  #fault: string | undefined;
  readonly #lost: Promise<never>;

  constructor(
    readonly device: GPUDevice,
    /** The adapter's name, for people. */
    readonly name: string,
    /** Its driver runs shaders on the CPU. */
    readonly isSoftware = false,
  ) {
    device.addEventListener("uncapturederror", (event) => {
      this.#fault ??= event.error.message;
    });
    this.#lost = device.lost.then(({ message }) => {
      this.#fault ??= `the device was lost: ${message}`;
      throw new EngineDeviceError("gpu", this.#fault);
    });
    this.#lost.catch(() => {}); // reported by the call that waits for it, or by check()
  }

  /** @throws EngineDeviceError if the device has reported a fault */
  check(): void {
    if (this.#fault !== undefined) throw new EngineDeviceError("gpu", this.#fault);
  }

  /** Waits for work on the device. @throws EngineDeviceError if it fails, or if the device is lost meanwhile */
  async settled<T>(work: Promise<T>): Promise<T> {
    const result = await Promise.race([work, this.#lost]);
    this.check();
    return result;
  }
}

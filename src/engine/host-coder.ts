/**
 * A Model made of a network, with the coder on the host. Each direction is loaded when it is first asked for: a program
 * that only decodes carries no encoder.
 */
import type { DataKind } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { DecoderOptions, EncoderOptions, Model } from "./engine.ts";
import type { HostDecoder } from "./host-decoder.ts";
import type { HostEncoder } from "./host-encoder.ts";
import type { IntervalModel, StepModel } from "./network.ts";

export abstract class HostCodedModel implements Model, IntervalModel, StepModel {
  abstract readonly hyper: HyperParameters;
  #encoder: HostEncoder | undefined;
  #decoder: HostDecoder | undefined;

  /** @param chunkSteps steps whose intervals are kept while they are coded */
  constructor(readonly chunkSteps: number) {}

  abstract describe(kind: DataKind): Promise<void>;
  abstract fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void>;
  abstract predict(ends: Uint32Array): Promise<void>;
  abstract learn(bytes: Uint8Array): Promise<void>;
  /** A network knows no blocks. */
  async beginLearning(): Promise<void> {}

  abstract learnSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void>;

  async beginPayloads(groups: number, options: EncoderOptions): Promise<void> {
    if (!this.#encoder) {
      const { HostEncoder } = await import("./host-encoder.ts");
      this.#encoder = new HostEncoder(this, this.chunkSteps);
    }
    await this.#encoder.beginPayloads(groups, options);
  }

  async encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number> {
    return await opened(this.#encoder, "beginPayloads").encodeSteps(bytes, stepCount, liveInLastStep);
  }

  async takePayloads(): Promise<Uint8Array[]> {
    return await opened(this.#encoder, "beginPayloads").takePayloads();
  }

  async openPayloads(payloads: readonly Uint8Array[], options: DecoderOptions): Promise<void> {
    if (!this.#decoder) {
      const { HostDecoder } = await import("./host-decoder.ts");
      this.#decoder = new HostDecoder(this);
    }
    await this.#decoder.openPayloads(payloads, options);
  }

  async decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    await opened(this.#decoder, "openPayloads").decodeSteps(bytes, stepCount, liveInLastStep);
  }

  async finishPayloads(): Promise<void> {
    await opened(this.#decoder, "openPayloads").finishPayloads();
  }

  async close(): Promise<void> {
    try {
      await this.#encoder?.close();
    } finally {
      await this.#decoder?.close();
    }
  }
}

/** @throws Error that names what should have been called before */
function opened<T>(half: T | undefined, opener: string): T {
  if (half === undefined) throw new Error(`the model was used without payloads: call ${opener} before`);
  return half;
}

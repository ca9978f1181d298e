/**
 * A mixer on the GPU, until a block comes whose pixels or sound its lanes foresee. Predictors compute in 64-bit floats,
 * which WGSL does not have: so at the first such block the lanes go over to threads of the host, with all that they
 * have learnt, and stay there. Few lanes foresee, and few lanes are no faster on a GPU.
 */
import type { DataKind } from "../../contract/contexts.ts";
import type { HyperParameters } from "../../contract/hyper.ts";
import type { LanePrior } from "../../contract/prior.ts";
import type { ForeseenBlock } from "../../predict/foresight.ts";
import type { Cue, DecoderOptions, EncoderOptions, Model } from "../engine.ts";
import { foreseenByLane, type MixerModel, type MixerOptions, openMixer } from "../mixer/model.ts";
import type { GpuMixer } from "./mixer.ts";
import { learntOf } from "./mixer-return.ts";

/** What a prior still is to lanes that have begun: all but tallies is among what they have learnt. */
function restOf({ lessons, skimmedBytes, trained, ...others }: LanePrior): LanePrior {
  return { ...others, content: new Uint8Array(0) };
}

export class ForeseeingMixer implements Model {
  readonly #options: MixerOptions;
  #model: GpuMixer | MixerModel;
  /** The same, while it is on the device. */
  #onDevice: GpuMixer | undefined;

  /** @param options of the lanes on the host */
  constructor(onDevice: GpuMixer, options: MixerOptions) {
    this.#model = onDevice;
    this.#onDevice = onDevice;
    this.#options = options;
  }

  get hyper(): HyperParameters {
    return this.#model.hyper;
  }

  get chunkSteps(): number {
    return this.#model.chunkSteps;
  }

  get isOnDevice(): boolean {
    return this.#onDevice !== undefined;
  }

  /** @throws EngineLimitError, ThreadLimitError, EngineDeviceError */
  async describe(kind: DataKind, foreseen?: ForeseenBlock): Promise<void> {
    const pixels = foreseenByLane(foreseen, this.hyper.streams);
    if (this.#onDevice && pixels.some(({ length }) => length > 0)) await this.#goOver(this.#onDevice);
    await this.#model.describe(kind, foreseen);
  }

  async #goOver(mixer: GpuMixer): Promise<void> {
    const { prior, ...others } = this.#options;
    const { streams } = mixer.hyper;
    const isNew = !mixer.hasBegun;
    const behind = isNew ? prior : prior?.tallies && restOf(prior);
    const model = openMixer(mixer.hyper, { ...others, ...(behind && { prior: behind }), areResumed: !isNew });
    this.#model = model;
    this.#onDevice = undefined;
    try {
      for (let lane = 0; !isNew && lane < streams; lane++) await model.resume(lane, await learntOf(mixer, lane));
    } finally {
      await mixer.close();
    }
  }

  beginPayloads(groups: number, options: EncoderOptions): Promise<void> {
    return this.#model.beginPayloads(groups, options);
  }

  encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number> {
    return this.#model.encodeSteps(bytes, stepCount, liveInLastStep);
  }

  takePayloads(): Promise<Uint8Array[]> {
    return this.#model.takePayloads();
  }

  openPayloads(payloads: readonly Uint8Array[], _options: DecoderOptions): Promise<void> {
    return this.#model.openPayloads(payloads);
  }

  decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    return this.#model.decodeSteps(bytes, stepCount, liveInLastStep);
  }

  finishPayloads(): Promise<void> {
    return this.#model.finishPayloads();
  }

  beginLearning(): Promise<void> {
    return this.#model.beginLearning();
  }

  cue(cues: readonly (readonly Cue[])[]): Promise<void> {
    return this.#model.cue(cues);
  }

  learnSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    return this.#model.learnSteps(bytes, stepCount, liveInLastStep);
  }

  close(): Promise<void> {
    return this.#model.close();
  }
}

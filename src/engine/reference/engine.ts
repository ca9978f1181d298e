/**
 * The reference engine: the numeric contract as plain TypeScript, for reading and for tests.
 *
 * It is the judge when two engines differ. It is slow (some hundred bytes a second at the default level) and keeps
 * every intermediate where a test can look at it.
 */

import { type DataKind, planFor } from "../../contract/contexts.ts";
import { checkHyperParameters, type HyperParameters, hasNetwork, trainsIn } from "../../contract/hyper.ts";
import type { LanePrior } from "../../contract/prior.ts";
import { State } from "../../contract/state.ts";
import type { Engine } from "../engine.ts";
import { HostCodedModel } from "../host-coder.ts";
import { MixerModel } from "../mixer/model.ts";
import { Backward } from "./backward.ts";
import { Forward } from "./forward.ts";
import { ReferenceLane } from "./mixer.ts";
import { optimise } from "./optimizer.ts";

/** Steps per chunk: small, so that progress moves at the reference's pace. */
const CHUNK_STEPS = 16;

export class ReferenceModel extends HostCodedModel {
  readonly state: State;
  readonly forward: Forward;
  readonly backward: Backward;

  constructor(readonly hyper: HyperParameters) {
    super(CHUNK_STEPS);
    checkHyperParameters(hyper);
    this.state = new State(hyper);
    this.forward = new Forward(this.state);
    this.backward = new Backward(this.state, this.forward);
  }

  /** Trains on the bytes of the step that `forward.run` predicted. */
  train(bytes: Uint8Array): void {
    const { state } = this;
    const trains = trainsIn(this.hyper, state.step);
    this.backward.run(bytes, trains);
    if (trains) optimise(state, this.backward);
    else state.exponents.endStep(false);
    state.recall.append(state.step, bytes);
    state.step++;
  }

  async describe(kind: DataKind): Promise<void> {
    this.state.recall.plan = planFor(this.hyper, kind);
  }

  async fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const { streams } = this.hyper;
    for (let step = 0; step < stepCount; step++) {
      const row = bytes.subarray(step * streams, (step + 1) * streams);
      this.forward.run();
      for (let stream = 0; stream < streams; stream++) {
        this.#interval(stream, row[stream] as number, intervals, 2 * (step * streams + stream));
      }
      this.train(row);
    }
  }

  /** Start and frequency of one byte of one stream. */
  #interval(stream: number, byte: number, into: Uint32Array, at: number): void {
    const table = this.forward.frequencies.subarray(stream * 256, (stream + 1) * 256);
    into[at] = table.subarray(0, byte).reduce((sum, frequency) => sum + frequency, 0);
    into[at + 1] = table[byte] as number;
  }

  async predict(ends: Uint32Array): Promise<void> {
    this.forward.run();
    for (let stream = 0; stream < this.hyper.streams; stream++) {
      let end = 0;
      for (let v = 0; v < 256; v++) {
        end += this.forward.frequencies[stream * 256 + v] as number;
        ends[stream * 256 + v] = end;
      }
    }
  }

  async learn(bytes: Uint8Array): Promise<void> {
    this.train(bytes);
  }

  async learnSteps(bytes: Uint8Array, stepCount: number): Promise<void> {
    const { streams } = this.hyper;
    for (let step = 0; step < stepCount; step++) {
      this.forward.run();
      this.train(bytes.subarray(step * streams, (step + 1) * streams));
    }
  }
}

function lanesOf(
  { streams, mixerContexts: contexts, mixerBits: lineBits, mixerCounters: counters }: HyperParameters,
  prior: LanePrior | undefined,
): ReferenceLane[] {
  return Array.from({ length: streams }, () => {
    const lane = new ReferenceLane({ contexts, lineBits, counters });
    if (prior) lane.seed(prior);
    return lane;
  });
}

export function createReferenceEngine(): Engine {
  return {
    name: "reference",
    description: "plain TypeScript, one thread, for tests",
    openModel: async (hyper, _, prior) =>
      hasNetwork(hyper) ? new ReferenceModel(hyper) : new MixerModel(hyper, lanesOf(hyper, prior)),
    close: async () => {},
  };
}

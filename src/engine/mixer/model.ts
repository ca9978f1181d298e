/**
 * Models without a network: the bit mixer alone (docs/MIXER.md). Every stream is a lane, which has a memory and a coder
 * of its own, and a payload; so lanes are what threads take, and results do not depend on how many threads there are.
 *
 * The CPU engine and the reference make them of this, and the GPU engine where the device has no room; a GPU has lanes
 * of its own (src/engine/gpu/mixer.ts). The caller's thread has every T-th lane and is busy with them while a call
 * runs; the other T - 1 threads answer meanwhile.
 */
import { CorruptDataError } from "../../coder/errors.ts";
import type { DataKind } from "../../contract/contexts.ts";
import type { HyperParameters } from "../../contract/hyper.ts";
import type { LanePrior } from "../../contract/prior.ts";
import { buffersOf, leaveBehind, release } from "../../platform/release.ts";
import { WorkerThread } from "../../platform/worker-thread.ts";
import { type ForeseenBlock, type ForeseenNumbers, foreseenWithin } from "../../predict/foresight.ts";
import {
  type CoderObserver,
  type Cue,
  type EncoderOptions,
  EngineDeviceError,
  EngineLimitError,
  type EngineName,
  type Model,
} from "../engine.ts";
import type { Lane } from "./cued-lane.ts";
import { LaneGroup, type LaneReply, type LaneRequest } from "./group.ts";
import { type LaneShape, type LearntArea, MixerLane } from "./lane.ts";
import { leaveLane, takeLane } from "./seeded-lanes.ts";

/** Steps of a chunk, at most: some tens of milliseconds. */
const CHUNK_STEPS = 1 << 15;
/** Bytes that are coded sooner than a thread has started. */
const LONE_BYTES = 1 << 15;

export interface MixerOptions {
  readonly engine: EngineName;
  /** Threads that may work, the caller's included; at least 1. */
  readonly threads: number;
  /** How many bytes the model will see, about, if that is known. */
  readonly expectedBytes?: number;
  /** What each lane begins with. */
  readonly prior?: LanePrior;
  /** Lanes will resume what others have learnt: they are of no use to the next file. */
  readonly areResumed?: boolean;
}

/** Where a lane's bytes begin and end in a block: the first lanes have one more, if they cannot be equal. */
export function laneRange(sizeBytes: number, lanes: number, lane: number): [start: number, end: number] {
  const longer = sizeBytes % lanes;
  const least = (sizeBytes - longer) / lanes;
  const startOf = (number: number) => number * least + Math.min(number, longer);
  return [startOf(lane), startOf(lane + 1)];
}

/** What each lane foresees of a block. */
export function foreseenByLane(foreseen: ForeseenBlock | undefined, lanes: number): ForeseenNumbers[][] {
  return Array.from({ length: lanes }, (_, lane) => {
    return foreseen ? foreseenWithin(foreseen.stretches, ...laneRange(foreseen.seenBytes, lanes, lane)) : [];
  });
}

/** A lane that is not kept for the next file. */
function newLane(shape: LaneShape, prior: LanePrior | undefined): MixerLane {
  const lane = new MixerLane(shape, prior);
  if (prior) lane.seed(prior);
  return lane;
}

/** @throws EngineLimitError if the machine does not have the memory, ThreadLimitError */
export function openMixer(hyper: HyperParameters, options: MixerOptions): MixerModel {
  const { streams, mixerContexts: contexts, mixerBits: lineBits, mixerCounters: counters } = hyper;
  const { threads, engine, expectedBytes = Number.POSITIVE_INFINITY, prior, areResumed = false } = options;
  const count = expectedBytes < LONE_BYTES ? 1 : Math.min(threads, streams);
  const shape = { contexts, lineBits, counters };
  const lanesOf = (thread: number) => Math.ceil((streams - thread) / count);
  const workers: WorkerThread<LaneRequest, LaneReply>[] = [];
  try {
    for (let thread = 1; thread < count; thread++) {
      const failed = (detail: string) => new EngineDeviceError(engine, `a thread of the mixer failed: ${detail}`);
      workers.push(new WorkerThread("mixer", { ...shape, lanes: lanesOf(thread), prior }, failed));
    }
    if (prior && !areResumed) {
      const seeded = Array.from({ length: lanesOf(0) }, () => takeLane(prior, shape));
      const lanes = seeded.map(({ lane }) => lane);
      return new MixerModel(hyper, lanes, workers, () => seeded.forEach(leaveLane));
    }
    const lanes = Array.from({ length: lanesOf(0) }, () => newLane(shape, prior));
    return new MixerModel(hyper, lanes, workers);
  } catch (error) {
    for (const worker of workers) void worker.close();
    if (!(error instanceof RangeError)) throw error;
    throw new EngineLimitError(engine, "there is not enough memory for the model");
  }
}

export class MixerModel implements Model {
  readonly chunkSteps = CHUNK_STEPS;
  readonly #group: LaneGroup;
  /** Of the caller's lanes: what is left to the collector when the model is closed. */
  readonly #memoryBytes: number;
  readonly #workers: readonly WorkerThread<LaneRequest, LaneReply>[];
  #observer: CoderObserver | undefined;
  /** Of the block so far. */
  #codedBytes = 0;

  readonly #leave: () => void;

  /**
   * @param lanes of the caller's thread: every so many-th, with those of the workers
   * @param leave told when the model is closed
   */
  constructor(
    readonly hyper: HyperParameters,
    lanes: readonly Lane[],
    workers: readonly WorkerThread<LaneRequest, LaneReply>[] = [],
    leave: () => void = () => {},
  ) {
    this.#leave = leave;
    this.#group = new LaneGroup(lanes);
    this.#memoryBytes = lanes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    this.#workers = workers;
  }

  async describe({ stride }: DataKind, foreseen?: ForeseenBlock): Promise<void> {
    const pixels = foreseenByLane(foreseen, this.hyper.streams);
    await this.#ask((thread) => ({ kind: "describe", stride, pixels: this.#shareOf(thread, pixels) }));
  }

  /** Gives a lane of a new model what another model's lane has learnt between two blocks. */
  async resume(lane: number, areas: readonly LearntArea[]): Promise<void> {
    const threads = this.#workers.length + 1;
    const worker = this.#workers[(lane % threads) - 1];
    const request = { kind: "resume", lane: Math.floor(lane / threads), areas } as const;
    if (!worker) this.#group.answer(request);
    else {
      worker.send(
        request,
        areas.map(([, { buffer }]) => buffer),
      );
      await worker.receive();
    }
  }

  /** @throws RangeError unless each lane has a payload of its own */
  async beginPayloads(groups: number, { observer }: EncoderOptions): Promise<void> {
    this.#checkGroups(groups);
    this.#observer = observer;
    this.#codedBytes = 0;
    await this.#ask(() => ({ kind: "begin" }));
  }

  async encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number> {
    const replies = await this.#tell("encode", bytes, stepCount, liveInLastStep);
    const codedBytes = replies.reduce((sum, reply) => sum + reply.codedBytes, 0);
    const { streams } = this.hyper;
    this.#observer?.coded?.((stepCount - 1) * streams + liveInLastStep, codedBytes - this.#codedBytes);
    this.#codedBytes = codedBytes;
    return codedBytes;
  }

  async takePayloads(): Promise<Uint8Array[]> {
    return this.#byLane(await this.#ask(() => ({ kind: "take" })), ({ parts }) => parts);
  }

  /** @throws RangeError unless each lane has a payload of its own */
  async openPayloads(payloads: readonly Uint8Array[]): Promise<void> {
    this.#checkGroups(payloads.length);
    await this.#ask((thread) => ({ kind: "open", parts: this.#shareOf(thread, payloads) }));
  }

  async decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    const { streams } = this.hyper;
    const counts = Array.from({ length: streams }, (_, lane) => stepCount - (lane < liveInLastStep ? 0 : 1));
    const replies = await this.#ask((thread) => ({ kind: "decode", counts: this.#shareOf(thread, counts) }));
    for (const [lane, part] of this.#byLane(replies, ({ parts }) => parts).entries()) {
      if (streams === 1) bytes.set(part);
      else for (let t = 0; t < part.length; t++) bytes[t * streams + lane] = part[t] as number;
      if (part.length < stepCount) bytes[part.length * streams + lane] = 0;
      release(part);
    }
  }

  /** @throws CorruptDataError */
  async finishPayloads(): Promise<void> {
    const replies = await this.#ask(() => ({ kind: "finish" }));
    for (const [lane, rest] of this.#byLane(replies, ({ rests }) => rests).entries()) {
      if (rest !== 0) throw new CorruptDataError(rest > 0 ? "data-too-long" : "data-too-short", lane, Math.abs(rest));
    }
  }

  async beginLearning(): Promise<void> {
    await this.#ask(() => ({ kind: "begin" }));
  }

  async cue(cues: readonly (readonly Cue[])[]): Promise<void> {
    // A view that goes to another thread would take all of its buffer along.
    const copied = (lane: readonly Cue[]) => lane.map(({ at, bytes }) => ({ at, bytes: bytes.slice() }));
    await this.#ask((thread) => {
      const share = this.#shareOf(thread, cues);
      return { kind: "cue", cues: thread === 0 ? share : share.map(copied) };
    });
  }

  async learnSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void> {
    await this.#tell("study", bytes, stepCount, liveInLastStep);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    this.#leave();
    leaveBehind(this.#memoryBytes);
  }

  /** Cuts steps into the lanes' bytes, and tells these to the lanes. */
  async #tell(kind: "encode" | "study", bytes: Uint8Array, stepCount: number, live: number): Promise<LaneReply[]> {
    const { streams } = this.hyper;
    if (streams === 1) {
      const parts = [bytes.subarray(0, live === 1 ? stepCount : stepCount - 1)];
      return await this.#ask(() => ({ kind, parts }));
    }
    const parts = Array.from({ length: streams }, (_, lane) => {
      const part = new Uint8Array(stepCount - (lane < live ? 0 : 1));
      for (let t = 0; t < part.length; t++) part[t] = bytes[t * streams + lane] as number;
      return part;
    });
    const replies = await this.#ask((thread) => ({ kind, parts: this.#shareOf(thread, parts) }), true);
    parts.forEach(release);
    return replies;
  }

  /**
   * Asks all threads at once; the caller's lanes work before this returns.
   *
   * @param isGivenAway whether the threads get the parts themselves
   * @returns replies by thread
   */
  #ask(requestOf: (thread: number) => LaneRequest, isGivenAway = false): Promise<LaneReply[]> {
    for (const [i, worker] of this.#workers.entries()) {
      const request = requestOf(i + 1);
      worker.send(request, isGivenAway && "parts" in request ? buffersOf(request.parts) : []);
    }
    const others = Promise.all(this.#workers.map((worker) => worker.receive()));
    // Heard of below, also if the caller's own lanes fail.
    others.catch(() => {});
    const own = this.#group.answer(requestOf(0));
    return others.then((replies) => [own, ...replies]);
  }

  /** Of things by lane, those of a thread: every T-th. */
  #shareOf<T>(thread: number, all: readonly T[]): T[] {
    const threads = this.#workers.length + 1;
    return all.filter((_, lane) => lane % threads === thread);
  }

  #byLane<T>(replies: readonly LaneReply[], of: (reply: LaneReply) => readonly T[]): T[] {
    const threads = replies.length;
    return Array.from({ length: this.hyper.streams }, (_, lane) => {
      return of(replies[lane % threads] as LaneReply)[Math.floor(lane / threads)] as T;
    });
  }

  #checkGroups(groups: number): void {
    const { streams } = this.hyper;
    if (groups !== streams) throw new RangeError(`${groups} payloads for ${streams} lanes`);
  }
}

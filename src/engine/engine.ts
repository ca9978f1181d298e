/**
 * The engine interface: the only thing that the pipeline and the command line know about the network.
 *
 * An engine turns hyper-parameters into a model: B parallel streams, a network with its fixed initial weights, and
 * the state that training has given it so far. A model predicts the next byte of every stream as integer frequencies
 * and learns from the byte that came. Every engine computes exactly the same integers (docs/NUMERICS.md), so an
 * archive written through one decodes through any other.
 *
 * Both directions look alike: begin a block, steps, end it; the coder stands behind the engine. What it is made of,
 * and whether it works on the host or on a device, is the engine's business.
 *
 * Ordering: `encodeSteps`, `decodeSteps` and `learnSteps` take effect in the order in which they were called, whether
 * or not the caller awaited the earlier ones. A caller may therefore ask for the next chunk before the last one is
 * done (ping-pong buffers). All other calls wait for the caller to have seen those end. A model is either encoding or
 * decoding; mixing the two on one model is a programmer's error. After an error only `close` is allowed.
 */
import type { DataKind } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import type { LanePrior } from "../contract/prior.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import type { EngineName } from "./errors.ts";

export { EngineDeviceError, EngineLimitError, type EngineName, EngineUnavailableError } from "./errors.ts";

export interface Engine {
  readonly name: EngineName;
  /** What runs the network, for people: an adapter's name, or a number of threads. */
  readonly description: string;
  /**
   * Allocates a model with its initial weights.
   *
   * @param expectedBytes how many bytes it will be told, about, if that is known: for a few, threads do not pay.
   *   Nothing that is computed depends on it
   * @param prior what each lane of a mixer begins with
   * @throws HyperParameterError, EngineLimitError
   */
  openModel(hyper: HyperParameters, expectedBytes?: number, prior?: LanePrior): Promise<Model>;
  /** Frees the device or the threads. Models must be closed first. */
  close(): Promise<void>;
}

/** Bytes that a lane goes through, without coding them, before it comes to byte `at` of its part of a block. */
export interface Cue {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface Model {
  readonly hyper: HyperParameters;
  /** How many steps a call of `encodeSteps` or `decodeSteps` should have, at most: more gain nothing. */
  readonly chunkSteps: number;

  /**
   * Says what the bytes of the next steps are like; until the first call they are PLAIN_DATA.
   *
   * @param foreseen of a mixer's next block only: pixels of which what is left is coded with contexts of predictors
   * @throws RangeError if the stride is out of reach
   */
  describe(kind: DataKind, foreseen?: ForeseenBlock): Promise<void>;

  /**
   * Begins a block, whose payloads `takePayloads` will hand out.
   *
   * @param groups coder groups, 1 to B; the bytes depend on it
   * @throws RangeError for an impossible number of groups, CoderWorkerError
   */
  beginPayloads(groups: number, options: EncoderOptions): Promise<void>;

  /**
   * Encodes and learns the next `stepCount` steps of known bytes (compression). The coder works where the engine
   * decides, on these steps while the network is at those of the next call, if that comes before this has settled.
   *
   * @param bytes step-major, `stepCount` x B: bytes[t * B + s] is the byte of stream s at step t. Streams that have
   *   ended carry 0 in the last step. It must not change until the promise has settled.
   * @param liveInLastStep streams that have a byte in the last of these steps; the others are not coded
   * @returns coded bytes of the block so far, when these steps are coded
   * @throws IntervalError, CoderWorkerError
   */
  encodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<number>;

  /** Ends the block: its payloads, one per coder group. @throws CoderWorkerError */
  takePayloads(): Promise<Uint8Array[]>;

  /**
   * Takes the payloads of a block, one per coder group, in place of the block before.
   *
   * @throws RangeError for an impossible number of groups, CorruptDataError, CoderWorkerError
   */
  openPayloads(payloads: readonly Uint8Array[], options: DecoderOptions): Promise<void>;

  /**
   * Decodes and learns the next `stepCount` steps (decompression). The coder works where the engine decides.
   *
   * @param bytes filled with `stepCount` x B bytes, step-major
   * @param liveInLastStep streams that have a byte in the last of these steps; the others get 0
   * @throws CorruptDataError, CoderWorkerError
   */
  decodeSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void>;

  /** Checks that the payloads are used up; to be called when all steps have come. @throws CorruptDataError */
  finishPayloads(): Promise<void>;

  /** Begins a block that `learnSteps` will go through. */
  beginLearning(): Promise<void>;

  /**
   * Leads the model through steps that are known already, as if they had been decoded; not between `openPayloads` and
   * `finishPayloads`.
   *
   * @param bytes step-major, `stepCount` x B
   * @param liveInLastStep streams that have a byte in the last of these steps; the others have 0
   */
  learnSteps(bytes: Uint8Array, stepCount: number, liveInLastStep: number): Promise<void>;

  /**
   * Says what the lanes of a mixer are reminded of in the block that has just begun; a network has no such call. Comes
   * right behind `beginPayloads`, `openPayloads` or `beginLearning`.
   *
   * @param cues of each lane, in ascending order of `at`; a decoder must be told the same
   */
  cue?(cues: readonly (readonly Cue[])[]): Promise<void>;

  /** In the middle of a block, too; encoding that is under way ends before. */
  close(): Promise<void>;
}

/** Watches a coder on the host, for benchmarks. Nothing depends on it. */
export interface CoderObserver {
  /** The network has done its part of some steps, and the coder has them (true) or has done its own (false). */
  coding?(isWorking: boolean): void;
  /**
   * What the network predicted for some steps, before they are coded: the start and the frequency of each byte, of
   * FREQUENCY_TOTAL, step-major.
   */
  intervals?(intervals: Uint32Array, shape: { streams: number; steps: number; liveInLastStep: number }): void;
  /** A mixer has coded so many bytes more, and so many coded bytes came of it. */
  coded?(bytes: number, codedBytes: number): void;
}

/** For a coder on the host; the bytes do not depend on it. */
export interface EncoderOptions {
  /** Threads that may code, the caller's included; at least 1. */
  readonly workers: number;
  /** How many bytes the model will see in all, about, if that is known: few are not worth threads. */
  readonly expectedBytes?: number;
  readonly observer?: CoderObserver;
}

export interface DecoderOptions extends EncoderOptions {
  /** Streams that a thread must have to itself; for tests. Default: DECODE_STREAMS_PER_THREAD. */
  readonly streamsPerThread?: number;
}

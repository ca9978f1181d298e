/**
 * The engine interface: the only thing that the pipeline and the command line know about the network.
 *
 * An engine turns hyper-parameters into a model: B parallel streams, a network with its fixed initial weights, and
 * the state that training has given it so far. A model predicts the next byte of every stream as integer frequencies
 * and learns from the byte that came. Every engine computes exactly the same integers (docs/NUMERICS.md), so an
 * archive written through one decodes through any other.
 *
 * Ordering: calls on one model take effect in the order in which they were made, whether or not the caller awaited
 * the earlier ones. A caller may therefore request the next chunk before the last one has arrived (ping-pong
 * buffers). A model is either encoding or decoding; mixing the two on one model is a programmer's error.
 */
import type { DataKind } from "../contract/contexts.ts";
import type { HyperParameters } from "../contract/hyper.ts";

export type EngineName = "reference" | "gpu" | "cpu";

export { FREQUENCY_BITS, FREQUENCY_TOTAL } from "../contract/frequency.ts";

export interface Engine {
  readonly name: EngineName;
  /** What runs the network, for people: an adapter's name, or a number of threads. */
  readonly description: string;
  /** How many steps a chunk of `encodeSteps` should have so that the overhead of a call does not matter. */
  readonly chunkSteps: number;
  /**
   * Allocates a model with its initial weights.
   *
   * @param expectedBytes how many bytes it will be told, about, if that is known: for a few, threads do not pay.
   *   Nothing that is computed depends on it
   * @throws HyperParameterError, EngineLimitError
   */
  openModel(hyper: HyperParameters, expectedBytes?: number): Promise<Model>;
  /** Frees the device or the threads. Models must be closed first. */
  close(): Promise<void>;
}

export interface Model {
  readonly hyper: HyperParameters;

  /**
   * Says what the bytes of the next steps are like; until the first call they are PLAIN_DATA.
   *
   * @throws RangeError if the stride is out of reach
   */
  describe(kind: DataKind): Promise<void>;

  /**
   * Predicts and learns `stepCount` steps of known bytes (compression).
   *
   * @param bytes step-major, `stepCount` x B: bytes[t * B + s] is the byte of stream s at step t. Streams that have
   *   ended carry 0 in the last step; their intervals are computed and not used.
   * @param intervals filled with `stepCount` x B x 2 numbers: the start and the frequency of the coded byte, of
   *   FREQUENCY_TOTAL. It may be backed by shared memory.
   */
  encodeSteps(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void>;

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

  /**
   * Leads the model through steps that are known already, as if they had been decoded; not between `openPayloads` and
   * `finishPayloads`.
   *
   * @param bytes step-major, `stepCount` x B
   */
  learnSteps(bytes: Uint8Array, stepCount: number): Promise<void>;

  close(): Promise<void>;
}

/** For a coder on the host; the bytes do not depend on it. */
export interface DecoderOptions {
  /** Threads that may decode, the caller's included; at least 1. */
  readonly workers: number;
  /** Streams that a thread must have to itself; for tests. Default: DECODE_STREAMS_PER_THREAD. */
  readonly streamsPerThread?: number;
  /** How many bytes the model will see in all, about, if that is known: few are not worth threads. */
  readonly expectedBytes?: number;
  /** The coder begins (true) or ends (false) its part of a step, in which the network waits. */
  readonly coding?: (isWorking: boolean) => void;
}

/** No engine of this kind can run here; `message` says what is missing and `hint` what to do. */
export class EngineUnavailableError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = "EngineUnavailableError";
  }
}

/** The device is there but too small for this model (buffer size, memory). */
export class EngineLimitError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
  ) {
    super(message);
    this.name = "EngineLimitError";
  }
}

/** The device failed in the middle of the work: lost, out of memory, or a defect of fade or the driver. */
export class EngineDeviceError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
  ) {
    super(message);
    this.name = "EngineDeviceError";
  }
}

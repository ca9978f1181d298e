/**
 * The CPU engine: the numeric contract in WebAssembly SIMD on all cores, for machines without a GPU.
 *
 * Each model has one shared memory and its own worker threads (a room); the caller's thread is one of the threads and
 * is busy while a call runs. A call returns when all threads have finished, so its promise is already settled. A small
 * room stays when its model is closed, and the next model of that shape finds everything set up.
 */

import type { DataKind } from "../../contract/contexts.ts";
import { checkHyperParameters, type HyperParameters, hasNetwork } from "../../contract/hyper.ts";
import type { LanePrior } from "../../contract/prior.ts";
import { layoutOf } from "../../contract/tensors.ts";
import { host } from "../../platform/host.ts";
import { collect } from "../../platform/release.ts";
import type { Engine, Model } from "../engine.ts";
import { HostCodedModel } from "../host-coder.ts";
import { openMixer } from "../mixer/model.ts";
import { Command } from "./control.ts";
import { CHUNK_STEPS } from "./layout.ts";
import type { Network, PhaseTimes } from "./network.ts";
import { type RecallMemory, type RecallPlace, readRecall, writePlan, writeSizes } from "./recall-layout.ts";
import { Room, reusableHyper } from "./room.ts";
import { readState, type TrainedState } from "./weights.ts";

interface CpuEngineOptions {
  /** Threads, at least 1; by default as many as the machine runs at once. */
  readonly threads?: number;
}

/** More threads than this only wait for each other. */
const THREADS_MAX = 256;
/**
 * Steps times parameters that one thread does alone: as long as they take, about a tenth of a second, others would only
 * be started.
 */
const LONE_WORK = 3e7;

export async function createCpuEngine(options: CpuEngineOptions = {}): Promise<Engine> {
  const wanted = options.threads ?? host.processorCount();
  return new CpuEngine(Math.max(1, Math.min(THREADS_MAX, Math.floor(wanted))));
}

/** A thread without streams only costs meetings; one that does not see the memory can do nothing. */
const usefulThreads = (threads: number, { streams }: HyperParameters) =>
  host.sharesMemory ? Math.min(threads, Math.ceil(streams / 4)) : 1;

class CpuEngine implements Engine {
  readonly name = "cpu";
  readonly description: string;
  readonly #threads: number;
  /** What the last model left behind, for the next. */
  #idle: Room | undefined;
  /** Steps times parameters of all models so far, as far as they were expected. */
  #work = 0;
  #isClosed = false;
  /** Whether there is the memory of a room that was closed. */
  #collectBefore = false;

  constructor(threads: number) {
    this.#threads = threads;
    this.description = `WebAssembly SIMD, ${threads} thread${threads === 1 ? "" : "s"}`;
  }

  async openModel(hyper: HyperParameters, expectedBytes = Number.POSITIVE_INFINITY, prior?: LanePrior): Promise<Model> {
    checkHyperParameters(hyper);
    if (!hasNetwork(hyper)) {
      return openMixer(hyper, { engine: "cpu", threads: this.#threads, expectedBytes, ...(prior && { prior }) });
    }
    const threads = this.#threadsFor(hyper, expectedBytes);
    const idle = this.#idle;
    this.#idle = undefined;
    const leave = (room: Room) => this.#keepOrClose(room);
    if (idle?.suits(hyper, threads)) return await CpuModel.follow(hyper, idle, leave);
    await this.#leaveRoom(idle);
    if (this.#collectBefore) collect();
    this.#collectBefore = false;
    const reusable = reusableHyper(hyper);
    const room = await Room.open(reusable ?? hyper, { threads, isReusable: reusable !== undefined });
    return CpuModel.begin(hyper, room, leave);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const idle = this.#idle;
    this.#idle = undefined;
    await this.#leaveRoom(idle);
  }

  /** Gives a room's memory back before the next one is made: the collector would let both be for a while. */
  async #leaveRoom(room: Room | undefined): Promise<void> {
    if (!room) return;
    await room.close();
    this.#collectBefore = true;
  }

  /** One for the first small inputs: until it pays to start others. */
  #threadsFor(hyper: HyperParameters, expectedBytes: number): number {
    const useful = usefulThreads(this.#threads, hyper);
    if (useful === 1 || this.#work > LONE_WORK) return useful;
    this.#work += Math.ceil(expectedBytes / hyper.streams) * layoutOf(hyper).parameterCount;
    return this.#work > LONE_WORK ? useful : 1;
  }

  async #keepOrClose(room: Room): Promise<void> {
    const isKept = room.isReusable && room.failure === undefined && !this.#isClosed && this.#idle === undefined;
    if (!isKept) return await this.#leaveRoom(room);
    room.isIdle = true;
    this.#idle = room;
  }
}

/** Thread 0's exponents, and the memory with its map. */
type Inspection = Pick<Network["thread"], "exponents" | "gradientScales" | "at"> & { readonly buffer: ArrayBufferLike };

export class CpuModel extends HostCodedModel {
  readonly #room: Room;
  readonly #leave: (room: Room) => Promise<void>;
  readonly #bytes: Uint8Array;
  readonly #intervals: Uint32Array;
  readonly #ends: Uint32Array;
  #isClosed = false;

  /**
   * A model in a room of its own: starts the threads and returns when all are ready.
   *
   * @param clock milliseconds, for the times of the phases
   * @throws HyperParameterError, EngineLimitError, CpuThreadError
   */
  static async open(hyper: HyperParameters, threads: number, clock?: () => number): Promise<CpuModel> {
    checkHyperParameters(hyper);
    const options = { threads: usefulThreads(threads, hyper), ...(clock && { clock }) };
    return new CpuModel(hyper, await Room.open(hyper, options), (room) => room.close());
  }

  /** The first model in a room that may be larger. */
  static begin(hyper: HyperParameters, room: Room, leave: (room: Room) => Promise<void>): CpuModel {
    const model = new CpuModel(hyper, room, leave);
    model.#fitRoom();
    return model;
  }

  /** A model in a room in which there was one before. @throws CpuThreadError */
  static async follow(hyper: HyperParameters, room: Room, leave: (room: Room) => Promise<void>): Promise<CpuModel> {
    room.isIdle = false;
    // The first state of a room in which only one model ever was is not kept.
    const isMadeAnew = room.models === 1;
    const model = new CpuModel(hyper, room, leave);
    try {
      model.#run(Command.REWIND, isMadeAnew ? 1 : 0);
    } catch (error) {
      await room.close();
      throw error;
    }
    model.#fitRoom();
    return model;
  }

  /** @param leave what becomes of the room when the model is closed */
  private constructor(
    readonly hyper: HyperParameters,
    room: Room,
    leave: (room: Room) => Promise<void>,
  ) {
    super(CHUNK_STEPS);
    this.#room = room;
    this.#leave = leave;
    room.models += 1;
    const { at } = room.network.thread;
    const { buffer } = room.memory;
    this.#bytes = new Uint8Array(buffer, at.bytes, CHUNK_STEPS * hyper.streams);
    this.#intervals = new Uint32Array(buffer, at.intervals, CHUNK_STEPS * hyper.streams * 2);
    this.#ends = new Uint32Array(buffer, at.ends, hyper.streams * 256);
  }

  /** The workers are idle between two calls, and see the plan with their next command. */
  async describe({ stride }: DataKind): Promise<void> {
    writePlan(this.#room.network.thread.at.recall, this.hyper, stride, this.#room.memory.buffer);
  }

  async fillIntervals(bytes: Uint8Array, stepCount: number, intervals: Uint32Array): Promise<void> {
    const { streams } = this.hyper;
    for (let done = 0; done < stepCount; ) {
      const steps = Math.min(CHUNK_STEPS, stepCount - done);
      this.#bytes.set(bytes.subarray(done * streams, (done + steps) * streams));
      this.#run(Command.ENCODE, steps);
      intervals.set(this.#intervals.subarray(0, steps * streams * 2), done * streams * 2);
      done += steps;
    }
  }

  async predict(ends: Uint32Array): Promise<void> {
    this.#run(Command.PREDICT, 1);
    ends.set(this.#ends);
  }

  async learn(bytes: Uint8Array): Promise<void> {
    this.#bytes.set(bytes.subarray(0, this.hyper.streams));
    this.#run(Command.LEARN, 1);
  }

  /** As `fillIntervals` does, but nobody wants the intervals. */
  async learnSteps(bytes: Uint8Array, stepCount: number): Promise<void> {
    const { streams } = this.hyper;
    for (let done = 0; done < stepCount; done += CHUNK_STEPS) {
      const steps = Math.min(CHUNK_STEPS, stepCount - done);
      this.#bytes.set(bytes.subarray(done * streams, (done + steps) * streams));
      this.#run(Command.ENCODE, steps);
    }
  }

  override async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await super.close();
    } finally {
      await this.#leave(this.#room);
    }
  }

  /** Times of thread 0, for benchmarks. */
  get times(): PhaseTimes {
    return this.#room.network.times;
  }

  /** The trained state and thread 0's view of the exponents, for tests. */
  inspect(): TrainedState & RecallMemory & Inspection {
    const { exponents, gradientScales, at } = this.#room.network.thread;
    const { buffer } = this.#room.memory;
    const recall: RecallPlace = { ...at.recall, slotBits: this.hyper.slotBits, tableBits: this.hyper.tableBits };
    return { ...readState(at, buffer), ...readRecall(recall, buffer), exponents, gradientScales, at, buffer };
  }

  /** A room may have more slots and rows than this model. Until now its sizes are those of the model before. */
  #fitRoom(): void {
    writeSizes(this.#room.network.thread.at.recall, this.hyper, this.#room.memory.buffer);
  }

  /** Runs a command on all threads. @throws CpuThreadError if one has failed, now or earlier */
  #run(command: number, steps: number): void {
    const room = this.#room;
    if (room.failure !== undefined) throw room.failure;
    room.command(command, steps);
    try {
      room.network.obey();
    } catch (error) {
      room.fail(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
}

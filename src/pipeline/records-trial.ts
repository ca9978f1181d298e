/**
 * The last word on a stride: what the mixer itself makes of some of a block's bytes as records, and as plain bytes. The
 * small model of stride.ts sees what bytes above add to a few bytes before. But a block that is told a stride loses
 * words, code and long contexts for it, and how much that costs only the model knows that does without them: with few
 * contexts next to nothing is lost, with many a fifth of a program that has some records among its code. A network
 * loses less, since it looks at the last bytes beside its contexts: there the small model has the last word.
 *
 * Runs from all over the block are coded, as the level does it, first some of them: for most strides that do not pay,
 * these tell. All of it takes a small part of the time that the block takes, and only where there is a stride to try.
 */
import { SEQUENCE } from "../contract/contexts.ts";
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import { type LaneShape, MixerLane } from "../engine/mixer/lane.ts";
import { collect } from "../platform/release.ts";
import type { Pacer } from "./pacer.ts";
import { findRecords, findStride, isSequence } from "./stride.ts";
import { closeTrialKernels } from "./trial-kernels.ts";

/** Of a block, one part in so many is coded in either way, within these bounds. */
const CODED_SHARE = 16;
const CODED_BYTES_MIN = 2 ** 13;
const CODED_BYTES_MAX = 2 ** 15;
const RUNS = 16;
/** A run has so many records; then there are fewer runs. */
const RECORDS_PER_RUN_MIN = 6;
const RUNS_MIN = 4;
/** One run in so many is coded first, then the ones behind these. */
const TURNS = 4;
/** So many lines are enough for so few bytes. */
const LINE_BITS = 13;
/** Records must save so much of what plain bytes take: those gain more as a block goes on. */
const SAVING_SHARE = 1 / 64;
/** What saves so much of the runs so far, or loses so much, is asked no further. */
const EARLY_SAVING_SHARE = 1 / 12;
const LOSS_SHARE = 1 / 64;
/** A sequence of few letters is refused if it loses more than so much: its long contexts gain as a block goes on. */
const SEQUENCE_LOSS_SHARE = 1 / 32;
/** Turns that are enough to see that. */
const SEQUENCE_TURNS = 2;

/** Of shorter blocks, a run takes little besides. */
const LONG_BYTES_MIN = 2 ** 20;

type StrideModel = Pick<HyperParameters, "streams" | "history" | "mixerContexts" | "mixerCounters">;

/**
 * What a model is told of a block.
 *
 * @param bytes what the model will see of it @returns 0, SEQUENCE, or 4 to STRIDE_MAX @throws the abort reason
 */
export async function provenStride(bytes: Uint8Array, hyper: StrideModel, pacer: Pacer): Promise<number> {
  if (hasNetwork(hyper)) return findStride(bytes, hyper);
  const trial = new LaneTrial(bytes, hyper, pacer);
  if (isSequence(bytes) && !(await trial.loses(SEQUENCE))) return SEQUENCE;
  const stride = findRecords(bytes, hyper);
  if (bytes.length >= LONG_BYTES_MIN) closeTrialKernels();
  return stride > 0 && (await trial.saves(stride)) ? stride : 0;
}

class LaneTrial {
  readonly #bytes: Uint8Array;
  readonly #shape: LaneShape;
  readonly #pacer: Pacer;

  constructor(bytes: Uint8Array, hyper: StrideModel, pacer: Pacer) {
    this.#bytes = bytes;
    this.#shape = { contexts: hyper.mixerContexts, lineBits: LINE_BITS, counters: hyper.mixerCounters };
    this.#pacer = pacer;
  }

  /** Whether records of a stride save anything. @throws the abort reason */
  async saves(stride: number): Promise<boolean> {
    const isClear = (saved: number) => saved <= -LOSS_SHARE || saved >= EARLY_SAVING_SHARE;
    return (await this.#saved(stride, TURNS, isClear)) > SAVING_SHARE;
  }

  /** Whether it is worse to be told that bytes are a sequence. @throws the abort reason */
  async loses(stride: number): Promise<boolean> {
    return (await this.#saved(stride, SEQUENCE_TURNS, () => false)) < -SEQUENCE_LOSS_SHARE;
  }

  /** Which share of what plain bytes take is saved. @param isClear what needs no more turns */
  async #saved(stride: number, turnCount: number, isClear: (saved: number) => boolean): Promise<number> {
    const turns = turnsOf(this.#bytes, stride).slice(0, turnCount);
    // Beside a model that runs, two lanes at once are much: then all plain turns come first, though few may do.
    const ahead = this.#isLong ? await Array.fromAsync(this.#sums(0, turns)) : [];
    if (this.#isLong) collect();
    const plain = this.#sums(0, turns);
    let saved = 0;
    let turn = 0;
    for await (const taken of this.#sums(stride, turns)) {
      const without = ahead[turn++] ?? ((await plain.next()).value as number);
      saved = (without - taken) / without;
      if (isClear(saved)) break;
    }
    if (this.#isLong) collect();
    return saved;
  }

  /** What a lane makes of the runs, by turns: bytes of all so far. */
  async *#sums(stride: number, turns: readonly (readonly Uint8Array[])[]): AsyncGenerator<number> {
    const lane = this.#laneFor(stride);
    let sum = 0;
    for (const runs of turns) {
      for (const run of runs) sum += await this.#codedBytes(lane, run);
      yield sum;
    }
  }

  get #isLong(): boolean {
    return this.#bytes.length >= LONG_BYTES_MIN;
  }

  #laneFor(stride: number): MixerLane {
    const lane = new MixerLane(this.#shape);
    lane.describe(stride);
    return lane;
  }

  async #codedBytes(lane: MixerLane, run: Uint8Array): Promise<number> {
    lane.begin();
    lane.encode(run);
    await this.#pacer.turn(() => {});
    return lane.finishEncoding().length;
  }
}

/** Runs from all over the block, in turns. Each begins where a record does, if the first one does. */
function turnsOf(bytes: Uint8Array, stride: number): Uint8Array[][] {
  const share = Math.max(CODED_BYTES_MIN, Math.min(CODED_BYTES_MAX, bytes.length / CODED_SHARE));
  const count = Math.max(RUNS_MIN, Math.min(RUNS, Math.floor(share / (RECORDS_PER_RUN_MIN * stride))));
  const runBytes = Math.floor(Math.min(bytes.length, share) / count);
  const runs = Array.from({ length: count }, (_, i) => {
    const middle = Math.floor((bytes.length * (i + 0.5)) / count - runBytes / 2);
    const start = middle - (middle % stride);
    return bytes.subarray(start, start + runBytes);
  });
  return Array.from({ length: TURNS }, (_, turn) => runs.filter((_, i) => (i + TURNS - 1) % TURNS === turn));
}

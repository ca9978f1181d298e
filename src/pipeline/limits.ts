/**
 * Limits on what an archive may cost whoever decodes it. A few bytes rightly become gigabytes, and a header of forty
 * bytes asks for a model whose every step takes a second: that is no damage, so only a limit can refuse it. Both are
 * held against what headers and heads of blocks say, before anything is done for them; the seconds are an estimate.
 */
import { fillBytesOf } from "../archive/fills.ts";
import type { BlockHead, FrameHeader } from "../archive/format.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { CUE_BYTES_MAX } from "./cues.ts";
import { OutputLimitError, TimeLimitError } from "./errors.ts";

export { OutputLimitError, TimeLimitError } from "./errors.ts";

/** What decoding takes on this machine, in seconds. */
export interface DecodeCost {
  /** Until a model makes its first step. */
  openSeconds(hyper: HyperParameters): number;
  /** @param before steps that the model has made already */
  stepsSeconds(hyper: HyperParameters, steps: number, before: number): number;
}

/** Over all frames of an archive. */
export interface RestoreLimits {
  /** Plain bytes. */
  readonly outputBytesMax?: number;
  /** Seconds of decoding, by `cost`. */
  readonly secondsMax?: number;
  readonly cost?: DecodeCost;
}

/** Hashing, copying and writing, beside the model. */
const SECONDS_PER_PLAIN_BYTE = 3e-9;
/** Reading a block and handing it on, and a copy of a list: some sixty bits. */
const SECONDS_PER_BLOCK = 2e-5;
const SECONDS_PER_COPY = 1.5e-6;
/** Predictors before the model, at their slowest. */
const SECONDS_PER_PREDICTED_BYTE = 2e-6;
/**
 * What predictors in lanes add to it, if the lanes come one after the other; a panel for sound of 8 bits, the slowest
 * of them, takes 5 µs a byte, and its way back behind the model 4.
 */
const SECONDS_PER_FORESEEN_BYTE = 7e-6;

/** To go through bytes between others that are coded; no more than a block's plain bytes. */
const SECONDS_PER_CUED_BYTE = 3e-6;

/** Going through bytes of a prior takes less than coding them. */
const CONTENT_BYTES_PER_STEP = 2;

/** What an archive has cost so far, and what its next part would add. */
export class Budget {
  readonly #limits: RestoreLimits;
  #plainBytes = 0;
  #seconds = 0;
  /** Of the block that was admitted last. */
  #nextSeconds = 0;
  #nextSteps = 0;
  /** Steps that the frame's model has made. */
  #steps = 0;
  /** Whether the frame's model counts already. */
  #isModelCounted = false;

  constructor(limits: RestoreLimits) {
    this.#limits = limits;
  }

  /** @throws OutputLimitError */
  openFrame({ plainBytes = 0 }: FrameHeader): void {
    this.#isModelCounted = false;
    this.#steps = 0;
    this.#checkOutput(plainBytes);
  }

  /**
   * May be called again for the same block.
   *
   * @param contentBytes of the frame's prior, which every lane goes through
   * @throws OutputLimitError, TimeLimitError
   */
  admit(head: BlockHead, { model }: FrameHeader, contentBytes: number): void {
    const { kind, plainBytes, cut, stretchBytes, isForeseen, fills } = head;
    const seenBytes = cut?.restBytes ?? plainBytes;
    const outputBytes = plainBytes + fillBytesOf(fills);
    this.#checkOutput(outputBytes);
    const { cost } = this.#limits;
    this.#nextSeconds = SECONDS_PER_BLOCK + outputBytes * SECONDS_PER_PLAIN_BYTE;
    if (stretchBytes) this.#nextSeconds += seenBytes * SECONDS_PER_PREDICTED_BYTE;
    if (isForeseen) this.#nextSeconds += seenBytes * SECONDS_PER_FORESEEN_BYTE;
    this.#nextSteps = 0;
    if (kind !== "stored" && model && cost) {
      this.#nextSteps = Math.ceil(seenBytes / model.hyper.streams);
      this.#nextSeconds += cost.stepsSeconds(model.hyper, this.#nextSteps, this.#steps);
      if (!this.#isModelCounted) {
        const contentSteps = Math.ceil(contentBytes / CONTENT_BYTES_PER_STEP);
        this.#nextSeconds += cost.openSeconds(model.hyper) + cost.stepsSeconds(model.hyper, contentSteps, 0);
      }
    }
    this.#checkTime(this.#nextSeconds);
  }

  /**
   * The block that was admitted is there, with its fills.
   *
   * @param copies in its list
   * @param isCued whether lanes are reminded by them
   * @throws TimeLimitError
   */
  pass(isModelled: boolean, plainBytes: number, copies: number, isCued = false): void {
    if (isModelled && isCued) this.#seconds += Math.min(copies * CUE_BYTES_MAX, plainBytes) * SECONDS_PER_CUED_BYTE;
    this.#plainBytes += plainBytes;
    this.#seconds += this.#nextSeconds + copies * SECONDS_PER_COPY;
    this.#isModelCounted ||= isModelled;
    this.#steps += this.#nextSteps;
    this.#checkTime(0);
  }

  #checkOutput(bytes: number): void {
    const { outputBytesMax = Number.POSITIVE_INFINITY } = this.#limits;
    const claimedBytes = this.#plainBytes + bytes;
    if (claimedBytes > outputBytesMax) throw new OutputLimitError(claimedBytes, outputBytesMax);
  }

  #checkTime(seconds: number): void {
    const { secondsMax = Number.POSITIVE_INFINITY } = this.#limits;
    const estimatedSeconds = this.#seconds + seconds;
    if (estimatedSeconds > secondsMax) throw new TimeLimitError(estimatedSeconds, secondsMax);
  }
}

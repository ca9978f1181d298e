/**
 * Pixels and sound that a lane of the bit mixer foresees: a predictor goes along with the lane and makes contexts of
 * what it knows before each byte. Where they lie among the lane's bytes follows from the block's list of stretches.
 */
import { openPredictors, type PredictorKernels } from "./kernels.ts";
import { type Film, filmFrameBytes, type Numbers, type Pixels, type Sound, type Stretch } from "./list.ts";

/** A block whose pixels and sound lanes foresee. */
export interface ForeseenBlock {
  readonly stretches: readonly Stretch[];
  /** That the model sees. */
  readonly seenBytes: number;
}

/** Numbers that a lane may foresee. */
type Foreseeable = Pixels | Film | Sound;

/** Where they lie among a lane's bytes of a block. */
export interface ForeseenNumbers {
  readonly start: number;
  readonly lengthBytes: number;
  readonly numbers: Foreseeable;
}

/** Pixels, films, and sound by a panel. */
export function isForeseeable(numbers: Numbers): numbers is Foreseeable {
  const { kind } = numbers;
  return kind === "pixels" || kind === "film" || (kind === "sound" && numbers.isByPanel === true);
}

/** Bytes of a lane that begin with a predictor that knows nothing. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly numbers: Pixels | Sound;
}

/** What a predictor keeps, generously counted. */
const STATE_BYTES = 9 * 2 ** 21;

/** What the foresight of a block takes in all its lanes, generously counted. @param seenBytes of the block */
export const foresightMemoryBytes = (seenBytes: number, lanes: number) => 2 * seenBytes + lanes * STATE_BYTES;

/**
 * The stretches that a lane foresees: those that can be foreseen and lie wholly among its bytes.
 *
 * @param start, end of the lane's bytes among those that the model sees of the block
 */
export function foreseenWithin(stretches: readonly Stretch[], start: number, end: number): ForeseenNumbers[] {
  const found: ForeseenNumbers[] = [];
  let at = 0;
  for (const { gapBytes, lengthBytes, numbers } of stretches) {
    at += gapBytes;
    const isWithin = at >= start && at + lengthBytes <= end;
    if (isWithin && isForeseeable(numbers)) found.push({ start: at - start, lengthBytes, numbers });
    at += lengthBytes;
  }
  return found;
}

/** A film as the pixels that it is coded as: all planes of luminance, then those of colour, which take turns. */
export function filmParts(film: Film, lengthBytes: number): readonly { pixels: Pixels; lengthBytes: number }[] {
  const { width, height } = film;
  const size = width * height;
  const frames = Math.floor(lengthBytes / filmFrameBytes(film));
  const shared = { kind: "pixels", isRanked: false } as const;
  return [
    { pixels: { ...shared, channels: 1, width, frameBytes: size }, lengthBytes: frames * size },
    { pixels: { ...shared, channels: 2, width: width / 2, frameBytes: size / 2 }, lengthBytes: (frames * size) / 2 },
  ];
}

function partsOf({ start, lengthBytes, numbers }: ForeseenNumbers): Part[] {
  if (numbers.kind === "sound") {
    const whole = lengthBytes - (lengthBytes % numbers.width);
    return [{ start, end: start + whole, numbers }];
  }
  const pieces = numbers.kind === "film" ? filmParts(numbers, lengthBytes) : [{ pixels: numbers, lengthBytes }];
  let at = start;
  return pieces.flatMap(({ pixels, lengthBytes }) => {
    // Of a last pixel that is not whole, the bytes are as they are.
    const whole = lengthBytes - (lengthBytes % pixels.channels);
    const part = { start: at, end: at + whole, numbers: pixels };
    at += lengthBytes;
    return whole > 0 ? [part] : [];
  });
}

const roundUp = (bytes: number) => (bytes + 15) & ~15;

/** The predictor of a lane's numbers in one block. Bytes are asked for in order. */
export class Foresight {
  readonly kernels: PredictorKernels = openPredictors();
  readonly #parts: readonly Part[];
  #next = 0;

  /** @param numbers in the order in which they lie, none over another */
  constructor(numbers: readonly ForeseenNumbers[]) {
    this.#parts = numbers.flatMap(partsOf);
  }

  /**
   * What the lane's next bytes are: up to where, and how many likelihoods of each bit are foreseen, 0 if they are not.
   * Called at the end of what it said before, or between; a part that begins here is begun.
   *
   * @throws Error if the memory cannot be had
   */
  at(time: number): { readonly end: number; readonly likelihoods: number } {
    let part = this.#parts[this.#next];
    while (part && time >= part.end) {
      this.#next += 1;
      part = this.#parts[this.#next];
    }
    if (!part) return { end: Number.POSITIVE_INFINITY, likelihoods: 0 };
    if (time < part.start) return { end: part.start, likelihoods: 0 };
    if (time === part.start) {
      if (part.numbers.kind === "sound") this.#beginSound(part.numbers);
      else this.#beginPixels(part.numbers, part.end - part.start);
    }
    return { end: part.end, likelihoods: this.kernels.likelihoodCount() };
  }

  #beginSound({ channels, width, isBig, isUnsigned }: Sound): void {
    const { kernels } = this;
    const state = kernels.dataStart();
    if (!kernels.growTo(state + kernels.soundStateBytes(channels, true))) {
      throw new Error("there is no memory for predictors");
    }
    kernels.startSound(state, channels, width, isBig, isUnsigned, true);
    kernels.beginSoundForesight(state);
  }

  #beginPixels({ channels, width, frameBytes, isRanked }: Pixels, sizeBytes: number): void {
    const { kernels } = this;
    const state = kernels.dataStart();
    const stateBytes = kernels.pixelStateBytes(channels, width, frameBytes > 0, isRanked);
    const plain = roundUp(state + stateBytes);
    const left = roundUp(plain + sizeBytes);
    if (!kernels.growTo(left + sizeBytes)) throw new Error("there is no memory for predictors");
    // Of a part before, nothing may be seen.
    new Uint8Array(kernels.memory.buffer, plain, left + sizeBytes - plain).fill(0);
    kernels.startPixels(state, channels, width, sizeBytes / channels, frameBytes, isRanked, true);
    kernels.beginForesight(state, plain, left);
  }
}

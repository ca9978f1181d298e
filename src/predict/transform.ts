/**
 * Stretches of numbers become what their predictors left of them, and back. Both ways run the same kernels, in the same
 * order; a stretch begins with a predictor that knows nothing, so that each can be restored by itself.
 */
import { openPredictors, type PredictorKernels } from "./kernels.ts";
import { type Numbers, STRETCH_BYTES_MAX, type Stretch } from "./list.ts";

/** Bytes that are worked on between two pauses: some hundredths of a second. */
const SLICE_BYTES = 3 * 2 ** 14;
/** What predictors keep, generously counted. */
const STATE_BYTES = 2 ** 21;

/** What `transformSlowly` takes besides the bytes themselves. @param seenBytes of the block */
export function transformMemoryBytes(seenBytes: number): number {
  return 2 * Math.min(seenBytes, STRETCH_BYTES_MAX) + STATE_BYTES;
}

/**
 * Transforms the stretches of `bytes` in place. Pauses some times a second.
 *
 * @param isBack from what predictors left to what was there
 * @throws Error if the memory cannot be had
 */
export function* transformSlowly(bytes: Uint8Array, stretches: readonly Stretch[], isBack: boolean): Generator<void> {
  const kernels = openPredictors();
  let at = 0;
  for (const { gapBytes, lengthBytes, numbers } of stretches) {
    at += gapBytes;
    yield* transformStretch(kernels, bytes.subarray(at, at + lengthBytes), numbers, isBack);
    at += lengthBytes;
  }
}

function* transformStretch(
  kernels: PredictorKernels,
  bytes: Uint8Array,
  numbers: Numbers,
  isBack: boolean,
): Generator<void> {
  const { channels, width, isBig, isUnsigned } = numbers;
  const state = kernels.dataStart();
  const from = roundUp(state + kernels.soundStateBytes(channels));
  const to = roundUp(from + bytes.length);
  if (!kernels.growTo(to + bytes.length)) throw new Error("there is no memory for predictors");
  new Uint8Array(kernels.memory.buffer, from, bytes.length).set(bytes);
  kernels.startSound(state, channels, width, isBig, isUnsigned);
  const samples = Math.floor(bytes.length / width);
  const sliceSamples = Math.floor(SLICE_BYTES / width);
  for (let done = 0; done < samples; done += sliceSamples) {
    const count = Math.min(sliceSamples, samples - done);
    kernels.codeSound(state, from + done * width, to + done * width, count, isBack);
    yield;
  }
  // Of a last sample that is not whole, the bytes stay.
  bytes.set(new Uint8Array(kernels.memory.buffer, to, samples * width));
}

const roundUp = (bytes: number) => (bytes + 15) & ~15;

/**
 * Stretches of numbers become what their predictors left of them, and back. Both ways run the same kernels, in the same
 * order; a stretch begins with a predictor that knows nothing, so that each can be restored by itself.
 */
import { transformExactly } from "./exact.ts";
import { filmParts } from "./foresight.ts";
import { openPredictors, type PredictorKernels } from "./kernels.ts";
import {
  type Film,
  filmFrameBytes,
  type Numbers,
  numberBytes,
  type Pixels,
  type Sound,
  STRETCH_BYTES_MAX,
  type Stretch,
  type Table,
} from "./list.ts";

/** Bytes that are worked on between two pauses: some hundredths of a second. */
const SLICE_BYTES = 3 * 2 ** 14;
/** The same of a panel of predictors. */
const PANEL_SLICE_BYTES = 3 * 2 ** 11;
/** What predictors keep, generously counted. */
const STATE_BYTES = 9 * 2 ** 21;

/** What `transformSlowly` takes besides the bytes themselves. @param seenBytes of the block */
export function transformMemoryBytes(seenBytes: number): number {
  return 3 * Math.min(seenBytes, STRETCH_BYTES_MAX) + STATE_BYTES;
}

/**
 * Transforms the stretches of `bytes` in place. Pauses some times a second.
 *
 * @param isBack from what predictors left to what was there
 * @param isForeseen whether channels take turns in what is left of pixels, as a lane foresees them
 * @throws Error if the memory cannot be had
 */
export function* transformSlowly(
  bytes: Uint8Array,
  stretches: readonly Stretch[],
  isBack: boolean,
  isForeseen = false,
): Generator<void> {
  const kernels = openPredictors();
  const way = { isBack, isForeseen };
  let at = 0;
  for (const { gapBytes, lengthBytes, numbers } of stretches) {
    at += gapBytes;
    yield* transformStretch(kernels, bytes.subarray(at, at + lengthBytes), numbers, way);
    at += lengthBytes;
  }
}

interface Way {
  readonly isBack: boolean;
  readonly isForeseen: boolean;
}

/** Where a stretch's two forms and the predictor's state lie in the kernels' memory. */
interface Room {
  readonly kernels: PredictorKernels;
  readonly state: number;
  readonly from: number;
  readonly to: number;
}

function* transformStretch(kernels: PredictorKernels, bytes: Uint8Array, numbers: Numbers, way: Way): Generator<void> {
  if (numbers.kind === "film") return yield* transformFilm(kernels, bytes, numbers, way);
  if (numbers.kind === "colours" || numbers.kind === "differences") return transformExactly(bytes, numbers, way.isBack);
  const room = roomFor(kernels, bytes.length, numbers);
  new Uint8Array(kernels.memory.buffer, room.from, bytes.length).set(bytes);
  if (numbers.kind === "sound") yield* codeSound(room, bytes.length, numbers, way.isBack);
  else if (numbers.kind === "table") yield* codeTable(room, bytes.length, numbers, way.isBack);
  else yield* codePixels(room, bytes.length, numbers, way);
  // Of a last sample, pixel or number that is not whole, the bytes stay.
  const unit = wholeBytes(numbers);
  bytes.set(new Uint8Array(kernels.memory.buffer, room.to, bytes.length - (bytes.length % unit)));
}

/** A film as two: all planes of luminance, then those of colour, as pixels of two channels. Of the rest, bytes stay. */
function* transformFilm(kernels: PredictorKernels, bytes: Uint8Array, film: Film, way: Way): Generator<void> {
  const frames = Math.floor(bytes.length / filmFrameBytes(film));
  const sorted = new Uint8Array(frames * filmFrameBytes(film));
  if (way.isBack) sorted.set(bytes.subarray(0, sorted.length));
  else sortPlanes(bytes, sorted, film, frames, false);
  let at = 0;
  for (const { pixels, lengthBytes } of filmParts(film, bytes.length)) {
    yield* transformStretch(kernels, sorted.subarray(at, at + lengthBytes), pixels, way);
    at += lengthBytes;
  }
  if (way.isBack) sortPlanes(bytes, sorted, film, frames, true);
  else bytes.set(sorted);
}

/** Between frames and what `transformFilm` says. @param isBack to frames */
function sortPlanes(bytes: Uint8Array, sorted: Uint8Array, film: Film, frames: number, isBack: boolean): void {
  const size = film.width * film.height;
  const quarter = size / 4;
  for (let frame = 0; frame < frames; frame += 1) {
    const from = frame * filmFrameBytes(film);
    const light = sorted.subarray(frame * size, (frame + 1) * size);
    if (isBack) bytes.set(light, from);
    else light.set(bytes.subarray(from, from + size));
    const colour = frames * size + frame * 2 * quarter;
    for (let i = 0; i < 2 * quarter; i += 1) {
      const at = from + size + i;
      const place = colour + (i < quarter ? 2 * i : 2 * (i - quarter) + 1);
      if (isBack) bytes[at] = sorted[place] as number;
      else sorted[place] = bytes[at] as number;
    }
  }
}

/** Bytes of what is coded at a time. */
function wholeBytes(numbers: Sound | Pixels | Table): number {
  if (numbers.kind === "table") return numberBytes(numbers.format);
  return numbers.kind === "sound" ? numbers.width : numbers.channels;
}

function stateBytesOf(kernels: PredictorKernels, numbers: Sound | Pixels | Table): number {
  if (numbers.kind === "table") return kernels.tableStateBytes(numbers.columns, numbers.row, numbers.frame);
  if (numbers.kind === "sound") return kernels.soundStateBytes(numbers.channels, numbers.isByPanel ?? false);
  return kernels.pixelStateBytes(numbers.channels, numbers.width, numbers.frameBytes > 0, numbers.isRanked);
}

function roomFor(kernels: PredictorKernels, sizeBytes: number, numbers: Sound | Pixels | Table): Room {
  const stateBytes = stateBytesOf(kernels, numbers);
  const state = kernels.dataStart();
  const from = roundUp(state + stateBytes);
  const to = roundUp(from + sizeBytes);
  if (!kernels.growTo(to + sizeBytes)) throw new Error("there is no memory for predictors");
  return { kernels, state, from, to };
}

function* codeSound({ kernels, state, from, to }: Room, sizeBytes: number, sound: Sound, isBack: boolean) {
  const { channels, width, isBig, isUnsigned, isByPanel = false } = sound;
  kernels.startSound(state, channels, width, isBig, isUnsigned, isByPanel);
  const samples = Math.floor(sizeBytes / width);
  const sliceSamples = Math.floor((isByPanel ? PANEL_SLICE_BYTES : SLICE_BYTES) / width);
  for (let done = 0; done < samples; done += sliceSamples) {
    const count = Math.min(sliceSamples, samples - done);
    kernels.codeSound(state, from + done * width, to + done * width, count, isBack);
    yield;
  }
}

function* codePixels({ kernels, state, from, to }: Room, sizeBytes: number, pixels: Pixels, way: Way) {
  const { channels, width, frameBytes, isRanked } = pixels;
  const { isBack, isForeseen } = way;
  kernels.startPixels(state, channels, width, Math.floor(sizeBytes / channels), frameBytes, isRanked, isForeseen);
  const [plain, left] = isBack ? [to, from] : [from, to];
  while (kernels.codePixels(state, plain, left, SLICE_BYTES, isBack)) yield;
}

const formatOf = (table: Table) => (table.format.startsWith("int") ? 0 : table.format === "bfloat16" ? 2 : 1);

function* codeTable({ kernels, state, from, to }: Room, sizeBytes: number, table: Table, isBack: boolean) {
  const { isBig, columns, row, frame, rawBits, exponent, isDamped = false } = table;
  const width = numberBytes(table.format);
  kernels.startTable(state, width, formatOf(table), isBig, columns, row, frame, rawBits, exponent, isDamped);
  const numbers = Math.floor(sizeBytes / width);
  const sliceNumbers = SLICE_BYTES / width;
  for (let done = 0; done < numbers; done += sliceNumbers) {
    kernels.codeTable(state, from + done * width, to + done * width, Math.min(sliceNumbers, numbers - done), isBack);
    yield;
  }
}

const roundUp = (bytes: number) => (bytes + 15) & ~15;

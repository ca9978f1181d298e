/** Sounds that nobody recorded and pictures that nobody took, for tests of predictors: of integers, + - and * alone. */
import { numberBytes, type TableFormat } from "../../src/predict/list.ts";
import { Random } from "./gpu-values.ts";

export interface SoundShape {
  readonly channels: number;
  /** Bytes of a sample. */
  readonly width: number;
  readonly isBig: boolean;
  readonly isUnsigned?: boolean;
}

interface PixelShape {
  readonly channels: number;
  readonly width: number;
}

/**
 * Smooth shapes and a little noise. @param colours every channel follows the first one, in steps of so much; 0: they
 * wander by themselves
 */
export function pixelsOf(rows: number, { channels, width }: PixelShape, colours = 0, seed = 1): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array(rows * width * channels);
  const rowBytes = width * channels;
  for (let at = 0; at < bytes.length; at += 1) {
    const channel = at % channels;
    const left = at < channels ? 128 : (bytes[at - channels] as number);
    const up = at < rowBytes ? left : (bytes[at - rowBytes] as number);
    const corner = at < rowBytes + channels ? up : (bytes[at - rowBytes - channels] as number);
    const smooth = 0.55 * (left + up - corner) + 0.45 * ((left + up) / 2) + random.between(-3, 3);
    const first = bytes[at - channel] as number;
    const value = channel > 0 && colours > 0 ? first + colours * Math.round((left - first) / colours) : smooth;
    bytes[at] = Math.max(0, Math.min(255, Math.round(value + (128 - value) / 64)));
  }
  return bytes;
}

/** Pixels in runs of some colours, all of 15 pixels, which begin in every row anew. */
export function drawingOf(rows: number, width: number, colours: number, channels = 3): Uint8Array {
  const random = new Random(3);
  const palette = Array.from({ length: colours * channels }, () => random.next() >>> 24);
  const numbers = Array.from({ length: rows * Math.ceil(width / 15) }, () => random.between(0, colours - 1));
  return Uint8Array.from({ length: rows * width * channels }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const number = numbers[row * Math.ceil(width / 15) + Math.floor(column / 15)] as number;
    return palette[number * channels + channel] as number;
  });
}

/** Bytes that rise by one in `across` bytes of a row, and in `down` rows. */
export function gradientOf(rows: number, width: number, across: number, down: number): Uint8Array {
  return Uint8Array.from({ length: rows * width }, (_, i) => (i % width) / across + Math.floor(i / width) / down);
}

/** Frames of one picture with a little noise: a plane of light and two of colour, of a quarter each. */
export function filmOf(
  frames: number,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const random = new Random(7);
  const light = pixelsOf(height, { channels: 1, width });
  const colours = [2, 3].map((seed) => pixelsOf(height / 2, { channels: 1, width: width / 2 }, 0, seed));
  const frame = new Uint8Array(Buffer.concat([light, ...colours]));
  const noisy = () => frame.map((byte) => Math.max(0, Math.min(255, byte + random.between(-1, 1))));
  return new Uint8Array(Buffer.concat(Array.from({ length: frames }, noisy)));
}

/** Resonances that noise keeps awake; every channel has half of the one before it. */
export function soundOf(frames: number, shape: SoundShape, seed = 1): Uint8Array {
  const { channels, width, isBig, isUnsigned = false } = shape;
  const random = new Random(seed);
  const bytes = new Uint8Array(frames * channels * width);
  const past = Array.from({ length: channels }, () => [0, 0]);
  const limit = 2 ** (8 * width - 1);
  for (let t = 0, at = 0; t < frames; t += 1) {
    let before = 0;
    for (const state of past) {
      const [one = 0, two = 0] = state;
      const noise = random.between(-limit / 200, limit / 200);
      const now = 1.9 * one - 0.96 * two + noise + before / 16;
      state[0] = Math.max(-limit, Math.min(limit - 1, Math.round(now)));
      state[1] = one;
      before = state[0];
      const value = state[0] + (isUnsigned ? limit : 0);
      for (let i = 0; i < width; i += 1, at += 1) bytes[at] = value >> (8 * (isBig ? width - 1 - i : i));
    }
  }
  return bytes;
}

interface TableShape {
  readonly format: TableFormat;
  readonly isBig?: boolean;
  readonly columns?: number;
  /** Tuples of a row; 0: a line. */
  readonly row?: number;
}

/**
 * Numbers that wander smoothly, with a little noise, in columns that have nothing to do with each other; in rows, each
 * of which is the first one, higher or lower.
 */
export function tableOf(
  tuples: number,
  { format, isBig = false, columns = 1, row = 0 }: TableShape,
  seed = 1,
): Uint8Array {
  const random = new Random(seed);
  const width = numberBytes(format);
  const bytes = new Uint8Array(tuples * columns * width);
  const slopes = new Float64Array(columns);
  const line = new Float64Array((row > 0 ? row : tuples) * columns);
  for (let i = 0; i < line.length; i += 1) {
    const column = i % columns;
    const before = i < columns ? 300 * (column + 1) : (line[i - columns] as number);
    const step = row > 0 ? 0 : 0.98 * (slopes[column] as number);
    slopes[column] = step + random.between(-1000, 1000) / 1000;
    line[i] = before + (300 * (column + 1) - before) / 50 + (slopes[column] as number);
  }
  let height = 0;
  for (let i = 0; i < tuples * columns; i += 1) {
    const place = row > 0 ? i % line.length : i;
    if (row > 0 && place === 0) height = 0.9 * height + random.between(-1000, 1000) / 2000;
    writeNumber(bytes, i * width, (line[place] as number) + height + random.between(-100, 100) / 5000, format, isBig);
  }
  return bytes;
}

/** Integers are in units of 1/1000 or, if they are short, 1/20. */
function writeNumber(bytes: Uint8Array, at: number, value: number, format: TableFormat, isBig: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (format === "float64") view.setFloat64(at, value, !isBig);
  else if (format === "float32") view.setFloat32(at, value, !isBig);
  else if (format === "float16") view.setFloat16(at, value, !isBig);
  else if (format === "bfloat16") {
    const scratch = new DataView(new ArrayBuffer(4));
    scratch.setFloat32(0, value);
    view.setUint16(at, scratch.getUint16(0), !isBig);
  } else if (format === "int16") view.setInt16(at, Math.round(20 * value), !isBig);
  else if (format === "int32") view.setInt32(at, Math.round(1000 * value), !isBig);
  else view.setBigInt64(at, BigInt(Math.round(1000 * value)), !isBig);
}
